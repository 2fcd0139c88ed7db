"""Nodes and marked edges: the immutable graph that every other room takes and gives."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from causalmix_core.errors import GraphError
from causalmix_core.graph.marks import Mark

if TYPE_CHECKING:
    import networkx as nx

GraphType = Literal["dag", "admg", "cpdag", "pag", "mixed"]


@dataclass(frozen=True)
class Edge:
    """One edge; ``source_mark`` is the end at `source`, ``target_mark`` the end at `target`.

    A directed edge source → target has a tail at its source and an arrow at its target.

    Raises:
        GraphError: the two nodes are the same, a mark is none of the three, or the probability
            is not in [0, 1].
    """

    source: str
    target: str
    source_mark: Mark = Mark.TAIL
    target_mark: Mark = Mark.ARROW
    probability: float | None = None
    evidence: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise GraphError(
                f"An edge from {self.source!r} to itself makes no sense; leave it out."
            )
        for end in ("source_mark", "target_mark"):
            mark = getattr(self, end)
            try:
                object.__setattr__(self, end, Mark(mark))
            except ValueError:
                raise GraphError(
                    f"{mark!r} is no end mark of the edge between {self.source!r} and "
                    f"{self.target!r}; use tail, arrow or circle."
                ) from None
        if self.probability is not None and not 0.0 <= self.probability <= 1.0:
            raise GraphError(
                f"The probability of the edge between {self.source!r} and {self.target!r} is "
                f"{self.probability}; it must lie between 0 and 1."
            )

    @property
    def is_directed(self) -> bool:
        """Whether the edge is → or ←."""
        return {self.source_mark, self.target_mark} == {Mark.TAIL, Mark.ARROW}

    @property
    def is_bidirected(self) -> bool:
        """Whether the edge is ↔ (a hidden common cause)."""
        return self.source_mark is Mark.ARROW and self.target_mark is Mark.ARROW

    @property
    def is_undirected(self) -> bool:
        """Whether the edge is — (tail–tail: the direction is open)."""
        return self.source_mark is Mark.TAIL and self.target_mark is Mark.TAIL

    @property
    def cause(self) -> str:
        """The node at the tail of a directed edge."""
        return self.source if self.target_mark is Mark.ARROW else self.target

    @property
    def effect(self) -> str:
        """The node at the arrowhead of a directed edge."""
        return self.target if self.target_mark is Mark.ARROW else self.source

    @property
    def pair(self) -> frozenset[str]:
        """The two nodes, in no order."""
        return frozenset((self.source, self.target))

    @property
    def marks(self) -> tuple[Mark, Mark]:
        """The ends at the source and at the target."""
        return self.source_mark, self.target_mark

    def mark_at(self, node: str) -> Mark:
        """The end of the edge at `node`."""
        if node not in self.pair:
            raise GraphError(
                f"{node!r} is not on the edge between {self.source!r} and {self.target!r}."
            )
        return self.source_mark if node == self.source else self.target_mark

    def other(self, node: str) -> str:
        """The node at the other end."""
        return self.target if node == self.source else self.source

    def seen_from(self, node: str) -> "Edge":
        """The same edge written with `node` as its source."""
        if node == self.source:
            return self
        return replace(
            self,
            source=self.target,
            target=self.source,
            source_mark=self.target_mark,
            target_mark=self.source_mark,
        )

    def normalised(self) -> "Edge":
        """The same edge written from the name that sorts first."""
        return self.seen_from(min(self.source, self.target))


@dataclass(frozen=True)
class PairFrequencies:
    """How often a pair of nodes came out with which marks over the resamples.

    ``frequencies`` maps ``"<mark at source>-<mark at target>"`` (such as ``"tail-arrow"``) or
    ``"none"`` to a share; the shares add up to 1.
    """

    source: str
    target: str
    frequencies: Mapping[str, float]

    def __post_init__(self) -> None:
        named = f"the pair {self.source!r}, {self.target!r}"
        if self.source == self.target:
            raise GraphError(f"Frequencies need two different nodes; {named} is one.")
        for key, share in self.frequencies.items():
            if key not in _FREQUENCY_KEYS:
                raise GraphError(f"{key!r} of {named} is neither 'none' nor 'mark-mark'.")
            if not -1e-9 <= share <= 1.0 + 1e-9:
                raise GraphError(f"The share of {key!r} of {named} is {share}, not in [0, 1].")
        if abs(sum(self.frequencies.values()) - 1.0) > 0.01:
            raise GraphError(f"The shares of {named} do not add up to 1.")

    @property
    def pair(self) -> frozenset[str]:
        """The two nodes, in no order."""
        return frozenset((self.source, self.target))

    @property
    def adjacent(self) -> float:
        """P(adjacent): the share of resamples in which the two nodes were joined."""
        return 1.0 - self.frequencies.get("none", 0.0)

    def seen_from(self, node: str) -> "PairFrequencies":
        """The same frequencies written with `node` as the source."""
        if node == self.source:
            return self
        turned = {
            key if key == "none" else "-".join(reversed(key.split("-"))): share
            for key, share in self.frequencies.items()
        }
        return PairFrequencies(self.target, self.source, turned)

    def pointing(self, cause: str) -> float:
        """Share of resamples whose marks speak for `cause` → the other: → and o→."""
        seen = self.seen_from(cause).frequencies
        return seen.get("tail-arrow", 0.0) + seen.get("circle-arrow", 0.0)

    def directed(self, cause: str) -> float:
        """P(cause → other): the share of resamples with exactly that arrow."""
        return self.seen_from(cause).frequencies.get("tail-arrow", 0.0)


_FREQUENCY_KEYS = {"none"} | {f"{a}-{b}" for a in Mark for b in Mark}


@dataclass(frozen=True)
class Knowledge:
    """What the analyst knows: required and forbidden directed edges (cause, effect), and tiers.

    A node of a later tier is never a cause of a node of an earlier one.
    """

    required: tuple[tuple[str, str], ...] = ()
    forbidden: tuple[tuple[str, str], ...] = ()
    tiers: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in ("required", "forbidden"):
            pairs = tuple((str(cause), str(effect)) for cause, effect in getattr(self, name))
            object.__setattr__(self, name, pairs)
        object.__setattr__(self, "tiers", tuple(tuple(tier) for tier in self.tiers))

    def __bool__(self) -> bool:
        return bool(self.required or self.forbidden or any(self.tiers))

    @property
    def names(self) -> frozenset[str]:
        """Every node the knowledge speaks of."""
        pairs = (node for pair in self.required + self.forbidden for node in pair)
        return frozenset(pairs).union(*self.tiers)


@dataclass(frozen=True)
class MixedGraph:
    """Nodes and marked edges, with where they came from.

    ``pairs`` is the probabilistic adjacency matrix: every pair seen adjacent in at least one
    resample, also those that are no edge of the graph. ``layout`` holds positions in [0, 1]².

    Raises:
        GraphError: a node is named twice, an edge, a pair or the knowledge names an unknown
            node, or two edges join the same two nodes.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    graph_type: GraphType = "mixed"
    pairs: tuple[PairFrequencies, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("nodes", "edges", "pairs"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        known = set(self.nodes)
        if len(known) < len(self.nodes):
            twice = next(node for node in self.nodes if self.nodes.count(node) > 1)
            raise GraphError(f"The node {twice!r} is named twice; every node needs its own name.")
        for what, links in (("edge", self.edges), ("pair", self.pairs)):
            seen: set[frozenset[str]] = set()
            for link in links:
                for node in (link.source, link.target):
                    if node not in known:
                        raise GraphError(
                            f"The {what} {link.source!r}, {link.target!r} names {node!r}, "
                            "which is not among the nodes."
                        )
                if link.pair in seen:
                    raise GraphError(
                        f"{link.source!r} and {link.target!r} are joined by two {what}s; keep one."
                    )
                seen.add(link.pair)
        unknown = sorted(self.knowledge.names - known)
        if unknown:
            raise GraphError(f"The knowledge names {unknown[0]!r}, which is not among the nodes.")

    @cached_property
    def _edge_of(self) -> dict[frozenset[str], Edge]:
        return {edge.pair: edge for edge in self.edges}

    @cached_property
    def _pair_of(self) -> dict[frozenset[str], PairFrequencies]:
        return {pair.pair: pair for pair in self.pairs}

    @cached_property
    def _incident(self) -> dict[str, tuple[Edge, ...]]:
        incident: dict[str, list[Edge]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            incident[edge.source].append(edge)
            incident[edge.target].append(edge)
        return {node: tuple(edges) for node, edges in incident.items()}

    def edge_between(self, a: str, b: str) -> Edge | None:
        """The edge that joins `a` and `b`, or None."""
        return self._edge_of.get(frozenset((a, b)))

    def frequencies_between(self, a: str, b: str) -> PairFrequencies | None:
        """How often `a` and `b` came out joined, or None if never or not resampled."""
        return self._pair_of.get(frozenset((a, b)))

    def edges_of(self, node: str) -> tuple[Edge, ...]:
        """The edges at `node`, in the graph's order."""
        try:
            return self._incident[node]
        except KeyError:
            raise GraphError(f"{node!r} is not a node of the graph.") from None

    def neighbours(self, node: str) -> tuple[str, ...]:
        """The nodes joined to `node` by any edge."""
        return tuple(edge.other(node) for edge in self.edges_of(node))

    def parents(self, node: str) -> tuple[str, ...]:
        """The nodes with a directed edge into `node`."""
        return tuple(
            edge.cause for edge in self.edges_of(node) if edge.is_directed and edge.effect == node
        )

    def children(self, node: str) -> tuple[str, ...]:
        """The nodes with a directed edge from `node`."""
        return tuple(
            edge.effect for edge in self.edges_of(node) if edge.is_directed and edge.cause == node
        )

    def spouses(self, node: str) -> tuple[str, ...]:
        """The nodes joined to `node` by ↔."""
        return tuple(edge.other(node) for edge in self.edges_of(node) if edge.is_bidirected)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the nodes and marked edges, whatever order they are listed in."""
        edges = sorted(
            (edge.source, edge.target, edge.source_mark.value, edge.target_mark.value)
            for edge in (edge.normalised() for edge in self.edges)
        )
        text = json.dumps([sorted(self.nodes), edges], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def with_edges(self, edges: Iterable[Edge]) -> "MixedGraph":
        """The same graph with other edges and the type that their marks give it."""
        from causalmix_core.graph.legality import classify

        bare = replace(self, edges=tuple(edges))
        return replace(bare, graph_type=classify(bare))

    def with_layout(self, layout: Mapping[str, tuple[float, float]]) -> "MixedGraph":
        """The same graph with other positions."""
        for node, position in layout.items():
            if not all(math.isfinite(x) for x in position):
                raise GraphError(f"The position of {node!r} is not a pair of finite numbers.")
        return replace(self, layout=dict(layout))

    def save(self, path: str | Path) -> None:
        """Write the graph as a ``causalmix-graph/1`` JSON file.

        Raises:
            GraphError: the file cannot be written.
        """
        from causalmix_core.graph import graph_file

        graph_file.save(self, path)

    @staticmethod
    def load(path: str | Path) -> "MixedGraph":
        """Read a ``causalmix-graph/1`` JSON file; only nodes and marked edges are obligatory.

        Raises:
            GraphError: the file is missing or is not such a graph; the message names the file.
        """
        from causalmix_core.graph import graph_file

        return graph_file.load(path)

    def to_dict(self) -> dict[str, Any]:
        """The ``causalmix-graph/1`` content: plain values only, free of NaN."""
        from causalmix_core.graph import graph_file

        return graph_file.to_dict(self)

    def decisive(self) -> dict[str, Any]:
        """All of `to_dict` that decides synthetic rows.

        These are its edges, its probabilities and, where it is still to be completed, what is
        known.
        """
        decides = ["nodes", "edges", "pairs", "graph_type"]
        if self.knowledge and self.graph_type not in ("dag", "admg"):  # those are taken as they are
            decides.append("knowledge")
        content = self.to_dict()
        return {key: content.get(key) for key in decides}

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> "MixedGraph":
        """Read what `to_dict` gives."""
        from causalmix_core.graph import graph_file

        return graph_file.from_dict(content)

    def to_networkx(self) -> "nx.DiGraph":
        """Convert to a networkx.DiGraph; every arc carries ``source_mark`` and ``target_mark``.

        A directed edge is one arc. Any other edge is two opposite arcs, so that code which knows
        nothing of marks meets a cycle instead of a direction nobody found.
        """
        from causalmix_core.graph import networkx_graph

        return networkx_graph.to_networkx(self)

    @staticmethod
    def from_networkx(graph: "nx.Graph") -> "MixedGraph":
        """Convert from networkx: arcs are →, edges of an undirected graph —, marks are obeyed."""
        from causalmix_core.graph import networkx_graph

        return networkx_graph.from_networkx(graph)

    def to_dag(self) -> "MixedGraph":
        """Complete to a DAG, or to an ADMG where ↔ edges stay.

        `causalmix_core.graph.complete` does the same and gives the reason for each change.
        """
        from causalmix_core.graph.dag import complete

        return complete(self).graph

    def sample_dags(self, n: int, seed: int = 0) -> "list[MixedGraph]":
        """Draw `n` DAGs (ADMGs where ↔ is drawn) from the pair frequencies, or the open marks."""
        from causalmix_core.graph.dag import sample_dags

        return sample_dags(self, n, seed)
