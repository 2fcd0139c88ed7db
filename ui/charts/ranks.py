"""Average ranks of methods with the difference that chance explains."""

import pandas as pd
import plotly.graph_objects as go

from causalmix_core.experiment.statistics import cliques
from ui.palette import GREY, look, method_label


def rank_figure(ranks: "pd.Series[float]", difference: float, cases: int) -> go.Figure:
    """Draw a critical-difference diagram (Demšar, JMLR 2006): best rank left and lowest.

    Args:
        ranks: average rank per method, 1 is best.
        difference: Nemenyi's critical difference; NaN draws no bars.
        cases: how many tables, sizes and seeds were ranked.
    """
    ordered = ranks.sort_values(kind="stable")
    rows = len(ordered)
    figure = go.Figure()
    for place, (method, rank) in enumerate(ordered.items()):
        style = look(str(method))
        figure.add_trace(
            go.Scatter(
                x=[rank, rank],
                y=[0, place - rows],
                mode="lines+markers+text",
                line={"color": style.color, "width": 1.5, "dash": style.dash},
                marker={"color": style.color, "size": [0, 9], "symbol": style.symbol},
                text=["", f"  {method_label(str(method))} · {rank:.2f}"],
                textposition="middle right",
                hovertemplate=f"{method_label(str(method))}: rank {rank:.2f}<extra></extra>",
                showlegend=False,
            )
        )
    bars = cliques(ranks, difference) if difference == difference else []
    for level, (low, high) in enumerate(bars):
        height = 0.45 + 0.4 * level
        figure.add_trace(
            go.Scatter(
                x=[low - 0.03, high + 0.03],
                y=[height, height],
                mode="lines",
                line={"color": GREY, "width": 6},
                hovertemplate="cannot be told apart<extra></extra>",
                showlegend=False,
            )
        )
    top = 0.9 + 0.4 * len(bars)
    if difference == difference:
        figure.add_trace(
            go.Scatter(
                x=[1, 1 + min(difference, max(rows - 1, 1))],
                y=[top, top],
                mode="lines+markers+text",
                line={"color": GREY, "width": 1.5},
                marker={"color": GREY, "symbol": "line-ns-open", "size": 9},
                text=[
                    f"critical difference {difference:.2f}"
                    + (" (wider than the axis)" if difference > rows - 1 else ""),
                    "",
                ],
                textposition="top right",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.update_xaxes(
        title=f"average rank over {cases} comparisons, 1 is best",
        range=[0.8, rows + max(1.2, 0.32 * rows)],
        tickvals=list(range(1, rows + 1)),
        zeroline=False,
    )
    figure.update_yaxes(visible=False, range=[-(rows + 0.6), top + 0.8])
    figure.update_layout(
        height=110 + 26 * (rows + len(bars) + 1), margin={"l": 10, "r": 10, "t": 10, "b": 40}
    )
    return figure
