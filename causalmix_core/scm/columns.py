"""Columns as numbers and back: what a mechanism computes with, and what a row looks like."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
"""Encoded columns by name: all of one length."""

_CALENDAR_STEPS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000)  # microseconds
_ROUND_STEPS = tuple(
    unit * 10**power for power in range(9, -1, -1) for unit in (5, 2, 1) if unit * 10**power > 1
)
_MOST_DECIMALS = 6


@dataclass(frozen=True)
class ColumnCodec:
    """How one column turns into float64 and back, learned from the rows it is given.

    Attributes:
        levels: the values of a category, in their order; empty for a number.
        missing: whether values are missing in these rows. A missing category is one more code,
            ``len(levels)``; a missing number is NaN.
        origin: what code 0.0 of a number stands for; an integer where exactness needs it.
        low, high: observed bounds, encoded.
        step: the grid that all values lie on (whole numbers, cents, days), or None.
        decimals: digits after the point that the values have, where there is a step.
    """

    name: str
    kind: Kind
    dtype: Any
    levels: tuple[str, ...] = ()
    missing: bool = False
    origin: int | float = 0
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    decimals: int | None = None

    @property
    def is_category(self) -> bool:
        """Whether codes are positions in `levels`."""
        return self.kind.is_category

    @property
    def codes(self) -> int:
        """Number of different codes of a category, the missing one included."""
        return len(self.levels) + int(self.missing)

    @property
    def is_constant(self) -> bool:
        """Whether the column tells rows apart in no way."""
        if self.is_category:
            return self.codes <= 1
        return self.low == self.high and not self.missing

    def encode(self, series: "pd.Series[Any]") -> Array:
        """Return the column as float64; values unknown to a category are coded as missing."""
        if self.is_category:
            position = {level: float(code) for code, level in enumerate(self.levels)}
            other = float(len(self.levels)) if self.missing else 0.0
            return np.array([position.get(value, other) for value in series.tolist()])
        return _as_float(series, self.kind, self.origin)

    def snap(self, values: Array) -> Array:
        """Return codes of a number on the column's grid and inside its bounds."""
        on_grid = values if self.step is None else np.rint(values / self.step) * self.step
        return np.clip(on_grid, self.low, self.high)

    def decode(self, values: Array) -> "pd.Series[Any]":
        """Return codes as a column of the table's own dtype, inside its bounds, on its grid."""
        if self.is_category:
            lookup = np.array([*self.levels, np.nan], dtype=object)
            texts = lookup[values.astype(np.int64)]
            return self._series(texts)
        gone = np.isnan(values)
        inside = np.clip(np.where(gone, self.low, values), self.low, self.high)
        if self.kind is Kind.NUMERIC:
            if self.step is not None:
                inside = np.rint(inside / self.step) * self.step + self.origin
                inside = np.round(inside, self.decimals or 0)
            return self._series(np.where(gone, np.nan, inside))
        step = int(self.step or 1)
        whole = np.rint(inside / step).astype(np.int64) * step + int(self.origin)
        if self.kind is Kind.DATETIME:
            stamps = whole.astype("datetime64[us]")
            stamps[gone] = np.datetime64("NaT")
            return self._series(stamps)
        if not gone.any():
            return self._series(whole)
        return self._series(pd.array(whole, dtype="Int64")).mask(gone)

    def _series(self, values: Any) -> "pd.Series[Any]":
        column: pd.Series[Any] = pd.Series(values, name=self.name, dtype=self.dtype)
        return column


def gap_key(name: str) -> str:
    """Return the key under which `Columns` may say where a number is missing.

    While rows are drawn, a number that will be missing still has a value, which its effects
    follow; this mask takes it away at the end.
    """
    return "\0" + name


def gaps(columns: Columns, name: str) -> NDArray[np.bool_]:
    """Return where a number is missing."""
    mask = columns.get(gap_key(name))
    return np.isnan(columns[name]) if mask is None else mask > 0


def pick(columns: Columns, names: Iterable[str]) -> dict[str, Array]:
    """Return some columns with what is known about their gaps."""
    wanted = [key for name in names for key in (name, gap_key(name))]
    return {key: columns[key] for key in wanted if key in columns}


def learn_codec(table: Table, name: str) -> ColumnCodec:
    """Learn a column's codec from the rows of `table`."""
    series, kind = table.frame[name], table.kinds[name]
    missing = bool(series.isna().any())
    if kind.is_category:
        seen = set(series.dropna().unique().tolist())
        order = [level for level in table.levels.get(name, ()) if level in seen]
        levels = (*order, *sorted(seen.difference(order)))
        return ColumnCodec(name, kind, series.dtype, levels=levels, missing=missing)
    present = series.dropna()
    if present.empty:
        return ColumnCodec(name, kind, series.dtype, missing=True)
    if kind is Kind.NUMERIC:
        return _numeric_codec(name, series, missing)
    whole = _as_whole(present, kind)
    origin = int(whole.min())
    offsets = np.unique(whole - origin)
    return ColumnCodec(
        name,
        kind,
        series.dtype,
        missing=missing,
        origin=origin,
        high=float(offsets[-1]),
        step=float(_grid(offsets, _CALENDAR_STEPS if kind is Kind.DATETIME else _ROUND_STEPS)),
    )


def learn_codecs(table: Table) -> dict[str, ColumnCodec]:
    """Learn every column's codec."""
    return {name: learn_codec(table, name) for name in table.columns}


def encode(table: Table, codecs: Mapping[str, ColumnCodec]) -> dict[str, Array]:
    """Return all columns of the table as codes."""
    return {name: codec.encode(table.frame[name]) for name, codec in codecs.items()}


def decode(columns: Columns, codecs: Mapping[str, ColumnCodec]) -> pd.DataFrame:
    """Return codes as a frame with the table's columns, order and dtypes."""
    return pd.DataFrame({name: codec.decode(columns[name]) for name, codec in codecs.items()})


def _numeric_codec(name: str, series: "pd.Series[Any]", missing: bool) -> ColumnCodec:
    values = series.dropna().to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return ColumnCodec(name, Kind.NUMERIC, series.dtype, missing=True)
    low, high = float(values.min()), float(values.max())
    for digits in range(_MOST_DECIMALS + 1):
        scaled = (values - low) * 10.0**digits
        if np.abs(scaled).max() > 2**52:
            break
        if np.array_equal(np.round(values, digits), values):
            offsets = np.unique(np.rint(scaled).astype(np.int64))
            return ColumnCodec(
                name,
                Kind.NUMERIC,
                series.dtype,
                missing=missing,
                origin=low,
                high=high - low,
                step=_grid(offsets, _ROUND_STEPS) / 10.0**digits,
                decimals=digits,
            )
    return ColumnCodec(name, Kind.NUMERIC, series.dtype, missing=missing, low=low, high=high)


def _grid(offsets: NDArray[np.int64], steps: tuple[int, ...]) -> int:
    """Return the largest of `steps` that every offset from the minimum is a multiple of."""
    if len(offsets) < 10:  # a few values share a divisor by chance
        return 1
    common = int(np.gcd.reduce(offsets))
    return next((step for step in steps if common % step == 0), 1)


def _as_whole(series: "pd.Series[Any]", kind: Kind) -> NDArray[np.int64]:
    if kind is Kind.DATETIME:
        return series.to_numpy(dtype="datetime64[us]").astype(np.int64)
    return series.to_numpy(dtype=np.int64)


def _as_float(series: "pd.Series[Any]", kind: Kind, origin: int | float) -> Array:
    gone = series.isna().to_numpy()
    if kind is Kind.NUMERIC:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan) - origin
        return np.where(np.isfinite(values), values, np.nan)
    codes = np.full(len(series), np.nan)
    # whole numbers are shifted before they become floats: beyond 2^53 a float would round them
    codes[~gone] = (_as_whole(series[~gone], kind) - int(origin)).astype(np.float64)
    return codes
