"""Text as pages show it: that of a file made safe for Streamlit's markdown, and nothing at all."""

NO_FIGURE = "–"
"""What stands in a table where there is no figure, as for the spread of a single run."""

_MARKUP = "\\`*_{}[]()<>#+!|~$:"


def plain(text: object) -> str:
    """Keep text from being read as markup.

    Column names and values come from uploads: unescaped, one of them could be an image that the
    browser would fetch from another machine.
    """
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in str(text))
