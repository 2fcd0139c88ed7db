"""Excel workbooks (.xlsx), read as text."""

import io
import warnings
import zipfile
from datetime import date, datetime, time

from causalmix_core.errors import TableError
from causalmix_core.table.header import has_header
from causalmix_core.table.missing import MISSING_TOKENS

_LOOKED_AT = 100
_UNPACKS = (
    "The workbook unpacks to more than ten times the size limit; "
    "save the one sheet you need as CSV."
)


def read_workbook(
    data: bytes, max_bytes: int, max_cells: int, sheet: str | None = None
) -> tuple[list[list[str | None]], str, list[str]]:
    """Return a worksheet's cells, empty rows left out, its name, and those of all visible ones.

    Without `sheet`, that is the first visible worksheet that makes a table: a cover note or a
    pivot with a nameless corner often stands before it. Where there is none, it is the first that
    holds anything.

    Raises:
        TableError: if the file is no workbook, or unpacks to more than `max_bytes` or `max_cells`.
    """
    import openpyxl

    _refuse_bomb(data, max_bytes)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles, validation rules and the like that it cannot keep.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            names = [page.title for page in book.worksheets if page.sheet_state == "visible"]
            if sheet is not None and sheet not in names:
                raise TableError(f"There is no sheet {sheet!r}; the workbook has {_list(names)}.")
            small: tuple[list[list[str | None]], str] | None = None
            for name in [sheet] if sheet is not None else names:
                rows = _read_sheet(book[name], max_cells, 10 * max_bytes)
                if name == sheet or _is_table(rows):
                    return rows, name, names
                if rows and small is None:
                    small = rows, name
    except TableError:
        raise
    except Exception as error:
        # openpyxl raises many kinds of error over a damaged workbook, with long messages.
        raise TableError(
            "The Excel workbook cannot be read, it seems damaged; save it anew as .xlsx or CSV."
        ) from error
    return (*(small or ([], names[0] if names else "")), names)


def _is_table(rows: list[list[str | None]]) -> bool:
    """Whether there are a first row, two more and two columns; names each of a name of its own."""
    if len(rows) < 3 or len(rows[0]) < 2:
        return False
    sample = [[(cell or "").strip() for cell in row] for row in rows[:_LOOKED_AT]]
    names = set(sample[0])
    told_apart = len(names) == len(sample[0]) and "" not in names
    return told_apart or not has_header(sample, ".", MISSING_TOKENS)


def _read_sheet(page: object, max_cells: int, max_characters: int) -> list[list[str | None]]:
    page.reset_dimensions()  # type: ignore[attr-defined]  # the stated size is often wrong
    rows: list[list[str | None]] = []
    seen = characters = 0
    for values in page.iter_rows(values_only=True):  # type: ignore[attr-defined]
        seen += max(len(values), 1)
        if seen > max_cells:
            raise TableError(
                f"The worksheet has more than {max_cells:,} cells; take fewer rows or columns."
            )
        texts = [_text(value) for value in values]
        characters += sum(len(text) for text in texts if text)
        if characters > max_characters:
            raise TableError(_UNPACKS)
        while texts and texts[-1] is None:
            texts.pop()
        if texts:
            rows.append(texts)
    width = max((len(row) for row in rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _refuse_bomb(data: bytes, max_bytes: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise TableError("The file is no Excel workbook (.xlsx), or it is damaged.") from None
    if "[Content_Types].xml" not in {entry.filename for entry in entries}:
        raise TableError("The file is a zip archive, not an Excel workbook; unpack it first.")
    # zipfile never unpacks an entry beyond its stated size, so the stated sizes can be trusted.
    if sum(entry.file_size for entry in entries) > 10 * max_bytes:
        raise TableError(_UNPACKS)


def _list(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
