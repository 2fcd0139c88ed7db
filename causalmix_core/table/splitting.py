"""Parting a table into rows for training, validation and test.

The rule: N labelled rows, at most 60 % of the table, a third of them (rounded) for validation and
the rest for training; the other rows are for testing, at most 2,000 of them. Every draw is
stratified by the target's classes, and depends on the seed alone. Training comes first: it holds
every class that has a labelled row, then validation every class that has two.

By group or by time, the whole table is parted first (about 60 % for labelled rows, a third of that
for validation), and the N labelled rows are drawn from there. Rows of one group are never on two
sides. Nothing that is tested is older than what was labelled, nothing validated older than what was
trained on, and rows of one moment stay on one side.

In a project the test rows are set aside once (`hold_out_test`); `draw` then takes labelled rows
from the others, a different draw for every seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table.columns import RawColumn
from causalmix_core.table.dates import parse_dates
from causalmix_core.table.missing import MISSING_TOKENS
from causalmix_core.table.table import Table

LABELLED_SHARE = 0.6
MAX_TEST_ROWS = 2_000
MIN_ROWS = 5
GROUP_ATTEMPTS = 100

Rows = npt.NDArray[np.intp]


def split(
    table: Table,
    train_rows: int | None = None,
    seed: int = 0,
    *,
    group: str | None = None,
    time: str | None = None,
) -> tuple[Table, Table, Table]:
    """Part a table into training, validation and test rows.

    Args:
        table: the whole table.
        train_rows: the labelled budget N, for training and validation together; None means 60 %.
        seed: the draw.
        group: a column, in use or set aside, whose rows with one value stay together.
        time: a column, in use or set aside, of dates or numbers that order the rows.

    Raises:
        TableError: if the table or the budget is too small, or the column cannot serve.
    """
    most = int(LABELLED_SHARE * len(table))
    budget = _check_budget(table, train_rows, most)
    rows = _Rows.of(table, group, time)
    rng = np.random.default_rng([seed, 1])
    everything = np.arange(len(table))
    labelled, others = rows.part(everything, most if rows.stay_together else budget, rng)
    training, validation = rows.part_labelled(labelled, budget, rng)
    test = rows.draw(others, min(len(others), MAX_TEST_ROWS), rng)
    return (
        _warn_about_budget(table.take(training), train_rows, most),
        table.take(validation),
        table.take(test),
    )


def hold_out_test(
    table: Table, seed: int = 0, *, group: str | None = None, time: str | None = None
) -> tuple[Table, Table]:
    """Set the test rows aside once and for all: 40 % of the table, at most 2,000 rows.

    Returns the other rows (to look for a graph in, and to `draw` from) and the test rows.

    Raises:
        TableError: if the table is too small or the column cannot serve.
    """
    _check_budget(table, None, int(LABELLED_SHARE * len(table)))
    size = max(int(LABELLED_SHARE * len(table)), len(table) - MAX_TEST_ROWS)
    rows = _Rows.of(table, group, time)
    rng = np.random.default_rng([seed, 2])
    development, test = rows.part(np.arange(len(table)), size, rng)
    test = rows.draw(test, min(len(test), MAX_TEST_ROWS), rng)
    return table.take(development), table.take(test)


def draw(
    development: Table,
    train_rows: int | None = None,
    seed: int = 0,
    *,
    group: str | None = None,
    time: str | None = None,
) -> tuple[Table, Table]:
    """Draw `train_rows` labelled rows (None: all), a third of them for validation.

    Raises:
        TableError: if there are too few rows or the column cannot serve.
    """
    budget = _check_budget(development, train_rows, len(development))
    rows = _Rows.of(development, group, time, fewest=2)  # the test rows took theirs away
    rng = np.random.default_rng([seed, 3])
    everything = np.arange(len(development))
    labelled = everything if rows.stay_together else rows.draw(everything, budget, rng)
    training, validation = rows.part_labelled(labelled, budget, rng)
    return (
        _warn_about_budget(development.take(training), train_rows, len(development)),
        development.take(validation),
    )


def allocate(sizes: Sequence[int], total: int, *, spare: int = 0) -> list[int]:
    """Share `total` out over classes in proportion to their sizes (largest remainders).

    Every class gets at least one row, and keeps `spare` rows back, as far as `total` allows.
    """
    available = np.asarray(sizes, dtype=np.intp)
    quota = available * (total / max(available.sum(), 1))
    low = np.minimum(1, available)
    high = np.maximum(available - spare, low)
    if low.sum() > total:
        low = np.zeros_like(low)
    if high.sum() < total:
        high = available
    share = np.clip(np.floor(quota).astype(np.intp), low, high)
    while share.sum() < total:
        share[np.argmax(np.where(share < high, quota - share, -np.inf))] += 1
    while share.sum() > total:
        share[np.argmax(np.where(share > low, share - quota, -np.inf))] -= 1
    return [int(count) for count in share]


@dataclass(frozen=True)
class _Rows:
    """What decides how rows may be parted: a code per row for class, group or moment."""

    classes: Rows
    groups: Rows | None = None
    moments: Rows | None = None

    @classmethod
    def of(cls, table: Table, group: str | None, time: str | None, *, fewest: int = 3) -> "_Rows":
        if group is not None and time is not None:
            raise TableError("Split by a group or by a time, not by both.")
        return cls(
            _class_codes(table),
            None if group is None else _group_codes(table, group, fewest),
            None if time is None else _moment_codes(table, time, fewest),
        )

    @property
    def stay_together(self) -> bool:
        return self.groups is not None or self.moments is not None

    def draw(self, rows: Rows, size: int, rng: np.random.Generator) -> Rows:
        """Draw `size` of the rows, every class in proportion, and give them in their order."""
        return self._part_by_class(rows, size, 0, rng)[0]

    def part(self, rows: Rows, size: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Part rows into about `size` (exactly, without groups and times) and the rest."""
        if self.groups is not None:
            return self._part_by_group(rows, self.groups[rows], size, rng)
        if self.moments is not None:
            return self._part_by_time(rows, self.moments[rows], size)
        return self._part_by_class(rows, size, 1, rng)

    def part_labelled(self, rows: Rows, budget: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw `budget` rows, a third of them for validation, from rows that may be more."""
        for_validation = round(budget / 3)
        training, validation = self.part(rows, len(rows) - round(len(rows) / 3), rng)
        return (
            self.draw(training, min(len(training), budget - for_validation), rng),
            self.draw(validation, min(len(validation), for_validation), rng),
        )

    def _part_by_class(
        self, rows: Rows, size: int, spare: int, rng: np.random.Generator
    ) -> tuple[Rows, Rows]:
        classes = self.classes[rows]
        members = [rng.permutation(rows[classes == label]) for label in np.unique(classes)]
        counts = allocate([len(member) for member in members], size, spare=spare)
        first = [member[:count] for member, count in zip(members, counts, strict=True)]
        second = [member[count:] for member, count in zip(members, counts, strict=True)]
        return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))

    def _part_by_group(
        self, rows: Rows, groups: Rows, size: int, rng: np.random.Generator
    ) -> tuple[Rows, Rows]:
        """Try many orders of the groups; take the cut with nearest size and class shares."""
        names, codes = np.unique(groups, return_inverse=True)
        if len(names) < 2:
            raise TableError(
                "There are too few groups to part: training, validation and test rows "
                "each need one of their own."
            )
        labels, classes = np.unique(self.classes[rows], return_inverse=True)
        counts = np.zeros((len(names), len(labels)))
        np.add.at(counts, (codes, classes), 1)
        shares = counts.sum(axis=0) / len(rows)
        fewest = min(2, len(names) - 1)
        best: tuple[float, Rows] | None = None
        for _ in range(GROUP_ATTEMPTS):
            order = rng.permutation(len(names))
            so_far = np.cumsum(counts[order], axis=0)
            reached = so_far.sum(axis=1)
            cut = int(np.argmin(np.abs(reached[fewest - 1 : -1] - size))) + fewest
            inside = so_far[cut - 1]
            unseen = int((inside == 0).sum())
            cost = (
                unseen
                + abs(float(reached[cut - 1]) - size) / len(rows)
                + float(np.abs(inside / inside.sum() - shares).sum()) / 2
            )
            if best is None or cost < best[0]:
                best = (cost, order[:cut])
        assert best is not None
        chosen = np.isin(codes, best[1])
        return rows[chosen], rows[~chosen]

    def _part_by_time(self, rows: Rows, moments: Rows, size: int) -> tuple[Rows, Rows]:
        ordered = np.sort(moments)
        boundaries = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        if len(boundaries) == 0:
            raise TableError(
                "There are too few different times to part the rows; split them at random."
            )
        possible = boundaries[min(2, len(boundaries)) - 1 :]  # two times, where there are three
        cut = possible[np.argmin(np.abs(possible - size))]
        early = moments < ordered[cut]
        return rows[early], rows[~early]


def _check_budget(table: Table, train_rows: int | None, most: int) -> int:
    if len(table) < MIN_ROWS:
        raise TableError(f"{len(table)} rows are too few to part; at least {MIN_ROWS} are needed.")
    budget = most if train_rows is None else min(train_rows, most)
    classes = len(np.unique(_class_codes(table)))
    fewest = max(3, classes + 1)
    if budget < fewest:
        raise TableError(
            f"{max(budget, 0)} labelled rows are too few for {classes} classes; "
            f"take at least {fewest}, or join rare classes."
            if classes > 1
            else f"{max(budget, 0)} labelled rows are too few; take at least {fewest}."
        )
    return budget


def _warn_about_budget(training: Table, train_rows: int | None, most: int) -> Table:
    if train_rows is None or train_rows <= most:
        return training
    warning = f"Only {most} rows can be labelled ones; {train_rows} were asked for."
    return replace(training, warnings=(*training.warnings, warning))


def _class_codes(table: Table) -> Rows:
    if table.target is None or not table.kinds[table.target].is_category:
        return np.zeros(len(table), dtype=np.intp)
    return np.asarray(pd.factorize(table.y, use_na_sentinel=False)[0])


def _values_of(table: Table, name: str) -> "pd.Series":
    cells = table.cells(name)
    if cells is None:
        raise TableError(f"There is no column {name!r} to split by.")
    return cells


def _group_codes(table: Table, name: str, fewest: int) -> Rows:
    if name == table.target:
        raise TableError(f"Rows cannot be grouped by the target {name!r}.")
    codes = np.asarray(pd.factorize(_values_of(table, name))[0])
    # A row of no known group is a group of its own.
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    if len(np.unique(codes)) < fewest:
        raise TableError(
            f"Column {name!r} has too few groups: training, validation and test rows "
            "each need one of their own."
        )
    return codes


def _moment_codes(table: Table, name: str, fewest: int) -> Rows:
    values = _values_of(table, name)
    if name not in table.kinds:
        values = _read_moments(name, values)
    elif not table.kinds[name].is_number:
        values = _read_moments(name, values)
    if values.isna().any():
        raise TableError(
            f"Column {name!r} has rows without a time; fill them in or split in another way."
        )
    moments, codes = np.unique(values.to_numpy(), return_inverse=True)
    if len(moments) < fewest:
        raise TableError(
            f"Column {name!r} has too few different times: training, validation and test rows "
            "each need one of their own."
        )
    return codes


def _read_moments(name: str, texts: "pd.Series[str]") -> "pd.Series":
    column = RawColumn.read(texts, MISSING_TOKENS, ".")
    if column.numbers is not None:
        values: pd.Series = pd.Series(column.numbers, dtype="float64")
    elif column.date_formats:
        dates = parse_dates(column.values, column.date_formats[0])
        assert dates is not None
        values = dates
    else:
        raise TableError(
            f"Column {name!r} holds neither dates nor numbers, so it cannot order the rows."
        )
    return values.reindex(column.codes).reset_index(drop=True)
