"""Text as pages show it: that of a file made safe for Streamlit's markdown, counts, and nothing."""

NO_FIGURE = "–"
"""What stands in a table where there is no figure, as for the spread of a single run."""

_MARKUP = "\\`*_{}[]()<>#+!|~$:"


def counted(number: int, thing: str) -> str:
    """Say how many there are: ``1 edge``, ``2,000 rows``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def plain(text: object) -> str:
    """Keep text from being read as markup.

    Column names and values come from uploads: unescaped, one of them could be an image that the
    browser would fetch from another machine.
    """
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in str(text))
