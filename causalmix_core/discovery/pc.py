"""From a skeleton and its triples to a CPDAG."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from causalmix_core.discovery.constraints import Constraints, closure
from causalmix_core.discovery.encoding import Bools
from causalmix_core.discovery.marks import ARROW, TAIL, Marks
from causalmix_core.discovery.triples import Triple, clearest_first

Arc = tuple[int, int]


def orient_cpdag(adjacent: Bools, triples: Sequence[Triple], constraints: Constraints) -> Marks:
    """Orient a skeleton by knowledge and by its triples, the clearest first.

    Each triple is made a collider or not as its support says, unless that contradicts knowledge,
    a clearer triple or acyclicity. The pattern is then extended to a DAG (Dor & Tarsi 1992),
    giving up the least supported triples where none obeys them all, and the DAG's class is
    returned: always a CPDAG, or with knowledge a maximally oriented one (Meek 1995).
    """
    pattern = Pattern(adjacent.copy(), constraints.forbidden)
    known = _orient_known(pattern, constraints)
    cost: dict[tuple[int, int, int], float] = {}
    for t in clearest_first(triples):
        if t.support > 0:
            pattern.orient([(t.x, t.z), (t.y, t.z)])
        else:
            cost[t.z, t.x, t.y] = -t.support
            pattern.rule_out_collider(t.x, t.z, t.y)
    return class_of(extend(pattern, cost), known, constraints.forbidden)


def _orient_known(pattern: "Pattern", constraints: Constraints) -> list[Arc]:
    """Orient what knowledge decides, required edges first, and return those arcs.

    An edge that knowledge forbids one way and acyclicity the other is taken out.
    """
    arcs = np.argwhere(pattern.adjacent & constraints.required).tolist()
    arcs += np.argwhere(pattern.adjacent & constraints.arrows & ~constraints.required).tolist()
    impossible = closure(constraints.required) & constraints.forbidden & pattern.adjacent
    pattern.adjacent[impossible | impossible.T] = False
    known = []
    for i, j in arcs:
        if not pattern.adjacent[i, j]:
            continue
        if pattern.orient([(i, j)]):
            known.append((i, j))
        else:
            pattern.adjacent[i, j] = pattern.adjacent[j, i] = False
    return known


def class_of(dag: Bools, known: Iterable[Arc], forbidden: Bools) -> Marks:
    """Return the CPDAG of a DAG; `known` arcs are oriented in it whatever its class says."""
    adjacent: Bools = dag | dag.T
    pattern = Pattern(adjacent, forbidden)
    arcs = list(known)
    for z in range(len(dag)):
        parents = np.flatnonzero(dag[:, z])
        apart = ~adjacent[np.ix_(parents, parents)]
        np.fill_diagonal(apart, False)
        collider = parents[apart.any(axis=1)]
        arcs += [(int(v), z) for v in collider]
        joined = adjacent[z]
        pattern.noncollider[z] = np.outer(joined, joined) & ~adjacent
        pattern.noncollider[z][np.ix_(parents, parents)] = False
        np.fill_diagonal(pattern.noncollider[z], False)
    pattern.orient(arcs)
    marks = np.zeros(adjacent.shape, dtype=np.int8)
    marks[adjacent] = TAIL
    marks[pattern.arrow] = ARROW
    return marks


class Pattern:
    """A partly directed acyclic graph that takes an orientation only with all its consequences.

    Attributes:
        arrow: (p, p), i → j is oriented.
        noncollider: (p, p, p), entry [z, x, y]: x – z – y is known not to be a collider.
    """

    def __init__(self, adjacent: Bools, forbidden: Bools) -> None:
        p = len(adjacent)
        self.adjacent = adjacent
        self.forbidden = forbidden
        self.arrow = np.zeros((p, p), dtype=bool)
        self.reach = np.eye(p, dtype=bool)
        self.noncollider = np.zeros((p, p, p), dtype=bool)

    def orient(self, arcs: Iterable[Arc]) -> bool:
        """Orient these arcs and what Meek's rules make of them; on a contradiction, nothing."""
        before = self.arrow, self.reach
        self.arrow, self.reach = self.arrow.copy(), self.reach.copy()
        todo = list(arcs)
        while todo:
            i, j = todo.pop()
            if self.arrow[i, j]:
                continue
            if self.reach[j, i] or self.forbidden[i, j]:
                self.arrow, self.reach = before
                return False
            self.arrow[i, j] = True
            above, below = self.reach[:, i], self.reach[j]
            self.reach |= np.outer(above, below)
            todo += self._consequences(i, j, above, below)
        return True

    def rule_out_collider(self, x: int, z: int, y: int) -> bool:
        """Keep x – z – y from being a collider; on a contradiction, do nothing."""
        if self.arrow[x, z] and self.arrow[y, z]:
            return False
        self.noncollider[z, x, y] = self.noncollider[z, y, x] = True
        arcs = [(z, v) for u, v in ((x, y), (y, x)) if self.arrow[u, z]]
        # Meek's rule 3 with z as its undirected corner.
        sinks = np.flatnonzero(self.arrow[x] & self.arrow[y] & self.adjacent[z])
        arcs += [(z, int(v)) for v in sinks]
        if self.orient(arcs):
            return True
        self.noncollider[z, x, y] = self.noncollider[z, y, x] = False
        return False

    def _consequences(self, i: int, j: int, above: Bools, below: Bools) -> list[Arc]:
        """What i → j makes of other edges: Meek's rules 1 to 4, rule 2 along whole paths."""
        arcs = [(j, int(k)) for k in np.flatnonzero(self.noncollider[j, i])]
        upper, lower = np.flatnonzero(above), np.flatnonzero(below)
        a, b = np.nonzero((self.adjacent & ~self.arrow)[np.ix_(upper, lower)])
        arcs += zip(upper[a].tolist(), lower[b].tolist(), strict=True)
        for k in np.flatnonzero(self.arrow[:, j] & ~self.adjacent[i]).tolist():
            if k != i:
                corners = self.noncollider[:, i, k] & self.adjacent[:, j]
                arcs += [(int(d), j) for d in np.flatnonzero(corners)]
        # Rule 4: k → l → j, d joined to k, l and j, k and j apart: d → j.
        outward = np.flatnonzero(self.arrow[j] & ~self.adjacent[i]).tolist()
        inward = np.flatnonzero(self.arrow[:, i] & ~self.adjacent[:, j]).tolist()
        for k, middle, sink in [(i, j, s) for s in outward] + [(k, i, j) for k in inward]:
            if k != sink:
                corners = self.adjacent[k] & self.adjacent[middle] & self.noncollider[:, k, sink]
                arcs += [(int(d), sink) for d in np.flatnonzero(corners)]
        return arcs


def extend(pattern: Pattern, cost: Mapping[tuple[int, int, int], float]) -> Bools:
    """Return a DAG that keeps the pattern's arrows and, as far as possible, its non-colliders.

    Sinks are taken off one by one; where every choice makes a collider of a triple that should be
    none, the one that loses the least `cost`, keyed (z, x, y) with x < y, goes first.
    """
    dag = pattern.arrow.copy()
    left = np.ones(len(dag), dtype=bool)
    while left.any():
        sinks = np.flatnonzero(left & ~(dag & left).any(axis=1)).tolist()
        sink, least = sinks[0], float("inf")
        for v in sinks:
            loss = _loss(pattern, v, left, cost)
            if loss < least:
                sink, least = v, loss
            if loss == 0.0:
                break
        dag[pattern.adjacent[sink] & left, sink] = True
        left[sink] = False
    return dag


def _loss(
    pattern: Pattern, v: int, left: Bools, cost: Mapping[tuple[int, int, int], float]
) -> float:
    """What making `v` the sink of the nodes that are left costs in colliders it should not have."""
    parents = np.flatnonzero(pattern.adjacent[v] & left)
    arrived = pattern.arrow[parents, v]
    if pattern.forbidden[parents[~arrived], v].any():
        return float("inf")
    among = np.ix_(parents, parents)
    new = np.argwhere(np.triu(~pattern.adjacent[among] & ~np.outer(arrived, arrived), 1))
    # Of triples about which nothing is known, as few as possible become colliders.
    return float(sum(cost.get((v, x, y), 0.0) + 1e-9 for x, y in parents[new].tolist()))
