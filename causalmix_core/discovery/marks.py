"""Edge marks as a matrix, the form in which graphs are searched for."""

import numpy as np
from numpy.typing import NDArray

from causalmix_core.graph.marks import Mark

Marks = NDArray[np.int8]
"""Shape (p, p): entry [i, j] is the mark at j of the edge between i and j, `NONE` where no edge."""

NONE, TAIL, ARROW, CIRCLE = 0, 1, 2, 3

MARK = {TAIL: Mark.TAIL, ARROW: Mark.ARROW, CIRCLE: Mark.CIRCLE}
