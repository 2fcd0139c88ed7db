"""A first look at a table: a summary per column, missing values, and how columns go together.

Association lies between 0 (none) and 1, whatever the kinds:

- two numbers: |Spearman's ρ|. Ranks are taken once per column, pairs use the rows that have both;
- two categories: Cramér's V, corrected for bias (Bergsma, J. Korean Stat. Soc. 42, 2013);
- a number and a category: √ε², the correlation ratio of the ranks corrected for bias (Kelley,
  PNAS 21, 1935): ε² = 1 − (1 − η²)(n − 1)/(n − k), with η² the
  share of the variance between the k categories.

Without the corrections, a column of many rare categories would seem to go with everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from causalmix_core.table.columns import RawColumn
from causalmix_core.table.kinds import Kind
from causalmix_core.table.missing import MISSING_TOKENS
from causalmix_core.table.table import Table

MAX_ROWS = 5_000
MAX_LEVELS = 100

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ColumnSummary:
    """What one column holds.

    Attributes:
        name: the column's name.
        kind: its kind.
        missing: the number of rows without a value.
        distinct: the number of different values.
        quantiles: minimum, lower quartile, median, upper quartile and maximum of a number.
        mean: of a number.
        standard_deviation: of a number.
        counts: rows per category, the most frequent first.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    quantiles: tuple[float, float, float, float, float] | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    counts: Mapping[str, int] | None = None


def summarise(table: Table) -> list[ColumnSummary]:
    """Return a summary of every column in use (datetimes without quantiles)."""
    return [_summarise(name, kind, table.frame[name]) for name, kind in table.kinds.items()]


def inspect(table: Table) -> dict[str, Any]:
    """Return what the command `inspect --json` prints: every column, in the file's order."""
    columns = [
        {
            "name": name,
            "kind": str(kind),
            "missing": int(table.frame[name].isna().sum()),
            "distinct": int(table.frame[name].nunique()),
            "set_aside": None,
        }
        for name, kind in table.kinds.items()
    ]
    for name, reason in table.set_aside.items():
        column = None
        if table.aside is not None:
            column = RawColumn.read(table.aside[name], MISSING_TOKENS, ".")
        columns.append(
            {
                "name": name,
                "kind": str(table.aside_kinds.get(name, Kind.TEXT)),
                "missing": None if column is None else len(column) - column.present,
                "distinct": None if column is None else column.different,
                "set_aside": reason,
            }
        )
    place = {name: position for position, name in enumerate(table.file_columns)}
    columns.sort(key=lambda column: place.get(str(column["name"]), len(place)))
    return {
        "rows": len(table),
        "columns": columns,
        "target": table.target,
        "warnings": list(table.warnings),
    }


def associate(table: Table, max_rows: int = MAX_ROWS) -> pd.DataFrame:
    """Return the symmetric matrix of associations between all columns in use.

    A pair whose association cannot be known (a column constant, or no row with both values) is
    NaN. Larger tables are thinned to `max_rows` evenly spaced rows.
    """
    frame = table.frame
    if len(frame) > max_rows:
        frame = frame.iloc[np.linspace(0, len(frame) - 1, max_rows).astype(int)]
    numbers = [name for name, kind in table.kinds.items() if kind.is_number]
    categories = [name for name, kind in table.kinds.items() if not kind.is_number]
    ranks, present = _rank(frame[numbers])
    codes = {name: _code(frame[name]) for name in categories}
    matrix = pd.DataFrame(np.nan, index=table.columns, columns=table.columns)
    if numbers:
        matrix.loc[numbers, numbers] = _spearman(ranks, present)
    for position, name in enumerate(categories):
        if numbers:
            between = _correlation_ratio(ranks, present, codes[name])
            matrix.loc[numbers, name] = between
            matrix.loc[name, numbers] = between
        for other in categories[position:]:
            value = _cramers_v(codes[name], codes[other])
            matrix.loc[name, other] = matrix.loc[other, name] = value
    return matrix


def _summarise(name: str, kind: Kind, values: pd.Series) -> ColumnSummary:
    missing, distinct = int(values.isna().sum()), int(values.nunique())
    if kind.is_category:
        counts = values.value_counts()
        named = {str(label): int(count) for label, count in counts.items()}
        return ColumnSummary(name, kind, missing, distinct, counts=named)
    if kind is Kind.DATETIME or distinct == 0:
        return ColumnSummary(name, kind, missing, distinct)
    numbers = values.dropna().to_numpy(dtype="float64")
    low, lower, median, upper, high = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]).tolist()
    deviation = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
    return ColumnSummary(
        name,
        kind,
        missing,
        distinct,
        (low, lower, median, upper, high),
        float(numbers.mean()),
        deviation,
    )


def _rank(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return ranks centred and scaled to unit variance (0 where missing), and 1 where present."""
    ranks = frame.rank().to_numpy(dtype="float64", na_value=np.nan)
    present = ~np.isnan(ranks)
    if len(ranks):
        centre = np.nanmean(np.where(present.any(axis=0), ranks, 0.0), axis=0)
        ranks = ranks - centre
    return np.where(present, ranks, 0.0), present.astype("float64")


def _spearman(ranks: Floats, present: Floats) -> Floats:
    n = present.T @ present
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (ranks.T @ present) / n
        variance = (ranks**2).T @ present / n - mean**2
        covariance = (ranks.T @ ranks) / n - mean * mean.T
        rho = np.abs(covariance) / np.sqrt(variance * variance.T)
    return np.clip(rho, 0.0, 1.0)


def _correlation_ratio(ranks: Floats, present: Floats, codes: npt.NDArray[np.intp]) -> Floats:
    rows = codes >= 0
    levels = np.unique(codes[rows])
    member = (codes[:, None] == levels[None, :]).astype("float64")
    counts = present.T @ member
    sums = ranks.T @ member
    n = counts.sum(axis=1)
    k = (counts > 0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sum(axis=1) / n
        total = ((ranks**2) * rows[:, None]).sum(axis=0) - n * mean**2
        between = np.where(counts > 0, sums**2 / np.maximum(counts, 1), 0).sum(axis=1) - n * mean**2
        share = np.where(total > 0, between / total, np.nan)
        corrected = 1 - (1 - share) * (n - 1) / (n - k)
    corrected = np.where((n > k) & (k > 1), corrected, np.nan)
    ratio: Floats = np.sqrt(np.clip(corrected, 0.0, 1.0))
    return ratio


def _cramers_v(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> float:
    both = (first >= 0) & (second >= 0)
    a, b = first[both], second[both]
    if len(a) < 2:
        return float("nan")
    table = np.bincount(a * (b.max() + 1) + b).astype("float64")
    width = int(b.max()) + 1
    table = np.append(table, np.zeros(-len(table) % width)).reshape(-1, width)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (r, c) = table.sum(), table.shape
    if r < 2 or c < 2:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum() / n)
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    room = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi2 / room))) if room > 0 else float("nan")


def _code(values: pd.Series) -> npt.NDArray[np.intp]:
    """Return a code per row, -1 where missing; categories beyond `MAX_LEVELS` share the last."""
    frequent = values.value_counts().index
    codes = frequent.get_indexer(pd.Index(values))
    return np.minimum(codes, MAX_LEVELS).astype(np.intp)
