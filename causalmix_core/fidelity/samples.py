"""Rows as arrays that real and synthetic rows share: the same columns, the same category codes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, Table, read_table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

MAX_LEVELS = 250


@dataclass(frozen=True)
class Columns:
    """What the columns of a sample are.

    Attributes:
        numbers: names of the columns measured in numbers.
        categories: names of the columns of categories.
        levels: for each category column the values behind its codes; those that real rows hold
            come first.
        real_levels: for each category column, how many of its levels real rows hold.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    real_levels: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Numbers, then categories: the order of every result per column."""
        return (*self.numbers, *self.categories)


@dataclass(frozen=True)
class Sample:
    """Rows as arrays.

    Attributes:
        columns: what they are.
        numbers: (rows, numbers) float64, NaN where missing; datetimes in seconds.
        categories: (rows, categories) codes into the levels, -1 where missing.
    """

    columns: Columns
    numbers: Floats
    categories: Ints

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Ints) -> "Sample":
        """Return the sample with these rows (positions)."""
        return Sample(self.columns, self.numbers[rows], self.categories[rows])

    def select(self, chosen: Ints) -> "Sample":
        """Return the sample with these columns (positions in `columns.names`)."""
        count = len(self.columns.numbers)
        numbers, categories = chosen[chosen < count], chosen[chosen >= count] - count
        columns = Columns(
            tuple(self.columns.numbers[j] for j in numbers),
            tuple(self.columns.categories[j] for j in categories),
            tuple(self.columns.levels[j] for j in categories),
            tuple(self.columns.real_levels[j] for j in categories),
        )
        return Sample(columns, self.numbers[:, numbers], self.categories[:, categories])


def conform(rows: Table | pd.DataFrame, train: Table, name: str) -> Table:
    """Return rows as a table of `train`'s columns and dtypes; infinite numbers become missing.

    Raises:
        TableError: if a column is missing or holds what `train`'s kind does not allow.
    """
    frame = rows.frame if isinstance(rows, Table) else rows
    missing = [column for column in train.columns if column not in frame.columns]
    if missing:
        raise TableError(f"The rows of {name!r} lack the column {missing[0]!r}.")
    frame = frame[train.columns]
    if not all(
        _fits(frame[column], train.frame[column], kind) for column, kind in train.kinds.items()
    ):
        try:
            return read_table(frame, like=train, keep_unlabelled=True)
        except TableError as error:
            raise TableError(f"The rows of {name!r} do not fit the table: {error}") from None
    floats = [column for column, kind in train.kinds.items() if kind is Kind.NUMERIC]
    if np.isinf(frame[floats].to_numpy(dtype="float64", na_value=np.nan)).any():
        frame = frame.assign(**{c: frame[c].replace([np.inf, -np.inf], np.nan) for c in floats})
    return train.with_frame(frame)


def _fits(rows: pd.Series, real: pd.Series, kind: Kind) -> bool:
    if kind in (Kind.NUMERIC, Kind.INTEGER):
        numeric = pd.api.types.is_numeric_dtype(rows.dtype)
        return numeric and not pd.api.types.is_bool_dtype(rows.dtype)
    return bool(rows.dtype == real.dtype)


def encode(train: Table, real: Sequence[Table], others: Sequence[Table]) -> list[Sample]:
    """Return the samples of `real` and of `others`, in this order, coded alike."""
    numbers = tuple(name for name, kind in train.kinds.items() if kind.is_number)
    categories = tuple(name for name in train.kinds if name not in numbers)
    levels: list[tuple[str, ...]] = []
    real_levels: list[int] = []
    for name in categories:
        known = _levels(real, name)[:MAX_LEVELS]
        extra = [level for level in _levels(others, name) if level not in set(known)]
        levels.append((*known, *extra[:MAX_LEVELS]))
        real_levels.append(len(known))
    columns = Columns(numbers, categories, tuple(levels), tuple(real_levels))
    return [_encode(table, columns) for table in (*real, *others)]


def one_hot(sample: Sample) -> list[Floats]:
    """Return an indicator matrix (rows, levels + 1) per category column; the last is missing."""
    return [
        indicators(sample.categories[:, position], len(levels) + 1)
        for position, levels in enumerate(sample.columns.levels)
    ]


def indicators(codes: Ints, width: int) -> Floats:
    """Return (rows, width) indicators of codes; -1 stands for the last."""
    matrix = np.zeros((len(codes), width))
    matrix[np.arange(len(codes)), codes] = 1.0
    return matrix


def _levels(tables: Sequence[Table], name: str) -> list[str]:
    """Return the values of a column over the tables, the most frequent first."""
    counts = pd.concat([table.frame[name] for table in tables]).value_counts() if tables else {}
    return [str(level) for level, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _encode(table: Table, columns: Columns) -> Sample:
    frame = table.frame
    numbers = [_numbers(frame[name]) for name in columns.numbers]
    codes = [
        pd.Index(levels, dtype=object).get_indexer(pd.Index(frame[name].astype(object)))
        for name, levels in zip(columns.categories, columns.levels, strict=True)
    ]
    return Sample(
        columns,
        np.column_stack(numbers) if numbers else np.empty((len(frame), 0)),
        np.column_stack(codes).astype(np.intp) if codes else np.empty((len(frame), 0), np.intp),
    )


def _numbers(column: pd.Series) -> Floats:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        stamps = column.to_numpy(dtype="datetime64[us]").astype("int64") / 1e6
        values: Floats = np.where(column.isna().to_numpy(), np.nan, stamps)
    else:
        values = column.to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def thin(table: Table, size: int, rng: np.random.Generator) -> Table:
    """Return the table thinned at random to at most `size` rows, in their order."""
    if len(table) <= size:
        return table
    return table.take(np.sort(rng.permutation(len(table))[:size]))
