"""Naming things in sentences."""

from collections.abc import Sequence

SHOWN = 8


def list_names(names: Sequence[str], word: str = "column", plural: str | None = None) -> str:
    """Say "the column 'a'", or "the columns 'a', 'b' and 3 more"."""
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"the {word if len(names) == 1 else plural or word + 's'} {shown}{more}"
