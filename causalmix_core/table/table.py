"""The typed table that every other room takes and gives."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.errors import TableError
from causalmix_core.table.kinds import Kind
from causalmix_core.table.missing import MISSING_TOKENS


@dataclass(frozen=True)
class Coded:
    """A column of texts as numbers.

    Attributes:
        codes: shape (rows,), the place of each row's value among `values`; −1 where it is missing.
        values: the different values, sorted.
    """

    codes: NDArray[np.int64]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A rectangular data set with typed columns.

    Attributes:
        frame: the columns in use, with the dtypes that `Kind` states and a 0..n-1 index.
        kinds: the kind of every column in `frame`, in its order.
        target: the column to be predicted, or None.
        set_aside: columns that are not in `frame`, each with the reason in words.
        name: what to call the table, usually the file's stem.
        levels: the order of the values of each ordinal column.
        formats: how each datetime column is written in the file (`strftime` codes).
        decimal: the decimal mark of the file, where its numbers had the choice: another file whose
            numbers do not show theirs is read by it.
        aside: the text of the columns set aside, row for row with `frame` (for grouping rows by a
            customer number, say), or None for made rows.
        aside_kinds: the kind of every column set aside.
        file_columns: all columns of the file, in its order.
        warnings: what the analyst should know about the table, a sentence each.

    The frame is shared, never copied: treat it as read-only.
    """

    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    target: str | None = None
    set_aside: Mapping[str, str] = field(default_factory=dict)
    name: str = "table"
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    decimal: str | None = None
    aside: pd.DataFrame | None = field(default=None, repr=False)
    aside_kinds: Mapping[str, Kind] = field(default_factory=dict)
    file_columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if list(self.kinds) != list(self.frame.columns):
            raise TableError("The kinds must name the table's columns, in their order.")
        if self.target is not None and self.target not in self.kinds:
            reason = self.set_aside.get(self.target)
            raise TableError(
                f"The target {self.target!r} is set aside ({reason})."
                if reason
                else f"The target {self.target!r} is not a column of the table."
            )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> list[str]:
        """Names of the columns in use, in the file's order."""
        return list(self.kinds)

    @property
    def features(self) -> list[str]:
        """The columns in use without the target."""
        return [column for column in self.kinds if column != self.target]

    @property
    def y(self) -> "pd.Series[str]":
        """The target column; raises TableError where there is none."""
        if self.target is None:
            raise TableError("Choose a target column first.")
        return self.frame[self.target]

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802  (scikit-learn's name for it)
        """The columns in use without the target."""
        return self.frame[self.features]

    def take(self, rows: Sequence[int] | np.ndarray) -> "Table":
        """Return the table with these rows (positions), renumbered from 0."""
        positions = np.asarray(rows, dtype=np.intp)
        aside = None if self.aside is None else self.aside.iloc[positions].reset_index(drop=True)
        return replace(self, frame=self.frame.iloc[positions].reset_index(drop=True), aside=aside)

    def with_frame(self, frame: pd.DataFrame) -> "Table":
        """Return a table of the same columns and kinds with other rows."""
        return replace(self, frame=frame[self.columns].reset_index(drop=True), aside=None)

    def cells(self, column: str) -> "pd.Series | None":
        """Return a column in use or set aside, NaN where it has no value; None if there is none.

        Of a column set aside these are the texts of the file.
        """
        if column in self.kinds:
            return self.frame[column]
        if self.aside is None or column not in self.aside.columns:
            return None
        texts = self.aside[column]
        return texts.mask(texts.str.strip().isin(MISSING_TOKENS))

    def coded(self, column: str) -> Coded:
        """Return a column of texts as codes; made once, then remembered."""
        if column not in self._coded:
            found, values = pd.factorize(self.frame[column])
            texts = [str(value) for value in values]
            order = sorted(range(len(texts)), key=texts.__getitem__)
            place = np.empty(len(order) + 1, dtype=np.int64)
            place[order] = np.arange(len(order))
            place[-1] = -1
            self._coded[column] = Coded(place[found], tuple(texts[k] for k in order))
        return self._coded[column]

    @cached_property
    def _coded(self) -> dict[str, Coded]:
        return {}

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_coded"}

    @cached_property
    def digest(self) -> str:
        """Content digest (hex, 32 characters): the same values and kinds give the same one."""
        sha = hashlib.sha256()
        header = {
            "kinds": {column: str(kind) for column, kind in self.kinds.items()},
            "target": self.target,
            "levels": {column: list(order) for column, order in self.levels.items()},
            "rows": len(self.frame),
        }
        sha.update(json.dumps(header, sort_keys=False).encode())
        for column in self.frame.columns:
            values = self.frame[column]
            missing = values.isna().to_numpy()
            sha.update(missing.tobytes())
            kind = self.kinds[column]
            if kind is Kind.NUMERIC:
                numbers = values.to_numpy(dtype="float64", na_value=np.nan) + 0.0
                sha.update(np.where(missing, 0.0, numbers).tobytes())
            elif kind is Kind.INTEGER:
                sha.update(values.fillna(0).to_numpy(dtype="int64").tobytes())
            elif kind is Kind.DATETIME:
                stamps = values.to_numpy(dtype="datetime64[us]").astype("int64")
                sha.update(np.where(missing, 0, stamps).tobytes())
            else:
                coded = self.coded(column)
                words = [json.dumps(text, ensure_ascii=False) for text in (*coded.values, "")]
                rows = np.array(words, dtype=object)[coded.codes]  # −1, missing, is the last
                sha.update(f"[{', '.join(rows.tolist())}]".encode())
        return sha.hexdigest()[:32]

    @cached_property
    def aside_digest(self) -> str | None:
        """Digest of the columns set aside (hex, 32 characters), or None where there are none."""
        if self.aside is None or self.aside.columns.empty:
            return None
        sha = hashlib.sha256()
        for name in self.aside.columns:
            cells = self.aside[name].astype(object)
            texts = cells.where(cells.notna(), None).tolist()
            sha.update(json.dumps([str(name), texts]).encode())
        return sha.hexdigest()[:32]
