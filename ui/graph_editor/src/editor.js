// The drawing: shows the graph that Python sent, lets the analyst edit it at once, and reports
// every edit.
//
// Python stays the owner of the graph. Each message from it carries a `rev`; the editor reports
// the whole list of edits made since that rev, so that none is lost when two happen before Python
// has answered. A new rev replaces the drawing and begins a new list; the one before goes along,
// since its last edit and the new drawing may have crossed on the way.

import cytoscape from "cytoscape";
import { attachKeys } from "./keys.js";
import { nextMark, sign } from "./marks.js";
import { buildPanel, element } from "./panel.js";
import { Pen } from "./pen.js";
import { route } from "./routing.js";
import { NODE_FONT, NODE_HEIGHT, cytoscapeStyle, readTheme } from "./theme.js";

const LABEL_LIMIT = 24; // characters of a name that a node shows
const MANY_EDGES = 30; // with more, an edge shows its number only when pointed at
const END_REACH = 44; // pixels from an edge's end in which a click changes its mark
const END_SHARE = 0.35; // ... but never more than this share of the edge

// What each drawing looked like when it was taken off the page, so that it can come back unsaved
// edits and all: Streamlit may rebuild the page's elements without asking Python again.
const left = (globalThis.__causalmixGraphEditors ??= new Map());

const pairKey = (a, b) => JSON.stringify(a < b ? [a, b] : [b, a]);
const shorten = (name) => (name.length > LABEL_LIMIT ? `${name.slice(0, LABEL_LIMIT - 1)}…` : name);

export class GraphEditor {
  constructor(parent, key) {
    this.key = key;
    this.rev = null;
    this.edits = [];
    this.before = null;
    this.drawMode = false;
    this.ghosts = true;
    this.zoomedByHand = false;
    this.panel = buildPanel((name) => this.act(name));
    parent.append(this.panel.root);
    const probe = element("div", { class: "theme-probe" });
    probe.addEventListener("transitionend", () => this.restyle());
    this.panel.root.append(probe);
    this.cy = cytoscape({
      container: this.panel.canvas,
      minZoom: 0.15,
      maxZoom: 3,
      selectionType: "single",
      boxSelectionEnabled: false,
    });
    this.panel.root.cy = this.cy; // for browser tests
    this.measure = document.createElement("canvas").getContext("2d");
    this.listen();
    this.pen = new Pen(this);
    attachKeys(this);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.panel.canvas);
    // cytoscape remembers where its box is and hears of scrolling only up to the shadow root; the
    // page that scrolls lies outside, so the mouse would seem to be somewhere else.
    this.scrolled = () => this.cy.renderer().invalidateContainerClientCoordsCache();
    document.addEventListener("scroll", this.scrolled, { capture: true, passive: true });
  }

  destroy() {
    clearTimeout(this.selecting);
    const selected = this.selectedPair();
    left.set(this.key, { rev: this.rev, edits: this.edits, before: this.before, edges: this.drawnEdges(), places: this.places(), selected });
    this.observer.disconnect();
    document.removeEventListener("scroll", this.scrolled, { capture: true });
    this.cy.destroy();
    this.panel.root.remove();
  }

  // -- from Python

  show(data) {
    if (!data || data.rev === this.rev) return;
    const first = this.rev === null;
    const sameNodes = !first && data.nodes.map((n) => n.name).join("\0") === this.data.nodes.map((n) => n.name).join("\0");
    const selected = this.selectedPair();
    const before = left.get(this.key);
    const returning = first && before?.rev === data.rev;
    const replaced = first ? before : { rev: this.rev, edits: this.edits };
    this.before = returning ? before.before : replaced && { rev: replaced.rev, edits: replaced.edits };
    this.edits = returning ? before.edits : [];
    this.data = data;
    this.rev = data.rev;
    this.found = new Map(data.found.map((edge) => [pairKey(edge.source, edge.target), edge]));
    this.draw(returning ? before.edges : data.edges, returning ? before.places : null);
    this.panel.root.classList.toggle("read-only", data.read_only);
    this.cy.autoungrabify(this.drawMode || data.read_only);
    this.restyle();
    this.reroute(); // needs the sizes that the style gives
    if (first || !sameNodes) this.fit();
    const again = returning ? before.selected : selected;
    if (again) this.edgeOf(again)?.select();
    this.refresh();
    if (data.message) this.say(data.message, true);
  }

  draw(edges, places) {
    const { cy } = this;
    const [width, height] = this.data.size;
    this.idOf = new Map(this.data.nodes.map((node, number) => [node.name, `n${number}`]));
    cy.batch(() => {
      cy.elements().remove();
      for (const node of this.data.nodes) {
        const [x, y] = places?.[node.name] ?? [node.x, node.y];
        const label = shorten(node.name);
        cy.add({
          group: "nodes",
          data: { id: this.idOf.get(node.name), name: node.name, label, width: this.labelWidth(label) },
          position: { x: x * width, y: y * height },
          classes: node.name === this.data.target ? "variable target" : "variable",
        });
      }
      for (const edge of edges) this.addEdge(edge);
      for (const [pair, edge] of this.found) if (!this.edgeOf(pair)) this.addGhost(edge);
    });
  }

  labelWidth(label) {
    this.measure.font = `${NODE_FONT}px ${readTheme(this.panel.root).font}`;
    return Math.max(46, Math.ceil(this.measure.measureText(label).width) + 22);
  }

  addEdge({ source, target, source_mark, target_mark, probability }) {
    const added = this.cy.add({
      group: "edges",
      data: {
        source: this.idOf.get(source),
        target: this.idOf.get(target),
        from: source,
        to: target,
        sourceMark: source_mark,
        targetMark: target_mark,
        own: probability,
      },
      classes: "link",
    });
    this.mark(added);
    route(added, this.variables());
    return added;
  }

  addGhost(edge) {
    const ghost = this.cy.add({
      group: "edges",
      data: { source: this.idOf.get(edge.source), target: this.idOf.get(edge.target), from: edge.source, to: edge.target },
      classes: "removed",
    });
    route(ghost, this.variables());
  }

  // Compares an edge with the found one: its dash, its width and its number follow.
  mark(edge) {
    const { from, to, sourceMark, targetMark } = edge.data();
    const found = this.found.get(pairKey(from, to));
    const [a, b] = found && found.source === from ? ["source_mark", "target_mark"] : ["target_mark", "source_mark"];
    const changed = found && (found[a] !== sourceMark || found[b] !== targetMark);
    const probability = edge.data("own") ?? found?.probability ?? null;
    edge.toggleClass("mine", !found || changed);
    edge.data({
      probability,
      label: probability == null ? "" : `${Math.round(probability * 100)}%`,
      origin: !found ? "added" : changed ? "changed" : "found",
    });
  }

  edgeOf(pair) {
    const [a, b] = JSON.parse(pair).map((name) => this.idOf.get(name));
    const edge = this.cy.getElementById(a).edgesWith(this.cy.getElementById(b)).filter(".link");
    return edge.nonempty() ? edge[0] : null;
  }

  linkBetween(one, other) {
    return this.edgeOf(pairKey(one.data("name"), other.data("name")));
  }

  links() {
    return this.cy.edges(".link");
  }

  variables() {
    return this.cy.nodes(".variable");
  }

  selectedEdge() {
    const chosen = this.cy.edges(".link:selected, .removed:selected");
    return chosen.nonempty() ? chosen[0] : null;
  }

  selectedPair() {
    const edge = this.selectedEdge();
    return edge && this.pairOf(edge);
  }

  pairOf(edge) {
    return pairKey(edge.data("from"), edge.data("to"));
  }

  drawnEdges() {
    return this.links().map((edge) => ({
      source: edge.data("from"),
      target: edge.data("to"),
      source_mark: edge.data("sourceMark"),
      target_mark: edge.data("targetMark"),
      probability: edge.data("own"),
    }));
  }

  places() {
    return Object.fromEntries(this.variables().map((node) => [node.data("name"), this.placeOf(node)]));
  }

  placeOf(node) {
    const [width, height] = this.data.size;
    const { x, y } = node.position();
    const unit = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;
    return [unit(x / width), unit(y / height)];
  }

  // -- to Python

  report(edit) {
    this.edits = [...this.edits, edit];
    this.tell();
    this.refresh();
  }

  // One message says everything: of two that follow each other quickly only one may arrive.
  tell() {
    this.send("events", { rev: this.rev, edits: this.edits, before: this.before, selection: this.reported ?? {} });
  }

  reportSelection() {
    clearTimeout(this.selecting);
    this.selecting = setTimeout(() => {
      const edge = this.selectedEdge();
      const node = this.cy.nodes(".variable:selected");
      const selection = edge
        ? { edge: [edge.data("from"), edge.data("to")] }
        : node.nonempty()
          ? { node: node[0].data("name") }
          : {};
      if (JSON.stringify(selection) !== JSON.stringify(this.reported ?? {})) {
        this.reported = selection;
        this.tell();
      }
    }, 120);
  }

  // -- edits

  get readOnly() {
    return this.data?.read_only ?? true;
  }

  join(cause, effect) {
    if (this.readOnly || cause.same(effect)) return;
    const [source, target] = [cause.data("name"), effect.data("name")];
    const there = this.linkBetween(cause, effect);
    if (there) {
      this.select(there);
      this.say(`${source} and ${target} are joined already: change the ends of that edge.`, true);
      return;
    }
    this.ghostOf(source, target).remove();
    const made = this.addEdge({ source, target, source_mark: "tail", target_mark: "arrow", probability: null });
    this.select(made);
    this.report({ edit: "add", source, target, source_mark: "tail", target_mark: "arrow" });
  }

  remove(edge = this.selectedEdge()) {
    if (this.readOnly || !edge?.hasClass("link")) return;
    const { from, to } = edge.data();
    const found = this.found.get(pairKey(from, to));
    edge.remove();
    if (found) this.addGhost(found);
    this.report({ edit: "remove", source: from, target: to });
    this.reportSelection();
  }

  restore(edge = this.selectedEdge()) {
    if (this.readOnly || !edge?.hasClass("removed")) return;
    const found = this.found.get(pairKey(edge.data("from"), edge.data("to")));
    edge.remove();
    const { source, target, source_mark, target_mark } = found;
    this.select(this.addEdge({ ...found, probability: null }));
    this.report({ edit: "add", source, target, source_mark, target_mark });
  }

  reverse(edge = this.selectedEdge()) {
    if (this.readOnly || !edge?.hasClass("link")) return;
    const { from, to, sourceMark, targetMark } = edge.data();
    edge.data({ sourceMark: targetMark, targetMark: sourceMark, own: null });
    this.mark(edge);
    this.report({ edit: "reverse", source: from, target: to });
  }

  cycleEnd(edge, end) {
    if (this.readOnly || !edge?.hasClass("link")) return;
    const name = end === "source" ? "sourceMark" : "targetMark";
    const mark = nextMark(edge.data(name));
    edge.data({ [name]: mark, own: null });
    this.mark(edge);
    const { from, to } = edge.data();
    const [source, target] = end === "source" ? [from, to] : [to, from];
    this.report({ edit: "mark", source, target, mark });
  }

  moved(nodes) {
    const [width, height] = this.data.size;
    const positions = nodes.map((node) => [node.data("name"), ...this.placeOf(node)]);
    nodes.forEach((node, number) => {
      const [, x, y] = positions[number];
      node.position({ x: x * width, y: y * height });
    });
    this.reroute();
    this.report({ edit: "move", positions });
  }

  reroute() {
    route(this.cy.edges(".link, .removed"), this.variables());
  }

  ghostOf(a, b) {
    return this.cy.edges(".removed").filter((edge) => pairKey(edge.data("from"), edge.data("to")) === pairKey(a, b));
  }

  act(name) {
    const { cy } = this;
    const zoom = (factor) => {
      this.zoomedByHand = true;
      cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
    };
    const acts = {
      draw: () => this.setDrawMode(!this.drawMode),
      reverse: () => this.reverse(),
      remove: () => this.remove(),
      restore: () => this.restore(),
      undo: () => this.canUndo() && this.report({ step: "undo" }),
      redo: () => this.canRedo() && this.report({ step: "redo" }),
      smaller: () => zoom(1 / 1.25),
      larger: () => zoom(1.25),
      fit: () => this.fit(),
      full: () => this.toggleFullScreen(),
      picture: () => this.savePicture(),
      ghosts: () => {
        this.ghosts = !this.ghosts;
        this.refresh();
      },
    };
    acts[name]?.();
  }

  canUndo() {
    return !this.readOnly && (this.data.can_undo || this.edits.length > 0);
  }

  canRedo() {
    return !this.readOnly && this.data.can_redo && this.edits.length === 0;
  }

  setDrawMode(on) {
    this.drawMode = on && !this.readOnly;
    this.start = null;
    this.cy.nodes().removeClass("joining");
    this.cy.autoungrabify(this.drawMode || this.readOnly);
    this.refresh();
    if (this.drawMode) this.say("Drag from the cause to the effect, or choose them with the arrow keys and Enter.");
  }

  select(item) {
    this.cy.elements(":selected").not(item).unselect();
    item?.select();
    this.refresh();
  }

  // -- the mouse

  listen() {
    const { cy } = this;
    // A click selects; only on an edge that was selected before does it change an end.
    let before = null;
    cy.on("tapstart", () => {
      before = this.selectedPair();
    });
    cy.on("tap", "edge.link", (event) => {
      const end = this.endAt(event);
      if (end && before === this.pairOf(event.target)) this.cycleEnd(event.target, end);
    });
    cy.on("select unselect", "edge, node.variable", () => {
      this.refresh();
      this.reportSelection();
    });
    cy.on("dragfree", "node.variable", (event) => this.moved([event.target]));
    cy.on("mousemove", "edge.link", (event) => {
      const end = this.readOnly || !event.target.selected() ? null : this.endAt(event);
      event.target.addClass("near");
      this.ring(event.target, end);
      this.describe(event.target, end);
    });
    cy.on("mouseout", "edge", (event) => {
      event.target.removeClass("near");
      this.ring(null);
      this.refresh();
    });
    cy.on("mouseover", "node.variable", (event) => {
      this.panel.canvas.classList.add("on-node");
      if (event.target.data("name") !== event.target.data("label")) this.say(event.target.data("name"));
    });
    cy.on("mouseout", "node.variable", () => this.panel.canvas.classList.remove("on-node"));
    cy.on("scrollzoom pinchzoom dragpan", () => {
      this.zoomedByHand = true;
    });
    // The wheel scrolls the page; it zooms only with Ctrl, or once the drawing has the focus.
    this.panel.canvas.addEventListener(
      "wheel",
      (event) => {
        const focused = this.panel.root.getRootNode().activeElement === this.panel.root;
        if (!event.ctrlKey && !focused) event.stopPropagation();
      },
      { capture: true },
    );
    // cytoscape takes the focus away when the mouse goes down: the keys need it back.
    this.panel.canvas.addEventListener("click", () => this.panel.root.focus({ preventScroll: true }));
  }

  // Which end of the edge the pointer is at, or null in the middle, where a click only selects.
  endAt(event) {
    const edge = event.target;
    const at = event.renderedPosition;
    const [source, target] = [edge.renderedSourceEndpoint(), edge.renderedTargetEndpoint()];
    const distance = (p) => Math.hypot(p.x - at.x, p.y - at.y);
    const length = Math.hypot(source.x - target.x, source.y - target.y);
    const [name, nearest] =
      distance(source) < distance(target) ? ["source", distance(source)] : ["target", distance(target)];
    return nearest <= Math.min(END_REACH, length * END_SHARE) ? name : null;
  }

  ring(edge, end) {
    this.panel.canvas.classList.toggle("near-end", Boolean(end));
    const ring = this.cy.getElementById("end");
    if (!end) {
      ring.remove();
      return;
    }
    const position = end === "source" ? edge.sourceEndpoint() : edge.targetEndpoint();
    if (ring.nonempty()) ring.position(position);
    else this.cy.add({ group: "nodes", data: { id: "end" }, position, selectable: false, grabbable: false });
  }

  // -- how it looks

  restyle() {
    this.cy.style(cytoscapeStyle(readTheme(this.panel.root)));
  }

  resized() {
    this.cy.resize();
    if (!this.zoomedByHand) this.fit();
  }

  fit() {
    this.zoomedByHand = false;
    if (!this.data || this.cy.width() === 0) return;
    this.cy.fit(this.variables(), 24);
    if (this.cy.zoom() > 1.15) {
      this.cy.zoom(1.15);
      this.cy.center(this.variables());
    }
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.panel.root.requestFullscreen();
    this.zoomedByHand = false; // the new size is filled as soon as it is known
  }

  savePicture() {
    const bg = readTheme(this.panel.root).background;
    const picture = this.cy.png({ output: "blob", full: true, scale: 2, bg });
    const link = element("a", { href: URL.createObjectURL(picture), download: "causal-graph.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  refresh() {
    const { buttons, legend } = this.panel;
    const edge = this.selectedEdge();
    const isLink = Boolean(edge?.hasClass("link"));
    const ghosts = this.cy.edges(".removed");
    buttons.draw.setAttribute("aria-pressed", String(this.drawMode));
    buttons.reverse.disabled = !isLink;
    buttons.remove.disabled = !isLink;
    buttons.restore.hidden = !edge?.hasClass("removed");
    buttons.undo.disabled = !this.canUndo();
    buttons.redo.disabled = !this.canRedo();
    buttons.ghosts.hidden = ghosts.empty();
    buttons.ghosts.setAttribute("aria-pressed", String(this.ghosts));
    for (const name of ["draw", "reverse", "remove", "undo", "redo"]) buttons[name].hidden = this.readOnly;
    this.panel.canvas.classList.toggle("drawing", this.drawMode);
    ghosts.style("display", this.ghosts ? "element" : "none");
    this.links().toggleClass("labelled", this.links().length <= MANY_EDGES);
    this.spotlight();
    const has = (selector) => this.cy.edges(selector).nonempty();
    legend.querySelector(".mine-key").hidden = !has(".mine");
    legend.querySelector(".removed-key").hidden = ghosts.empty() || !this.ghosts;
    legend.querySelector(".wide-key").hidden = !this.links().some((link) => link.data("probability") != null);
    if (edge) this.describe(edge);
    else this.say(this.hint());
  }

  // A selected node stands out with its edges; the rest fades.
  spotlight() {
    const node = this.cy.nodes(".variable:selected");
    const all = this.cy.elements(".variable, .link, .removed");
    all.removeClass("faded");
    if (node.nonempty() && !this.drawMode) all.not(node.closedNeighborhood()).addClass("faded");
  }

  hint() {
    if (!this.data?.nodes.length) return "There are no variables to draw.";
    if (this.readOnly) return "";
    return "Drag a node's + to another node to draw an edge; click an edge to select it; click again near an end to change that end.";
  }

  describe(edge, end = null) {
    const { from, to, sourceMark, targetMark, origin, probability } = edge.data();
    if (edge.hasClass("removed")) {
      this.say(`${from}, ${to}: found, and removed since.`);
      return;
    }
    const [a, b] = [sourceMark, targetMark];
    const pattern = this.data.sentences[`${a}-${b}`];
    const words = pattern.split(/(\{a\}|\{b\})/).map((part) => (part === "{a}" ? from : part === "{b}" ? to : part));
    const notes = [];
    if (probability != null) notes.push(`joined in ${Math.round(probability * 100)}% of the resamples`);
    if (origin === "added") notes.push("drawn by you");
    if (origin === "changed") notes.push("changed since the search");
    const note = notes.length ? ` (${notes.join("; ")})` : "";
    const offer = end ? ` Click: change the end at ${end === "source" ? from : to}.` : "";
    this.say(`${from} ${sign(a, b)} ${to}: ${words.join("")}${note}.${offer}`);
  }

  say(text, warning = false) {
    this.panel.status.textContent = text;
    this.panel.status.title = text;
    this.panel.status.classList.toggle("warning", warning);
  }
}
