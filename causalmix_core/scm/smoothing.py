"""Values between the observed ones: kernel estimates that keep the variance.

Some hundred rows leave gaps and heaps that are chance, and rows drawn from them alone can be told
from others of the same source. A Gaussian kernel fills them, and the values are drawn together so
that mean and variance stay (Silverman and Young 1987): with a narrow kernel the result is the
observed values, with a wide one a normal distribution. Leave-one-out likelihood chooses the width
between the two (Duin 1976), so that several peaks are not blurred into one.
"""

import numpy as np
from scipy import special

from causalmix_core.scm.columns import Array

_FEWEST_ROWS = 20
_FACTORS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
_DRAWS = 20_000
_FEWEST_COPIES = 9
_GOLDEN = (5**0.5 - 1) / 2
_MOST_ROWS_TO_CHOOSE = 400
_MOST_QUANTILES = 2_000
_HEAP = 0.1
_FEWEST_DISTINCT = 12
_FEWEST_DISTINCT_OF_A_GRID = 3
_ROWS_OF_A_VALUE = 5
_OUTLIER = 1e-3


def smoothed(
    ordered: Array, step: float | None = None, *, bounded: bool = False, least: float = 0.0
) -> Array:
    """Return sorted quantiles of a kernel estimate of the distribution of sorted values.

    Args:
        ordered: sorted observed values.
        step: the grid that the values lie on, if any: widths are judged by the chance of a cell.
        bounded: reflect at the least and the greatest value, so that none lies outside.
        least: the narrowest width.

    Few rows, and few distinct or heaped values that no likelihood can judge, stay as they are.
    """
    rows = len(ordered)
    if rows < _FEWEST_ROWS:
        return ordered
    distinct, counts = np.unique(ordered, return_counts=True)
    coarse = len(distinct) <= _FEWEST_DISTINCT or counts.max() / rows > _HEAP
    dense = (
        step is not None and _FEWEST_DISTINCT_OF_A_GRID <= len(distinct) <= rows / _ROWS_OF_A_VALUE
    )
    if coarse and not dense:
        return ordered
    width = max(least, _width(ordered, step))
    if width == 0.0:
        return ordered
    copies = max(_FEWEST_COPIES, _DRAWS // rows)
    # the kernel's levels are shifted from row to row, so that a wide kernel leaves no steps
    shifts = (np.arange(rows)[:, None] + 0.5) * _GOLDEN % 1.0
    offsets = special.ndtri((np.arange(copies) + shifts) / copies) * width
    middle, spread = float(ordered.mean()), float(ordered.std())
    shrink = spread / float(np.hypot(spread, offsets.std()))
    values = middle + (ordered[:, None] + offsets - middle) * shrink
    if bounded:
        low, high = float(ordered[0]), float(ordered[-1])
        values = np.where(values < low, 2 * low - values, values)
        values = np.where(values > high, 2 * high - values, values)
        # turning back took some spread away
        values = middle + (values - values.mean()) * (spread / float(values.std()))
        values = np.clip(values, low, high)
    values = np.sort(values, axis=None)
    if len(values) <= _MOST_QUANTILES:
        return values
    size = max(_MOST_QUANTILES, rows)
    places = ((np.arange(size) + 0.5) / size * len(values)).astype(np.int64)
    result: Array = values[places]
    return result


def _width(ordered: Array, step: float | None) -> float:
    """Return the kernel's width: Silverman's (1986), times the factor of greatest likelihood."""
    rows = len(ordered)
    quarter = float(np.subtract(*np.quantile(ordered, (0.75, 0.25)))) / 1.34
    spread = float(ordered.std())
    silverman = 0.9 * min(spread, quarter or spread) * rows**-0.2
    sample = ordered
    if rows > _MOST_ROWS_TO_CHOOSE:
        sample = ordered[np.random.default_rng(0).choice(rows, _MOST_ROWS_TO_CHOOSE, replace=False)]
    cell = step or float(np.ptp(ordered)) / 1_000
    grow = (rows / len(sample)) ** 0.2
    likelihoods = [_leave_one_out(sample, one * silverman * grow, cell) for one in _FACTORS]
    width: float = silverman * _FACTORS[int(np.argmax(likelihoods))]
    return width


def _leave_one_out(values: Array, width: float, cell: float) -> float:
    """Return the mean log chance of each value's cell given all the others."""
    rows = len(values) - 1
    middle = (values.sum() - values) / rows
    spread = np.sqrt(np.maximum(((values**2).sum() - values**2) / rows - middle**2, 0.0))
    shrink = spread / np.hypot(spread, width) if width else np.ones(len(values))
    distance = (values - middle)[:, None] - np.outer(shrink, values) + (shrink * middle)[:, None]
    if width > cell:
        scale = (width * shrink)[:, None]
        chance = np.exp(-0.5 * (distance / scale) ** 2) * (cell / np.sqrt(2 * np.pi)) / scale
    elif width:
        scale = (width * shrink)[:, None]
        chance = special.ndtr((distance + cell / 2) / scale)
        chance -= special.ndtr((distance - cell / 2) / scale)
    else:
        chance = (np.abs(distance) < cell / 2).astype(np.float64)
    np.fill_diagonal(chance, 0.0)
    even = cell / (float(np.ptp(values)) + cell)  # an outlier must not decide the width
    mean = chance.sum(axis=1) / rows
    chances: Array = (1 - _OUTLIER) * mean + _OUTLIER * even
    return float(np.log(chances).mean())
