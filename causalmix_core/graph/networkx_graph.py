"""Mixed graphs to and from networkx."""

from typing import Any

import networkx as nx

from causalmix_core.errors import GraphError
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge, MixedGraph


def to_networkx(graph: MixedGraph) -> nx.DiGraph:
    """Convert to a DiGraph; see `MixedGraph.to_networkx`."""
    converted = nx.DiGraph()
    converted.add_nodes_from(graph.nodes)
    for edge in graph.edges:
        if edge.is_directed:
            _add_arc(converted, edge.seen_from(edge.cause))
        else:
            _add_arc(converted, edge)
            _add_arc(converted, edge.seen_from(edge.target))
    return converted


def from_networkx(graph: nx.Graph) -> MixedGraph:
    """Convert from a DiGraph (arcs are →) or a Graph (edges are —), marks on arcs are obeyed.

    Raises:
        GraphError: two opposite arcs carry no marks, or marks that disagree; or two nodes have
            the same name once written as text.
    """
    if graph.is_multigraph():
        raise GraphError("A multigraph joins nodes more than once; give a networkx DiGraph.")
    default = Mark.ARROW if graph.is_directed() else Mark.TAIL
    edges: dict[frozenset[str], Edge] = {}
    for tail, head, attributes in graph.edges(data=True):
        edge = Edge(
            str(tail),
            str(head),
            attributes.get("source_mark", Mark.TAIL),
            attributes.get("target_mark", default),
            probability=attributes.get("probability"),
        )
        known = edges.setdefault(edge.pair, edge)
        if known.normalised() != edge.normalised():
            raise GraphError(
                f"{edge.source!r} and {edge.target!r} are joined both ways; keep one arc, or give "
                "both the same source_mark and target_mark."
            )
    bare = MixedGraph(tuple(str(node) for node in graph.nodes))
    return bare.with_edges(edges.values())


def _add_arc(graph: nx.DiGraph, edge: Edge) -> None:
    attributes: dict[str, Any] = {
        "source_mark": edge.source_mark.value,
        "target_mark": edge.target_mark.value,
    }
    if edge.probability is not None:
        attributes["probability"] = edge.probability
    graph.add_edge(edge.source, edge.target, **attributes)
