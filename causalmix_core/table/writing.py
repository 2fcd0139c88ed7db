"""CSV files that keep every value as it is."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime, time

import numpy as np
import pandas as pd

from causalmix_core.table.dates import ISO
from causalmix_core.table.table import Table

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(
    rows: Table | pd.DataFrame,
    *,
    formats: Mapping[str, str] | None = None,
    safe_for_spreadsheets: bool = False,
) -> bytes:
    """Return rows as CSV bytes: UTF-8, commas, quotes where needed, missing values empty.

    Numbers are written with as many digits as give the same number back; texts stand exactly as
    they are. `read_table(…, like=table)` reads the same table back.

    Args:
        rows: a table, or made rows such as a generator gives.
        formats: how datetime columns are written (default: the table's own, else ISO 8601).
        safe_for_spreadsheets: put an apostrophe before texts (and column names) that a spreadsheet
            would run as a formula, and a byte-order mark at the start, so that Excel sees UTF-8.
            Such a file no longer holds exactly the same texts.
    """
    frame = rows.frame if isinstance(rows, Table) else rows
    if formats is None:
        formats = rows.formats if isinstance(rows, Table) else {}
    columns = [_texts(frame[name], formats.get(str(name))) for name in frame.columns]
    names = [str(name) for name in frame.columns]
    if safe_for_spreadsheets:
        names = [_neutralise(name) for name in names]
        columns = [
            texts
            if pd.api.types.is_numeric_dtype(frame[name].dtype)
            else [_neutralise(text) for text in texts]
            for name, texts in zip(frame.columns, columns, strict=True)
        ]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return file.getvalue().encode("utf-8-sig" if safe_for_spreadsheets else "utf-8")


def _texts(column: pd.Series, form: str | None) -> list[str]:
    missing = column.isna().to_numpy(dtype=bool)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return [
            "" if gone else _stamp(stamp, form)
            for stamp, gone in zip(column.dt.to_pydatetime(), missing, strict=True)
        ]
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(dtype="float64", na_value=np.nan).tolist()
        return ["" if gone else _shortest(x) for x, gone in zip(numbers, missing, strict=True)]
    return ["" if gone else str(value) for value, gone in zip(column, missing, strict=True)]


def _shortest(number: float) -> str:
    """Write a float so that it reads back the same; a whole one without the ".0"."""
    text = repr(number)
    return text.removesuffix(".0")


def _stamp(stamp: datetime, form: str | None) -> str:
    if form is not None and form != ISO:
        return stamp.strftime(form)
    return (stamp.date() if stamp.time() == time() else stamp).isoformat()


def _neutralise(text: str) -> str:
    """Guard a text as OWASP's page on CSV injection advises: an apostrophe before it."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
