// Everything the mouse can do, from the keyboard. The listener sits on the editor's own element.

export function attachKeys(editor) {
  editor.panel.root.addEventListener("keydown", (event) => {
    if (event.target.closest?.("button") && [" ", "Enter"].includes(event.key)) return;
    if (!editor.data || !handle(editor, event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function handle(editor, event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return act(editor, event.shiftKey ? "redo" : "undo");
    if (key === "y") return act(editor, "redo");
    return false;
  }
  if (event.altKey) return false;
  if (event.shiftKey && key.startsWith("Arrow")) return nudge(editor, key);
  const keys = {
    Delete: () => editor.remove(),
    Backspace: () => editor.remove(),
    Escape: () => escape(editor),
    Enter: () => pick(editor),
    ArrowRight: () => step(editor, editor.links(), 1),
    ArrowLeft: () => step(editor, editor.links(), -1),
    ArrowDown: () => step(editor, editor.variables(), 1),
    ArrowUp: () => step(editor, editor.variables(), -1),
    s: () => editor.cycleEnd(editor.selectedEdge(), "source"),
    t: () => editor.cycleEnd(editor.selectedEdge(), "target"),
    r: () => editor.reverse(),
    d: () => act(editor, "draw"),
    f: () => act(editor, "fit"),
    "+": () => act(editor, "larger"),
    "=": () => act(editor, "larger"),
    "-": () => act(editor, "smaller"),
  };
  if (!(key in keys)) return false;
  keys[key]();
  return true;
}

function act(editor, name) {
  editor.act(name);
  return true;
}

function step(editor, items, by) {
  if (items.empty()) return;
  const at = items.toArray().findIndex((item) => item.selected());
  const next = at < 0 ? (by > 0 ? 0 : items.length - 1) : (at + by + items.length) % items.length;
  editor.select(items[next]);
  if (items[next].isNode()) editor.say(items[next].data("name"));
}

// Enter in draw mode: first the cause, then the effect.
function pick(editor) {
  const node = editor.cy.nodes(".variable:selected");
  if (!editor.drawMode || node.empty()) return;
  if (!editor.start) {
    editor.start = node[0];
    editor.start.addClass("joining");
    editor.say(`${editor.start.data("name")} → … Choose the effect with the arrow keys, then Enter.`);
    return;
  }
  const cause = editor.start;
  editor.start = null;
  cause.removeClass("joining");
  editor.join(cause, node[0]);
}

function escape(editor) {
  editor.pen.cancel();
  if (editor.drawMode) editor.setDrawMode(false);
  editor.select(null);
}

function nudge(editor, key) {
  const node = editor.cy.nodes(".variable:selected");
  if (editor.readOnly || node.empty()) return false;
  const by = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20] }[key];
  node[0].shift({ x: by[0], y: by[1] });
  editor.moved([node[0]]);
  return true;
}
