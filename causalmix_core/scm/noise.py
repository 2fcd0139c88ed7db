"""What is left of a numeric node once its parents are known.

Every noise is a quantile function: value = Q(prediction, features, u) with u uniform on (0, 1),
and never falls in u. So one uniform number per row is all the randomness of a node, it can be
read back from a row (`rank`), and two nodes with a hidden common cause can share it.

Residuals are always out of fold: in-sample residuals are too small, and children drawn with them
follow their parents too closely.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array, Columns
from causalmix_core.scm.regression import LinearRegression
from causalmix_core.scm.smoothing import smoothed

_CENTRES = 64
_MOST_LEVELS = 512


class Noise(Protocol):
    """The conditional distribution of a numeric node around its prediction."""

    @property
    def words(self) -> str:
        """What people call it."""
        ...

    def quantile(self, f: Array, columns: Columns, u: Array) -> Array:
        """Return the value at level `u` for rows predicted as `f`."""
        ...

    def rank(self, f: Array, columns: Columns, y: Array) -> Array:
        """Return the level of `y` in [0, 1], the inverse of `quantile`."""
        ...

    def resized(self, factor: float) -> "Noise":
        """Return the same noise, its residuals larger by `factor`."""
        ...


@dataclass(frozen=True)
class Additive:
    """y = f + e, e drawn from the residuals: the same noise everywhere."""

    residuals: Array
    words: str = "additive noise"

    def quantile(self, f: Array, columns: Columns, u: Array) -> Array:
        """Return the value at level `u`."""
        return f + np.interp(u, _levels(len(self.residuals)), self.residuals)

    def rank(self, f: Array, columns: Columns, y: Array) -> Array:
        """Return the level of `y`."""
        return _rank(self.residuals, y - f)

    def resized(self, factor: float) -> "Additive":
        """Return the same noise, larger by `factor`."""
        return replace(self, residuals=self.residuals * factor)


@dataclass(frozen=True)
class Scaled:
    """y = f + s(parents) · e: noise whose spread the parents decide."""

    log_scale: LinearRegression
    residuals: Array
    bounds: tuple[float, float]
    words: str = "noise whose spread depends on the parents"

    def _scale(self, columns: Columns) -> Array:
        return np.exp(np.clip(self.log_scale.predict(columns), *self.bounds))

    def quantile(self, f: Array, columns: Columns, u: Array) -> Array:
        """Return the value at level `u`."""
        return f + self._scale(columns) * np.interp(u, _levels(len(self.residuals)), self.residuals)

    def rank(self, f: Array, columns: Columns, y: Array) -> Array:
        """Return the level of `y`."""
        return _rank(self.residuals, (y - f) / self._scale(columns))

    def resized(self, factor: float) -> "Scaled":
        """Return the same noise, larger by `factor`."""
        return replace(self, residuals=self.residuals * factor)


@dataclass(frozen=True)
class Local:
    """Noise of the training rows with a similar prediction.

    With `levels` the values themselves are taken over from those rows (predictive mean matching,
    Little 1988): repeated values, zeros and bounds stay as they are. Without, their residuals.

    Attributes:
        centres: predictions at which a neighbourhood is kept.
        windows: (centres, neighbours) sorted residuals, or values, of each neighbourhood.
    """

    centres: Array
    windows: Array
    levels: bool
    smooth: bool = True
    words: str = "the noise of rows with a similar prediction"

    def _nearest(self, f: Array) -> NDArray[np.int64]:
        if len(self.centres) == 1:
            return np.zeros(len(f), dtype=np.int64)
        middles = (self.centres[1:] + self.centres[:-1]) / 2
        return np.searchsorted(middles, f)

    def quantile(self, f: Array, columns: Columns, u: Array) -> Array:
        """Return the value at level `u`."""
        width = self.windows.shape[1]
        rows = self._nearest(f)
        if self.smooth:
            place = np.clip(u * width - 0.5, 0, width - 1)
            below = np.floor(place).astype(np.int64)
            above = np.minimum(below + 1, width - 1)
            share = place - below
            drawn = (1 - share) * self.windows[rows, below] + share * self.windows[rows, above]
        else:
            drawn = self.windows[rows, np.minimum((u * width).astype(np.int64), width - 1)]
        result: Array = drawn if self.levels else f + drawn
        return result

    def rank(self, f: Array, columns: Columns, y: Array) -> Array:
        """Return the level of `y`."""
        rows = self._nearest(f)
        sought = y if self.levels else y - f
        result = np.empty(len(y))
        for centre in np.unique(rows):
            here = rows == centre
            result[here] = _rank(self.windows[centre], sought[here])
        return result

    def resized(self, factor: float) -> "Local":
        """Return the same noise, larger by `factor`; values that were taken over stay."""
        return self if self.levels else replace(self, windows=self.windows * factor)


def fit_additive(f: Array, y: Array, step: float | None = None) -> Additive:
    """Take over the residuals, centred; `step` is the grid that the values lie on, if any."""
    rest = y - f
    # a value on a grid stands for its cell
    least = (step or 0.0) / float(np.sqrt(12))
    return Additive(smoothed(np.sort(rest - rest.mean()), step, least=least))


def fit_scaled(f: Array, y: Array, matrix: Array, linear: LinearRegression) -> Scaled:
    """Regress the log of the residual's size on the features, and scale by it (Harvey 1976).

    `linear` is a fitted regression of log |residual| on the features of the parents.
    """
    scale = linear.apply(matrix)
    low, high = (float(bound) for bound in np.quantile(scale, (0.02, 0.98)))
    rest = (y - f) / np.exp(np.clip(scale, low, high))
    return Scaled(linear, smoothed(np.sort(rest - rest.mean())), (low, high))


def fit_local(f: Array, values: Array, *, levels: bool, smooth: bool) -> Local:
    """Keep sorted neighbourhoods of rows with similar predictions.

    Args:
        f: predictions that say which rows are similar.
        values: the rows' residuals, or, with `levels`, their values.
    """
    rows = len(f)
    width = int(min(rows, max(20, 1.5 * rows**0.6)))
    order = np.argsort(f, kind="stable")
    sorted_f, sorted_values = f[order], values[order]
    count = max(1, min(_CENTRES, rows // max(width // 4, 1)))
    starts = np.unique(np.rint(np.linspace(0, rows - width, count)).astype(np.int64))
    # rows with equal predictions belong together, however many they are
    apart = 1e-9 * float(np.ptp(f))
    first = np.searchsorted(sorted_f, sorted_f[starts] - apart, side="left")
    last = np.searchsorted(sorted_f, sorted_f[starts + width - 1] + apart, side="right")
    spans = sorted(set(zip(first.tolist(), last.tolist(), strict=True)))
    size = min(_MOST_LEVELS, max(stop - start for start, stop in spans))
    windows = np.array([_thin(np.sort(sorted_values[start:stop]), size) for start, stop in spans])
    centres = np.array([sorted_f[start:stop].mean() for start, stop in spans])
    by_centre = np.argsort(centres, kind="stable")
    words = (
        "the values of rows with a similar prediction"
        if levels
        else "the noise of rows with a similar prediction"
    )
    return Local(centres[by_centre], windows[by_centre], levels, smooth, words)


def _thin(ordered: Array, size: int) -> Array:
    """Return `size` evenly spaced quantiles of sorted values, all of them observed ones."""
    return ordered[(_levels(size) * len(ordered)).astype(np.int64)]


def _levels(count: int) -> Array:
    return (np.arange(count) + 0.5) / count


def _rank(ordered: Array, values: Array) -> Array:
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + upto) / 2 / len(ordered), dtype=np.float64)
