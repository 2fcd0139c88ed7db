"""Nodes and marked edges: the immutable graph that every other room takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from causalmix_core.errors import GraphError
from causalmix_core.graph.marks import Mark

GraphType = Literal["dag", "admg", "cpdag", "pag", "mixed"]


@dataclass(frozen=True)
class Edge:
    """One edge; ``source_mark`` is the end at `source`, ``target_mark`` the end at `target`.

    A directed edge source → target has a tail at its source and an arrow at its target.
    """

    source: str
    target: str
    source_mark: Mark = Mark.TAIL
    target_mark: Mark = Mark.ARROW
    probability: float | None = None
    evidence: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise GraphError(f"An edge from {self.source!r} to itself makes no sense; leave it out.")

    @property
    def is_directed(self) -> bool:
        """Whether the edge is → or ←."""
        return {self.source_mark, self.target_mark} == {Mark.TAIL, Mark.ARROW}

    @property
    def is_bidirected(self) -> bool:
        """Whether the edge is ↔ (a hidden common cause)."""
        return self.source_mark is Mark.ARROW and self.target_mark is Mark.ARROW

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

    def mark_at(self, node: str) -> Mark:
        """The end of the edge at `node`."""
        return self.source_mark if node == self.source else self.target_mark


@dataclass(frozen=True)
class PairFrequencies:
    """How often a pair of nodes came out with which marks over the resamples.

    ``frequencies`` maps ``"<mark at source>-<mark at target>"`` (such as ``"tail-arrow"``) or
    ``"none"`` to a share; the shares add up to 1.
    """

    source: str
    target: str
    frequencies: Mapping[str, float]

    @property
    def adjacent(self) -> float:
        """P(adjacent): the share of resamples in which the two nodes were joined."""
        return 1.0 - self.frequencies.get("none", 0.0)


@dataclass(frozen=True)
class Knowledge:
    """What the analyst knows: required and forbidden directed edges (cause, effect), and tiers.

    A node of a later tier is never a cause of a node of an earlier one.
    """

    required: tuple[tuple[str, str], ...] = ()
    forbidden: tuple[tuple[str, str], ...] = ()
    tiers: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.required or self.forbidden or self.tiers)


@dataclass(frozen=True)
class MixedGraph:
    """Nodes and marked edges, with where they came from.

    ``pairs`` is the probabilistic adjacency matrix: every pair seen adjacent in at least one
    resample, also those that are no edge of the graph. ``layout`` holds positions in [0, 1]².
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    graph_type: GraphType = "mixed"
    pairs: tuple[PairFrequencies, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
