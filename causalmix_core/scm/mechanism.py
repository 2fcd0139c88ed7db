"""Mechanisms: how a node is made from its parents and uniform noise."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from causalmix_core.scm.classification import Classifier
from causalmix_core.scm.columns import Array, ColumnCodec, Columns, pick
from causalmix_core.scm.diagnostics import NodeDiagnostics
from causalmix_core.scm.noise import Noise
from causalmix_core.scm.regression import Regression

Roots = Literal["smoothed", "empirical"]


class Value(Protocol):
    """The values of a node as a function of its parents and a level u in (0, 1)."""

    def draw(self, columns: Columns, u: Array) -> Array:
        """Return one value per row."""
        ...

    def interval(self, columns: Columns, values: Array) -> tuple[Array, Array]:
        """Return the lowest and highest level that give these values."""
        ...


@dataclass(frozen=True)
class Marginal:
    """Values of a root: the observed ones, or ones between two observed neighbours."""

    ordered: Array
    smooth: bool

    def draw(self, columns: Columns, u: Array) -> Array:
        """Return one value per row."""
        count = len(self.ordered)
        if self.smooth:
            return np.interp(u, (np.arange(count) + 0.5) / count, self.ordered)
        return self.ordered[np.minimum((u * count).astype(np.int64), count - 1)]

    def interval(self, columns: Columns, values: Array) -> tuple[Array, Array]:
        """Return the levels of these values."""
        count = len(self.ordered)
        low = np.searchsorted(self.ordered, values, side="left") / count
        high = np.searchsorted(self.ordered, values, side="right") / count
        return low, np.maximum(high, low + 1e-9)


@dataclass(frozen=True)
class Link:
    """The scale on which a node's noise is added: as it is, or the logarithm."""

    log_shift: float | None = None

    def forward(self, y: Array) -> Array:
        """Return values on the scale of the noise."""
        return y if self.log_shift is None else np.log(np.maximum(y + self.log_shift, 1e-300))

    def backward(self, z: Array) -> Array:
        """Return values on the scale of the data."""
        if self.log_shift is None:
            return z
        return np.exp(np.minimum(z, 700.0)) - self.log_shift


@dataclass(frozen=True)
class Regressed:
    """A numeric node: prediction and noise on the link's scale, inside the observed bounds.

    What lies outside a bound by less than `slack`, half a step of the column, is that bound.
    """

    model: Regression
    noise: Noise
    link: Link
    low: float
    high: float
    slack: float = 0.0

    def draw(self, columns: Columns, u: Array) -> Array:
        """Return one value per row.

        Noise that leads out of the observed bounds is reflected at them on the scale of u, so
        that values crowd neither at the bound nor in the middle.
        """
        f = self.model.predict(columns)
        drawn = self.link.backward(self.noise.quantile(f, columns, u))
        outside = (drawn < self.low - self.slack) | (drawn > self.high + self.slack)
        if outside.any():
            part = {name: values[outside] for name, values in columns.items()}
            centre = f[outside]
            floor = self.noise.rank(centre, part, self._bound(self.low, len(centre)))
            roof = self.noise.rank(centre, part, self._bound(self.high, len(centre)))
            level = np.where(
                drawn[outside] < self.low, 2 * floor - u[outside], 2 * roof - u[outside]
            )
            inside = np.clip(level, floor, np.maximum(floor, roof))
            drawn[outside] = self.link.backward(self.noise.quantile(centre, part, inside))
        return np.clip(drawn, self.low, self.high)

    def interval(self, columns: Columns, values: Array) -> tuple[Array, Array]:
        """Return the levels of these values."""
        f = self.model.predict(columns)
        level = self.noise.rank(f, columns, self.link.forward(values))
        half = 0.5 / max(len(values), 1)
        return np.maximum(level - half, 0.0), np.minimum(level + half, 1.0)

    def _bound(self, value: float, rows: int) -> Array:
        return np.full(rows, self.link.forward(np.array([value]))[0])


@dataclass(frozen=True)
class Classified:
    """A categorical node: inverse of the cumulative class probabilities.

    Attributes:
        spread: (classes, codes): how the rows of a class fall on the column's codes; rare levels
            are fitted as one class and told apart by their shares in it.
    """

    model: Classifier
    spread: Array

    def probabilities(self, columns: Columns) -> Array:
        """Return P(code | parents), (rows, codes)."""
        result: Array = self.model.probabilities(columns) @ self.spread
        return result

    def draw(self, columns: Columns, u: Array) -> Array:
        """Return one code per row."""
        climbing = np.cumsum(self.probabilities(columns), axis=1)
        climbing /= climbing[:, -1:]
        drawn: Array = (climbing[:, :-1] < u[:, None]).sum(axis=1).astype(np.float64)
        return drawn

    def interval(self, columns: Columns, values: Array) -> tuple[Array, Array]:
        """Return the levels of these codes."""
        shares = np.broadcast_to(self.probabilities(columns), (len(values), self.spread.shape[1]))
        climbing = np.cumsum(shares, axis=1)
        climbing = climbing / climbing[:, -1:]
        code = values.astype(np.int64)
        rows = np.arange(len(values))
        high = climbing[rows, code]
        low = np.where(code > 0, climbing[rows, np.maximum(code - 1, 0)], 0.0)
        return low, high


@dataclass(frozen=True)
class Listed:
    """A node of a few numbers, drawn as classes: only they occur, as often as their causes say.

    Attributes:
        numbers: the observed values, sorted.
    """

    classes: Classified
    numbers: Array

    def draw(self, columns: Columns, u: Array) -> Array:
        """Return one value per row."""
        return self.numbers[self.classes.draw(columns, u).astype(np.int64)]

    def interval(self, columns: Columns, values: Array) -> tuple[Array, Array]:
        """Return the levels of these values."""
        return self.classes.interval(columns, _positions(self.numbers, values))


def _positions(numbers: Array, values: Array) -> Array:
    return np.searchsorted(numbers, values).astype(np.float64)


@dataclass(frozen=True)
class Levels:
    """Where each training row's noise lies, as an interval of u; NaN where it is not known."""

    low: Array
    high: Array

    def draw(self, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]", u: Array) -> Array:
        """Return levels inside the intervals of these training rows, `u` saying where inside."""
        low, high = self.low[rows], self.high[rows]
        return np.where(np.isnan(low), u, low + u * (high - low))

    def shares(
        self, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]", low: Array, high: Array
    ) -> Array:
        """Return how much of the intervals of these training rows lies between two levels."""
        first, last = self.low[rows], self.high[rows]
        common = np.maximum(np.minimum(last, high) - np.maximum(first, low), 0.0)
        return np.where(np.isnan(first), high - low, common / np.maximum(last - first, 1e-12))


@dataclass(frozen=True)
class Mechanism:
    """One node's fitted mechanism.

    Attributes:
        absence: P(value is missing | parents) of a number, or None where none are missing.
        observed: the node's sorted values in the training rows, without missing ones.
        value_levels, absence_levels: the training rows' noise, for nodes that share theirs.
    """

    node: str
    codec: ColumnCodec
    parents: tuple[str, ...]
    value: Value
    absence: Classified | None
    diagnostics: NodeDiagnostics
    observed: Array
    value_levels: Levels
    absence_levels: Levels | None

    def draw(
        self, columns: Columns, value_u: Array, absence_u: Array
    ) -> tuple[Array, Array | None]:
        """Return the node's encoded values for rows of encoded parents, and where it is missing.

        Also a missing value is drawn: the node's effects follow it, although nobody sees it.
        """
        parents = pick(columns, self.parents)
        drawn = self.value.draw(parents, value_u)
        if not self.codec.is_category:
            drawn = self.codec.snap(drawn)
        gone = None if self.absence is None else self.absence.draw(parents, absence_u)
        return drawn, gone
