"""From a skeleton and its triples to a CPDAG."""

from collections.abc import Sequence

import numpy as np

from causalmix_core.discovery.constraints import Constraints, closure
from causalmix_core.discovery.encoding import Bools
from causalmix_core.discovery.marks import ARROW, TAIL, Marks
from causalmix_core.discovery.triples import Triple


def orient_cpdag(adjacent: Bools, triples: Sequence[Triple], constraints: Constraints) -> Marks:
    """Orient a skeleton: knowledge, then colliders from the best supported on, then Meek's rules.

    A collider that contradicts one with more support, knowledge, or acyclicity is left out.
    """
    arrow = np.zeros_like(adjacent)  # arrow[i, j]: i → j
    arrow |= adjacent & constraints.required
    arrow |= adjacent & constraints.forbidden.T & ~constraints.forbidden
    definite = {(t.x, t.z, t.y) for t in triples if t.support < 0}
    for t in sorted(
        (t for t in triples if t.support > 0), key=lambda t: (-t.support, t.z, t.x, t.y)
    ):
        added = [(t.x, t.z), (t.y, t.z)]
        if any(arrow[z, v] or constraints.forbidden[v, z] for v, z in added):
            continue
        reach = closure(arrow)
        if any(reach[z, v] for v, z in added):
            continue
        for v, z in added:
            arrow[v, z] = True
    meek(adjacent, arrow, definite, constraints.forbidden)
    marks = np.zeros(adjacent.shape, dtype=np.int8)
    marks[adjacent] = TAIL
    marks[arrow] = ARROW
    return marks


def meek(
    adjacent: Bools,
    arrow: Bools,
    noncolliders: set[tuple[int, int, int]] | None,
    forbidden: Bools,
) -> None:
    """Close `arrow` under Meek's rules 1-4 in place, never against knowledge or into a cycle.

    `noncolliders` holds triples (x, z, y), x < y, known not to be colliders; None: all are.
    """
    p = len(adjacent)

    def orient(i: int, j: int) -> bool:
        if arrow[i, j] or arrow[j, i] or forbidden[i, j]:
            return False
        if closure(arrow)[j, i]:
            return False
        arrow[i, j] = True
        return True

    changed = True
    while changed:
        changed = False
        undirected = adjacent & ~arrow & ~arrow.T
        for i, j in np.argwhere(undirected):
            if arrow[i, j] or arrow[j, i]:
                continue
            if _meek_applies(int(i), int(j), adjacent, arrow, noncolliders, p):
                changed |= orient(int(i), int(j))


def _meek_applies(
    i: int,
    j: int,
    adjacent: Bools,
    arrow: Bools,
    noncolliders: set[tuple[int, int, int]] | None,
    p: int,
) -> bool:
    into_i = np.flatnonzero(arrow[:, i] & ~adjacent[:, j])
    for k in into_i:
        if k != j and (noncolliders is None or (min(int(k), j), i, max(int(k), j)) in noncolliders):
            return True
    if (arrow[i] & arrow[:, j]).any():
        return True
    undirected_i = adjacent[i] & ~arrow[i] & ~arrow[:, i]
    middle = np.flatnonzero(undirected_i & arrow[:, j])
    for a in range(len(middle)):
        for b in range(a + 1, len(middle)):
            if not adjacent[middle[a], middle[b]]:
                return True
    # Rule 4: i – k → l → j with i – l or i adjacent l, k and j not joined.
    for l in np.flatnonzero(arrow[:, j] & adjacent[i]):
        for k in np.flatnonzero(arrow[:, l] & undirected_i & ~adjacent[:, j]):
            if k != j:
                return True
    return False
