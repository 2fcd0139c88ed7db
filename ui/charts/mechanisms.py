"""How well every column follows from its causes, and what is left over."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.charts.grid import in_full, ticks
from ui.palette import BLUE, GREY

_STEPS = 9


def explained(node: Mapping[str, Any]) -> float | None:
    """Return the share of a column that its causes explain, on rows not used to fit.

    R² for numbers, the share of the log loss that goes away for categories (McFadden 1974); below
    zero where the causes mislead; None for a column without causes.
    """
    if node["score"] is None:
        return None
    if node["score_name"] == "R²":
        return float(node["score"])
    return 1 - float(node["score"]) / float(node["baseline"]) if node["baseline"] else None


def explained_figure(nodes: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw the share of every column that its causes explain, the largest on top."""
    shares = {node["node"]: explained(node) for node in reversed(nodes)}
    known = sorted(
        ((share, name) for name, share in shares.items() if share is not None),
        key=lambda pair: pair[0],
    )
    values = [max(share, -0.2) for share, _ in known]
    names = [name for _, name in known]
    figure = go.Figure()
    for value, place in zip(values, range(len(names)), strict=True):
        figure.add_shape(
            type="line", x0=0, x1=value, y0=place, y1=place, line={"color": GREY, "width": 1.5}
        )
    figure.add_trace(
        go.Scatter(
            x=values,
            y=list(range(len(names))),
            mode="markers",
            marker={"color": BLUE, "size": 10},
            customdata=[f"{share:.0%}" for share, _ in known],
            text=in_full(names),
            hovertemplate="%{text}: %{customdata}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.update_yaxes(**ticks(names, 24), automargin=True, range=[-0.6, len(names)])
    figure.update_xaxes(
        title="explained by its causes",
        tickformat=".0%",
        range=[min([*values, 0]) - 0.05, 1.02],
    )
    figure.update_layout(
        height=90 + 26 * max(len(names), 1),
        margin={"l": 10, "r": 10, "t": 10, "b": 45},
        showlegend=False,
    )
    return figure


def residual_figure(node: Mapping[str, Any]) -> go.Figure:
    """Draw what is left of a number against its prediction, and how it is spread."""
    predicted, residual = np.asarray(node["predicted"]), np.asarray(node["residual"])
    figure = make_subplots(
        rows=1,
        cols=2,
        shared_yaxes=True,
        column_widths=[0.72, 0.28],
        horizontal_spacing=0.03,
    )
    figure.add_trace(
        go.Scatter(
            x=predicted,
            y=residual,
            mode="markers",
            marker={"color": BLUE, "size": 5, "opacity": 0.8},
            hovertemplate="predicted %{x:.3g}, left %{y:.3g}<extra></extra>",
        ),
        row=1,
        col=1,
    )
    if len(np.unique(predicted)) > 2 * _STEPS:
        edges = np.quantile(predicted, np.linspace(0, 1, _STEPS + 1))
        slot = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, _STEPS - 1)
        kept = [step for step in range(_STEPS) if (slot == step).any()]
        figure.add_trace(
            go.Scatter(
                x=[float(predicted[slot == step].mean()) for step in kept],
                y=[float(np.median(residual[slot == step])) for step in kept],
                mode="lines",
                line={"color": GREY, "width": 3},
                hovertemplate="middle %{y:.3g}<extra></extra>",
            ),
            row=1,
            col=1,
        )
    figure.add_trace(
        go.Histogram(y=residual, nbinsy=30, marker_color=BLUE, opacity=0.7, hoverinfo="skip"),
        row=1,
        col=2,
    )
    figure.add_hline(y=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(title="predicted from its causes", row=1, col=1)
    figure.update_xaxes(title="rows", row=1, col=2)
    figure.update_yaxes(title="what is left", row=1, col=1)
    figure.update_layout(
        height=300, margin={"l": 10, "r": 10, "t": 10, "b": 45}, showlegend=False, bargap=0.05
    )
    return figure
