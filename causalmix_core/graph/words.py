"""What an edge says, as a sign and as a sentence for people."""

import re

from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge

_SIGNS = {
    (Mark.TAIL, Mark.TAIL): "—",
    (Mark.TAIL, Mark.ARROW): "→",
    (Mark.ARROW, Mark.TAIL): "←",
    (Mark.ARROW, Mark.ARROW): "↔",
    (Mark.CIRCLE, Mark.CIRCLE): "o–o",
    (Mark.CIRCLE, Mark.ARROW): "o→",
    (Mark.ARROW, Mark.CIRCLE): "←o",
    (Mark.CIRCLE, Mark.TAIL): "o–",
    (Mark.TAIL, Mark.CIRCLE): "–o",
}
_SENTENCES = {
    (Mark.TAIL, Mark.ARROW): "{a} causes {b}",
    (Mark.ARROW, Mark.ARROW): "{a} and {b} share a hidden cause",
    (Mark.TAIL, Mark.TAIL): "{a} and {b} are linked; either may cause the other",
    (Mark.CIRCLE, Mark.CIRCLE): (
        "{a} and {b} are linked; either may cause the other, or they share a hidden cause"
    ),
    (Mark.CIRCLE, Mark.ARROW): "{a} may cause {b}, or they share a hidden cause",
    (Mark.TAIL, Mark.CIRCLE): "{a} causes {b}, or the rows were selected by both",
}


def mark_sign(edge: Edge) -> str:
    """The marks alone: →, o→, o–o, ↔, —."""
    return _SIGNS[edge.marks]


def edge_sign(edge: Edge) -> str:
    """The edge in one line: ``age o→ income``."""
    return f"{edge.source} {_SIGNS[edge.marks]} {edge.target}"


def edge_pattern(source_mark: Mark, target_mark: Mark) -> str:
    """The sentence of `edge_sentence` with ``{a}`` and ``{b}`` for source and target."""
    pattern = _SENTENCES.get((source_mark, target_mark))
    if pattern is not None:
        return pattern
    turned = _SENTENCES[target_mark, source_mark]
    return turned.replace("{a}", "\0").replace("{b}", "{a}").replace("\0", "{b}")


def edge_sentence(edge: Edge) -> str:
    """Say what the edge means: ``age may cause income, or they share a hidden cause``."""
    parts = re.split(r"(\{[ab]\})", edge_pattern(*edge.marks))
    names = {"{a}": edge.source, "{b}": edge.target}
    return "".join(names.get(part, part) for part in parts)
