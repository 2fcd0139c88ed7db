"""What charts share: names on axes, and the frame of small multiples, one panel per column."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

PANEL_HEIGHT = 190
HOVER_LENGTH = 80
_TITLE_LENGTH = 26
_MOST_TURNED = 60
"""So many labels stand side by side, turned, before they cover each other."""


def shorten(text: object, length: int = _TITLE_LENGTH) -> str:
    """Cut a long name so that it fits, and take the meaning out of what plotly reads as markup."""
    plain = " ".join(str(text).split())
    cut = plain if len(plain) <= length else plain[: length - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def ticks(
    names: Sequence[object], length: int = _TITLE_LENGTH, turned: bool = False
) -> dict[str, Any]:
    """Return the ticks of an axis on which name number i stands at i.

    Names as values of an axis would be one place where they are cut alike, and numbers where they
    look like numbers. Names side by side are turned, and too many of them are labelled at steps.
    """
    step = ceil(len(names) / _MOST_TURNED) if turned and names else 1
    labelled = range(0, len(names), step)
    return {
        "tickvals": list(labelled),
        "ticktext": [shorten(names[i], length) for i in labelled],
    }


def in_full(names: Sequence[object]) -> list[str]:
    """Return names as they stand where the mouse rests."""
    return [shorten(name, HOVER_LENGTH) for name in names]


def panels(
    titles: Sequence[str],
    across: int = 4,
    height: int = PANEL_HEIGHT,
    gap: int = 62,
    length: int = _TITLE_LENGTH,
) -> go.Figure:
    """Return an empty grid with one panel per title, cut to `length`; sizes in pixels."""
    across = max(1, min(across, len(titles)))
    down = ceil(len(titles) / across)
    total = down * height + 80
    figure = make_subplots(
        rows=down,
        cols=across,
        subplot_titles=[shorten(title, length) for title in titles],
        horizontal_spacing=min(0.06, 0.8 / across),
        vertical_spacing=min(0.4, gap / total) if down > 1 else 0.1,
    )
    figure.update_annotations(font_size=13 if length == _TITLE_LENGTH else 12)
    figure.update_layout(
        height=total,
        margin={"l": 36, "r": 10, "t": 40, "b": 30},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "yref": "container", "x": 0},
        bargap=0.15,
    )
    figure.update_layout(legend={"y": 0.995, "yanchor": "top"})
    figure.update_layout(margin_t=70)
    figure.update_xaxes(tickfont_size=10, nticks=4, automargin=False)
    figure.update_yaxes(tickfont_size=10, nticks=3, automargin=False)
    return figure


def place(index: int, figure_columns: int) -> dict[str, int]:
    """Return plotly's row and column (both from 1) of the panel number `index` (from 0)."""
    return {"row": index // figure_columns + 1, "col": index % figure_columns + 1}
