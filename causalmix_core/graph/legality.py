"""What kind of graph the marks make, and what stands between a graph and a DAG, in words."""

from collections.abc import Iterable, Mapping

import networkx as nx

from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge, GraphType, MixedGraph
from causalmix_core.graph.words import edge_sentence, edge_sign

_ALL = frozenset((a, b) for a in Mark for b in Mark)
_DIRECTED = frozenset({(Mark.TAIL, Mark.ARROW), (Mark.ARROW, Mark.TAIL)})
_BIDIRECTED = frozenset({(Mark.ARROW, Mark.ARROW)})
_UNDIRECTED = frozenset({(Mark.TAIL, Mark.TAIL)})

LEGAL_MARKS: Mapping[GraphType, frozenset[tuple[Mark, Mark]]] = {
    "dag": _DIRECTED,
    "admg": _DIRECTED | _BIDIRECTED,
    "cpdag": _DIRECTED | _UNDIRECTED,
    "pag": _ALL,
    "mixed": _ALL,
}
"""The mark pairs (source, target) that an edge of each type of graph may carry."""


def classify(graph: MixedGraph) -> GraphType:
    """Name the type of graph that the marks make.

    ``dag`` and ``admg`` need an acyclic directed part. ``cpdag`` needs more than its marks: some
    DAG must extend it and Meek's rules must be done (so a CPDAG narrowed by knowledge counts).
    ``pag`` needs an open end and to be ancestral: no directed and no almost directed cycle.
    """
    marks = {edge.marks for edge in graph.edges}
    if marks <= _DIRECTED:
        return "mixed" if directed_cycles(graph) else "dag"
    if marks <= _DIRECTED | _BIDIRECTED:
        return "mixed" if directed_cycles(graph) else "admg"
    if marks <= _DIRECTED | _UNDIRECTED:
        return "cpdag" if _is_closed_and_extendable(graph) else "mixed"
    if any(Mark.CIRCLE in pair for pair in marks) and is_ancestral(graph):
        return "pag"
    return "mixed"


def has_type(graph: MixedGraph, graph_type: str) -> bool:
    """Whether the marks allow to call the graph `graph_type`; a DAG is also a CPDAG, and so on."""
    if graph_type == "mixed":
        return True
    legal = {str(name): marks for name, marks in LEGAL_MARKS.items()}.get(graph_type)
    if legal is None or not {edge.marks for edge in graph.edges} <= legal:
        return False
    return is_ancestral(graph) if graph_type == "pag" else not directed_cycles(graph)


def reasons_not_dag(graph: MixedGraph, *, allow_hidden: bool = False) -> list[str]:
    """Say in plain words what stands between `graph` and a DAG; an empty list means it is one.

    With `allow_hidden`, ↔ is no obstacle: the question is then whether an SCM can be fitted.
    """
    reasons = []
    for edge in graph.edges:
        if edge.is_directed or (edge.is_bidirected and allow_hidden):
            continue
        if edge.is_bidirected:
            why = "a DAG has no hidden causes"
        elif edge.is_undirected:
            why = "choose a direction"
        else:
            why = "decide its open ends"
        reasons.append(f"{edge_sign(edge)}: {edge_sentence(edge)}; {why}.")
    for cycle in directed_cycles(graph):
        path = " → ".join([*cycle, cycle[0]])
        reasons.append(f"{path} is a cycle: reverse or remove one of its edges.")
    return reasons


def directed_part(edges: Iterable[Edge], nodes: Iterable[str] = ()) -> nx.DiGraph:
    """The → edges as a DiGraph, nodes in sorted order."""
    part = nx.DiGraph()
    part.add_nodes_from(sorted(nodes))
    part.add_edges_from(sorted((edge.cause, edge.effect) for edge in edges if edge.is_directed))
    return part


def directed_cycles(graph: MixedGraph) -> list[list[str]]:
    """One shortest cycle per tangle of → edges, each starting at its first name."""
    part = directed_part(graph.edges)
    cycles = []
    for tangle in nx.strongly_connected_components(part):
        if len(tangle) > 1:
            cycles.append(_shortest_cycle(part.subgraph(tangle)))
    return sorted(cycles)


def almost_directed_cycles(graph: MixedGraph) -> list[Edge]:
    """The ↔ edges of which one end is an ancestor of the other: impossible in a MAG or PAG."""
    part = directed_part(graph.edges, graph.nodes)
    return [
        edge
        for edge in graph.edges
        if edge.is_bidirected
        and (
            nx.has_path(part, edge.source, edge.target)
            or nx.has_path(part, edge.target, edge.source)
        )
    ]


def is_ancestral(graph: MixedGraph) -> bool:
    """Whether → and ↔ can be read as ancestry: no directed and no almost directed cycle."""
    return not directed_cycles(graph) and not almost_directed_cycles(graph)


def _shortest_cycle(part: nx.DiGraph) -> list[str]:
    best: list[str] = []
    for start in sorted(part):
        for head in sorted(part.successors(start)):
            path = nx.shortest_path(part, head, start)
            if not best or len(path) < len(best):
                best = path
    first = best.index(min(best))
    return best[first:] + best[:first]


def _is_closed_and_extendable(graph: MixedGraph) -> bool:
    from causalmix_core.graph.dag import consistent_extension, meek_closure

    return consistent_extension(graph) is not None and not meek_closure(graph)
