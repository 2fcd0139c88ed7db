"""A table as arrays, in an order that depends on its contents alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Coded, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Encoded:
    """A table as one matrix: numbers as they are, categories as codes, missing as NaN.

    Columns stand in the order of their names and rows in the order of their contents, so that
    neither the file's column order nor its row order can reach a result.

    Attributes:
        names: the columns, sorted.
        values: shape (rows, columns).
        is_category: shape (columns,), which columns hold codes 0..K-1.
        is_ranked: shape (columns,), which of the categories have an order (codes are ranks).
        levels: shape (columns,), the number of categories; 0 for numbers.
    """

    names: tuple[str, ...]
    values: Floats
    is_category: Bools
    is_ranked: Bools
    levels: Ints

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Ints) -> "Encoded":
        """Return the same columns on these rows (positions, repeats allowed)."""
        return replace(self, values=self.values[rows])


def encode(table: Table) -> Encoded:
    """Encode a table's columns in use; text categories become codes in sorted order."""
    names = tuple(sorted(table.columns))
    columns = np.empty((len(names), len(table)))
    is_category = np.zeros(len(names), dtype=bool)
    is_ranked = np.zeros(len(names), dtype=bool)
    levels = np.zeros(len(names), dtype=np.int64)
    for position, name in enumerate(names):
        column, kind = table.frame[name], table.kinds[name]
        if kind.is_number:
            columns[position] = _numbers(column, kind)
            continue
        order = table.levels.get(name) if kind is Kind.ORDINAL else None
        codes, count = _codes(table.coded(name), order)
        columns[position] = codes
        is_category[position] = True
        is_ranked[position] = order is not None
        levels[position] = count
    columns += 0.0  # -0.0 and 0.0 are the same number and must sort as one
    values = np.ascontiguousarray(columns[:, _row_order(columns, is_category)].T)
    return Encoded(names, values, is_category, is_ranked, levels)


def _row_order(columns: Floats, is_category: Bools) -> Ints:
    """Order rows by their contents: by numbers first, which tell most rows apart."""
    keys = [*columns[~is_category]]
    keys += [*np.nan_to_num(columns[is_category], nan=-1).astype(np.int16)]
    used = 1
    while True:
        order: Ints = np.lexsort(keys[:used][::-1])
        if used >= len(keys) or _all_differ([key[order] for key in keys[:used]]):
            return order
        used *= 4


def _all_differ(keys: list[NDArray[Any]]) -> bool:
    differ = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        missing = np.isnan(key)  # NaN is unequal to itself: it tells no two rows apart
        differ |= (key[1:] != key[:-1]) & ~(missing[1:] & missing[:-1])
    return bool(differ.all())


def _numbers(column: "pd.Series[float]", kind: Kind) -> Floats:
    if kind is Kind.DATETIME:
        missing = column.isna().to_numpy()
        stamps = column.to_numpy(dtype="datetime64[us]").astype(np.int64).astype(np.float64)
        seconds: Floats = np.where(missing, np.nan, stamps / 1e6)
        return seconds
    numbers: Floats = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return numbers


def _codes(coded: Coded, order: tuple[str, ...] | None) -> tuple[Floats, int]:
    found, count = coded.codes, len(coded.values)
    if order is not None:
        rank = {value: place for place, value in enumerate(order)}
        places = sorted(range(count), key=lambda k: (rank.get(coded.values[k], len(rank)), k))
        found = np.append(np.argsort(places), -1)[found]
    codes: Floats = found.astype(np.float64)
    codes[found < 0] = np.nan
    return codes, count
