"""Edge marks as a matrix, the form in which graphs are searched for."""

import numpy as np
from numpy.typing import NDArray

from causalmix_core.discovery.constraints import Constraints, closure
from causalmix_core.graph.marks import Mark

Marks = NDArray[np.int8]
"""Shape (p, p): entry [i, j] is the mark at j of the edge between i and j, `NONE` where no edge."""

NONE, TAIL, ARROW, CIRCLE = 0, 1, 2, 3

MARK = {TAIL: Mark.TAIL, ARROW: Mark.ARROW, CIRCLE: Mark.CIRCLE}


def make_ancestral(marks: Marks, constraints: Constraints) -> Marks:
    """Return the marks without directed cycles and almost directed ones (a ↔ b where a causes b).

    Every tail inside a directed cycle becomes a circle, unless its edge is required; then the
    arrowhead of a ↔ b at the one that causes the other does, or, where knowledge put it there,
    the tails that led from one to the other.
    """
    out = marks.copy()
    directed = (out == ARROW) & (out.T == TAIL)
    loop = directed & closure(directed).T & ~constraints.required
    out[loop.T] = CIRCLE
    directed = (out == ARROW) & (out.T == TAIL)
    reach = closure(directed)
    # Entry [b, a] is the mark at a: an arrowhead there denies that a causes b.
    denied = (out == ARROW) & (out.T == ARROW) & reach.T
    out[denied & ~constraints.not_ancestor.T] = CIRCLE
    for b, a in np.argwhere(denied & constraints.not_ancestor.T):
        between = (reach[a] | (np.arange(len(out)) == a))[:, None] & (
            reach[:, b] | (np.arange(len(out)) == b)
        )[None, :]
        out[(directed & between & ~constraints.required).T] = CIRCLE
    return out
