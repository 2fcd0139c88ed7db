"""Texts that are numbers, exactly.

A whole number is read as a Python int, so that no digit is lost; anything else by ``float``,
which is correctly rounded. Texts such as ``007`` or a 20-digit card number (beyond 64 bits) are
codes, not numbers: arithmetic on them means nothing and would lose digits.
"""

import re
from collections.abc import Iterable, Sequence
from math import isfinite

from causalmix_core.table.units import UNITS

Number = int | float

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(
    r"[+-]?[1-9][0-9]{0,2}([,'’\u00a0\u202f])[0-9]{3}(?:\1[0-9]{3})*(?:\.[0-9]*)?"
)
_CODE = re.compile(r"[+-]?0[0-9]+")
_CODE_LINE = re.compile(r"^\s*[+-]?0[0-9]+\s*$", re.MULTILINE)
_CLEAR_COMMA = re.compile(
    r"[+-]?(?:[0-9]*,(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,}),[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+)"
)
_CLEAR_POINT = re.compile(
    r"[+-]?(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,})\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+)"
)
_UNCLEAR_COMMA = re.compile(r"[+-]?[0-9]{1,3},[0-9]{3}")
_SWAP = str.maketrans(",.", ".,")
_EXACT_FLOAT = 2**53


def parse_number(text: str, decimal: str = ".") -> Number | None:
    """Return the number a text stands for, or None where it stands for none.

    `decimal` is "." or ","; the other one, an apostrophe or a no-break space may separate groups
    of three digits.
    """
    text = text.strip()
    if decimal == ",":
        text = text.translate(_SWAP)
    if _CODE.fullmatch(text):
        return None
    if not _PLAIN.fullmatch(text):
        grouped = _GROUPED.fullmatch(text)
        if not grouped:
            return None
        text = text.replace(grouped[1], "")
    try:
        whole = int(text)
    except ValueError:
        number = float(text)
    else:
        return whole if -(2**63) <= whole < 2**63 else None
    return number if abs(number) != float("inf") else None


def parse_numbers(texts: Sequence[str], decimal: str = ".") -> list[Number] | None:
    """Return the numbers the texts stand for, or None as soon as one of them stands for none."""
    quick = _parse_plainly(texts) if decimal == "." else None
    if quick is not None:
        return quick
    numbers: list[Number] = []
    for text in texts:
        number = parse_number(text, decimal)
        if number is None:
            return None
        numbers.append(number)
    return numbers


def _parse_plainly(texts: Sequence[str]) -> list[Number] | None:
    """Do the same at once where every text is a plain number; None if that is not sure."""
    try:
        floats = list(map(float, texts))
    except ValueError:
        return None
    joined = "\n".join(texts)
    if not joined.isascii() or "_" in joined or _CODE_LINE.search(joined):
        return None
    if not all(map(isfinite, floats)) or max(map(abs, floats), default=0.0) >= 2**63:
        return None
    if not set(".eE") & set(joined):
        return list(map(int, texts))
    return [
        number if "." in text or "e" in text or "E" in text else int(text)
        for text, number in zip(texts, floats, strict=True)
    ]


def as_whole(number: Number) -> int | None:
    """Return the number as an int where it is whole and exact ("41.0" is 41), else None."""
    if isinstance(number, int):
        return number
    if number.is_integer() and abs(number) <= _EXACT_FLOAT:
        return int(number)
    return None


def find_decimal(
    texts: Iterable[str], prefers_comma: bool = False, expected: str | None = None
) -> str:
    """Return the decimal mark that most of the texts use.

    A mark before exactly three digits says nothing (it may separate thousands); `prefers_comma`
    decides where only such texts are found, as in files with semicolons between the cells, and
    before it the `expected` mark, where there is one.
    """
    commas = points = unclear = 0
    for text in texts:
        text = text.strip(f" {UNITS}\u00a0\u202f")
        if _CLEAR_COMMA.fullmatch(text):
            commas += 1
        elif _CLEAR_POINT.fullmatch(text):
            points += 1
        elif _UNCLEAR_COMMA.fullmatch(text):
            unclear += 1
    if commas == points:
        if expected is not None:
            return expected
        return "," if prefers_comma and unclear and not points else "."
    return "," if commas > points else "."
