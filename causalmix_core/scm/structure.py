"""The causal order that fitting and sampling follow, from any graph an analyst may hand in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from causalmix_core.errors import GraphError
from causalmix_core.graph.mixed_graph import MixedGraph

Graph = MixedGraph | nx.DiGraph


@dataclass(frozen=True)
class Structure:
    """Parents of every node, causes before effects.

    Attributes:
        parents: each node's direct causes, sorted; the nodes in a causal order.
        districts: groups of nodes that share hidden common causes (joined by ↔), each of two
            nodes or more (Richardson 2003).
        unlisted: columns that the graph does not know; they become nodes without edges.
    """

    parents: Mapping[str, tuple[str, ...]]
    districts: tuple[tuple[str, ...], ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def edges(self) -> list[tuple[str, str]]:
        """The directed edges."""
        return [(cause, node) for node, causes in self.parents.items() for cause in causes]


def read_structure(graph: Any, columns: Sequence[str]) -> Structure:
    """Return the structure of a DAG or ADMG over these columns.

    Another mixed graph (CPDAG, PAG) is completed with its own `to_dag()` first.

    Raises:
        GraphError: a node is no column of the table, or there is a directed cycle.
    """
    bidirected: list[tuple[str, str]] = []
    if isinstance(graph, nx.DiGraph):
        graph = MixedGraph.from_networkx(graph)
    if isinstance(graph, MixedGraph):
        if not all(edge.is_directed or edge.is_bidirected for edge in graph.edges):
            graph = graph.to_dag()
        nodes = list(graph.nodes)
        directed: list[tuple[str, str]] = [
            (edge.cause, edge.effect) for edge in graph.edges if edge.is_directed
        ]
        bidirected = [(edge.source, edge.target) for edge in graph.edges if edge.is_bidirected]
    else:
        raise GraphError("A causal model needs a MixedGraph or a networkx.DiGraph.")
    strangers = [str(node) for node in nodes if node not in columns]
    if strangers:
        raise GraphError(
            f"The graph has the node {strangers[0]!r}, which is not a column in use of the table;"
            " delete it from the graph or take the column back."
        )
    order = nx.DiGraph()
    order.add_nodes_from(columns)
    order.add_edges_from(directed)
    try:
        sequence = list(nx.lexicographical_topological_sort(order, key=list(columns).index))
    except nx.NetworkXUnfeasible:
        cycle = " → ".join(str(cause) for cause, _ in nx.find_cycle(order))
        raise GraphError(
            f"The graph has a directed cycle ({cycle} → …); reverse or delete an edge."
        ) from None
    hidden = nx.Graph(bidirected)
    return Structure(
        {node: tuple(sorted(order.predecessors(node))) for node in sequence},
        tuple(tuple(sorted(group)) for group in nx.connected_components(hidden)),
        tuple(column for column in columns if column not in nodes),
    )
