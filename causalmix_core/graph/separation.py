"""What a DAG or ADMG says of independence: m-separation and the implied independencies.

An ADMG is read through its canonical DAG: a ↔ b stands for a ← hidden → b (Richardson & Spirtes
2002). There m-separation is d-separation.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

import networkx as nx

from causalmix_core.errors import GraphError
from causalmix_core.graph.legality import directed_part, reasons_not_dag
from causalmix_core.graph.mixed_graph import MixedGraph


@dataclass(frozen=True)
class Independence:
    """x ⊥ y given a set, implied by a graph."""

    x: str
    y: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        given = f" given {', '.join(self.given)}" if self.given else ""
        return f"{self.x} is independent of {self.y}{given}"


def m_separated(graph: MixedGraph, x: str, y: str, given: Collection[str] = ()) -> bool:
    """Whether every path between `x` and `y` is blocked by `given`.

    Raises:
        GraphError: the graph is neither a DAG nor an ADMG, a node is unknown, or `x` or `y` is
            among `given`.
    """
    for node in (x, y, *given):
        graph.edges_of(node)
    if x == y or x in given or y in given:
        raise GraphError(f"{x!r}, {y!r} and the given nodes must all be different.")
    separated: bool = nx.is_d_separator(_canonical(graph), {x}, {y}, set(given))
    return separated


def implied_independencies(
    graph: MixedGraph, *, largest: int | None = None
) -> tuple[Independence, ...]:
    """One independence for every pair that is not joined, in name order: a basis for the rest.

    In a DAG the pair is separated by the parents of the one that is no ancestor of the other
    (the smaller set where both do); the local Markov property follows from these. In an ADMG a
    smallest-by-inclusion separator among the observed nodes is taken, and a pair without one is
    left out. `largest` leaves out independencies given more nodes than that.

    Raises:
        GraphError: the graph is neither a DAG nor an ADMG.
    """
    canonical = _canonical(graph)
    hidden = any(edge.is_bidirected for edge in graph.edges)
    found = _by_separator(graph, canonical) if hidden else _by_parents(graph, canonical)
    return tuple(
        independence
        for independence in found
        if largest is None or len(independence.given) <= largest
    )


def _by_parents(graph: MixedGraph, canonical: nx.DiGraph) -> Iterator[Independence]:
    parents = {node: tuple(sorted(graph.parents(node))) for node in graph.nodes}
    ancestors = {node: nx.ancestors(canonical, node) for node in graph.nodes}
    for x, y in combinations(sorted(graph.nodes), 2):
        if graph.edge_between(x, y) is None:
            sets = []
            if x not in ancestors[y]:
                sets.append(parents[x])
            if y not in ancestors[x]:
                sets.append(parents[y])
            yield Independence(x, y, min(sets, key=lambda given: (len(given), given)))


def _by_separator(graph: MixedGraph, canonical: nx.DiGraph) -> Iterator[Independence]:
    observed = set(graph.nodes)
    for x, y in combinations(sorted(graph.nodes), 2):
        if graph.edge_between(x, y) is None:
            given = nx.find_minimal_d_separator(canonical, {x}, {y}, restricted=observed - {x, y})
            if given is not None:
                yield Independence(x, y, tuple(sorted(given)))


def _canonical(graph: MixedGraph) -> nx.DiGraph:
    reasons = reasons_not_dag(graph, allow_hidden=True)
    if reasons:
        raise GraphError(f"Independencies are read from a DAG or ADMG; {reasons[0]}")
    canonical = directed_part(graph.edges, graph.nodes)
    for edge in graph.edges:
        if edge.is_bidirected:
            hidden = edge.pair  # a set of two names cannot be mistaken for a name
            canonical.add_edge(hidden, edge.source)
            canonical.add_edge(hidden, edge.target)
    return canonical
