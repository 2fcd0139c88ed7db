"""A table as it was read: every cell as text, and how the file was understood."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table.missing import MISSING_TOKENS


@dataclass(frozen=True)
class ReadSettings:
    """How a file was understood; what does not apply to its format is None.

    Attributes:
        format: "csv", "xlsx", "parquet" or "frame".
        encoding: the text encoding, under Python's name.
        delimiter: between cells.
        quote: around cells, or "" where none is used.
        escape: before a quote inside a quoted cell, or "" where quotes are doubled.
        skip_space: whether the space after a delimiter is dropped.
        decimal: "." or ",".
        header: whether the first row names the columns.
        sheet: the worksheet that was read.
        missing: texts that mean "no value" wherever they stand.
        sheets: all visible worksheets of the workbook that `sheet` is one of.
    """

    format: str = "csv"
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    skip_space: bool = False
    decimal: str = "."
    header: bool = True
    sheet: str | None = None
    missing: tuple[str, ...] = MISSING_TOKENS
    sheets: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        return {**asdict(self), "missing": list(self.missing), "sheets": list(self.sheets)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the settings that `to_dict` gave."""
        lists = {name: tuple(values.get(name, ())) for name in ("missing", "sheets")}
        return cls(**{**values, **lists})


class ReadingError(TableError):
    """A file makes no table as it was understood; stated otherwise, it may make one.

    Attributes:
        settings: how the file was understood, as far as the reading came.
    """

    def __init__(self, message: str, settings: ReadSettings) -> None:
        super().__init__(message)
        self.settings = settings


@dataclass(frozen=True)
class RawTable:
    """Every column of a file as text, before kinds are chosen.

    Keep this and the analyst's choices: `to_table` makes the typed table of both, so that a kind
    can be changed and a column taken back at any time.

    Attributes:
        frame: all columns as pandas ``str``; NaN where the source holds no value at all.
        settings: how the file was understood.
        name: the file's stem.
        warnings: what the analyst should know about the reading, a sentence each.
    """

    frame: pd.DataFrame
    settings: ReadSettings = field(default_factory=ReadSettings)
    name: str = "table"
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> list[str]:
        """Names of all columns, in the file's order."""
        return list(self.frame.columns)
