"""The work behind a completion: open pairs are directed one by one until a DAG or ADMG stands."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

import networkx as nx
import numpy as np

from causalmix_core.graph.knowledge import CompiledKnowledge
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge, MixedGraph
from causalmix_core.graph.words import edge_sign

Pair = tuple[str, str]


@dataclass(frozen=True)
class Completion:
    """A DAG or ADMG made from a graph.

    Attributes:
        graph: the result, of type ``dag`` or ``admg``, without pair frequencies: it is decided.
        reasons: why each edge that was oriented, turned or added has its direction.
        dropped: edges left out because no direction was possible, each with the reason.
        colliders_added: unshielded colliders that the given graph did not have.
        colliders_lost: unshielded colliders of the given graph that are gone.
    """

    graph: MixedGraph
    reasons: dict[Pair, str]
    dropped: dict[Pair, str]
    colliders_added: tuple[tuple[str, str, str], ...]
    colliders_lost: tuple[tuple[str, str, str], ...]

    @property
    def keeps_independencies(self) -> bool:
        """Whether skeleton and unshielded colliders came through unchanged."""
        return not (self.dropped or self.colliders_added or self.colliders_lost)


def unshielded_colliders(graph: MixedGraph) -> set[tuple[str, str, str]]:
    """Triples (a, b, c) with arrowheads of two edges at b, a and c not joined, a before c."""
    into: dict[str, list[str]] = {}
    for edge in graph.edges:
        for node in (edge.source, edge.target):
            if edge.mark_at(node) is Mark.ARROW:
                into.setdefault(node, []).append(edge.other(node))
    return {
        (a, node, c)
        for node, others in into.items()
        for a, c in combinations(sorted(others), 2)
        if graph.edge_between(a, c) is None
    }


def directed(edge: Edge, cause: str) -> Edge:
    """The edge as cause → other, written from its cause."""
    return replace(edge.seen_from(cause), source_mark=Mark.TAIL, target_mark=Mark.ARROW)


class Orientation:
    """The work in hand: every pair is directed, ↔ or open, and knows which turns it may take."""

    def __init__(self, graph: MixedGraph, knowledge: CompiledKnowledge | None) -> None:
        self.given = graph
        self.knowledge = knowledge
        self.nodes = sorted(graph.nodes)
        self.reasons: dict[Pair, str] = {}
        self.dropped: dict[Pair, str] = {}
        self.joined: dict[str, set[str]] = {node: set() for node in self.nodes}
        self.children: dict[str, set[str]] = {node: set() for node in self.nodes}
        self.parents: dict[str, set[str]] = {node: set() for node in self.nodes}
        self.spouses: dict[str, set[str]] = {node: set() for node in self.nodes}
        self.open: dict[str, set[str]] = {node: set() for node in self.nodes}
        self.edges = {
            (edge.source, edge.target): edge for edge in (e.normalised() for e in graph.edges)
        }
        self.added: set[Pair] = set()
        self.loosened: set[frozenset[str]] = set()
        if knowledge is not None:
            for cause, effect in knowledge.pairs(knowledge.required):
                pair = (min(cause, effect), max(cause, effect))
                if pair not in self.edges:
                    self.edges[pair] = Edge(cause, effect).normalised()
                    self.added.add((cause, effect))
        for pair in sorted(self.edges):
            self._place(self.edges[pair])

    # -- what may be done with a pair

    def _allowed(self, cause: str, effect: str) -> bool:
        return self.knowledge is None or not self.knowledge.forbids(cause, effect)

    def _required(self, cause: str, effect: str) -> bool:
        return self.knowledge is not None and self.knowledge.requires(cause, effect)

    def _may_be_hidden(self, a: str, b: str) -> bool:
        """Whether the found marks allow ↔: no tail at either end, and no required edge."""
        edge = self.given.edge_between(a, b)
        return (
            edge is not None
            and Mark.TAIL not in edge.marks
            and not self._required(a, b)
            and not self._required(b, a)
        )

    def _support(self, cause: str, effect: str) -> float:
        """Share of resamples that speak for cause → effect; 0 where there were none."""
        pair = self.given.frequencies_between(cause, effect)
        # Shares are sums: equal ones may differ in the last digit, which must decide nothing.
        return 0.0 if pair is None else round(pair.pointing(cause), 9)

    def _certainty(self, cause: str, effect: str) -> float:
        """How sure the drawn direction is: an edge nobody resampled is the analyst's own."""
        pair = self.given.frequencies_between(cause, effect)
        if pair is not None:
            return pair.pointing(cause)
        edge = self.given.edge_between(cause, effect)
        if edge is None or edge.probability is None:
            return 1.0
        return edge.probability

    # -- moves

    def _join(self, a: str, b: str) -> None:
        self.joined[a].add(b)
        self.joined[b].add(a)

    def _loosen(self, a: str, b: str) -> None:
        for x, y in ((a, b), (b, a)):
            for links in (self.children, self.parents, self.spouses):
                links[x].discard(y)
            self.open[x].add(y)

    def _direct(self, cause: str, effect: str, why: str) -> None:
        for x, y in ((cause, effect), (effect, cause)):
            self.open[x].discard(y)
            self.spouses[x].discard(y)
        self.children[cause].add(effect)
        self.parents[effect].add(cause)
        self.reasons[cause, effect] = why

    def _hide(self, a: str, b: str, why: str) -> None:
        self._loosen(a, b)
        for x, y in ((a, b), (b, a)):
            self.open[x].discard(y)
            self.spouses[x].add(y)
        self.reasons[min(a, b), max(a, b)] = why

    def _drop(self, a: str, b: str, why: str) -> None:
        self._loosen(a, b)
        for x, y in ((a, b), (b, a)):
            self.open[x].discard(y)
            self.joined[x].discard(y)
        self.dropped[min(a, b), max(a, b)] = why

    def _place(self, edge: Edge) -> None:
        """Put an edge where its marks and the knowledge want it."""
        a, b = edge.source, edge.target
        self._join(a, b)
        for cause, effect in ((a, b), (b, a)):
            if self._required(cause, effect):
                self._direct(cause, effect, "required by the knowledge")
                return
        if edge.is_bidirected:
            self._hide(a, b, "as given")
            return
        # A tail makes the node a cause, an arrowhead makes it an effect.
        wanted = [
            (cause, effect)
            for cause, effect in ((a, b), (b, a))
            if edge.mark_at(cause) is not Mark.ARROW
            and (edge.mark_at(effect) is not Mark.TAIL or edge.is_undirected)
        ]
        possible = [pair for pair in wanted if self._allowed(*pair)]
        if len(possible) == 2:
            self._loosen(a, b)
        elif len(possible) == 1:
            cause, effect = possible[0]
            if len(wanted) == 2:
                why = f"the knowledge forbids {effect} → {cause}"
            elif edge.is_directed:
                why = "as given"
            else:
                why = f"{edge_sign(edge.seen_from(cause))} read as a direct cause"
            self._direct(cause, effect, why)
        elif self._may_be_hidden(a, b):
            self._hide(a, b, "the knowledge forbids the arrow, so a hidden cause is left")
        else:
            turned = [(effect, cause) for cause, effect in wanted if self._allowed(effect, cause)]
            if turned:
                cause, effect = turned[0]
                self._direct(cause, effect, f"turned: the knowledge forbids {effect} → {cause}")
            else:
                self._drop(a, b, "the knowledge forbids both directions")

    # -- steps

    def open_pairs(self) -> set[Pair]:
        """The pairs without a direction, each written from its first name."""
        return {(a, b) for a in self.nodes for b in self.open[a] if a < b}

    def break_cycles(self) -> None:
        """Loosen, hide or drop the least certain → of every cycle until none is left."""
        while True:
            part = nx.DiGraph((a, b) for a in self.nodes for b in sorted(self.children[a]))
            tangles = [t for t in nx.strongly_connected_components(part) if len(t) > 1]
            if not tangles:
                return
            for tangle in tangles:
                inside = [
                    (a, b)
                    for a in sorted(tangle)
                    for b in sorted(self.children[a])
                    if b in tangle and not self._required(a, b)
                ]
                a, b = min(inside, key=lambda p: (self._cost(*p), self._certainty(*p), p))
                if self._may_be_hidden(a, b):
                    self._hide(a, b, "an arrow would close a cycle, so a hidden cause is left")
                elif not self._allowed(b, a):
                    self._drop(a, b, "it closes a cycle and the knowledge forbids turning it")
                else:
                    self._loosen(a, b)
                    self.loosened.add(frozenset((a, b)))

    def _cost(self, cause: str, effect: str) -> int:
        """What giving up cause → effect costs: 0 no found mark, 1 its direction, 2 the edge."""
        if self._may_be_hidden(cause, effect):
            return 0
        return 1 if self._allowed(effect, cause) else 2

    def close(self, pairs: Iterable[Pair]) -> None:
        """Apply Meek's rules to `pairs` and to whatever their orientation reaches."""
        waiting = set(pairs)
        while waiting:
            a, b = pair = min(waiting)
            waiting.remove(pair)
            if b not in self.open[a]:
                continue
            for cause, effect in ((a, b), (b, a)):
                why = self._meek(cause, effect)
                if why and not self._reaches(effect, cause):
                    self._direct(cause, effect, why)
                    waiting |= self._touched(cause, effect)
                    break

    def _touched(self, cause: str, effect: str) -> set[Pair]:
        """The open pairs on which a new cause → effect can let a rule fire."""
        near = {(x, y) for x in (cause, effect) for y in self.open[x]}
        near |= {(x, y) for y in self.children[effect] for x in self.open[y]}
        return {(min(pair), max(pair)) for pair in near}

    def _meek(self, a: str, b: str) -> str | None:
        """Why a — b must be a → b, or None."""
        into_a = self.parents[a] | self.spouses[a]
        for c in sorted(into_a - self.joined[b]):
            if c != b:
                return f"otherwise {c} and {b} would meet at {a}, a collider the data do not show"
        for c in sorted(self.children[a] & self.parents[b]):
            return f"otherwise {a} → {c} → {b} would close a cycle"
        among = sorted(self.open[a] & self.parents[b])
        for c, d in combinations(among, 2):
            if d not in self.joined[c]:
                return f"otherwise {c} and {d} would meet at {a}, or a cycle would close"
        for c in sorted(self.parents[b] & self.joined[a]):
            for d in sorted(self.parents[c] & self.open[a]):
                if d != b and d not in self.joined[b]:
                    return f"otherwise {d} → {c} → {b} would force a new collider or a cycle"
        return None

    def _reaches(self, start: str, goal: str) -> bool:
        stack, seen = [start], {start}
        while stack:
            node = stack.pop()
            if node == goal:
                return True
            fresh = self.children[node] - seen
            seen |= fresh
            stack.extend(fresh)
        return False

    def orient_the_rest(self, rng: np.random.Generator | None) -> None:
        """Choose the open directions one by one, the clearest first, closing after each."""
        pairs = sorted(self.open_pairs())
        if rng is not None:
            pairs = [pairs[place] for place in rng.permutation(len(pairs))]
        else:
            pairs.sort(key=lambda p: -abs(self._support(*p) - self._support(p[1], p[0])))
        for a, b in pairs:
            if b not in self.open[a]:
                continue
            cause, effect, why = self._choose(a, b, rng)
            self._direct(cause, effect, why)
            self.close(self._touched(cause, effect))

    def _choose(self, a: str, b: str, rng: np.random.Generator | None) -> tuple[str, str, str]:
        if self._reaches(b, a):
            return b, a, f"{a} → {b} would close a cycle"
        if self._reaches(a, b):
            return a, b, f"{b} → {a} would close a cycle"
        meet_b, meet_a = self._new_colliders(a, b), self._new_colliders(b, a)
        if meet_a != meet_b:
            if meet_b < meet_a:
                return a, b, "it makes fewer new colliders than the other direction"
            return b, a, "it makes fewer new colliders than the other direction"
        if rng is not None:
            return (a, b, "drawn") if rng.random() < 0.5 else (b, a, "drawn")
        forward, back = self._support(a, b), self._support(b, a)
        if forward != back:
            cause, effect = (a, b) if forward > back else (b, a)
            high, low = max(forward, back), min(forward, back)
            return cause, effect, f"seen more often in the resamples ({high:.0%} against {low:.0%})"
        return a, b, "both directions fit the data equally well; taken in name order"

    def _new_colliders(self, cause: str, effect: str) -> int:
        into = (self.parents[effect] | self.spouses[effect]) - {cause}
        return len(into - self.joined[cause])

    def result(self) -> Completion:
        """The completed graph: edges in the given order, then required ones that were missing."""
        missing = [Edge(cause, effect) for cause, effect in sorted(self.added)]
        edges = [
            self._final(edge)
            for edge in (*self.given.edges, *missing)
            if edge.target in self.joined[edge.source]
        ]
        hidden = any(edge.is_bidirected for edge in edges)
        graph = replace(
            self.given, edges=tuple(edges), graph_type="admg" if hidden else "dag", pairs=()
        )
        before, after = unshielded_colliders(self.given), unshielded_colliders(graph)
        return Completion(
            graph=graph,
            reasons=dict(sorted(self._reason(edge) for edge in edges if self._is_new(edge))),
            dropped=dict(sorted(self.dropped.items())),
            colliders_added=tuple(sorted(after - before)),
            colliders_lost=tuple(sorted(before - after)),
        )

    def _final(self, edge: Edge) -> Edge:
        a, b = edge.source, edge.target
        if b in self.spouses[a]:
            return replace(edge, source_mark=Mark.ARROW, target_mark=Mark.ARROW)
        return directed(edge, a if b in self.children[a] else b)

    def _is_new(self, edge: Edge) -> bool:
        given = self.given.edge_between(edge.source, edge.target)
        return given is None or given.seen_from(edge.source).marks != edge.marks

    def _reason(self, edge: Edge) -> tuple[Pair, str]:
        edge = edge.normalised() if edge.is_bidirected else edge
        pair = (edge.source, edge.target)
        turned = "turned to break a cycle: " if edge.pair in self.loosened else ""
        return pair, turned + self.reasons[pair]
