"""From open marks to a DAG: Meek closure, consistent extension, completion, sampling.

A completion keeps the skeleton, every → and ↔, and the unshielded colliders whenever some DAG
does (Dor & Tarsi 1992; Meek 1995, rules R1-R4). o→ is read as → (the tail augmentation of Zhang
2008), its likelier reading, or as ↔ where → is ruled out; a sample reads some as ↔. Where no DAG
fits, the least certain edge gives way, and the completion says so. Every choice is made in the
order of the names: how nodes and edges are listed never matters.
"""

from dataclasses import replace

import networkx as nx
import numpy as np

from causalmix_core.errors import GraphError
from causalmix_core.graph.knowledge import compile_knowledge
from causalmix_core.graph.legality import directed_part
from causalmix_core.graph.marks import HIDDEN_SHARE, Mark
from causalmix_core.graph.mixed_graph import Edge, MixedGraph, PairFrequencies
from causalmix_core.graph.orientation import (
    Completion,
    Orientation,
    Pair,
    directed,
    unshielded_colliders,
)


def complete(graph: MixedGraph, rng: np.random.Generator | None = None) -> Completion:
    """Complete `graph` to a DAG, or to an ADMG where ↔ edges stay; knowledge is obeyed.

    Where the marks leave a choice, the direction seen more often in the resamples is taken, then
    name order; with `rng`, either direction is drawn equally often instead.

    Raises:
        GraphError: the graph's knowledge contradicts itself.
    """
    knowledge = compile_knowledge(graph.knowledge, graph.nodes)
    work = Orientation(graph, knowledge)
    work.break_cycles()
    work.close(work.open_pairs())
    work.orient_the_rest(rng)
    return work.result()


def sample_dags(graph: MixedGraph, n: int, seed: int = 0) -> list[MixedGraph]:
    """Draw `n` DAGs (ADMGs where ↔ is drawn) that obey the graph's knowledge.

    With pair frequencies, every pair's marks are drawn from them and the draw is completed; an
    edge without frequencies, drawn by the analyst, is always there; one that no resample found
    (probability 0) never. o→ becomes ↔ in the share `HIDDEN_SHARE` of the draws and → in the
    others; o–o and — become either direction equally often, as far as the rest of the draw leaves
    both possible. (`direction_probabilities` counts by the same rule.) Cycles that the independent
    draws make are broken at the least certain edge. Without frequencies, a CPDAG gives each DAG of
    its equivalence class equally often; the open marks of any other graph, or of one with
    knowledge, are resolved one by one at random: each DAG can come out, though not all equally
    often.

    Raises:
        GraphError: `n` is negative, or the graph's knowledge contradicts itself.
    """
    if n < 0:
        raise GraphError(f"{n} DAGs cannot be drawn; ask for 0 or more.")
    rng = np.random.default_rng(seed)
    graph = replace(graph, edges=tuple(e for e in graph.edges if e.probability != 0.0))
    if not graph.pairs and not graph.knowledge:
        drawn = _sample_class(graph, n, rng)
        if drawn is not None:
            return drawn
    chances = [
        _Chances(pair.seen_from(min(pair.pair)))
        for pair in sorted(graph.pairs, key=lambda pair: sorted(pair.pair))
    ]
    fixed = sorted(
        (edge for edge in graph.edges if not graph.frequencies_between(edge.source, edge.target)),
        key=lambda edge: sorted(edge.pair),
    )
    drawn = []
    for _ in range(n):
        edges = (edge for chance in chances if (edge := chance.draw(rng)) is not None)
        read = tuple(_hidden_or_not(edge, rng) for edge in (*fixed, *edges))
        drawn.append(complete(replace(graph, edges=read), rng).graph)
    return drawn


def _hidden_or_not(edge: Edge, rng: np.random.Generator) -> Edge:
    """o→ as ↔ in its share of the draws; the others stay, to be read as →."""
    if set(edge.marks) == {Mark.CIRCLE, Mark.ARROW} and rng.random() < HIDDEN_SHARE:
        return replace(edge, source_mark=Mark.ARROW, target_mark=Mark.ARROW)
    return edge


class _Chances:
    """What a pair can be, and how likely."""

    def __init__(self, pair: PairFrequencies) -> None:
        self.pair = pair
        self.keys = sorted(pair.frequencies)
        shares = np.clip([pair.frequencies[key] for key in self.keys], 0.0, 1.0)
        self.limits = np.cumsum(shares / shares.sum())

    def draw(self, rng: np.random.Generator) -> Edge | None:
        """The pair's edge in one resample, or None."""
        place = int(np.searchsorted(self.limits, rng.random(), side="right"))
        key = self.keys[min(place, len(self.keys) - 1)]
        if key == "none":
            return None
        source_mark, target_mark = (Mark(mark) for mark in key.split("-"))
        return Edge(
            self.pair.source, self.pair.target, source_mark, target_mark, self.pair.adjacent
        )


def _sample_class(graph: MixedGraph, n: int, rng: np.random.Generator) -> list[MixedGraph] | None:
    """Draw from the equivalence class of a CPDAG (o–o read as —); None where there is none."""
    from causalmix_core.graph.equivalence import EquivalenceClass, TooManyPartsError, is_cpdag

    circles = (Mark.CIRCLE, Mark.CIRCLE)
    pattern = replace(
        graph,
        edges=tuple(
            replace(edge, source_mark=Mark.TAIL, target_mark=Mark.TAIL)
            if edge.marks == circles
            else edge
            for edge in graph.edges
        ),
    )
    if not is_cpdag(pattern):
        return None
    try:
        members = EquivalenceClass(pattern)
        return [members.draw(rng) for _ in range(n)]
    except TooManyPartsError:
        return None


def meek_closure(graph: MixedGraph) -> dict[Pair, str]:
    """The directions that Meek's rules R1-R4 force on the — and o–o edges: (cause, effect) → why.

    Knowledge takes part only through the directions already drawn.
    """
    work = Orientation(replace(graph, knowledge=type(graph.knowledge)()), None)
    work.close(work.open_pairs())
    return {pair: why for pair, why in work.reasons.items() if _is_open(graph.edge_between(*pair))}


def consistent_extension(graph: MixedGraph) -> MixedGraph | None:
    """A DAG with the skeleton, directions and unshielded colliders of a graph of → and —.

    The algorithm of Dor & Tarsi (1992): take away a node that can be a sink, again and again.
    Returns None where there is no such DAG.

    Raises:
        GraphError: an edge is neither → nor —.
    """
    if not all(edge.is_directed or edge.is_undirected for edge in graph.edges):
        raise GraphError("A consistent extension is defined for → and — edges only.")
    nodes = sorted(graph.nodes)
    children = {node: set(graph.children(node)) for node in nodes}
    joined = {node: set(graph.neighbours(node)) for node in nodes}
    undirected: dict[str, set[str]] = {node: set() for node in nodes}
    for edge in graph.edges:
        if edge.is_undirected:
            undirected[edge.source].add(edge.target)
            undirected[edge.target].add(edge.source)
    effects: dict[frozenset[str], str] = {}
    left = set(nodes)
    while left:
        sink = next(
            (
                node
                for node in nodes
                if node in left
                and not children[node]
                and all(joined[node] - {other} <= joined[other] for other in undirected[node])
            ),
            None,
        )
        if sink is None:
            return None
        left.remove(sink)
        for other in joined.pop(sink):
            effects[frozenset((sink, other))] = sink
            joined[other].discard(sink)
            children[other].discard(sink)
            undirected[other].discard(sink)
    return replace(
        graph,
        edges=tuple(directed(edge, edge.other(effects[edge.pair])) for edge in graph.edges),
        graph_type="dag",
    )


def to_cpdag(dag: MixedGraph) -> MixedGraph:
    """The CPDAG of a DAG: all that its independencies alone can tell.

    Raises:
        GraphError: `dag` is not a DAG.
    """
    if not all(edge.is_directed for edge in dag.edges) or not nx.is_directed_acyclic_graph(
        directed_part(dag.edges)
    ):
        raise GraphError("Only a DAG has a CPDAG; complete the graph to a DAG first.")
    kept = {pair for a, b, c in unshielded_colliders(dag) for pair in ((a, b), (c, b))}
    pattern = replace(
        dag,
        edges=tuple(
            edge
            if (edge.cause, edge.effect) in kept
            else replace(edge, source_mark=Mark.TAIL, target_mark=Mark.TAIL)
            for edge in dag.edges
        ),
    )
    forced = {frozenset(pair): pair[0] for pair in meek_closure(pattern)}
    return replace(
        pattern,
        graph_type="cpdag",
        edges=tuple(
            directed(edge, forced[edge.pair]) if edge.pair in forced else edge
            for edge in pattern.edges
        ),
    )


def _is_open(edge: Edge | None) -> bool:
    return edge is not None and edge.marks in (
        (Mark.TAIL, Mark.TAIL),
        (Mark.CIRCLE, Mark.CIRCLE),
    )
