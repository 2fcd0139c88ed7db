"""How sure the search is: the probabilistic adjacency matrix."""

import numpy as np
import plotly.graph_objects as go

from causalmix_core.graph import MixedGraph
from ui.charts.grid import shorten


def adjacency_figure(graph: MixedGraph) -> go.Figure:
    """Draw the share of resamples in which each pair of columns was joined by an edge."""
    index = {node: i for i, node in enumerate(graph.nodes)}
    values = np.zeros((len(index), len(index)))
    for pair in graph.pairs:
        i, j = index[pair.source], index[pair.target]
        values[i, j] = values[j, i] = pair.adjacent
    np.fill_diagonal(values, np.nan)
    labels = [shorten(node, 20) for node in graph.nodes]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=labels,
            y=labels,
            zmin=0,
            zmax=1,
            colorscale="Blues",
            colorbar={"title": "joined in", "tickformat": ".0%", "thickness": 12},
            hovertemplate="%{y} – %{x}: joined in %{z:.0%} of resamples<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(height=180 + 22 * len(labels), margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure
