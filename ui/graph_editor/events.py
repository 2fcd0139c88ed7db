"""What passes between Python and the drawing: pure functions, no Streamlit."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from causalmix_core.errors import GraphError
from causalmix_core.graph import Edge, History, Mark, MixedGraph, apply, edge_pattern, positions
from causalmix_core.graph.edits import Edit, edit_from_dict
from causalmix_core.graph.layout import Position


class Step(StrEnum):
    """A wish to go through the history."""

    UNDO = "undo"
    REDO = "redo"


def drawing(
    history: History,
    shown: MixedGraph,
    *,
    rev: str,
    target: str | None,
    read_only: bool,
    message: str | None,
) -> dict[str, Any]:
    """The data that the drawing needs; `shown` is the edited graph with a place for every node."""
    return {
        "rev": rev,
        "size": _size(len(shown.nodes)),
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


def places(found: MixedGraph, kept: Mapping[str, Position] | None = None) -> dict[str, Position]:
    """Where the nodes stand before anybody moves them; `kept` are places from an earlier graph."""
    known = {node: place for node, place in (kept or {}).items() if node in set(found.nodes)}
    return positions(found.with_layout({**known, **found.layout}))


def placed(graph: MixedGraph, base: Mapping[str, Position]) -> MixedGraph:
    """`graph` with a place for every node: where it was moved to, else its place in `base`."""
    return graph.with_layout({node: graph.layout.get(node, base[node]) for node in graph.nodes})


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


def _size(nodes: int) -> tuple[int, int]:
    """Width and height of the drawing in its own units: enough room for names side by side."""
    width = max(900, round(260 * nodes**0.5))
    return width, round(width * 0.46)
