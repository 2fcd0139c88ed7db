"""Experiments with different settings on the same rows, side by side."""

import pandas as pd
import plotly.graph_objects as go

from ui.charts.grid import ticks
from ui.palette import GREY, look, method_label


def policy_figure(table: pd.DataFrame) -> go.Figure:
    """Draw each method's median gain with its interval, one row per experiment's settings.

    Args:
        table: columns ``settings, method, improvement, low, high`` (percent).
    """
    figure = go.Figure()
    methods = list(dict.fromkeys(table["method"]))
    rows = list(dict.fromkeys(table["settings"]))
    for place, method in enumerate(methods):
        style, mine = look(str(method)), table[table["method"] == method]
        # Methods of one experiment stand a little below each other.
        offset = (place - (len(methods) - 1) / 2) * 0.7 / max(len(methods), 1)
        figure.add_trace(
            go.Scatter(
                x=mine["improvement"],
                y=[rows.index(settings) + offset for settings in mine["settings"]],
                mode="markers",
                name=method_label(str(method)),
                marker={"color": style.color, "size": 9, "symbol": style.symbol},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": (mine["high"] - mine["improvement"]).fillna(0),
                    "arrayminus": (mine["improvement"] - mine["low"]).fillna(0),
                    "color": style.color,
                    "thickness": 1.5,
                },
                hovertemplate="%{x:+.2f} %<extra>" + method_label(str(method)) + "</extra>",
            )
        )
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5, "dash": "dash"})
    figure.update_yaxes(
        **ticks(rows, 60),
        autorange="reversed",
        automargin=True,
    )
    figure.update_xaxes(title="change of test ROC-AUC against no fine-tuning, in percent")
    figure.update_layout(
        height=140 + len(rows) * max(46, 20 * len(methods)),
        margin={"l": 10, "r": 10, "t": 40, "b": 40},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        uirevision="policies",
    )
    return figure
