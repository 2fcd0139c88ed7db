"""Signs that stand beside numbers: currencies and per cent."""

from collections.abc import Sequence

UNITS = "$€£¥%"


def common_unit(texts: Sequence[str]) -> str:
    """Return the sign that every text begins or ends with; "" without one."""
    found = {_unit_of(text.strip()) for text in texts}
    return found.pop() if len(found) == 1 else ""


def take_off(text: str, unit: str) -> str:
    """Return a text without the unit at its beginning (also after a minus) or end."""
    text = text.strip()
    if text.endswith(unit):
        return text[: -len(unit)].rstrip()
    minus = text[:1] if text[:1] in "+-" else ""
    return minus + text[len(minus) :].removeprefix(unit).lstrip()


def _unit_of(text: str) -> str:
    if text[-1:] in UNITS:
        return text[-1:]
    start = text.lstrip("+-")[:1]
    return start if start in UNITS else ""
