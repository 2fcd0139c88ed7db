"""Where a model errs on the test rows: confusion matrix and calibration."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.charts.grid import in_full, shorten, ticks
from ui.palette import BLUE, GREY


def diagnosis_figure(diagnosis: Mapping[str, Any]) -> go.Figure:
    """Draw both side by side.

    Args:
        diagnosis: ``classes``, ``confusion`` (rows: true class, columns: predicted, counts) and
            ``calibration`` (per bin ``predicted``, ``observed``, ``rows``), as runs keep it.
    """
    classes = diagnosis["classes"]
    full = in_full(classes)
    counts = np.asarray(diagnosis["confusion"], dtype=int)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    bins = diagnosis["calibration"]
    two = len(classes) == 2
    second = shorten(classes[-1], 16)
    said = f"said probability of {second}" if two else "said probability of the guess"
    seen = f"share of {second}" if two else "share of right guesses"
    figure = make_subplots(
        rows=1,
        cols=2,
        subplot_titles=["True class against predicted class", "What was said against what was"],
        horizontal_spacing=0.16,
    )
    figure.add_trace(
        go.Heatmap(
            z=shares,
            customdata=[[f"true {one}, predicted {other}" for other in full] for one in full],
            text=counts,
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale="Blues",
            showscale=False,
            hovertemplate="%{customdata}: %{text} rows<extra></extra>",
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": GREY, "dash": "dash", "width": 1.5},
            hoverinfo="skip",
        ),
        row=1,
        col=2,
    )
    rows = np.array([each["rows"] for each in bins], dtype=float)
    figure.add_trace(
        go.Scatter(
            x=[each["predicted"] for each in bins],
            y=[each["observed"] for each in bins],
            mode="lines+markers",
            line={"color": BLUE, "width": 2},
            marker={"size": 6 + 18 * np.sqrt(rows / max(rows.max(initial=1.0), 1.0))},
            customdata=rows,
            hovertemplate="said %{x:.0%}, was %{y:.0%} (%{customdata:.0f} rows)<extra></extra>",
        ),
        row=1,
        col=2,
    )
    figure.update_annotations(font_size=13)
    places = ticks(classes, 16)
    figure.update_xaxes(title_text="predicted", **places, row=1, col=1)
    figure.update_yaxes(title_text="true", **places, autorange="reversed", row=1, col=1)
    figure.update_xaxes(title_text=said, tickformat=".0%", range=[-0.03, 1.03], row=1, col=2)
    figure.update_yaxes(title_text=seen, tickformat=".0%", range=[-0.03, 1.03], row=1, col=2)
    figure.update_layout(height=360, showlegend=False, margin={"l": 10, "r": 10, "t": 40, "b": 10})
    return figure
