"""What a table looks like: one small plot per column, missing values, associations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from causalmix_core.table import Kind
from ui.charts.grid import in_full, panels, place, shorten, ticks
from ui.palette import BLUE, GREY, VERMILLION

MOST_LEVELS = 8
LABEL_LENGTH = 16
"""Characters of a category: a label beside a bar that is just too short for it must still fit."""


def column_figure(frame: pd.DataFrame, kinds: dict[str, Kind], across: int = 4) -> go.Figure:
    """Draw one small plot per column: a histogram for numbers and dates, bars for categories.

    Categories beyond the `MOST_LEVELS` most frequent are summed up in a last bar.
    """
    columns = list(frame.columns)
    figure = panels([f"{column}" for column in columns], across)
    across = min(across, len(columns))
    for index, column in enumerate(columns):
        values = frame[column].dropna()
        where = place(index, across)
        if kinds[column].is_number:
            numbers = values if kinds[column] is Kind.DATETIME else values.astype(float)
            figure.add_trace(
                go.Histogram(x=numbers, nbinsx=24, marker_color=BLUE, name=shorten(column)), **where
            )
        else:
            counts = values.astype(str).value_counts()
            top = counts.head(MOST_LEVELS)
            labels = [shorten(level, LABEL_LENGTH) for level in top.index]
            full = in_full(top.index)
            heights = top.tolist()
            if len(counts) > MOST_LEVELS:
                labels.append(f"{len(counts) - MOST_LEVELS} others")
                full.append(labels[-1])
                heights.append(int(counts.iloc[MOST_LEVELS:].sum()))
            figure.add_trace(
                go.Bar(
                    x=heights,
                    y=list(range(len(labels))),
                    orientation="h",
                    text=labels,
                    textposition="auto",
                    insidetextanchor="start",
                    textangle=0,
                    textfont_size=10,
                    marker_color=[BLUE] * len(top) + [GREY] * (len(labels) - len(top)),
                    customdata=full,
                    hovertemplate="%{customdata}: %{x} rows<extra></extra>",
                    name=shorten(column),
                ),
                **where,
            )
            figure.update_yaxes(showticklabels=False, autorange="reversed", **where)
            figure.update_xaxes(range=[0, 1.25 * max(heights, default=1)], **where)
    figure.update_layout(showlegend=False, margin_t=40)
    return figure


def missing_figure(shares: pd.Series) -> go.Figure:
    """Draw the share of missing values per column (0..1), largest first."""
    ordered = shares[shares > 0].sort_values()
    figure = go.Figure(
        go.Bar(
            x=ordered.to_numpy(dtype=float),
            y=list(range(len(ordered))),
            orientation="h",
            marker_color=VERMILLION,
            customdata=in_full(ordered.index),
            hovertemplate="%{customdata}: %{x:.1%} missing<extra></extra>",
        )
    )
    figure.update_layout(
        height=60 + 24 * max(len(ordered), 2), margin={"l": 10, "r": 10, "t": 10, "b": 30}
    )
    figure.update_yaxes(**ticks(ordered.index))
    figure.update_xaxes(title="share of rows with no value", tickformat=".0%", range=[0, 1])
    return figure


def association_figure(matrix: pd.DataFrame, order: Sequence[str] | None = None) -> go.Figure:
    """Draw the matrix of associations (0 none .. 1 complete) between all columns."""
    names = list(order) if order is not None else list(matrix.columns)
    values = matrix.loc[names, names].to_numpy(dtype=float).copy()
    np.fill_diagonal(values, np.nan)
    full = in_full(names)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            customdata=[[f"{one} – {other}" for other in full] for one in full],
            zmin=0,
            zmax=1,
            colorscale="Blues",
            colorbar={"title": "strength", "thickness": 12},
            hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_xaxes(**ticks(names, 20, turned=True))
    figure.update_yaxes(**ticks(names, 20), autorange="reversed")
    figure.update_layout(height=180 + 22 * len(names), margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure
