"""How sure the search is: the probabilistic adjacency matrix."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from causalmix_core.graph import Edge, Mark, MixedGraph
from causalmix_core.graph.words import mark_sign
from ui.charts.grid import in_full, shorten, ticks
from ui.palette import BLUE, GREY, VERMILLION


def adjacency_figure(graph: MixedGraph) -> go.Figure:
    """Draw the share of resamples in which each pair of columns was joined by an edge."""
    index = {node: i for i, node in enumerate(graph.nodes)}
    values = np.zeros((len(index), len(index)))
    for pair in graph.pairs:
        i, j = index[pair.source], index[pair.target]
        values[i, j] = values[j, i] = pair.adjacent
    np.fill_diagonal(values, np.nan)
    full = in_full(graph.nodes)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            customdata=[[f"{one} – {other}" for other in full] for one in full],
            zmin=0,
            zmax=1,
            colorscale="Blues",
            colorbar={"title": "joined in", "tickformat": ".0%", "thickness": 12},
            hovertemplate="%{customdata}: joined in %{z:.0%} of resamples<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_xaxes(**ticks(graph.nodes, 20, turned=True))
    figure.update_yaxes(**ticks(graph.nodes, 20), autorange="reversed")
    figure.update_layout(
        height=180 + 22 * len(graph.nodes), margin={"l": 10, "r": 10, "t": 10, "b": 10}
    )
    return figure


_HUES = {"PC": (BLUE, ""), "FCI": (VERMILLION, "/")}  # the pattern tells them apart without colour


def marks_figure(one: str, other: str, shares: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Draw in which share of the searches a pair came out in which way, a bar per algorithm.

    `shares` maps an algorithm to the share of every mark pair ``"<mark at one>-<mark at other>"``
    or ``"none"``.
    """
    most = {key: max(each.get(key, 0.0) for each in shares.values()) for key in _keys(shares)}
    keys = sorted(most, key=lambda key: (key == "none", -most[key], key))
    labels = [_label(key, shorten(one, 16), shorten(other, 16)) for key in keys]
    figure = go.Figure()
    for name, each in shares.items():
        colour, pattern = _HUES.get(name, (GREY, ""))
        figure.add_bar(
            y=labels,
            x=[each.get(key, 0.0) for key in keys],
            name=name,
            orientation="h",
            marker={"color": colour, "pattern": {"shape": pattern}},
            text=[f"{each.get(key, 0.0):.0%}" for key in keys],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.0%}<extra>" + name + "</extra>",
        )
    figure.update_xaxes(range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(
        height=90 + 24 * len(keys) * (len(shares) + 0.4),
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        showlegend=len(shares) > 1,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
    )
    return figure


def _keys(shares: Mapping[str, Mapping[str, float]]) -> set[str]:
    return {key for each in shares.values() for key in each}


def _label(key: str, one: str, other: str) -> str:
    if key == "none":
        return "no edge"
    first, last = (Mark(mark) for mark in key.split("-"))
    return f"{one} {mark_sign(Edge('a', 'b', first, last))} {other}"
