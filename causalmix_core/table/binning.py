"""Numbers to be predicted, put into bins: classification is what the models do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table


@dataclass(frozen=True)
class Binning:
    """Bins of a column: `edges` part the number line, a value on an edge falls below it.

    Attributes:
        column: the column that is put into bins.
        edges: the inner edges, rising; k edges make k + 1 bins.
        labels: the bins' names, from low to high.
    """

    column: str
    edges: tuple[float, ...]
    labels: tuple[str, ...]

    def apply(self, table: Table) -> Table:
        """Return the table with the column in bins: ordinal, or binary where there are two.

        Raises:
            TableError: if the column holds no numbers.
        """
        if not table.kinds[self.column].is_number:
            raise TableError(f"Column {self.column!r} holds no numbers to put into bins.")
        numbers = _numbers(table, self.column)
        positions = np.searchsorted(np.asarray(self.edges), numbers, side="left")
        names = np.array([*self.labels, None], dtype=object)
        positions[np.isnan(numbers)] = len(self.labels)
        binned = table.frame.assign(**{self.column: pd.Series(names[positions], dtype="str")})
        two = len(self.labels) == 2
        kinds = {**table.kinds, self.column: Kind.BINARY if two else Kind.ORDINAL}
        levels = dict(table.levels) if two else {**table.levels, self.column: self.labels}
        warnings = tuple(text for text in table.warnings if "put it into bins" not in text)
        return replace(table, frame=binned, kinds=kinds, levels=levels, warnings=warnings)


def find_bins(
    table: Table,
    column: str | None = None,
    bins: int = 3,
    how: Literal["quantile", "width"] = "quantile",
) -> Binning:
    """Cut a column of numbers (default: the target) into bins of about equal size or width.

    The bins are named by their intervals: "≤ 10", "10 – 25", "> 25". Many equal values may leave
    fewer bins than asked for, but two at least: where most are the highest value, that is the one.

    Raises:
        TableError: if the column holds no numbers, or one value only.
    """
    name = column if column is not None else table.target
    if name is None or name not in table.kinds:
        raise TableError("Choose the column to put into bins.")
    if not table.kinds[name].is_number or table.kinds[name] is Kind.DATETIME:
        raise TableError(f"Column {name!r} holds no numbers to put into bins.")
    if bins < 2:
        raise TableError("At least two bins are needed.")
    numbers = np.sort(_numbers(table, name))
    numbers = numbers[~np.isnan(numbers)]
    if len(numbers) == 0:
        raise TableError(f"Column {name!r} has no values.")
    if how == "quantile":
        # Taking values that occur, rather than points between them, gives short names.
        ranks = np.ceil(np.arange(1, bins) * len(numbers) / bins).astype(int) - 1
        edges = numbers[ranks]
    else:
        edges = np.linspace(numbers[0], numbers[-1], bins + 1)[1:-1]
    below = numbers[numbers < numbers[-1]]
    inner = [float(edge) for edge in np.unique(edges) if edge < numbers[-1]]
    return bins_at(name, inner or below[-1:].tolist())


def bins_at(column: str, edges: Sequence[float]) -> Binning:
    """Return the bins that the analyst's own inner edges make; raises TableError without one."""
    rising = tuple(sorted(set(edges)))
    if not rising:
        raise TableError(f"Column {column!r} leaves fewer than two bins; choose other edges.")
    names = _short_names(rising)
    middle = [f"{low} – {high}" for low, high in pairwise(names)]
    return Binning(column, rising, (f"≤ {names[0]}", *middle, f"> {names[-1]}"))


def _short_names(edges: Sequence[float]) -> list[str]:
    """Write the edges with as few digits (at least four) as tell them apart."""
    for digits in range(4, 17):
        names = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(names)) == len(names):
            break
    return [np.format_float_positional(float(name), trim="-") for name in names]


def _numbers(table: Table, column: str) -> np.ndarray:
    return table.frame[column].to_numpy(dtype="float64", na_value=np.nan)
