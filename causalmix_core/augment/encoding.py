"""Encoded tables as one matrix, for generators that treat all columns alike."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from causalmix_core.scm.columns import Array, ColumnCodec, Columns
from causalmix_core.scm.numeric_nodes import is_smooth


@dataclass(frozen=True)
class _Column:
    """One column on the scale of its own distribution function.

    Attributes:
        ordered: sorted values of a number, without the missing ones.
        edges: where each code of a category starts and ends, in [0, 1].
        gap: whether this column says where numbers of `name` are missing.
    """

    name: str
    values: Array
    ordered: Array
    edges: Array
    smooth: bool
    gap: bool = False

    def scores(self) -> Array:
        """Return the mean normal score of each row's value, 0 where it is missing."""
        if len(self.edges):
            low, high = self.edges[:-1], self.edges[1:]
            height = _normal_density(special.ndtri(low)) - _normal_density(special.ndtri(high))
            mean: Array = (height / np.maximum(high - low, 1e-12))[self.values.astype(np.int64)]
            return mean
        count = len(self.ordered)
        below = np.searchsorted(self.ordered, self.values, side="left")
        upto = np.searchsorted(self.ordered, self.values, side="right")
        level = np.clip((below + upto) / 2 / count, 0.5 / count, 1 - 0.5 / count)
        return np.where(np.isnan(self.values), 0.0, special.ndtri(level))

    def at(self, level: Array) -> Array:
        """Return the values at these levels."""
        if len(self.edges):
            return np.searchsorted(self.edges[1:-1], level, side="right").astype(np.float64)
        count = len(self.ordered)
        if self.smooth:
            return np.interp(level, (np.arange(count) + 0.5) / count, self.ordered)
        return self.ordered[np.minimum((level * count).astype(np.int64), count - 1)]


@dataclass(frozen=True)
class Spread:
    """All columns as levels of their distribution functions, and back."""

    columns: tuple[_Column, ...]

    def place(self, name: str) -> int:
        """Return the position of a column."""
        return next(
            place
            for place, column in enumerate(self.columns)
            if column.name == name and not column.gap
        )

    def interval(self, name: str, codes: Array) -> tuple[Array, Array]:
        """Return the levels between which a category has these codes."""
        edges, code = self.columns[self.place(name)].edges, codes.astype(np.int64)
        return edges[code], edges[code + 1]

    def scores(self) -> Array:
        """Return (rows, columns) normal scores of the rows learned from."""
        return np.column_stack([column.scores() for column in self.columns])

    def values(self, levels: Array) -> dict[str, Array]:
        """Return encoded columns at (rows, columns) levels."""
        drawn: dict[str, Array] = {}
        for place, column in enumerate(self.columns):
            if not column.gap:
                drawn[column.name] = column.at(levels[:, place])
        for place, column in enumerate(self.columns):
            if column.gap:
                gone = column.at(levels[:, place]) > 0
                drawn[column.name] = np.where(gone, np.nan, drawn[column.name])
        return drawn


def learn_spread(columns: Columns, codecs: Mapping[str, ColumnCodec]) -> Spread:
    """Learn the columns' distributions."""
    learned: list[_Column] = []
    none = np.empty(0)
    for name, codec in codecs.items():
        values = columns[name]
        if codec.is_category:
            learned.append(_Column(name, values, none, _edges(values, codec.codes), False))
            continue
        present = np.sort(values[~np.isnan(values)])
        if not len(present):
            present = np.zeros(1)
        learned.append(_Column(name, values, present, none, is_smooth(present, codec)))
        gone = np.isnan(values)
        if gone.any():
            gap = gone.astype(np.float64)
            learned.append(_Column(name, gap, none, _edges(gap, 2), False, gap=True))
    return Spread(tuple(learned))


def _edges(codes: Array, size: int) -> Array:
    counts = np.bincount(codes.astype(np.int64), minlength=max(size, 1))
    edges: Array = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    return edges


def _normal_density(z: Array) -> Array:
    result: Array = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return result
