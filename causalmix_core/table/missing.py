"""Which cell texts mean that a value is missing."""

from collections.abc import Sequence

MISSING_TOKENS: tuple[str, ...] = (
    "",
    "NA",
    "N/A",
    "n/a",
    "na",
    "#N/A",
    "#NA",
    "<NA>",
    "NaN",
    "nan",
    "-nan",
    "-NaN",
    "NaT",
    "NULL",
    "Null",
    "null",
    "?",
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
)
"""Missing wherever they stand (after spaces around them are dropped)."""

MISSING_AMONG_NUMBERS: frozenset[str] = frozenset(
    {
        *("none", "-", "--", "---", ".", "..", "…", "–", "—", "*", "missing", "unknown"),
        *("not available", "not applicable", "n.a.", "n.a", "k.a.", "nd", "n/d", "nil", "#"),
        *("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", "1.#ind", "-1.#ind"),
        *("1.#qnan", "-1.#qnan", "(null)", "[null]", "\\n"),
    }
)
"""Missing only in a column whose other values are all numbers or dates; in lower case.

Between words they may well be a category of their own ("none" other debtors, "unknown" job).
"""


def is_missing(text: str, tokens: Sequence[str] = MISSING_TOKENS) -> bool:
    """Say whether a cell text means that there is no value."""
    return text.strip() in tokens


def is_missing_among_numbers(text: str) -> bool:
    """Say whether a cell text means that there is no value, in a column of numbers or dates."""
    return text.strip().lower() in MISSING_AMONG_NUMBERS
