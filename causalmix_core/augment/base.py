"""What every generator is: fit on a table, sample rows of the same kind."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.augment.rules import Rule, bind_rules
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress, silent
from causalmix_core.scm.columns import Columns, decode, encode, learn_codecs
from causalmix_core.scm.seeding import apportion, generator_for
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

Counts = NDArray[np.int64]

_ROUNDS = 10
_SPARE = 2  # rows drawn for each row that broke a rule


class Generator(ABC):
    """Makes synthetic rows from a table.

    Parameters stand in ``__init__`` and attributes of the fit end in ``_``, as in scikit-learn;
    `fit_resample` returns real rows followed by synthetic ones, as in imbalanced-learn.

    Attributes:
        name: what the command line and the registry call it.
        title: what people call it.
        notes_: what the user should be told about the fit and the last sample.
        redrawn_: share of the last sample's rows that broke a rule and were drawn again.
        replaced_: share whose columns of a rule had to be taken over from real rows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    rules: Sequence[Rule | str] = ()
    """Rules that every row keeps; see `causalmix_core.augment.rules`."""
    keeps_own_shares: ClassVar[bool] = False
    """Whether rows come with the generator's own class shares unless others are wanted."""
    largest_pool: ClassVar[int | None] = None
    """Most rows worth making for one fine-tuning run; None where rows cost little."""
    _tell: Progress = staticmethod(silent)

    def fit(self, table: Table, progress: Progress = silent) -> Self:
        """Learn from the rows of `table`, and only from those.

        Raises:
            GeneratorError: the generator does not apply to this table; the message says why.
        """
        if len(table) == 0 or not table.columns:
            raise GeneratorError("There are no rows to learn from.")
        self.table_ = table
        self.codecs_ = learn_codecs(table)
        self.columns_ = encode(table, self.codecs_)
        self.notes_: tuple[str, ...] = ()
        target = table.target
        self.class_column_ = (
            target if target is not None and table.kinds[target].is_category else None
        )
        if self.class_column_ is None:
            self.classes_ = np.zeros(len(table), dtype=np.int64)
        else:
            self.classes_ = self.columns_[self.class_column_].astype(np.int64)
        self.class_counts_ = np.bincount(self.classes_)
        self.rules_, notes = bind_rules(self.rules, table)
        self._fit(table, progress)
        self.notes_ = self._fit_notes = (*self.notes_, *notes)
        return self

    def sample(
        self,
        n: int,
        seed: int = 0,
        balance: Mapping[str, float] | None = None,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Return `n` synthetic rows with the table's columns, order and dtypes.

        Args:
            seed: the same seed gives the same rows, in another process too.
            balance: wanted share of each class (classes not named get no rows); None keeps
                the training shares.
            progress: called by generators whose rows take long.
        """
        if not hasattr(self, "columns_"):
            raise GeneratorError(f"Fit the generator {self.name!r} before sampling from it.")
        if n < 0:
            raise GeneratorError("The number of rows cannot be negative.")
        rng = generator_for(seed, "sample", self.name)
        counts = None
        if balance is not None or not self.keeps_own_shares:
            counts = apportion(self._shares(balance), n, rng)
        self._tell = progress
        try:
            return self._sample(n, counts, rng)
        finally:
            del self._tell

    def _sample(self, n: int, counts: Counts | None, rng: np.random.Generator) -> pd.DataFrame:
        rows = self._rows(n, counts, rng)
        self.redrawn_ = self.replaced_ = 0.0
        if self.rules_ and n:
            rows = self._keep_rules(rows, rng)
            self.notes_ = (*self._fit_notes, *self._rule_notes())
        return rows

    def _rule_notes(self) -> list[str]:
        notes = []
        if self.redrawn_:
            notes.append(f"{self.redrawn_:.1%} of the rows broke a rule and were drawn again.")
        if self.replaced_:
            notes.append(
                f"{self.replaced_:.1%} of the rows took the columns of a rule over from real rows."
            )
        return notes

    def _rows(self, n: int, counts: Counts | None, rng: np.random.Generator) -> pd.DataFrame:
        columns = self._draw(n, counts, rng)
        order = rng.permutation(n)
        rows = decode({name: columns[name][order] for name in self.codecs_}, self.codecs_)
        for rule in self.rules_:
            rows = rule.construct(rows)
        return rows

    def _keep_rules(self, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Draw rows that break a rule again; what still does takes values of a real row over."""
        broken = self._broken(rows)
        self.redrawn_ = float(broken.mean())
        for _ in range(_ROUNDS):
            if not broken.any():
                return rows
            places = np.flatnonzero(broken)
            classes = self._classes_of(rows.iloc[places])
            counts = np.bincount(classes, minlength=len(self.class_counts_)) * _SPARE
            fresh = self._rows(int(counts.sum()), counts, rng)
            fresh = fresh[~self._broken(fresh)]
            fresh_classes = self._classes_of(fresh)
            for code in np.unique(classes):
                wanted = places[classes == code]
                found = np.flatnonzero(fresh_classes == code)[: len(wanted)]
                rows = _put(rows, wanted[: len(found)], fresh.iloc[found])
                broken[wanted[: len(found)]] = False
        self.replaced_ = float(broken.mean())
        return self._take_over(rows, np.flatnonzero(broken), rng)

    def _take_over(
        self, rows: pd.DataFrame, places: Counts, rng: np.random.Generator
    ) -> pd.DataFrame:
        names = list(dict.fromkeys(name for rule in self.rules_ for name in rule.columns))
        good = np.flatnonzero(~self._broken(self.table_.frame))
        if not len(good):
            raise GeneratorError("No real row keeps all the rules together.")
        classes = self._classes_of(rows.iloc[places])
        for code in np.unique(classes):
            here = places[classes == code]
            same = good[self.classes_[good] == code]
            if not len(same) and self.class_column_ not in names:
                same = good
            if not len(same):
                level = rows[self.class_column_].iloc[here[0]]
                raise GeneratorError(f"No real row of class {level!r} keeps all the rules.")
            donors = self.table_.frame.iloc[rng.choice(same, size=len(here))]
            rows = _put(rows, here, donors[names])
        return rows

    def _broken(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        kept = np.ones(len(rows), dtype=bool)
        for rule in self.rules_:
            kept &= rule.holds(rows)
        return ~kept

    def _classes_of(self, rows: pd.DataFrame) -> Counts:
        if self.class_column_ is None:
            return np.zeros(len(rows), dtype=np.int64)
        codec = self.codecs_[self.class_column_]
        return codec.encode(rows[self.class_column_]).astype(np.int64)

    def fit_resample(
        self, X: pd.DataFrame, y: "pd.Series[Any]", *, n: int | None = None, seed: int = 0
    ) -> tuple[pd.DataFrame, "pd.Series[Any]"]:
        """Return the real rows followed by synthetic ones.

        With `n` rows at the training shares; without, every class is filled up to the size of
        the largest, as imbalanced-learn does. Names and values come back as they were given,
        also those that are no text.

        Raises:
            GeneratorError: a column of `X` has the name of `y`.
        """
        from causalmix_core.table import read_table

        features = X.set_axis([str(column).strip() for column in X.columns], axis=1)
        target = str(y.name).strip() if y.name is not None else "target"
        if target in features.columns:
            raise GeneratorError(f"X has a column {target!r} as well; give y another name.")
        frame = features.assign(**{target: y.to_numpy()})
        self.fit(read_table(frame, target, kinds=_kinds_of(features)))
        if n is None:
            extra = self.class_counts_.max() - self.class_counts_
            levels = self.codecs_[target].levels
            n = int(extra[: len(levels)].sum())
            wanted = {level: int(extra[code]) / max(n, 1) for code, level in enumerate(levels)}
            rows = self.sample(n, seed, balance=wanted if n else None)
        else:
            rows = self.sample(n, seed)
        new_X = pd.DataFrame({name: _as_given(rows[name], features[name]) for name in features})
        new_X.columns = X.columns
        new_y = _as_given(rows[target], y)
        return (
            pd.concat([X, new_X], ignore_index=True),
            pd.Series(pd.concat([y, new_y], ignore_index=True), name=y.name),
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, as scikit-learn does."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"

    @abstractmethod
    def _fit(self, table: Table, progress: Progress) -> None:
        """Learn from `table`; codes are in `columns_`, the class codes in `classes_`."""

    @abstractmethod
    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        """Return `n` encoded rows in any order, `counts[c]` of class code c."""

    def _shares(self, balance: Mapping[str, float] | None) -> NDArray[np.float64]:
        if balance is None:
            return self.class_counts_.astype(np.float64)
        if self.class_column_ is None:
            raise GeneratorError("A class balance needs a target column with classes.")
        levels = self.codecs_[self.class_column_].levels
        strangers = [str(level) for level in balance if str(level) not in levels]
        if strangers:
            raise GeneratorError(
                f"The target {self.class_column_!r} has no class {strangers[0]!r} in these rows."
            )
        wanted = np.zeros(len(self.class_counts_))
        for level, share in balance.items():
            wanted[levels.index(str(level))] = share
        return wanted


def class_rows(classes: NDArray[np.int64], counts: Counts, rng: np.random.Generator) -> Counts:
    """Draw a training row, of the wanted class, for every synthetic row."""
    parts = [
        rng.choice(np.flatnonzero(classes == code), size=count)
        for code, count in enumerate(counts)
        if count
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _put(rows: pd.DataFrame, places: Counts, values: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with the columns of `values` at these places, dtypes kept."""
    changed = {}
    for name in values.columns:
        column = rows[name].copy()
        column.iloc[places] = values[name].to_numpy()
        changed[name] = column.astype(rows[name].dtype)
    return rows.assign(**changed)


def _as_given(column: "pd.Series[Any]", given: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a synthetic column with the dtype and the values, told by their texts, of `given`."""
    if not pd.api.types.is_string_dtype(column.dtype):
        return column.astype(given.dtype)
    values = {str(value): value for value in given.dropna().unique()}
    known = [values.get(text, text) for text in column]
    return pd.Series(known, dtype=object, name=given.name).astype(given.dtype)


def _kinds_of(X: pd.DataFrame) -> dict[str, Kind]:
    """Kinds that a frame states by its dtypes, so that no column is set aside."""
    kinds: dict[str, Kind] = {}
    for column in X.columns:
        dtype = X[column].dtype
        if pd.api.types.is_bool_dtype(dtype):
            kinds[str(column)] = Kind.BINARY
        elif pd.api.types.is_integer_dtype(dtype):
            kinds[str(column)] = Kind.INTEGER
        elif pd.api.types.is_float_dtype(dtype):
            kinds[str(column)] = Kind.NUMERIC
        elif pd.api.types.is_datetime64_any_dtype(dtype):
            kinds[str(column)] = Kind.DATETIME
        else:
            kinds[str(column)] = Kind.CATEGORICAL
    return kinds
