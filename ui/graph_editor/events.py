"""What passes between Python and the drawing: pure functions, no Streamlit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

from causalmix_core.errors import GraphError
from causalmix_core.graph import Edge, History, Mark, MixedGraph, apply, edge_pattern, positions
from causalmix_core.graph.edits import Edit, edit_from_dict
from causalmix_core.graph.layout import Position


class Step(StrEnum):
    """A wish to go through the history."""

    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True)
class Canvas:
    """The sheet that a found graph is drawn on.

    Attributes:
        places: where the nodes stand in [0, 1]² before anybody moves them.
        size: width and height in drawing units (pixels at zoom 1), so that no names overlap.
    """

    places: Mapping[str, Position]
    size: tuple[int, int]


def canvas(found: MixedGraph, kept: Mapping[str, Position] | None = None) -> Canvas:
    """Lay out a found graph; `kept` are places that the analyst gave nodes of an earlier one."""
    known = {node: place for node, place in (kept or {}).items() if node in set(found.nodes)}
    places = positions(found.with_layout({**known, **found.layout}))
    return Canvas(places, _size(places))


def placed(graph: MixedGraph, sheet: Canvas) -> MixedGraph:
    """`graph` with a place for every node: where it was moved to, else its place on the sheet."""
    return graph.with_layout(
        {node: graph.layout.get(node, sheet.places[node]) for node in graph.nodes}
    )


def drawing(
    history: History,
    sheet: Canvas,
    *,
    rev: str,
    target: str | None = None,
    read_only: bool = False,
    message: str | None = None,
) -> dict[str, Any]:
    """The data that the drawing of a history needs; plain values, free of NaN."""
    shown = placed(history.graph, sheet)
    return {
        "rev": rev,
        "size": list(sheet.size),
        "nodes": [
            {"name": node, "x": shown.layout[node][0], "y": shown.layout[node][1]}
            for node in shown.nodes
        ],
        "target": target,
        "edges": [edge_to_data(edge) for edge in shown.edges],
        "found": [edge_to_data(edge) for edge in history.found.edges],
        "sentences": {f"{a}-{b}": edge_pattern(a, b) for a in Mark for b in Mark},
        "can_undo": history.can_undo,
        "can_redo": history.can_redo,
        "read_only": read_only,
        "message": message,
    }


def edits_from_event(event: object, graph: MixedGraph, done: int = 0) -> Iterator[Edit | Step]:
    """Yield what the drawing reports as commands on `graph`, one by one.

    Attributes:
        event: ``{"rev": …, "edits": [{"edit": "add", "source": …}, {"step": "undo"}, …]}``, every
            edit since that revision.
        graph: what the first command meets.
        done: how many of them were handled before; they are skipped.

    Raises:
        GraphError: at the first command that is malformed or does not fit the graph it meets;
            those before it have been yielded.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("edits"), Sequence):
        raise GraphError("The drawing sent something that is no list of edits.")
    known = True  # after an undo or redo the graph is the history's business
    for content in event["edits"][done:]:
        if not isinstance(content, Mapping):
            raise GraphError("The drawing sent something that is no edit.")
        if "step" in content:
            try:
                yield Step(content["step"])
            except ValueError:
                raise GraphError(f"The drawing asked for {content['step']!r}.") from None
            known = False
            continue
        edit = edit_from_dict(content)
        if known:
            graph = apply(graph, edit)
        yield edit


def follow(history: History, command: Edit | Step) -> History:
    """The history after `command`."""
    if command is Step.UNDO:
        return history.undo()
    if command is Step.REDO:
        return history.redo()
    return history.do(command)


def looks_alike(graph: MixedGraph, shown: MixedGraph) -> bool:
    """Whether the drawing that shows `shown` already shows `graph`; both with all places."""
    return (
        graph.nodes == shown.nodes
        and graph.layout == shown.layout
        and _look(graph.edges) == _look(shown.edges)
    )


def _look(edges: Sequence[Edge]) -> set[tuple[object, ...]]:
    return {
        (e.source, e.target, e.source_mark, e.target_mark, e.probability)
        for e in (edge.normalised() for edge in edges)
    }


def edge_to_data(edge: Edge) -> dict[str, Any]:
    """An edge as the drawing takes it."""
    return {
        "source": edge.source,
        "target": edge.target,
        "source_mark": edge.source_mark.value,
        "target_mark": edge.target_mark.value,
        "probability": edge.probability,
    }


def _size(places: Mapping[str, Position]) -> tuple[int, int]:
    """The smallest sheet of a pleasant shape on which no two boxes touch, within reason."""
    boxes = [(x, y, _box_width(node)) for node, (x, y) in places.items()]
    pairs = [
        (abs(x - u), abs(y - z), (w + v) / 2 + 24)
        for (x, y, w), (u, z, v) in combinations(boxes, 2)
    ]
    columns = {round(x, 2) for x, _, _ in boxes}
    width = max(900, 130 * len(columns))
    while True:
        height = max((58 / dy for dx, dy, apart in pairs if dx * width < apart and dy), default=0)
        if height <= 0.55 * width or width >= 1200 + 60 * len(boxes):
            return width, round(min(max(height, 0.42 * width), 0.7 * width))
        width += 50


def _box_width(name: str) -> float:
    """About how wide the drawing makes the box of a name."""
    return 22 + 8.5 * min(len(name), 24)
