"""The parents of a node as a matrix of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array, ColumnCodec, Columns, gaps

_MOST_LEVELS = 20
_FEWEST_ROWS_OF_A_LEVEL = 3
_KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)
_MOST_PRODUCTS = 40


@dataclass(frozen=True)
class NumberPart:
    """A numeric parent: standardised, mean where missing, with an indicator of missingness."""

    name: str
    mean: float
    scale: float
    low: float
    high: float
    missing: bool
    knots: tuple[float, ...] = ()

    def matrix(self, columns: Columns) -> Array:
        """Return (rows, features): the value, then its bends at the knots, then missingness."""
        values = columns[self.name]
        filled = np.where(np.isnan(values), self.mean, values)
        clipped = np.clip(filled, self.low, self.high)
        standard = (clipped - self.mean) / self.scale
        parts = [standard, *(np.maximum(standard - knot, 0.0) for knot in self.knots)]
        if self.missing:
            parts.append(gaps(columns, self.name).astype(np.float64))
        return np.column_stack(parts)


@dataclass(frozen=True)
class CategoryPart:
    """A categorical parent, one column per level; rare levels share one."""

    name: str
    slot: NDArray[np.int64]
    size: int

    def matrix(self, columns: Columns) -> Array:
        """Return (rows, size) zeros and ones."""
        indicator: Array = np.eye(self.size)[self.slot[columns[self.name].astype(np.int64)]]
        return indicator


@dataclass(frozen=True)
class ParentFeatures:
    """Turns parents' encoded columns into a matrix.

    Attributes:
        products: pairs of parents whose features are multiplied (interactions).
    """

    parts: tuple[NumberPart | CategoryPart, ...]
    products: tuple[tuple[int, int], ...] = ()

    def __call__(self, columns: Columns) -> Array:
        """Return (rows, features)."""
        blocks = [part.matrix(columns) for part in self.parts]
        plain = [block[:, : _width(part)] for block, part in zip(blocks, self.parts, strict=True)]
        mixed = [_product(plain[first], plain[second]) for first, second in self.products]
        return np.hstack([*blocks, *mixed])


def learn_features(
    columns: Columns, codecs: Sequence[ColumnCodec], *, bends: bool = False
) -> ParentFeatures:
    """Learn the features of these parents; `bends` adds knots and pairwise products."""
    parts = tuple(_part(columns[codec.name], codec, bends) for codec in codecs)
    products: list[tuple[int, int]] = []
    if bends:
        room = _MOST_PRODUCTS
        for first, second in combinations(range(len(parts)), 2):
            room -= _width(parts[first]) * _width(parts[second])
            if room < 0:
                break
            products.append((first, second))
    return ParentFeatures(parts, tuple(products))


def _part(values: Array, codec: ColumnCodec, bends: bool) -> NumberPart | CategoryPart:
    if codec.is_category:
        counts = np.bincount(values.astype(np.int64), minlength=max(codec.codes, 1))
        ranked = np.argsort(-counts, kind="stable")
        own = [code for code in ranked[:_MOST_LEVELS] if counts[code] >= _FEWEST_ROWS_OF_A_LEVEL]
        slot = np.full(len(counts), len(own), dtype=np.int64)
        slot[own] = np.arange(len(own))
        return CategoryPart(codec.name, slot, len(own) + int(len(own) < len(counts)))
    present = values[~np.isnan(values)]
    if not len(present):
        return NumberPart(codec.name, 0.0, 1.0, 0.0, 0.0, missing=True)
    mean, scale = float(present.mean()), float(present.std()) or 1.0
    knots: tuple[float, ...] = ()
    if bends:
        inner = np.unique((np.quantile(present, _KNOTS) - mean) / scale)
        edges = (present.min() - mean) / scale, (present.max() - mean) / scale
        knots = tuple(float(knot) for knot in inner if edges[0] < knot < edges[1])
    gone = len(present) < len(values)
    low, high = float(present.min()), float(present.max())
    return NumberPart(codec.name, mean, scale, low, high, gone, knots)


def _width(part: NumberPart | CategoryPart) -> int:
    return part.size if isinstance(part, CategoryPart) else 1


def _product(first: Array, second: Array) -> Array:
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)
