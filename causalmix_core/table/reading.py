"""Reading a table from a file, from bytes, or from a data frame.

`read_raw` finds out how the file is written and gives every column as text; `read_table` adds the
kinds. Whatever is found out can be overridden.
"""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table.frames import frame_to_text, read_parquet
from causalmix_core.table.header import has_header
from causalmix_core.table.kinds import Kind
from causalmix_core.table.missing import MISSING_TOKENS
from causalmix_core.table.numbers import find_decimal
from causalmix_core.table.raw import RawTable, ReadingError, ReadSettings
from causalmix_core.table.table import Table
from causalmix_core.table.text_files import Dialect, Rows, decode, find_dialect, parse
from causalmix_core.table.typed import to_table
from causalmix_core.table.workbooks import read_workbook

Source = str | os.PathLike[str] | bytes | IO[bytes] | pd.DataFrame

MAX_BYTES = 50 * 1024 * 1024
MAX_CELLS = 20_000_000
SAMPLE_CELLS = 100_000

_EXCEL_HINT = re.compile(r"sep=(.)\r?\n")
_TEXT_SUFFIXES = {".csv", ".tsv", ".txt", ".tab", ".data", ".dat"}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file (.xls, .doc)"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"{\\rtf", "an RTF document"),
)


def read_table(
    source: Source,
    target: str | None = None,
    *,
    kinds: Mapping[str, Kind | str] | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    like: Table | None = None,
    keep_unlabelled: bool = False,
    name: str | None = None,
    **overrides: Any,
) -> Table:
    """Read a table and give every column a kind.

    `overrides` are those of `read_raw`, the other arguments those of `to_table`. Rows to be
    predicted (`like` and `keep_unlabelled`) may be a single one, and have a single column.

    Raises:
        TableError: with one sentence, if the source cannot be used.
    """
    if like is not None and not isinstance(source, pd.DataFrame):
        overrides.setdefault("columns", like.features)
        overrides.setdefault("expected_decimal", like.decimal)
    if like is not None and keep_unlabelled:
        overrides.setdefault("keep_small", True)
    raw = read_raw(source, name=name, **overrides)
    return to_table(
        raw, target, kinds=kinds, levels=levels, like=like, keep_unlabelled=keep_unlabelled
    )


def read_raw(
    source: Source,
    *,
    name: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    missing: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    expected_decimal: str | None = None,
    keep_small: bool = False,
    max_bytes: int = MAX_BYTES,
    max_cells: int = MAX_CELLS,
) -> RawTable:
    """Read every column of a source as text.

    Args:
        source: a path, bytes, an open binary file, or a data frame.
        name: the file's name, where the source does not tell it.
        delimiter, quote, encoding, decimal, header, sheet: what is otherwise found out.
        missing: texts that mean "no value" (default: `MISSING_TOKENS`).
        columns: names that are expected; a first row that has them settles what it is.
        expected_decimal: the mark of a text file whose numbers do not show theirs, unless commas
            part its cells.
        keep_small: take a single row or column too, from which nothing can be learnt.
        max_bytes: the largest file that is read.
        max_cells: the largest number of cells.

    Raises:
        TableError: with one sentence that says what is wrong and what to do; a `ReadingError`
            where the file's format was told, for other settings may then help.
    """
    tokens = MISSING_TOKENS if missing is None else tuple(missing)
    if decimal not in (None, ".", ","):
        raise TableError(f"The decimal mark is '.' or ',', not {decimal!r}.")
    if isinstance(source, pd.DataFrame):
        text = frame_to_text(source, max_cells)
        settings = ReadSettings("frame", decimal=decimal or ".", missing=tokens)
        return _finish(text, settings, name or "table", keep_small)
    data, label = _get_bytes(source, name, max_bytes)
    stem = Path(label).stem if label else "table"
    if not data.strip(b"\x00\t\n\r \xef\xbb\xbf\xff\xfe"):
        raise TableError(f"{_call(label)} is empty; choose a file with a header and rows.")
    settings = ReadSettings(_find_format(data, label), decimal=decimal or ".", missing=tokens)
    try:
        match settings.format:
            case "parquet":
                text = frame_to_text(read_parquet(data, max_bytes, max_cells), max_cells)
                return _finish(text, settings, stem, keep_small)
            case "xlsx":
                cells, found_sheet, sheets = read_workbook(data, max_bytes, max_cells, sheet)
                lines = list(range(1, len(cells) + 1))
                settings = replace(settings, sheet=found_sheet, sheets=tuple(sheets))
            case _:
                content, found_encoding = decode(data, encoding)
                hint = _EXCEL_HINT.match(content)
                if hint:
                    content = "\n" + content[hint.end() :]  # the other lines keep their numbers
                wanted = delimiter or (hint[1] if hint else None)
                dialect = _choose_dialect(content, wanted, quote, columns)
                settings = replace(settings, encoding=found_encoding, **vars(dialect))
                rows, lines = parse(content, dialect, max_cells)
                cells = [list(row) for row in rows]
        if (
            header is None
            and columns
            and cells
            and set(columns) <= {(c or "").strip() for c in cells[0]}
        ):
            header = True
        if settings.format != "csv" or settings.delimiter == ",":
            expected_decimal = None  # what a workbook holds as numbers has points as text
        text, settings = _from_cells(
            cells, lines, settings, label, decimal, expected_decimal, header
        )
        return _finish(text, settings, stem, keep_small)
    except TableError as error:
        raise ReadingError(str(error), settings) from error


def _from_cells(
    cells: list[list[str | None]],
    lines: Sequence[int],
    settings: ReadSettings,
    label: str | None,
    decimal: str | None,
    expected_decimal: str | None,
    header: bool | None,
) -> tuple[pd.DataFrame, ReadSettings]:
    if not cells:
        raise TableError(f"{_call(label)} is empty; choose a file with a header and rows.")
    _refuse_ragged(cells, lines, settings)
    looked_at = max(20, min(1_000, SAMPLE_CELLS // len(cells[0])))
    sample = [[cell or "" for cell in row] for row in cells[:looked_at]]
    mark = decimal or find_decimal(
        (cell for row in sample for cell in row),
        prefers_comma=settings.delimiter == ";",
        expected=expected_decimal,
    )
    named = has_header(sample, mark, settings.missing) if header is None else header
    width = len(cells[0])
    if named:
        names = [(cell or "").strip() for cell in cells[0]]
        cells = cells[1:]
    else:
        names = [f"column_{position + 1}" for position in range(width)]
    if not cells:
        raise TableError(f"{_call(label)} has a header but no rows; add the rows.")
    by_column = [list(column) for column in zip(*cells, strict=True)]
    # Some programs end every line with a delimiter: no column, if nothing is in it.
    while len(names) > 1 and not names[-1] and not any(cell for cell in by_column[-1]):
        names.pop()
        by_column.pop()
    _refuse_names(names)
    text = pd.DataFrame(
        {
            name: pd.Series(column, dtype="str")
            for name, column in zip(names, by_column, strict=True)
        }
    )
    return text, ReadSettings(**{**vars(settings), "decimal": mark, "header": named})


def _finish(text: pd.DataFrame, settings: ReadSettings, name: str, keep_small: bool) -> RawTable:
    names = [column.strip() for column in text.columns]
    _refuse_names(names)
    text.columns = pd.Index(names, dtype=object)
    if len(text) == 0:
        raise TableError(f"{name!r} has a header but no rows; add the rows.")
    if len(text.columns) == 1 and not keep_small:
        raise TableError(
            f"{name!r} has one column only ({text.columns[0]!r}); "
            "if there should be more, state the delimiter."
        )
    if len(text) == 1 and not keep_small:
        raise TableError(f"{name!r} has one row only; nothing can be learnt from it.")
    return RawTable(text.reset_index(drop=True), settings, name)


def _refuse_ragged(
    cells: Sequence[Sequence[object]], lines: Sequence[int], settings: ReadSettings
) -> None:
    width = len(cells[0])
    for row, line in zip(cells, lines, strict=True):
        if len(row) != width:
            advice = (
                "take away the lines above the header, or state the delimiter"
                if width == 1
                else "mend that line or state the delimiter"
            )
            raise TableError(
                f"Line {line} has {_count(len(row), 'cell')} but the first line has {width} "
                f"(delimiter {settings.delimiter!r}); {advice}."
            )


def _refuse_names(names: Sequence[str]) -> None:
    for position, name in enumerate(names):
        if not name:
            raise TableError(
                f"Column {position + 1} has no name; give every column a name in the first row."
            )
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise TableError(
                f"Two columns are named {name!r}; give every column a name of its own."
            )
        seen.add(name)


def _get_bytes(source: Any, name: str | None, max_bytes: int) -> tuple[bytes, str | None]:
    if isinstance(source, bytes | bytearray | memoryview):
        data, label = bytes(source), name
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        label = name or path.name
        try:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise TableError(f"{str(path)!r} cannot be opened: {error.strerror}.") from None
    elif hasattr(source, "read"):
        data = source.read(max_bytes + 1)
        if isinstance(data, str):
            data = data.encode()
        label = name or Path(str(getattr(source, "name", "") or "")).name or None
    else:
        raise TableError("A table is read from a path, bytes, an open file or a data frame.")
    if len(data) > max_bytes:
        raise TableError(
            f"{_call(label)} is larger than the limit of {max_bytes / 1024**2:g} MB; "
            "take fewer rows or columns."
        )
    return data, label


def _find_format(data: bytes, label: str | None) -> str:
    suffix = Path(label).suffix.lower() if label else ""
    kind = next((words for magic, words in _MAGIC if data.startswith(magic)), None)
    if kind == "a zip archive" and (b"xl/workbook" in data or suffix == ".xlsx"):
        kind = "an Excel workbook"
    wanted = {"a Parquet file": (".parquet", ".pq"), "an Excel workbook": (".xlsx", ".xlsm")}
    if kind in wanted:
        if suffix in wanted[kind] or not suffix:
            return wanted[kind][0][1:]
        raise TableError(
            f"{_call(label)} is {kind}, not what its name says; "
            f"rename it to end in {wanted[kind][0]}."
        )
    if kind is not None:
        raise TableError(
            f"{_call(label)} is {kind}, not a table; save the table as CSV, .xlsx or .parquet."
        )
    if suffix in {".xlsx", ".xlsm", ".parquet", ".pq"}:
        raise TableError(f"{_call(label)} is not the {suffix} file its name says, or is damaged.")
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        raise TableError(f"{_call(label)} is a web page or XML, not a table; save it as CSV.")
    if suffix not in _TEXT_SUFFIXES and start.startswith((b"{", b"[{", b"[[", b"[\n")):
        raise TableError(f"{_call(label)} is JSON, not a table; save it as CSV.")
    return "csv"


def _choose_dialect(
    text: str, delimiter: str | None, quote: str | None, columns: Sequence[str] | None
) -> Dialect:
    if delimiter is not None and len(delimiter) != 1:
        raise TableError(f"A delimiter is one character, not {delimiter!r}.")
    if quote is not None and len(quote) > 1:
        raise TableError(f"A quote is one character or none, not {quote!r}.")
    if delimiter is None and columns and _header_has(text, columns):
        return Dialect()
    found = find_dialect(text)
    if delimiter is None:
        return found if quote is None else Dialect(found.delimiter, quote)
    if quote is None and delimiter == found.delimiter:
        return replace(found, quote=found.quote or '"')
    return Dialect(delimiter, '"' if quote is None else quote)


def _header_has(text: str, columns: Sequence[str]) -> bool:
    first: Rows = []
    for row in csv.reader(io.StringIO(text[:1_000_000], newline="")):
        if row:
            first.append(row)
            break
    return bool(first) and set(columns) <= {cell.strip() for cell in first[0]}


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _call(label: str | None) -> str:
    return f"The file {label!r}" if label else "The file"
