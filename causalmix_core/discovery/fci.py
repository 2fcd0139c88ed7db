"""From a skeleton to a PAG: Possible-D-SEP and the orientation rules (Zhang 2008).

No selection bias is assumed; without it rules R5-R7 never apply.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Bools
from causalmix_core.discovery.marks import ARROW, CIRCLE, NONE, TAIL, Marks
from causalmix_core.discovery.triples import Triple, clearest_first


def orient_colliders(adjacent: Bools, triples: Sequence[Triple], constraints: Constraints) -> Marks:
    """R0: circles everywhere, arrowheads from knowledge and at colliders, the clearest first.

    A collider gives way where its arrowheads would make one of a clearer non-collider.
    """
    marks = np.zeros(adjacent.shape, dtype=np.int8)
    marks[adjacent] = CIRCLE
    marks[adjacent & constraints.not_ancestor.T] = ARROW
    required = adjacent & constraints.required
    marks[required] = ARROW
    marks[required.T] = TAIL
    noncollider = np.zeros((len(adjacent),) * 3, dtype=bool)
    for t in clearest_first(triples):
        if t.support < 0:
            noncollider[t.z, t.x, t.y] = noncollider[t.z, t.y, t.x] = True
        elif t.support > 0:
            into = marks[:, t.z] == ARROW
            into[[t.x, t.y]] = True
            clash = noncollider[t.z][[t.x, t.y]][:, into].any()
            for end in (t.x, t.y):
                if not clash and marks[end, t.z] == CIRCLE:
                    marks[end, t.z] = ARROW
    return marks


def possible_dsep(marks: Marks, start: int) -> Bools:
    """Nodes that a path reaches on which every inner node is a collider or sits in a triangle."""
    p = len(marks)
    adjacent = marks != NONE
    reached = np.zeros(p, dtype=bool)
    seen: set[tuple[int, int]] = set()
    queue: deque[tuple[int, int]] = deque((start, int(v)) for v in np.flatnonzero(adjacent[start]))
    while queue:
        before, here = queue.popleft()
        if (before, here) in seen:
            continue
        seen.add((before, here))
        reached[here] = True
        collider = (marks[:, here] == ARROW) & (marks[before, here] == ARROW)
        onward = adjacent[here] & (collider | adjacent[before])
        onward[[before, start]] = False
        queue.extend((here, int(v)) for v in np.flatnonzero(onward))
    reached[start] = False
    return reached


class PagRules:
    """Rules R1-R4 and R8-R10, applied to a matrix of marks until nothing changes."""

    def __init__(
        self,
        marks: Marks,
        triples: Sequence[Triple],
        separators: dict[tuple[int, int], tuple[int, ...]],
        constraints: Constraints,
    ) -> None:
        self.marks = marks.copy()
        self.adjacent: Bools = marks != NONE
        self.noncolliders = {(t.x, t.z, t.y) for t in triples if t.support < 0}
        self.separators = separators
        self.constraints = constraints

    def close(self) -> Marks:
        """Return the marks closed under the rules."""
        while self._arrow_rules() or self._tail_rules():
            pass
        return self.marks

    def _set(self, at: int, other: int, mark: int) -> bool:
        """Write the mark at `at` of the edge other–at, if a circle stands there."""
        if self.marks[other, at] != CIRCLE:
            return False
        if (
            mark == TAIL
            and self.marks[at, other] == ARROW
            and self.constraints.forbidden[at, other]
        ):
            return False  # at → other is forbidden: the circle stays
        if (
            mark == ARROW
            and self.marks[at, other] == TAIL
            and self.constraints.forbidden[other, at]
        ):
            return False
        self.marks[other, at] = mark
        return True

    def _arrow_rules(self) -> bool:
        changed = False
        for a, b in np.argwhere(self.marks == CIRCLE):
            # The circle stands at b of the edge a–b.
            if self.marks[a, b] == CIRCLE:
                changed |= self._rule1(a, b) or self._rule2(a, b) or self._rule3(a, b)
        for a, b in np.argwhere(self.marks == CIRCLE):
            if self.marks[a, b] == CIRCLE:
                changed |= self._rule4(int(b), int(a))
        return changed

    def _tail_rules(self) -> bool:
        changed = False
        for c, a in np.argwhere(self.marks == CIRCLE):
            c, a = int(c), int(a)
            if self.marks[c, a] == CIRCLE and self.marks[a, c] == ARROW:
                changed |= self._rule8(a, c) or self._rule9(a, c) or self._rule10(a, c)
        return changed

    def _rule1(self, c: int, b: int) -> bool:
        """a *→ b o–* c, a and c not joined: b → c."""
        m = self.marks
        for a in np.flatnonzero((m[:, b] == ARROW) & ~self.adjacent[:, c]).tolist():
            if a != c and (min(a, c), b, max(a, c)) in self.noncolliders:
                if m[b, c] == CIRCLE:
                    if self.constraints.forbidden[b, c]:
                        return False
                    m[b, c] = ARROW
                if m[b, c] == ARROW:
                    return self._set(b, c, TAIL)
        return False

    def _rule2(self, a: int, c: int) -> bool:
        """a → b *→ c or a *→ b → c, with a *–o c: a *→ c."""
        m = self.marks
        first = (m[a] == ARROW) & (m[:, a] == TAIL) & (m[:, c] == ARROW)
        second = (m[a] == ARROW) & (m[:, c] == ARROW) & (m[c] == TAIL)
        if (first | second).any():
            return self._set(c, a, ARROW)
        return False

    def _rule3(self, d: int, b: int) -> bool:
        """a *→ b ←* c, a *–o d o–* c, a and c not joined, d *–o b: d *→ b."""
        m = self.marks
        around = np.flatnonzero((m[:, b] == ARROW) & (m[:, d] == CIRCLE))
        for i, a in enumerate(around):
            for c in around[i + 1 :]:
                if not self.adjacent[a, c] and (min(a, c), d, max(a, c)) in self.noncolliders:
                    return self._set(b, d, ARROW)
        return False

    def _rule4(self, b: int, c: int) -> bool:
        """A discriminating path from d for b (Zhang 2008): separated by b means b → c."""
        m = self.marks
        parents = (m[:, c] == ARROW) & (m[c] == TAIL)
        for a in np.flatnonzero(parents & (m[b] == ARROW)).tolist():
            found = self._discriminating_end(a, b, c, parents)
            if found is None:
                continue
            S = self.separators.get((min(found, c), max(found, c)))
            if S is None:
                continue
            if b in S:
                if m[b, c] == CIRCLE and self.constraints.forbidden[b, c]:
                    continue
                if m[b, c] == CIRCLE:
                    m[b, c] = ARROW
                if m[b, c] == ARROW:
                    return self._set(b, c, TAIL)
                continue
            changed = self._set(b, c, ARROW)
            changed |= self._set(c, b, ARROW)
            changed |= self._set(b, a, ARROW)
            return changed
        return False

    def _discriminating_end(self, a: int, b: int, c: int, parents: Bools) -> int | None:
        """The far end of a shortest discriminating path … a b c, or None."""
        m = self.marks
        seen = {a, b, c}
        queue = deque([a])
        while queue:
            here = queue.popleft()
            for d in np.flatnonzero(m[:, here] == ARROW).tolist():
                if d in seen:
                    continue
                if not self.adjacent[d, c]:
                    return d
                if parents[d] and m[here, d] == ARROW:
                    seen.add(d)
                    queue.append(d)
        return None

    def _rule8(self, a: int, c: int) -> bool:
        """a → b → c or a –o b → c, with a o→ c: a → c."""
        m = self.marks
        into_c = (m[:, c] == ARROW) & (m[c] == TAIL)
        from_a = (m[:, a] == TAIL) & ((m[a] == ARROW) | (m[a] == CIRCLE))
        return bool((into_c & from_a).any()) and self._set(a, c, TAIL)

    def _rule9(self, a: int, c: int) -> bool:
        """a o→ c and an uncovered potentially directed path a, b, …, c, b and c not joined."""
        for b in np.flatnonzero(self._possible_step(a) & ~self.adjacent[c]):
            if int(b) != c and c in self._uncovered_reach(a, int(b)):
                return self._set(a, c, TAIL)
        return False

    def _rule10(self, a: int, c: int) -> bool:
        """a o→ c, b → c ← d, uncovered potentially directed paths from a to b and to d that leave
        a by different nodes that are not joined."""
        m = self.marks
        parents = {int(v) for v in np.flatnonzero((m[:, c] == ARROW) & (m[c] == TAIL)) if v != a}
        if len(parents) < 2:
            return False
        starts = [int(v) for v in np.flatnonzero(self._possible_step(a)) if v != c]
        reach = {v: self._uncovered_reach(a, v, avoid=c) & parents for v in starts}
        for i, mu in enumerate(starts):
            for omega in starts[i + 1 :]:
                if self.adjacent[mu, omega]:
                    continue
                if reach[mu] and reach[omega] and len(reach[mu] | reach[omega]) > 1:
                    return self._set(a, c, TAIL)
        return False

    def _possible_step(self, i: int) -> Bools:
        """Which j an edge i → j could still be: no arrowhead at i, no tail at j."""
        m = self.marks
        step: Bools = self.adjacent[i] & (m[:, i] != ARROW) & (m[i] != TAIL)
        return step

    def _uncovered_reach(self, a: int, b: int, avoid: int | None = None) -> set[int]:
        """Ends of uncovered potentially directed paths that start a, b."""
        reached: set[int] = set()
        seen: set[tuple[int, int]] = set()
        stack = [(a, b)]
        while stack:
            before, here = stack.pop()
            if (before, here) in seen or here in (a, avoid):
                continue
            seen.add((before, here))
            reached.add(here)
            onward = self._possible_step(here) & ~self.adjacent[before]
            onward[before] = False
            stack.extend((here, int(v)) for v in np.flatnonzero(onward))
        return reached
