// The three ends of an edge, as cytoscape draws them and as text.

const ARROW_SHAPES = { tail: "none", arrow: "triangle", circle: "circle" };
const CYCLE = { tail: "arrow", arrow: "circle", circle: "tail" };
const SIGNS = {
  "tail-tail": "—",
  "tail-arrow": "→",
  "arrow-tail": "←",
  "arrow-arrow": "↔",
  "circle-circle": "o–o",
  "circle-arrow": "o→",
  "arrow-circle": "←o",
  "circle-tail": "o–",
  "tail-circle": "–o",
};

export const nextMark = (mark) => CYCLE[mark];
export const arrowShape = (mark) => ARROW_SHAPES[mark];
export const arrowFill = (mark) => (mark === "circle" ? "hollow" : "filled");
export const sign = (sourceMark, targetMark) => SIGNS[`${sourceMark}-${targetMark}`];
