"""Real and synthetic columns side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from causalmix_core.table import Kind
from ui.charts.grid import in_full, panels, place, ticks
from ui.palette import look

MOST_LEVELS = 10
FEW_LEVELS = 3
"""So many labels stand side by side; more are turned."""
LABEL_LENGTH = 12
_CURVE_POINTS = 200


def _ecdf(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `_CURVE_POINTS` points (value, share of rows at or below it)."""
    dates = pd.api.types.is_datetime64_any_dtype(values)
    plain = values.dropna()
    numbers = np.sort(plain.to_numpy(dtype="datetime64[us]" if dates else "float64"))
    if not len(numbers):
        return numbers, np.array([])
    ranks = np.unique(np.linspace(0, len(numbers) - 1, _CURVE_POINTS).astype(int))
    return numbers[ranks], (ranks + 1) / len(numbers)


def marginal_figure(
    real: pd.DataFrame,
    synthetic: Mapping[str, pd.DataFrame],
    kinds: Mapping[str, Kind],
    columns: Sequence[str],
    across: int = 3,
) -> go.Figure:
    """Draw, per column, real rows beside the rows of every generator.

    Numbers and dates as cumulative shares (no choice of bins; the largest vertical gap is the
    Kolmogorov-Smirnov distance), categories as shares side by side in one order.
    """
    figure = panels(list(columns), across, height=250, gap=84, length=20)
    figure.update_layout(margin_b=60)
    across = min(across, len(columns))
    frames = {"real": real, **synthetic}
    for index, column in enumerate(columns):
        where = place(index, across)
        levels = real[column].dropna().astype(str).value_counts().index[:MOST_LEVELS]
        for role, frame in frames.items():
            style = look(role)
            shared = {
                "name": style.label,
                "legendgroup": role,
                "showlegend": index == 0,
            }
            if kinds[column].is_number:
                x, y = _ecdf(frame[column])
                line = {
                    "color": style.color,
                    "dash": style.dash,
                    "width": 3.5 if role == "real" else 2,
                    "shape": "hv",
                }
                figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, **shared), **where)
            else:
                shares = frame[column].dropna().astype(str).value_counts(normalize=True)
                figure.add_trace(
                    go.Bar(
                        x=list(range(len(levels))),
                        y=[float(shares.get(level, 0.0)) for level in levels],
                        marker_color=style.color,
                        customdata=in_full(levels),
                        hovertemplate="%{customdata}: %{y:.1%}",
                        **shared,
                    ),
                    **where,
                )
        if kinds[column].is_number:
            figure.update_yaxes(range=[0, 1.02], tickformat=".0%", **where)
        else:
            figure.update_yaxes(rangemode="tozero", tickformat=".0%", **where)
            figure.update_xaxes(
                **ticks(levels, LABEL_LENGTH),
                tickangle=-45 if len(levels) > FEW_LEVELS else 0,
                **where,
            )
    figure.update_layout(hovermode="closest", barmode="group")
    return figure


def distance_figure(distances: pd.DataFrame) -> go.Figure:
    """Draw the distance of every column (rows) for every generator (columns), 0 alike .. 1."""
    roles = list(distances.columns)
    figure = go.Figure()
    for role in roles:
        style = look(role)
        figure.add_trace(
            go.Scatter(
                x=distances[role].to_numpy(dtype=float),
                y=list(range(len(distances))),
                mode="markers",
                name=style.label,
                marker={"color": style.color, "symbol": style.symbol, "size": 11},
                customdata=in_full(distances.index),
                hovertemplate="%{customdata}: %{x:.3f}<extra>" + style.label + "</extra>",
            )
        )
    figure.update_layout(
        height=110 + 24 * len(distances),
        margin={"l": 10, "r": 10, "t": 40, "b": 40},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(title="distance to the real rows (0 = alike)", rangemode="tozero")
    figure.update_yaxes(**ticks(distances.index), autorange="reversed")
    return figure
