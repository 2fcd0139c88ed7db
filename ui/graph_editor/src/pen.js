// Drawing an edge with the mouse: from the + beside a node, or from anywhere on it in draw mode.

const LINGER = 350; // milliseconds that the + stays after the pointer has left its node

export class Pen {
  constructor(editor) {
    this.editor = editor;
    this.cy = editor.cy;
    this.cause = null; // the node that the edge in hand starts from
    this.effect = null; // the node under the pointer
    const { cy } = this;
    cy.on("mouseover", "node.variable", (event) => this.offerHandle(event.target));
    cy.on("mouseout", "node.variable, #handle", () => this.dropHandleSoon());
    cy.on("mouseover", "#handle", () => clearTimeout(this.dropping));
    cy.on("grab", "node.variable", () => this.dropHandle());
    cy.on("tapstart", "node", (event) => {
      const node = event.target;
      if (node.id() === "handle") this.start(cy.getElementById(node.data("of")), event.position);
      else if (editor.drawMode && node.hasClass("variable")) this.start(node, event.position);
    });
    cy.on("tapdrag", (event) => this.drag(event.position));
    cy.on("tapend", () => this.end());
  }

  offerHandle(node) {
    const { editor, cy } = this;
    if (editor.readOnly || editor.drawMode || this.cause) return;
    this.dropHandle();
    const { x, y } = node.position();
    cy.add({
      group: "nodes",
      data: { id: "handle", of: node.id() },
      position: { x: x + node.width() / 2 + 6, y },
      selectable: false,
      grabbable: false,
    });
  }

  dropHandle() {
    clearTimeout(this.dropping);
    this.cy.getElementById("handle").remove();
  }

  dropHandleSoon() {
    clearTimeout(this.dropping);
    this.dropping = setTimeout(() => this.dropHandle(), LINGER);
  }

  start(cause, position) {
    if (this.editor.readOnly) return;
    const { cy } = this;
    this.dropHandle();
    this.cause = cause;
    cause.addClass("joining");
    cy.userPanningEnabled(false);
    cy.add([
      {
        group: "nodes",
        data: { id: "loose" },
        position: { ...position },
        selectable: false,
        grabbable: false,
      },
      {
        group: "edges",
        data: {
          id: "drawing",
          source: cause.id(),
          target: "loose",
          sourceMark: "tail",
          targetMark: "arrow",
        },
        selectable: false,
      },
    ]);
  }

  drag(position) {
    if (!this.cause) return;
    const { cause, editor } = this;
    this.cy.getElementById("loose").position(position);
    const under = this.nodeAt(position);
    const effect = under && !under.same(cause) ? under : null;
    this.effect?.removeClass("joining refusing");
    effect?.addClass(editor.linkBetween(cause, effect) ? "refusing" : "joining");
    this.effect = effect;
    editor.say(`${cause.data("name")} → ${effect ? effect.data("name") : "…"}`);
  }

  end() {
    if (!this.cause) return;
    const { cause, effect } = this;
    this.cancel();
    if (effect) this.editor.join(cause, effect);
    else this.editor.refresh();
  }

  cancel() {
    this.cause = this.effect = null;
    this.cy.remove("#drawing, #loose");
    this.cy.nodes().removeClass("joining refusing");
    this.cy.userPanningEnabled(true);
  }

  nodeAt({ x, y }) {
    const hit = this.editor.variables().filter((node) => {
      const box = node.boundingBox({ includeOverlays: false });
      return x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2;
    });
    return hit.nonempty() ? hit[0] : null;
  }
}
