"""Knowledge compiled to matrices, its contradictions, and whether a graph obeys it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from causalmix_core.errors import GraphError
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Knowledge, MixedGraph


@dataclass(frozen=True)
class CompiledKnowledge:
    """Knowledge as p × p matrices over `nodes`, rows are causes and columns effects.

    Attributes:
        nodes: the order of rows and columns.
        required: cause → effect must be an edge.
        forbidden: cause → effect must not be one: said so, ruled out by tiers, or because the
            opposite is required.
    """

    nodes: tuple[str, ...]
    required: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row", {node: row for row, node in enumerate(self.nodes)})

    def index(self, node: str) -> int:
        """The row of `node`."""
        row: int = self.__dict__["_row"][node]
        return row

    def requires(self, cause: str, effect: str) -> bool:
        """Whether cause → effect must be an edge."""
        return bool(self.required[self.index(cause), self.index(effect)])

    def forbids(self, cause: str, effect: str) -> bool:
        """Whether cause → effect must not be an edge."""
        return bool(self.forbidden[self.index(cause), self.index(effect)])

    def pairs(self, matrix: NDArray[np.bool_]) -> list[tuple[str, str]]:
        """The true entries of a matrix as pairs of names."""
        return [(self.nodes[i], self.nodes[j]) for i, j in np.argwhere(matrix)]


def compile_knowledge(knowledge: Knowledge, nodes: Sequence[str]) -> CompiledKnowledge:
    """Compile `knowledge` to matrices over `nodes`.

    Raises:
        GraphError: the knowledge names an unknown node or contradicts itself; the message names
            the nodes.
    """
    unknown = sorted(knowledge.names - set(nodes))
    if unknown:
        raise GraphError(f"The knowledge names {unknown[0]!r}, which is not among the nodes.")
    row = {node: number for number, node in enumerate(nodes)}
    required = np.zeros((len(nodes), len(nodes)), dtype=bool)
    forbidden = np.zeros_like(required)
    for cause, effect in knowledge.required + knowledge.forbidden:
        if cause == effect:
            raise GraphError(
                f"The knowledge speaks of an edge from {cause!r} to itself; remove it."
            )
    for cause, effect in knowledge.required:
        required[row[cause], row[effect]] = True
    for cause, effect in knowledge.forbidden:
        if required[row[cause], row[effect]]:
            raise GraphError(f"{cause} → {effect} is both required and forbidden; remove one.")
        forbidden[row[cause], row[effect]] = True
    tier_of = _tiers(knowledge)
    for cause, effect in knowledge.required:
        if cause in tier_of and effect in tier_of and tier_of[cause] > tier_of[effect]:
            raise GraphError(
                f"{cause} → {effect} is required, but {cause!r} stands in a later tier than "
                f"{effect!r}; change one."
            )
    for cause, late in tier_of.items():
        for effect, early in tier_of.items():
            forbidden[row[cause], row[effect]] |= late > early
    _refuse_cycle(knowledge)
    forbidden |= required.T
    return CompiledKnowledge(tuple(nodes), required, forbidden)


def violations(graph: MixedGraph, knowledge: Knowledge | None = None) -> list[str]:
    """Say in words where `graph` breaks `knowledge` (its own if none is given).

    Open ends break nothing: only an arrow against the knowledge, or a required edge that the
    graph rules out, counts.
    """
    compiled = compile_knowledge(graph.knowledge if knowledge is None else knowledge, graph.nodes)
    found = []
    for cause, effect in compiled.pairs(compiled.required):
        edge = graph.edge_between(cause, effect)
        if edge is None:
            found.append(f"{cause} → {effect} is required, but the two are not joined.")
        elif edge.mark_at(cause) is Mark.ARROW or (
            edge.mark_at(effect) is Mark.TAIL and not edge.is_undirected
        ):
            found.append(f"{cause} → {effect} is required, but the graph says otherwise.")
    for edge in graph.edges:
        if edge.is_directed and compiled.forbids(edge.cause, edge.effect):
            if not compiled.requires(edge.effect, edge.cause):
                found.append(f"{edge.cause} → {edge.effect} is forbidden.")
    return found


def target_last(knowledge: Knowledge, nodes: Sequence[str], target: str) -> Knowledge:
    """Add that `target` causes no other node."""
    if target not in nodes:
        raise GraphError(f"The target {target!r} is not among the nodes.")
    known = set(knowledge.forbidden)
    added = [(target, node) for node in nodes if node != target and (target, node) not in known]
    return replace(knowledge, forbidden=(*knowledge.forbidden, *added))


def target_rules(graph: MixedGraph) -> tuple[tuple[str, str], ...]:
    """The forbidden edges that a search added because the target causes nothing else."""
    added = {tuple(pair) for pair in graph.provenance.get("target_rules", ())}
    return tuple(pair for pair in graph.knowledge.forbidden if pair in added)


def stated(graph: MixedGraph) -> Knowledge:
    """The graph's knowledge without the `target_rules`: what the analyst stated."""
    added = set(target_rules(graph))
    kept = tuple(pair for pair in graph.knowledge.forbidden if pair not in added)
    return replace(graph.knowledge, forbidden=kept)


def restrict(knowledge: Knowledge, nodes: Sequence[str]) -> Knowledge:
    """Leave out what is said of nodes that are not in `nodes`."""
    known = set(nodes)
    tiers = (tuple(node for node in tier if node in known) for tier in knowledge.tiers)
    return Knowledge(
        required=tuple(pair for pair in knowledge.required if known.issuperset(pair)),
        forbidden=tuple(pair for pair in knowledge.forbidden if known.issuperset(pair)),
        tiers=tuple(tier for tier in tiers if tier),
    )


def _tiers(knowledge: Knowledge) -> dict[str, int]:
    tier_of: dict[str, int] = {}
    for number, tier in enumerate(knowledge.tiers):
        for node in tier:
            if tier_of.setdefault(node, number) != number:
                raise GraphError(f"{node!r} stands in two tiers; keep it in one.")
    return tier_of


def _refuse_cycle(knowledge: Knowledge) -> None:
    part = nx.DiGraph(sorted(knowledge.required))
    try:
        cycle = nx.find_cycle(part)
    except nx.NetworkXNoCycle:
        return
    path = " → ".join([cycle[0][0], *(head for _, head in cycle)])
    raise GraphError(f"The required edges form a cycle, {path}; remove one of them.")
