"""Counting and drawing the DAGs of a Markov equivalence class, all equally often.

The undirected parts of a CPDAG are chordal and do not touch each other's directions. In each of
its DAGs a connected chordal part has exactly one source; choosing it and closing under Meek's
rules leaves smaller chordal parts (He, Jia & Yu, JMLR 16, 2015). A clique of n has n! orders.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from math import factorial, prod

import networkx as nx
import numpy as np

from causalmix_core.errors import GraphError
from causalmix_core.graph.dag import consistent_extension, meek_closure, to_cpdag
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge, MixedGraph
from causalmix_core.graph.orientation import Pair, directed

Part = frozenset[str]

_MOST_ROOTS = 2_000  # sources tried over all parts: seconds, not minutes


class TooManyPartsError(Exception):
    """The class is too tangled to be counted in reasonable time."""


class EquivalenceClass:
    """All DAGs with the skeleton and unshielded colliders of a CPDAG.

    Raises:
        GraphError: the graph is no CPDAG.
    """

    def __init__(self, cpdag: MixedGraph) -> None:
        if not is_cpdag(cpdag):
            raise GraphError("Only a CPDAG stands for an equivalence class of DAGs.")
        self.cpdag = cpdag
        self.links = nx.Graph()
        self.links.add_nodes_from(sorted(cpdag.nodes))
        self.links.add_edges_from(
            sorted((min(e.pair), max(e.pair)) for e in cpdag.edges if e.is_undirected)
        )
        self.parts = [part for part in _components(self.links) if len(part) > 1]
        self._rooted: dict[tuple[Part, str], tuple[tuple[Pair, ...], tuple[Part, ...]]] = {}
        self._counts: dict[Part, int] = {}

    @property
    def size(self) -> int:
        """How many DAGs the class has.

        Raises:
            TooManyPartsError: counting them would take too long.
        """
        return prod(self._count(part) for part in self.parts)

    def draw(self, rng: np.random.Generator) -> MixedGraph:
        """One of its DAGs, all equally likely.

        Raises:
            TooManyPartsError: counting them would take too long.
        """
        causes = {frozenset(pair): pair[0] for part in self.parts for pair in self._draw(part, rng)}
        edges = tuple(
            directed(edge, causes.get(edge.pair, edge.cause)) for edge in self.cpdag.edges
        )
        return replace(self.cpdag, edges=edges, graph_type="dag", pairs=())

    def _count(self, part: Part) -> int:
        if part not in self._counts:
            self._counts[part] = (
                factorial(len(part))
                if self._is_clique(part)
                else sum(self._weight(part, root) for root in part)
            )
        return self._counts[part]

    def _weight(self, part: Part, root: str) -> int:
        """How many DAGs of a part have `root` as their source."""
        return prod(self._count(rest) for rest in self._root(part, root)[1])

    def _draw(self, part: Part, rng: np.random.Generator) -> Iterator[Pair]:
        names = sorted(part)
        if self._is_clique(part):
            yield from combinations([names[place] for place in rng.permutation(len(names))], 2)
            return
        total = self._count(part)
        shares = np.array([self._weight(part, root) / total for root in names])
        root = names[int(rng.choice(len(names), p=shares / shares.sum()))]
        settled, rest = self._root(part, root)
        yield from settled
        for smaller in rest:
            yield from self._draw(smaller, rng)

    def _root(self, part: Part, root: str) -> tuple[tuple[Pair, ...], tuple[Part, ...]]:
        """What follows from making `root` the source: directions, and the parts left open."""
        if (part, root) not in self._rooted:
            if len(self._rooted) >= _MOST_ROOTS:
                raise TooManyPartsError
            links = self.links.subgraph(part)
            settled = {(root, other) for other in links[root]}
            open_links = [
                Edge(a, b, Mark.TAIL, Mark.TAIL) for a, b in links.edges if root not in (a, b)
            ]
            started = MixedGraph(
                tuple(part), (*(Edge(*pair) for pair in sorted(settled)), *open_links)
            )
            settled |= set(meek_closure(started))
            left = nx.Graph(links)
            left.remove_edges_from(settled)
            rest = tuple(smaller for smaller in _components(left) if len(smaller) > 1)
            self._rooted[part, root] = tuple(sorted(settled)), rest
        return self._rooted[part, root]

    def _is_clique(self, part: Part) -> bool:
        size = len(part)
        links: int = self.links.subgraph(part).number_of_edges()
        return links == size * (size - 1) // 2


def is_cpdag(graph: MixedGraph) -> bool:
    """Whether the graph is the CPDAG of some DAG, not narrowed by anything else."""
    if not all(edge.is_directed or edge.is_undirected for edge in graph.edges):
        return False
    extension = consistent_extension(graph)
    return extension is not None and to_cpdag(extension).digest == graph.digest


def _components(links: nx.Graph) -> list[Part]:
    return sorted((frozenset(part) for part in nx.connected_components(links)), key=sorted)
