"""What kind of thing each column holds, guessed by one list of rules.

The first rule that applies decides; n is the number of rows with a value, d of different values.

1.  No value at all → set aside (as a constant).
2.  d = 1 → set aside as a constant.
3.  d = 2 → binary, whatever the two values are (0/1, yes/no, 1/2).
4.  All different, none missing, whole numbers or words under a name such as ``id`` or
    ``customer_id``, or whole numbers that only count the rows (1…n or 0…n-1 in any order, n ≥ 20)
    → set aside as an identifier.
5.  Whole numbers ("41.0" is whole) → integer. Other numbers → numeric. Texts with leading zeros
    (``007``) or beyond 64 bits are codes, not numbers. A currency sign or % that stands at every
    value is taken off.
6.  Dates or times in one written form → datetime.
7.  d ≤ 20 → categorical.
8.  Four words or more on average and d > n/2 → set aside as free text.
9.  d > 0.9 n → set aside as an identifier.
10. d > n/2 → set aside as free text (names, tickets: hardly a value comes twice).
11. Anything else → categorical.

``ordinal`` is never guessed: only the analyst knows the order of the values.
"""

import re
from dataclasses import dataclass

import numpy as np

from causalmix_core.table.columns import RawColumn
from causalmix_core.table.kinds import Kind

ALWAYS_CATEGORICAL = 20
COUNTED_ROWS = 20
FREE_TEXT_WORDS = 4

_ID_NAME = re.compile(
    r"(?:.*[_\W])?(?:id|ids|uuid|guid|key|index|idx|rowid|row_?(?:number|num|no|nr)|nr|serial)"
    r"|.*[a-z](?:ID|Id|Key|Index)|unnamed: ?\d+",
)


@dataclass(frozen=True)
class Guess:
    """The kind a column seems to have; `reason` says in words why it is set aside, if it is."""

    kind: Kind
    reason: str | None = None


def guess_kind(column: RawColumn) -> Guess:
    """Return the kind that the rules above give a column."""
    rows, different = column.present, column.different
    if rows == 0:
        return Guess(Kind.CONSTANT, "all values are missing")
    if different == 1:
        beside = f" (the other {len(column) - rows} are missing)" if rows < len(column) else ""
        return Guess(Kind.CONSTANT, f"one value only, {_short(column.values[0])}{beside}")
    if len(column.values) == 2:
        return Guess(Kind.BINARY)
    if _is_identifier(column):
        return Guess(Kind.IDENTIFIER, "a different value in every row, and named like one")
    if column.numbers is not None:
        return _guess_number(column)
    if column.date_formats:
        return Guess(Kind.DATETIME)
    if different <= ALWAYS_CATEGORICAL:
        return Guess(Kind.CATEGORICAL)
    return _guess_words(column)


def _is_identifier(column: RawColumn) -> bool:
    if column.different < len(column) or (column.numbers and column.whole_numbers is None):
        return False
    return bool(_ID_NAME.fullmatch(column.name) or _ID_NAME.fullmatch(column.name.lower()))


def _guess_number(column: RawColumn) -> Guess:
    whole = column.whole_numbers
    if whole is None:
        return Guess(Kind.NUMERIC)
    if column.different == len(column) >= COUNTED_ROWS and min(whole) in (0, 1):
        if max(whole) - min(whole) == len(column) - 1:
            return Guess(Kind.IDENTIFIER, "it only counts the rows")
    return Guess(Kind.INTEGER)


def _guess_words(column: RawColumn) -> Guess:
    rows, different = column.present, column.different
    in_words = f"{different} different values in {rows} rows"
    lengths = np.array([len(text.split()) for text in column.values])
    words = float(lengths[column.codes[column.codes >= 0]].mean())
    if words >= FREE_TEXT_WORDS and different > rows / 2:
        return Guess(Kind.TEXT, f"free text: {in_words}")
    if different > 0.9 * rows:
        return Guess(Kind.IDENTIFIER, f"it names the rows: {in_words}")
    if different > rows / 2:
        return Guess(Kind.TEXT, f"hardly a value comes twice: {in_words}")
    return Guess(Kind.CATEGORICAL)


def _short(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:29] + "…")
