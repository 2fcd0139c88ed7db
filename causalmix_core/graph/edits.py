"""What an analyst does to a graph, as commands with undo and redo.

The found graph is never changed: a `History` holds it with the commands applied since, and its
``graph`` is the edited copy. All values are immutable and go to JSON and back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

from causalmix_core.errors import GraphError
from causalmix_core.graph import graph_file
from causalmix_core.graph.knowledge import compile_knowledge, violations
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge, Knowledge, MixedGraph
from causalmix_core.graph.words import edge_sign


@dataclass(frozen=True)
class AddEdge:
    """Join two nodes that are not joined."""

    kind: ClassVar[str] = "add"
    source: str
    target: str
    source_mark: Mark = Mark.TAIL
    target_mark: Mark = Mark.ARROW


@dataclass(frozen=True)
class RemoveEdge:
    """Take away the edge between two nodes."""

    kind: ClassVar[str] = "remove"
    source: str
    target: str


@dataclass(frozen=True)
class ReverseEdge:
    """Swap the marks at the two ends of an edge."""

    kind: ClassVar[str] = "reverse"
    source: str
    target: str


@dataclass(frozen=True)
class SetMark:
    """Change one end of the edge between two nodes: the end at `source`."""

    kind: ClassVar[str] = "mark"
    source: str
    target: str
    mark: Mark


@dataclass(frozen=True)
class SetMarks:
    """Change both ends of the edge between two nodes."""

    kind: ClassVar[str] = "marks"
    source: str
    target: str
    source_mark: Mark
    target_mark: Mark


@dataclass(frozen=True)
class MoveNodes:
    """Put nodes elsewhere on the drawing; positions in [0, 1]², the first one from the left."""

    kind: ClassVar[str] = "move"
    positions: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class ReplaceEdges:
    """Put other edges in place of all, all of them decided: a completion to a DAG."""

    kind: ClassVar[str] = "replace"
    edges: tuple[Edge, ...]
    label: str


@dataclass(frozen=True)
class ReplaceGraph:
    """Put another graph over the same nodes in its place: the found one, an imported one.

    Its edges, type and frequencies are taken as they are. What is known and where nodes stand
    stays where `graph` says nothing of it; so does where the graph that was found came from.
    """

    kind: ClassVar[str] = "graph"
    graph: MixedGraph
    label: str


@dataclass(frozen=True)
class SetKnowledge:
    """State what is known: required and forbidden edges, tiers."""

    kind: ClassVar[str] = "knowledge"
    knowledge: Knowledge


Edit = (
    AddEdge
    | RemoveEdge
    | ReverseEdge
    | SetMark
    | SetMarks
    | MoveNodes
    | ReplaceEdges
    | ReplaceGraph
    | SetKnowledge
)

_EDITS: dict[str, type[Any]] = {
    edit.kind: edit
    for edit in (
        AddEdge,
        RemoveEdge,
        ReverseEdge,
        SetMark,
        SetMarks,
        MoveNodes,
        ReplaceEdges,
        ReplaceGraph,
        SetKnowledge,
    )
}


def apply(graph: MixedGraph, edit: Edit) -> MixedGraph:
    """Return `graph` after `edit`.

    A pair the analyst has decided loses its resampling frequencies and probability: from then on
    `sample_dags` always takes it as drawn. Evidence is kept.

    Raises:
        GraphError: the edge is not there (or already is), a node is unknown, the graph's
            knowledge forbids the outcome, new knowledge contradicts itself, or another graph has
            other nodes.
    """
    match edit:
        case AddEdge():
            _know(graph, edit.source, edit.target)
            if graph.edge_between(edit.source, edit.target):
                raise GraphError(
                    f"{edit.source!r} and {edit.target!r} are joined already; "
                    "change the ends of that edge instead."
                )
            added = Edge(edit.source, edit.target, edit.source_mark, edit.target_mark)
            return _decided(graph, (*graph.edges, added), added)
        case RemoveEdge():
            gone = _edge(graph, edit.source, edit.target)
            left = tuple(edge for edge in graph.edges if edge is not gone)
            return _decided(graph, left, gone)
        case ReverseEdge():
            edge = _edge(graph, edit.source, edit.target)
            return _remarked(graph, edge, edge.target_mark, edge.source_mark)
        case SetMark():
            edge = _edge(graph, edit.source, edit.target).seen_from(edit.source)
            return _remarked(graph, edge, edit.mark, edge.target_mark)
        case SetMarks():
            edge = _edge(graph, edit.source, edit.target).seen_from(edit.source)
            return _remarked(graph, edge, edit.source_mark, edit.target_mark)
        case MoveNodes():
            moved = dict(graph.layout)
            for node, x, y in edit.positions:
                _know(graph, node)
                moved[node] = (x, y)
            return graph.with_layout(moved)
        case ReplaceEdges():
            return replace(graph, pairs=()).with_edges(edit.edges)
        case ReplaceGraph():
            _know(graph, *edit.graph.nodes)
            _know(edit.graph, *graph.nodes)
            compile_knowledge(edit.graph.knowledge, graph.nodes)
            return replace(
                edit.graph,
                nodes=graph.nodes,
                knowledge=edit.graph.knowledge or graph.knowledge,
                layout={**graph.layout, **edit.graph.layout},
                provenance=graph.provenance,
            )
        case SetKnowledge():
            compile_knowledge(edit.knowledge, graph.nodes)  # refuses what contradicts itself
            return replace(graph, knowledge=edit.knowledge)


def describe(edit: Edit) -> str:
    """Say what the edit does, for an undo button: ``Add age → income``."""
    match edit:
        case AddEdge():
            edge = Edge(edit.source, edit.target, edit.source_mark, edit.target_mark)
            return f"Add {edge_sign(edge)}"
        case RemoveEdge():
            return f"Remove the edge {edit.source}, {edit.target}"
        case ReverseEdge():
            return f"Reverse the edge {edit.source}, {edit.target}"
        case SetMark():
            return f"Set a {edit.mark.value} at {edit.source} (edge to {edit.target})"
        case SetMarks():
            edge = Edge(edit.source, edit.target, edit.source_mark, edit.target_mark)
            return f"Change to {edge_sign(edge)}"
        case MoveNodes():
            names = [node for node, _, _ in edit.positions]
            return f"Move {names[0]}" if len(names) == 1 else f"Move {len(names)} nodes"
        case ReplaceEdges() | ReplaceGraph():
            return edit.label
        case SetKnowledge():
            return "Change the knowledge"


@dataclass(frozen=True)
class History:
    """A found graph and what was done to it.

    Attributes:
        found: the graph as it was found.
        edits: every command, also those undone that can be redone.
        done: how many of them count.
    """

    found: MixedGraph
    edits: tuple[Edit, ...] = ()
    done: int = 0

    @cached_property
    def graph(self) -> MixedGraph:
        """The edited copy."""
        graph = self.found
        for edit in self.edits[: self.done]:
            graph = apply(graph, edit)
        return graph

    def do(self, edit: Edit) -> "History":
        """Apply a further command; what was undone before can no longer be redone."""
        graph = apply(self.graph, edit)
        later = History(self.found, (*self.edits[: self.done], edit), self.done + 1)
        later.__dict__["graph"] = graph  # what the cached property would compute
        return later

    @property
    def can_undo(self) -> bool:
        """Whether there is a command to take back."""
        return self.done > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a command to apply again."""
        return self.done < len(self.edits)

    def undo(self) -> "History":
        """Take the last command back; the same history where there is none."""
        return replace(self, done=self.done - 1) if self.can_undo else self

    def redo(self) -> "History":
        """Apply the last undone command again; the same history where there is none."""
        return replace(self, done=self.done + 1) if self.can_redo else self

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back, in words."""
        return describe(self.edits[self.done - 1]) if self.can_undo else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would apply, in words."""
        return describe(self.edits[self.done]) if self.can_redo else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a project file."""
        return {
            "found": graph_file.to_dict(self.found),
            "edits": [edit_to_dict(edit) for edit in self.edits],
            "done": self.done,
        }

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> "History":
        """Read what `to_dict` gives.

        Raises:
            GraphError: the content is no history, or its commands do not fit its graph.
        """
        try:
            found = graph_file.from_dict(content["found"])
            edits = tuple(edit_from_dict(edit) for edit in content["edits"])
            done = int(content["done"])
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, GraphError):
                raise
            raise GraphError("The stored edit history cannot be read.") from None
        if not 0 <= done <= len(edits):
            raise GraphError("The stored edit history counts more edits than it has.")
        graph = found
        for edit in edits:  # a command that does not fit must show here, not at a later redo
            graph = apply(graph, edit)
        return History(found, edits, done)


def edit_to_dict(edit: Edit) -> dict[str, Any]:
    """An edit as plain values: ``{"edit": "add", "source": …}``."""
    content: dict[str, Any] = {"edit": edit.kind}
    match edit:
        case ReplaceEdges():
            content["label"] = edit.label
            content["edges"] = [graph_file.edge_to_dict(edge) for edge in edit.edges]
        case ReplaceGraph():
            content["label"] = edit.label
            content["graph"] = graph_file.to_dict(edit.graph)
        case SetKnowledge():
            content["knowledge"] = graph_file.knowledge_to_dict(edit.knowledge)
        case _:
            for entry in fields(edit):
                content[entry.name] = graph_file.plain(getattr(edit, entry.name))
    return content


def edit_from_dict(content: Mapping[str, Any]) -> Edit:
    """Read what `edit_to_dict` gives.

    Raises:
        GraphError: the content is no edit.
    """
    try:
        values = dict(content)
        kind = _EDITS[values.pop("edit")]
        for key in ("mark", "source_mark", "target_mark"):
            if key in values:
                values[key] = Mark(values[key])
        if "positions" in values:
            values["positions"] = tuple(
                (str(node), float(x), float(y)) for node, x, y in values["positions"]
            )
        if "edges" in values:
            values["edges"] = tuple(graph_file.edge_from_dict(edge) for edge in values["edges"])
        if "graph" in values:
            values["graph"] = graph_file.from_dict(values["graph"])
        if "knowledge" in values:
            values["knowledge"] = graph_file.knowledge_from_dict(values["knowledge"])
        for key in ("source", "target", "label"):
            if key in values and not isinstance(values[key], str):
                raise TypeError
        edit: Edit = kind(**values)
    except GraphError:
        raise
    except (KeyError, TypeError, ValueError):
        raise GraphError(f"{content!r} is no edit of a graph.") from None
    return edit


@dataclass(frozen=True)
class Difference:
    """What an edited graph has that the found one has not.

    Attributes:
        added: edges between pairs that were not joined.
        removed: found edges that are gone.
        changed: pairs whose marks differ, as (found, edited), written from the same node.
    """

    added: tuple[Edge, ...]
    removed: tuple[Edge, ...]
    changed: tuple[tuple[Edge, Edge], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(found: MixedGraph, edited: MixedGraph) -> Difference:
    """Compare the edges of two graphs over the same nodes."""
    added, changed = [], []
    for edge in edited.edges:
        before = found.edge_between(edge.source, edge.target)
        if before is None:
            added.append(edge)
        elif before.seen_from(edge.source).marks != edge.marks:
            changed.append((before.seen_from(edge.source), edge))
    removed = [e for e in found.edges if edited.edge_between(e.source, e.target) is None]
    return Difference(tuple(added), tuple(removed), tuple(changed))


def _know(graph: MixedGraph, *nodes: str) -> None:
    for node in nodes:
        graph.edges_of(node)


def _edge(graph: MixedGraph, a: str, b: str) -> Edge:
    _know(graph, a, b)
    edge = graph.edge_between(a, b)
    if edge is None:
        raise GraphError(f"{a!r} and {b!r} are not joined, so there is no edge to change.")
    return edge


def _remarked(graph: MixedGraph, edge: Edge, source_mark: Mark, target_mark: Mark) -> MixedGraph:
    if edge.marks == (source_mark, target_mark):
        return graph
    changed = replace(edge, source_mark=source_mark, target_mark=target_mark, probability=None)
    edges = tuple(changed if each.pair == edge.pair else each for each in graph.edges)
    return _decided(graph, edges, changed)


def _decided(graph: MixedGraph, edges: tuple[Edge, ...], decided: Edge) -> MixedGraph:
    """The graph with other edges; the pair of `decided` is now the analyst's word."""
    pairs = tuple(pair for pair in graph.pairs if pair.pair != decided.pair)
    edited = replace(graph, pairs=pairs).with_edges(edges)
    broken = set(violations(edited)) - set(violations(graph))
    if broken:
        raise GraphError(f"{min(broken)} Change the knowledge first.")
    return edited
