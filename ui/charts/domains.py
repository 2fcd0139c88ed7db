"""How methods fare on the rows of a domain that nothing was trained on."""

import pandas as pd
import plotly.graph_objects as go

from ui.palette import GREY, look, method_label


def domain_figure(summary: pd.DataFrame, metric: str = "roc_auc") -> go.Figure:
    """Draw each method's mean score on test rows (filled) and on the domain's rows (open).

    Args:
        summary: ``method`` and the metric's columns ending in ``_test`` and ``_domain``.
        metric: which.
    """
    figure = go.Figure()
    for row in summary.to_dict("records"):
        style, label = look(str(row["method"])), method_label(str(row["method"]))
        inside, outside = row[f"{metric}_test"], row[f"{metric}_domain"]
        figure.add_trace(
            go.Scatter(
                x=[inside, outside],
                y=[label, label],
                mode="lines+markers",
                line={"color": GREY, "width": 1.5},
                marker={
                    "color": style.color,
                    "size": 12,
                    "symbol": ["circle", "circle-open"],
                    "line": {"width": 2, "color": style.color},
                },
                text=["test rows", "held-out domain"],
                hovertemplate="%{text}: %{x:.4f}<extra>" + label + "</extra>",
                showlegend=False,
            )
        )
    figure.update_layout(
        height=100 + 34 * len(summary), margin={"l": 10, "r": 10, "t": 10, "b": 40}
    )
    figure.update_xaxes(title="ROC-AUC" if metric == "roc_auc" else metric.replace("_", " "))
    figure.update_yaxes(autorange="reversed")
    return figure
