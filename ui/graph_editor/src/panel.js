// The page elements around the drawing: toolbar, status line, legend.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const BUTTONS = [
  ["draw", "Draw edge", "Draw an edge: drag from its cause to its effect (D)"],
  ["reverse", "Reverse", "Swap the two ends of the selected edge (R)"],
  ["remove", "Delete", "Remove the selected edge (Delete)"],
  ["restore", "Restore", "Bring the selected removed edge back"],
  null,
  ["undo", "Undo", "Take the last change back (Ctrl+Z)"],
  ["redo", "Redo", "Make the undone change again (Ctrl+Y)"],
  null,
  ["smaller", "−", "Zoom out (−)"],
  ["larger", "+", "Zoom in (+)"],
  ["fit", "Fit", "Show the whole graph (F)"],
  ["full", "Full screen", "Use the whole screen for the drawing, or leave it (Esc)"],
  ["picture", "Picture", "Save the drawing as a PNG file"],
  ["ghosts", "Removed edges", "Show or hide the found edges that were removed"],
];

const LEGEND = [
  ["→", "causes"],
  ["o→", "causes, or hidden common cause"],
  ["o–o", "open"],
  ["↔", "hidden common cause"],
  ["—", "either direction"],
];

export function buildPanel(act) {
  const buttons = {};
  const toolbar = element("div", { class: "toolbar", role: "toolbar", "aria-label": "Graph tools" });
  for (const entry of BUTTONS) {
    if (!entry) {
      toolbar.append(element("span", { class: "gap" }));
      continue;
    }
    const [name, text, title] = entry;
    buttons[name] = element("button", { type: "button", title, onclick: () => act(name) }, text);
    buttons[name].dataset.act = name;
    toolbar.append(buttons[name]);
  }
  const canvas = element("div", { class: "canvas" });
  const status = element("div", { class: "status", role: "status", "aria-live": "polite" });
  const legend = element("div", { class: "legend" });
  for (const [symbol, meaning] of LEGEND) {
    legend.append(element("span", {}, element("b", {}, symbol), ` ${meaning}`));
  }
  legend.append(
    element("span", { class: "wide-key" }, element("i", { class: "line thin" }), element("i", { class: "line thick" }), " found more often"),
    element("span", { class: "mine-key" }, element("i", { class: "line dashed" }), " changed"),
    element("span", { class: "removed-key" }, element("i", { class: "line dotted" }), " removed"),
  );
  const root = element(
    "div",
    {
      class: "graph-editor",
      tabindex: "0",
      role: "application",
      "aria-label":
        "Causal graph. Arrow keys left and right go through the edges, up and down through the variables; " +
        "S and T change the ends of the selected edge, R reverses it, Delete removes it, D draws a new one.",
    },
    toolbar,
    canvas,
    status,
    legend,
  );
  return { root, buttons, canvas, status, legend };
}
