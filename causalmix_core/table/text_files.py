"""Text files: encoding, delimiter, quoting, and the cells.

The encoding is found by charset-normalizer and the dialect by clevercsv, both only where the
matter is not settled by a plain look: a byte-order mark or valid UTF-8; exactly one delimiter
under which the beginning of the file is a rectangle of properly quoted cells. Both are imported
when they are first asked.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from causalmix_core.errors import TableError

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARACTERS = 64_000
SAMPLE_ROWS = 200
CLEVERCSV_CHARACTERS = 8_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODE_PAGES = [
    *(f"cp{page}" for page in range(1250, 1259)),
    *("koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_END = "\x1e"  # a last line of its own, unless an open quote swallows it

Rows = list[list[str]]


@dataclass(frozen=True)
class Dialect:
    """How cells are parted and quoted; `quote` and `escape` are "" where unused."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    skip_space: bool = False


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Return the text of a file and its encoding, found unless it is given.

    Raises:
        TableError: if the bytes are not text, or not in the given encoding.
    """
    if encoding is not None:
        return _decode_as(data, encoding), encoding
    found = _find_encoding(data)
    text = _decode_as(data, found)
    if _CONTROL.search(text[:SAMPLE_CHARACTERS]):
        raise TableError("The file is not text; save the table as CSV, .xlsx or .parquet.")
    return text, found


def find_dialect(text: str) -> Dialect:
    """Return the dialect that the beginning of a text is written in."""
    sample = text[:SAMPLE_CHARACTERS]
    whole = len(sample) == len(text)
    clean = [d for d in DELIMITERS if _is_rectangle(sample, Dialect(d), whole)]
    if len(clean) == 1:
        return _with_spaces(sample, _with_apostrophes(sample, Dialect(clean[0])))
    found = _ask_clevercsv(sample)
    if found is not None and (not clean or found.delimiter in clean):
        return _with_spaces(sample, _with_apostrophes(sample, found))
    if clean:
        widths = {d: len(next(_parse(sample, Dialect(d)))) for d in clean}
        return _with_apostrophes(sample, Dialect(max(clean, key=lambda d: widths[d])))
    return Dialect(max(DELIMITERS, key=lambda d: sample.partition("\n")[0].count(d)))


def parse(text: str, dialect: Dialect, max_cells: int) -> tuple[Rows, list[int]]:
    """Return the cells of every row that is not blank, and the line each row ends on.

    Raises:
        TableError: if a quoted cell never ends or there are more than `max_cells` cells.
    """
    try:
        return _collect(text, dialect, max_cells, strict=True)
    except csv.Error:
        # Strict reading also refuses text after a closing quote ("5" disk), which is harmless.
        pass
    try:
        rows, lines = _collect(f"{text}\n{_END}", dialect, max_cells, strict=False)
    except csv.Error as error:
        raise TableError(
            f"The file cannot be read as CSV ({error}); see whether a quote is never closed."
        ) from None
    if rows.pop() != [_END]:
        start = lines[-2] + 1 if len(lines) > 1 else 1
        raise TableError(
            f"A quoted value that begins near line {start} never ends; add the closing quote."
        )
    return rows, lines[:-1]


def _find_encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:4096]
    if b"\x00" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.2 * len(head) and min(even, odd) <= 0.02 * len(head):
            return "utf-16-le" if odd > even else "utf-16-be"
        raise TableError("The file is not text; save the table as CSV, .xlsx or .parquet.")
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    import charset_normalizer

    sample = data[:2_000_000]
    odd_lines = b"\n".join(line for line in sample.splitlines() if not line.isascii())
    matches = list(charset_normalizer.from_bytes(odd_lines[:64_000], cp_isolation=_CODE_PAGES))
    if _looks_western(sample):
        # A few accents fit many code pages equally well; the most used one is then the best bet.
        surest = max((match.coherence for match in matches), default=0.0)
        western = [match for match in matches if "cp1252" in match.could_be_from_charset]
        if surest < 0.2 or any(match.coherence >= surest - 0.3 for match in western):
            return "cp1252"
    return str(matches[0].encoding) if matches else "latin-1"


def _looks_western(sample: bytes) -> bool:
    """Whether the bytes read as cp1252 are mostly plain letters, with accents here and there."""
    try:
        letters = [sign for sign in sample.decode("cp1252") if sign.isalpha()]
    except UnicodeDecodeError:
        return False
    return sum(not sign.isascii() for sign in letters) <= 0.4 * len(letters)


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise TableError(
            f"The file is not written in {encoding}: byte {error.start + 1} does not fit; "
            "choose another encoding."
        ) from None
    except LookupError:
        raise TableError(f"There is no encoding named {encoding!r}.") from None


def _reader(text: str, dialect: Dialect, *, strict: bool) -> Iterator[list[str]]:
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=True,
        escapechar=dialect.escape or None,
        skipinitialspace=dialect.skip_space,
        strict=strict,
    )


def _parse(text: str, dialect: Dialect) -> Iterator[list[str]]:
    return (row for row in _reader(text, dialect, strict=False) if row)


def _collect(
    text: str, dialect: Dialect, max_cells: int, *, strict: bool
) -> tuple[Rows, list[int]]:
    rows: Rows = []
    lines: list[int] = []
    cells = 0
    reader = _reader(text, dialect, strict=strict)
    for row in reader:
        if not row or (len(row) == 1 and not row[0].strip()):
            continue
        rows.append(row)
        lines.append(reader.line_num)  # type: ignore[attr-defined]
        cells += len(row)
        if cells > max_cells:
            raise TableError(
                f"The table has more than {max_cells:,} cells; take fewer rows or columns."
            )
    return rows, lines


def _is_rectangle(sample: str, dialect: Dialect, whole: bool) -> bool:
    """Whether every row of the sample has the same two or more cells, quoted as RFC 4180 says."""
    rows: list[list[str]] = []
    try:
        for row in _reader(sample, dialect, strict=True):
            if row:
                rows.append(row)
            if len(rows) > SAMPLE_ROWS:
                break
        else:
            if not whole:
                rows = rows[:-1]
    except csv.Error:
        if whole or len(rows) < 2:
            return False
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1}:
        return False
    unquoted = re.compile(
        f'[^"{re.escape(dialect.delimiter)}\r\n]"[^"{re.escape(dialect.delimiter)}\r\n]'
    )
    return '"' not in sample or not unquoted.search(sample)


def _ask_clevercsv(sample: str) -> Dialect | None:
    import clevercsv

    lines = sample[:CLEVERCSV_CHARACTERS]
    if len(lines) < len(sample):
        lines = lines[: lines.rfind("\n") + 1] or lines
    found = clevercsv.Detector().detect(lines, delimiters=[*DELIMITERS, " ", ":", "^", "~"])
    if found is None or not found.delimiter:
        return None
    dialect = Dialect(found.delimiter, found.quotechar or "", found.escapechar or "")
    if not dialect.quote and '"' in sample:
        dialect = Dialect(found.delimiter, '"', found.escapechar or "")
    return dialect


def _with_apostrophes(sample: str, dialect: Dialect) -> Dialect:
    """Take apostrophes for quotes where cells have them at both ends or at none.

    Some programs quote the names of columns alone, which says too little for a detector.
    """
    if '"' in sample or "'" not in sample:
        return dialect
    plain = replace(dialect, quote="")
    cells = [cell.strip() for row in _parse(sample, plain) for cell in row]
    at_an_end = [cell for cell in cells if cell.startswith("'") or cell.endswith("'")]
    wrapped = all(len(c) > 1 and c[0] == c[-1] == "'" and "'" not in c[1:-1] for c in at_an_end)
    return replace(dialect, quote="'") if at_an_end and wrapped else dialect


def _with_spaces(sample: str, dialect: Dialect) -> Dialect:
    """Note whether (nearly) every delimiter is followed by a space that is no part of the value."""
    delimiter = dialect.delimiter
    if delimiter.isspace():
        return dialect
    parts = sample.count(delimiter)
    spaced = sample.count(delimiter + " ")
    return Dialect(delimiter, dialect.quote, dialect.escape, spaced > 0.95 * parts)


def cell_texts(rows: Sequence[Sequence[str]], position: int) -> list[str]:
    """Return one column of the rows."""
    return [row[position] for row in rows]
