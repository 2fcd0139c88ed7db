"""What a project holds, as typed values: its table, test rows, graph and synthetic rows.

The store knows named documents and frames; this module gives them their meaning, for the pages
and for the workers alike. Names in the store:

    raw            the file's columns as text                       (frame)
    table          the analyst's choices about them: `Choices`      (document)
    history        the found graph and the edits since              (document)
    completion     what completing the graph to a DAG decided       (document)
    rows-METHOD    synthetic rows of one generator                  (frame, about: `Recipe`)
    comparison     the report on those rows, or why there is none   (document)
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import pandas as pd

from causalmix_core.errors import StoreError, TableError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.store import RAW, TABLE, Store
from causalmix_core.graph import MixedGraph
from causalmix_core.graph.edits import History
from causalmix_core.table import (
    Kind,
    RawTable,
    ReadSettings,
    Table,
    bins_at,
    draw,
    hold_out_test,
    to_table,
)
from causalmix_core.table.typed import SET_ASIDE, raw_column, type_column

HISTORY = "history"
COMPLETION = "completion"
COMPARISON = "comparison"
MECHANISMS = "mechanisms"


@dataclass(frozen=True)
class Choices:
    """What the analyst decided about the raw table.

    Attributes:
        target: the column to be predicted.
        kinds: kinds where they differ from the guesses.
        levels: the values of ordinal columns in their order, where it is not that of the names.
        bins: inner edges of the bins of a numeric target.
        group: rows with the same value here are never parted between training and test.
        time: the latest rows by this column are the test rows.
        split_seed: decides which rows become test rows.
        true_edges: the (cause, effect) pairs of a simulated example.
    """

    target: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bins: tuple[float, ...] = ()
    group: str | None = None
    time: str | None = None
    split_seed: int = 0
    true_edges: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `asdict` gave and JSON kept."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        known["levels"] = {c: tuple(order) for c, order in known.get("levels", {}).items()}
        known["bins"] = tuple(known.get("bins") or ())
        known["true_edges"] = tuple((a, b) for a, b in known.get("true_edges") or ())
        return cls(**known)


_IN_WORDS = {
    "kinds": "kinds of some columns",
    "levels": "orders of some values",
    "target": "the target",
    "bins": "its bins",
    "group": "the groups of the test rows",
    "time": "the time of the test rows",
}
"""The choices in the order in which they build on each other."""


def _fits(raw: RawTable, column: str, kind: str) -> bool:
    """Whether a raw table has a column that can be of this kind."""
    if column not in raw.columns:
        return False
    try:
        if Kind(kind) not in SET_ASIDE:
            type_column(raw_column(raw, column), Kind(kind))
    except TableError:
        return False
    return True


@dataclass(frozen=True)
class Recipe:
    """How synthetic rows were made: everything that decides their bytes.

    Attributes:
        method: the generator's name.
        rows: how many.
        seed: of the generator's sampling.
        train_rows: labelled rows drawn from those that are not test rows (None: all).
        draw_seed: of that draw.
        settings: the generator's parameters as JSON holds them, such as the quality and rules.
        balance: wanted share of each class (None: as in the training rows).
        inputs: digest of the training rows and, for a causal model, of the graph.
    """

    method: str
    rows: int
    seed: int = 0
    train_rows: int | None = None
    draw_seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: str = ""
    balance: Mapping[str, float] | None = None

    @property
    def frame_name(self) -> str:
        """The name of the rows in the store."""
        return f"rows-{self.method}"


@dataclass(frozen=True)
class Rows:
    """Synthetic rows of one generator, with how they were made and what there is to know."""

    recipe: Recipe
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


class Workspace:
    """One project's contents.

    Everything is read afresh at each call; callers that need it often keep it by `table_key`.
    """

    def __init__(self, store: Store, project: str) -> None:
        self.store = store
        self.project = project
        store.get(project)

    # The table

    def has_table(self) -> bool:
        """Whether a file was loaded."""
        return any(frame.name == RAW for frame in self.store.frames(self.project))

    def table_key(self) -> str:
        """A short text that changes whenever the table or the choices about it do.

        It names the project too: a copy of a project goes its own way under the same revisions.
        """
        revisions = self.store.revisions(self.project)
        raw = [frame.digest for frame in self.store.frames(self.project) if frame.name == RAW]
        return f"{self.project}-{raw[0] if raw else 'none'}-{revisions.get(TABLE, 0)}"

    def check_key(self, key: str, doing: str, advice: str) -> None:
        """See that table and choices are still those of the key, before keeping what follows.

        Raises:
            StoreError: they changed; `doing` says during what, `advice` what to do.
        """
        if self.table_key() != key:
            raise StoreError(f"The table or its target changed while {doing}; {advice}.")

    def put_raw(self, raw: RawTable, choices: Choices) -> None:
        """Put a newly read table in place; the graph and rows of an earlier one go."""
        self.store.save_frame(self.project, RAW, raw.frame, self._about(raw))
        self.store.save_json(self.project, TABLE, asdict(choices))
        self.forget_graph()

    def put_again(self, raw: RawTable) -> list[str]:
        """Put the file in place as it is read otherwise, with the choices that still fit it.

        Returns in words which choices had to go; graph and rows go as in `put_raw`.

        Raises:
            TableError: the columns make no table; nothing is changed.
        """
        before = self.choices()
        kept = Choices(split_seed=before.split_seed)
        for name in _IN_WORDS:
            value = getattr(before, name)
            if name == "kinds":
                value = {column: kind for column, kind in value.items() if _fits(raw, column, kind)}
            if name == "levels":
                value = {c: each for c, each in value.items() if kept.kinds.get(c) == Kind.ORDINAL}
            unknown = isinstance(value, str) and value not in raw.columns
            if unknown or (name == "bins" and kept.target is None):
                continue
            trial = replace(kept, **{name: value})
            with suppress(TableError):
                self._checked(raw, trial)
                kept = trial
        self._checked(raw, kept)
        self.put_raw(raw, kept)
        return [w for name, w in _IN_WORDS.items() if getattr(kept, name) != getattr(before, name)]

    def raw(self) -> RawTable:
        """Return the table as it was read.

        Raises:
            StoreError: no file was loaded yet.
        """
        about = next(
            (each.about for each in self.store.frames(self.project) if each.name == RAW), None
        )
        if about is None:
            raise StoreError("This project has no table yet; load one on the Data page.")
        return RawTable(
            self.store.load_frame(self.project, RAW).astype("str"),
            ReadSettings.from_dict(about["settings"]),
            about["name"],
            tuple(about["warnings"]),
        )

    def choices(self) -> Choices:
        """Return what the analyst decided about the table."""
        return Choices.from_dict(self.store.load_json(self.project, TABLE, {}))

    def choose(self, choices: Choices) -> Table:
        """Save other choices, once they have proved to make a table; return that table.

        A graph found for other columns, another target or other test rows is dropped, as are
        synthetic rows; nothing is saved where the choices do not work out.
        """
        before, table = self.choices(), self._checked(self.raw(), choices)
        if before != choices:
            self.store.save_json(self.project, TABLE, asdict(choices))
            self.forget_graph()
        return table

    def table(self) -> Table:
        """Return the whole typed table, a numeric target in its bins."""
        return self._typed(self.raw(), self.choices())

    def parts(self) -> tuple[Table, Table]:
        """Return the rows to work with and the test rows.

        The test rows follow from the table, the target and the split alone, so they stay the
        same however often this is asked; without a target there are none.
        """
        table = self.table()
        if table.target is None:
            return table, table.take([])
        return self._hold_out(table, self.choices())

    def drawn(self, train_rows: int | None, seed: int) -> tuple[Table, Table]:
        """Draw training and validation rows from those that are no test rows."""
        choices = self.choices()
        development, _ = self.parts()
        return draw(development, train_rows, seed, group=choices.group, time=choices.time)

    # The graph

    def history(self) -> History | None:
        """Return the found graph with its edits, or None before a search."""
        content = self.store.load_json(self.project, HISTORY)
        return None if content is None else History.from_dict(content)

    def history_as_stored(self) -> tuple[History | None, int]:
        """Return the graph with its edits, and its revision for `put_history`."""
        content, revision = self.store.load_json_as_stored(self.project, HISTORY)
        return None if content is None else History.from_dict(content), revision

    def put_history(self, history: History, expected: int | None = None) -> int:
        """Save graph and edits; `expected` as in `Store.save_json`. Returns the revision."""
        return self.store.save_json(self.project, HISTORY, history.to_dict(), expected=expected)

    def graph(self) -> MixedGraph | None:
        """Return the graph as edited, or None before a search."""
        history = self.history()
        return None if history is None else history.graph

    def put_completion(self, graph: MixedGraph, decided: Sequence[str]) -> None:
        """Keep in sentences what completing to the DAG `graph` decided, and why."""
        self.store.save_json(
            self.project, COMPLETION, {"graph": graph.digest, "decided": list(decided)}
        )

    def completion(self) -> tuple[str, ...]:
        """Return what the last completion decided; empty once the graph is another one."""
        kept = self.store.load_json(self.project, COMPLETION)
        graph = self.graph()
        if kept is None or graph is None or kept["graph"] != graph.digest:
            return ()
        return tuple(kept["decided"])

    def has_work(self) -> bool:
        """Whether there is a graph or synthetic rows, which another table or target drops."""
        made = any(each.name.startswith("rows-") for each in self.store.frames(self.project))
        return made or HISTORY in self.store.revisions(self.project)

    def forget_graph(self) -> None:
        """Drop graph, synthetic rows and comparison: they belong to an earlier table.

        Jobs that are about to make them are asked to stop.
        """
        for kind in ("discover", "synthesize"):
            jobs.cancel_all(self.store, self.project, kind)
        for document in (HISTORY, COMPLETION):
            self.store.delete_json(self.project, document)
        self.forget_rows()

    def forget_rows(self) -> None:
        """Drop synthetic rows with what is known of them."""
        for document in (COMPARISON, MECHANISMS):
            self.store.delete_json(self.project, document)
        for frame in self.store.frames(self.project):
            if frame.name.startswith("rows-"):
                self.store.delete_frame(self.project, frame.name)

    # Synthetic rows

    def inputs_of(self, recipe: Recipe, training: Table) -> str:
        """Digest of what the rows of `recipe` are made from, to tell stale rows."""
        from causalmix_core.experiment.plan import graph_digest  # many modules; few pages ask

        uses_graph = recipe.method.startswith("causal")
        parts = [training.digest, graph_digest(self.graph() if uses_graph else None) or ""]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def put_rows(self, rows: Rows) -> None:
        """Save synthetic rows; earlier ones of the same generator are replaced."""
        about = {**asdict(rows.recipe), "notes": list(rows.notes)}
        self.store.save_frame(self.project, rows.recipe.frame_name, rows.frame, about)

    def rows(self) -> dict[str, Rows]:
        """Return all synthetic rows by generator, in the order they were asked for last."""
        found: dict[str, Rows] = {}
        stored = [f for f in self.store.frames(self.project) if f.name.startswith("rows-")]
        for each in sorted(stored, key=lambda frame: frame.updated):
            about = dict(each.about)
            notes = tuple(about.pop("notes", ()))
            recipe = Recipe(**about)
            frame = self.store.load_frame(self.project, each.name)
            found[recipe.method] = Rows(recipe, frame, notes)
        return found

    def _about(self, raw: RawTable) -> dict[str, Any]:
        return {
            "settings": raw.settings.to_dict(),
            "name": raw.name,
            "warnings": list(raw.warnings),
        }

    def _typed(self, raw: RawTable, choices: Choices) -> Table:
        table = to_table(raw, choices.target, kinds=choices.kinds, levels=choices.levels)
        if choices.target is not None and choices.bins:
            table = bins_at(choices.target, choices.bins).apply(table)
        return table

    def _checked(self, raw: RawTable, choices: Choices) -> Table:
        """Return the typed table, once its test rows have proved to be there."""
        table = self._typed(raw, choices)
        if table.target is not None:
            self._hold_out(table, choices)
        return table

    def _hold_out(self, table: Table, choices: Choices) -> tuple[Table, Table]:
        return hold_out_test(table, choices.split_seed, group=choices.group, time=choices.time)
