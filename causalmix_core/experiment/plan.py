"""What an experiment consists of: tables × sizes × seeds × methods, one run each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from causalmix_core.errors import RunError, TableError
from causalmix_core.experiment.store import file_digest
from causalmix_core.finetune.methods import METHODS, method
from causalmix_core.finetune.settings import Settings
from causalmix_core.foundation import check_classes
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.table import draw, split
from causalmix_core.table.dates import iso_texts, named_period
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

MOST_DOMAIN_ROWS = 2_000


@dataclass(frozen=True)
class Source:
    """A table to experiment on.

    Attributes:
        table: the rows to draw labelled rows from, and test rows where `test` is None.
        validation: fixed validation rows; the whole labelled budget is then for training.
        test: fixed test rows.
        graph: the causal graph to use; None discovers one in each run's training rows.
        group: rows with the same value in this column stay on one side.
        time: later rows by this column are validated and tested on.
    """

    table: Table
    validation: Table | None = None
    test: Table | None = None
    graph: MixedGraph | None = None
    group: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class Plan:
    """All runs of an experiment.

    Attributes:
        sources: the tables.
        methods: names of methods; see `causalmix_core.finetune.METHODS`.
        seeds: each decides a draw of rows and a model's randomness.
        train_rows: labelled budgets (training and validation together); None: 60 % of the table.
        model: ``compact``, the name of another known model, or a safetensors file.
        settings: how to fine-tune.
        domain: (column, value): rows with that value are held out and scored on their own.
        causal: parameters of the causal generator, such as ``{"quality": "better"}``.
    """

    sources: tuple[Source, ...]
    methods: tuple[str, ...] = ("none", "default", "causalmix", "mixup", "smote")
    seeds: tuple[int, ...] = (0, 1, 2)
    train_rows: tuple[int | None, ...] = (None,)
    model: str = "compact"
    settings: Settings = field(default_factory=Settings)
    domain: tuple[str, str] | None = None
    causal: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, values in (
            ("table", self.sources),
            ("method", self.methods),
            ("seed", self.seeds),
            ("number of training rows", self.train_rows),
        ):
            if not values:
                raise RunError(f"Give at least one {what}.")
        for name in self.methods:
            method(name)
        if len({*self.methods}) < len(self.methods) or len({*self.seeds}) < len(self.seeds):
            raise RunError("Name every method and every seed once.")
        for source in self.sources:
            _check_target(source.table)
        names = [source.table.name for source in self.sources]
        if len(set(names)) < len(names):
            raise RunError("Two tables have the same name; rename one of the files.")
        if self.settings.stopping.rule == "cross-fitted" and any(s.time for s in self.sources):
            raise RunError(
                "Stopping over several validation splits would judge earlier rows by later ones, "
                "which a split by time rules out; choose another stopping rule."
            )

    @property
    def generators(self) -> tuple[str, ...]:
        """The generators that the methods need."""
        needed = [METHODS[name].generator for name in self.methods]
        return tuple(dict.fromkeys(name for name in needed if name is not None))


def _check_target(table: Table) -> None:
    """Refuse a target that no run could predict, before rows are made for it."""
    if table.target is None:
        return
    try:
        check_classes(sorted(table.y.dropna().astype(str).unique()), table.target)
    except TableError as error:
        raise TableError(f"{table.name}: {error}") from None


@dataclass(frozen=True)
class Splits:
    """The rows of one run."""

    train: Table
    validation: Table
    test: Table
    domain: Table | None = None


def splits(
    source: Source, train_rows: int | None, seed: int, domain: tuple[str, str] | None = None
) -> Splits:
    """Draw the rows of a run; the same for every method, so that methods can be compared.

    Raises:
        TableError: the table is too small, or no or all rows belong to the domain.
    """
    table, held_out = source.table, None
    if domain is not None:
        table, held_out = _hold_out_domain(table, *domain, seed)
        # Nothing that is given beside the table may hold rows of the domain either.
        source = replace(
            source,
            validation=_outside(source.validation, *domain),
            test=_outside(source.test, *domain),
        )
    ways = {"group": source.group, "time": source.time}
    if source.test is not None:
        train, validation = draw(table, train_rows, seed, **ways)
        test = source.test
    else:
        train, validation, test = split(table, train_rows, seed, **ways)
    if source.validation is not None:
        both = pd.concat([train.frame, validation.frame], ignore_index=True)
        train, validation = train.with_frame(both), source.validation
    return Splits(train, validation, test, held_out)


def _hold_out_domain(table: Table, column: str, value: str, seed: int) -> tuple[Table, Table]:
    inside = belongs(table, column, value)
    if not inside.any() or inside.all():
        which = "no row" if not inside.any() else "every row"
        raise TableError(
            f"In {which} of {table.name!r} is the column {column!r} equal to {value!r}; "
            "choose another value for the domain."
        )
    rows = np.flatnonzero(inside)
    if len(rows) > MOST_DOMAIN_ROWS:
        rng = np.random.default_rng([seed, 17])
        rows = np.sort(rng.choice(rows, MOST_DOMAIN_ROWS, replace=False))
    return table.take(np.flatnonzero(~inside)), table.take(rows)


def _outside(table: Table | None, column: str, value: str) -> Table | None:
    """Return the rows of other domains.

    Raises:
        TableError: there is none.
    """
    if table is None:
        return None
    outside = np.flatnonzero(~belongs(table, column, value))
    if not len(outside):
        raise TableError(
            f"In every row of {table.name!r} is the column {column!r} equal to {value!r}; "
            "choose another value for the domain."
        )
    return table.take(outside)


def belongs(table: Table, column: str, value: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Tell which rows have `value` in `column`; a date belongs to its year, month and day.

    Raises:
        TableError: there is no such column, or the value is no number or date where it must be one.
    """
    if column in table.kinds:
        cells, kind = table.frame[column], table.kinds[column]
    elif table.aside is not None and column in table.aside.columns:
        cells, kind = table.aside[column], Kind.CATEGORICAL
    else:
        raise TableError(f"There is no column {column!r} in {table.name!r}.")
    if kind is Kind.DATETIME:
        form = table.formats.get(column)
        period = named_period(value, form)
        if period is None:
            raise TableError(
                f"The column {column!r} holds dates, not {value!r}: give a year (2024), a month "
                "(2024-01), a day (2024-01-31), a day with its time, or a date as the file writes "
                "it."
            )
        return np.asarray(iso_texts(cells).str.startswith(period), dtype=bool)
    if kind.is_number:
        try:
            wanted = float(value)
        except ValueError:
            raise TableError(f"The column {column!r} holds numbers, not {value!r}.") from None
        return np.asarray(cells.astype("float64") == wanted, dtype=bool)
    return np.asarray(cells.astype("str") == value, dtype=bool)


def digest_of(*parts: Any) -> str:
    """Digest of JSON-able values (hex, 32 characters)."""
    text = json.dumps(parts, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def graph_digest(graph: MixedGraph | None) -> str | None:
    """Digest of all of a graph that decides synthetic rows."""
    return None if graph is None else digest_of(graph.decisive())


def model_digest(model: str) -> str:
    """Digest of a model's file; needs no torch, so that a page can ask for it."""
    from causalmix_core.foundation import models

    return file_digest(Path(models.path(model)))
