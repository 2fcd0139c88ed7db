// Streamlit's colours, read from its CSS variables, and the cytoscape style made of them.

import { arrowFill, arrowShape } from "./marks.js";

const VARIABLES = {
  text: ["--st-text-color", "#1b2330"],
  background: ["--st-background-color", "#ffffff"],
  panel: ["--st-secondary-background-color", "#f3f5f8"],
  primary: ["--st-primary-color", "#0072b2"],
  border: ["--st-border-color", "#c5ccd6"],
  font: ["--st-font", "sans-serif"],
};

export function readTheme(element) {
  const style = getComputedStyle(element);
  return Object.fromEntries(
    Object.entries(VARIABLES).map(([name, [variable, fallback]]) => [
      name,
      style.getPropertyValue(variable).trim() || fallback,
    ]),
  );
}

// A found edge is as wide as it is often found; one that the analyst decided has a fixed width.
const edgeWidth = (edge) => {
  const probability = edge.data("probability");
  return probability == null ? 2 : 0.8 + 2.6 * probability;
};

export const NODE_HEIGHT = 36;
export const NODE_FONT = 16;

export function cytoscapeStyle(theme) {
  return [
    {
      selector: "node",
      style: {
        shape: "round-rectangle",
        width: "data(width)",
        height: NODE_HEIGHT,
        "background-color": theme.panel,
        "border-width": 1.5,
        "border-color": theme.text,
        "border-opacity": 0.45,
        label: "data(label)",
        color: theme.text,
        "font-family": theme.font,
        "font-size": NODE_FONT,
        "text-valign": "center",
        "text-halign": "center",
        "overlay-opacity": 0,
      },
    },
    { selector: "node.target", style: { "border-width": 3, "border-opacity": 1 } },
    {
      selector: "node:selected, node.joining",
      style: { "border-color": theme.primary, "border-opacity": 1, "border-width": 3 },
    },
    { selector: ".faded", style: { opacity: 0.25 } },
    { selector: "node.refusing", style: { opacity: 0.35 } },
    {
      selector: "edge",
      style: {
        "curve-style": "straight",
        width: edgeWidth,
        "line-color": theme.text,
        "line-opacity": 0.72,
        "line-cap": "butt",
        "source-arrow-shape": (edge) => arrowShape(edge.data("sourceMark")),
        "target-arrow-shape": (edge) => arrowShape(edge.data("targetMark")),
        "source-arrow-fill": (edge) => arrowFill(edge.data("sourceMark")),
        "target-arrow-fill": (edge) => arrowFill(edge.data("targetMark")),
        "source-arrow-color": theme.text,
        "target-arrow-color": theme.text,
        "source-arrow-width": 2,
        "target-arrow-width": 2,
        "arrow-scale": 1.3,
        "source-distance-from-node": 1,
        "target-distance-from-node": 1,
        color: theme.text,
        "font-family": theme.font,
        "font-size": 12,
        "min-zoomed-font-size": 9, // smaller numbers cannot be read; the status line says them
        "text-background-color": theme.background,
        "text-background-opacity": 0.9,
        "text-background-padding": 2,
        "text-background-shape": "round-rectangle",
        "overlay-opacity": 0,
        "overlay-padding": 10,
      },
    },
    {
      selector: "edge.bent",
      style: {
        "curve-style": "unbundled-bezier",
        "control-point-distances": "data(bend)",
        "control-point-weights": 0.5,
        "edge-distances": "node-position",
      },
    },
    { selector: "edge.labelled", style: { label: "data(label)" } },
    {
      selector: "edge.mine",
      style: { "line-style": "dashed", "line-dash-pattern": [8, 5] },
    },
    {
      selector: "edge.removed",
      style: {
        "line-style": "dotted",
        "line-opacity": 0.35,
        width: 2,
        "source-arrow-shape": "none",
        "target-arrow-shape": "none",
        label: "",
      },
    },
    {
      selector: "edge:selected, edge.near",
      style: {
        label: "data(label)",
        "line-color": theme.primary,
        "line-opacity": 1,
        "source-arrow-color": theme.primary,
        "target-arrow-color": theme.primary,
        "z-index": 10,
      },
    },
    {
      selector: "#handle",
      style: {
        shape: "ellipse",
        width: 16,
        height: 16,
        label: "+",
        "font-size": 14,
        color: theme.background,
        "background-color": theme.primary,
        "border-width": 0,
        "z-index": 20,
      },
    },
    {
      selector: "#loose",
      style: { width: 1, height: 1, opacity: 0, label: "", events: "no" },
    },
    {
      selector: "#drawing",
      style: { "line-color": theme.primary, "target-arrow-color": theme.primary, events: "no" },
    },
    {
      selector: "#end",
      style: {
        shape: "ellipse",
        width: 26,
        height: 26,
        "background-opacity": 0,
        "border-color": theme.primary,
        "border-width": 2,
        "border-opacity": 0.9,
        label: "",
        events: "no",
        "z-index": 15,
      },
    },
  ];
}
