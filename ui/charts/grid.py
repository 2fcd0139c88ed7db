"""The frame of small multiples: one panel per column, the same height and margins everywhere."""

from collections.abc import Sequence
from math import ceil

import plotly.graph_objects as go
from plotly.subplots import make_subplots

PANEL_HEIGHT = 190
_TITLE_LENGTH = 26


def shorten(text: object, length: int = _TITLE_LENGTH) -> str:
    """Cut a long name so that it fits, and take the meaning out of what plotly reads as markup."""
    plain = " ".join(str(text).split())
    cut = plain if len(plain) <= length else plain[: length - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
