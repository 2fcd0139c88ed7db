"""Texts that are dates or times, in one of the usual written forms."""

import re
from collections.abc import Sequence
from datetime import datetime

import pandas as pd

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f")
_ISO_TIMES = ("T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f")
_ZONES = ("", "%z")

ISO = "ISO8601"  # any mixture of ISO 8601 dates and times; it is no `strftime` format

FORMATS: tuple[str, ...] = tuple(
    [day + time for day in _DAYS for time in _TIMES]
    + ["%Y-%m-%d" + time for time in _ISO_TIMES]
    + ["%Y-%m-%d" + time + "%z" for time in (*_TIMES[1:], *_ISO_TIMES)]
    + [ISO]
)
"""Tried in this order; the first that reads every value is taken (month first before day first)."""

_SWAPPABLE = ("%m/%d/", "%d/%m/")
_ISO_PERIOD = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?)?)?"
)
_ISO_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_SHAPE = re.compile(
    r"[0-9]{1,4}[-/. ][0-9A-Za-z]{1,9}[-/. ][0-9]{1,4}.*|[A-Z][a-z]{2,8} [0-9]{1,2}, .*"
)


def find_date_formats(texts: Sequence[str]) -> list[str]:
    """Return every known format that reads all the texts (two where day and month could swap)."""
    if not texts or not all(len(text) < 40 and _SHAPE.fullmatch(text.strip()) for text in texts):
        return []
    return [
        form for form in FORMATS if _reads(texts[0], form) and parse_dates(texts, form) is not None
    ]


def could_be_swapped(forms: Sequence[str]) -> bool:
    """Whether both orders of day and month are among the `forms` that read a column."""
    return all(any(form.startswith(order) for form in forms) for order in _SWAPPABLE)


def choose_date_format(forms: Sequence[str], expected: str) -> str | None:
    """Return which of `forms` to read a column by that another table writes as `expected`.

    That form itself; else one that puts day and month as it does, or that cannot be mistaken; None
    where there is no such one ("03/04/2024" beside 2024-12-31, or 12/31/2024 beside 31/12/2024).
    """
    if expected in forms:
        return expected
    day = expected[:8]
    sure = [form for form in forms if form.startswith(day) or not form.startswith(_SWAPPABLE)]
    return sure[0] if sure else None


def parse_dates(texts: Sequence[str], form: str) -> "pd.Series[pd.Timestamp] | None":
    """Return the texts as datetime64[us] (a stated zone is turned into UTC), or None."""
    stripped = pd.Series([text.strip() for text in texts], dtype="str")
    zoned = form.endswith("%z")
    try:
        stamps = pd.to_datetime(stripped, format=form, errors="coerce", utc=zoned)
    except (ValueError, OverflowError):
        return None
    if stamps.isna().any():
        return None
    if zoned:
        stamps = stamps.dt.tz_localize(None)
    return stamps.astype("datetime64[us]")


def named_period(text: str, form: str | None) -> str | None:
    """Return the year, month, day or moment that a text names, or None where it names none.

    Args:
        text: ISO 8601 (``2024``, ``2024-01``, ``2024-01-31``, the day with a time), or a day or
            moment written as `form`.
        form: one of `FORMATS`: how the column writes its dates; None where nobody knows.

    Returns:
        The beginning that `iso_texts` of all dates in that period have in common.
    """
    text = text.strip()
    if _ISO_PERIOD.fullmatch(text):
        return text.replace("T", " ")
    if form is None or form == ISO:
        return None
    moment = None if form in _DAYS else parse_dates([text], form)
    if moment is not None:
        return str(iso_texts(moment)[0])
    day = parse_dates([text], next((day for day in _DAYS if form.startswith(day)), form))
    return None if day is None else str(iso_texts(day)[0])[:10]


def iso_texts(stamps: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    """Return dates as ISO 8601 texts to the microsecond, "" where there is none."""
    return stamps.dt.strftime("%Y-%m-%d %H:%M:%S.%f").fillna("")


def _reads(text: str, form: str) -> bool:
    if form == ISO:
        return bool(_ISO_SHAPE.match(text.strip()))
    try:
        datetime.strptime(text.strip(), form)
    except ValueError:
        return False
    return True
