"""How fine-tuning went: curves over steps, and what each method gained."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ui.charts.grid import panels, place
from ui.palette import learns, look, method_label

METRIC_WORDS = {
    "roc_auc": "ROC-AUC",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "loss": "Training loss",
    "learning_rate": "Learning rate",
    "seconds": "Seconds per step",
}
FEW_SEEDS = 5
ONE_SPLIT = ("loss", "learning_rate", "seconds")
SPLIT_WORDS = {"train": "training", "validation": "validation", "test": "test", "domain": "domain"}


def _mean_and_range(series: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return mean, quartiles and count over the runs that have reached each step."""
    wide = pd.concat([run.set_index("step")["value"] for run in series], axis=1)
    return pd.DataFrame(
        {
            "mean": wide.mean(axis=1),
            "low": wide.quantile(0.25, axis=1),
            "high": wide.quantile(0.75, axis=1),
            "n": wide.notna().sum(axis=1),
        }
    ).sort_index()


def curve_figure(
    curves: pd.DataFrame,
    wanted: Sequence[tuple[str, str]],
    best_steps: Mapping[tuple[str, int], int] | None = None,
    smoothing: float = 0.0,
) -> go.Figure:
    """Draw one panel per (split, metric), one colour per method.

    Args:
        curves: columns ``method, seed, step, split, metric, value``.
        wanted: the panels, such as ``("validation", "roc_auc")``.
        best_steps: the step that early stopping chose, per (method, seed).
        smoothing: weight of the past in an exponential average; 0 draws what was measured.

    Every run is a thin line and the mean over seeds a thick one; with more than `FEW_SEEDS` seeds
    a band between the quartiles takes the place of the thin lines. The score of a method
    that takes no steps is a horizontal line.
    """
    titles = [
        METRIC_WORDS[m] if m in ONE_SPLIT else f"{METRIC_WORDS.get(m, m)}, {SPLIT_WORDS[s]} rows"
        for s, m in wanted
    ]
    figure = panels(titles, across=3 if len(wanted) > 2 else len(wanted), height=330, gap=105)
    across = min(3, len(wanted))
    named: set[str] = set()
    for index, (split, metric) in enumerate(wanted):
        where = place(index, across)
        part = curves[(curves["split"] == split) & (curves["metric"] == metric)]
        for method, of_method in part.groupby("method", sort=False):
            method = str(method)
            style = look(method)
            runs = [run.sort_values("step") for _, run in of_method.groupby("seed")]
            if smoothing > 0:
                runs = [
                    run.assign(value=run["value"].ewm(alpha=1 - smoothing).mean()) for run in runs
                ]
            label = {
                "legendgroup": method,
                "name": method_label(method),
                "showlegend": method not in named,
            }
            named.add(method)
            if not learns(method):
                level = float(np.mean([run["value"].iloc[0] for run in runs]))
                last = int(part["step"].max())
                figure.add_trace(
                    go.Scatter(
                        x=[0, max(last, 1)],
                        y=[level, level],
                        mode="lines",
                        line={"color": style.color, "dash": style.dash, "width": 2},
                        **label,
                    ),
                    **where,
                )
                continue
            summary = _mean_and_range(runs)
            if len(runs) > FEW_SEEDS:
                band = [*summary["high"], *summary["low"][::-1]]
                figure.add_trace(
                    go.Scatter(
                        x=[*summary.index, *summary.index[::-1]],
                        y=band,
                        fill="toself",
                        fillcolor=style.faint(0.13),
                        line={"width": 0},
                        hoverinfo="skip",
                        legendgroup=method,
                        showlegend=False,
                    ),
                    **where,
                )
            elif len(runs) > 1:
                for run in runs:
                    figure.add_trace(
                        go.Scatter(
                            x=run["step"],
                            y=run["value"],
                            mode="lines",
                            line={"color": style.faint(0.45), "width": 1},
                            hoverinfo="skip",
                            legendgroup=method,
                            showlegend=False,
                        ),
                        **where,
                    )
            figure.add_trace(
                go.Scatter(
                    x=summary.index,
                    y=summary["mean"],
                    mode="lines+markers" if len(summary) < 40 else "lines",
                    marker={"size": 4, "symbol": style.symbol},
                    line={"color": style.color, "dash": style.dash, "width": 2.5},
                    customdata=summary["n"],
                    hovertemplate="step %{x}: %{y:.4f} (mean of %{customdata})",
                    **label,
                ),
                **where,
            )
            chosen = {step for (name, _), step in (best_steps or {}).items() if name == method}
            if len(chosen) == 1 and len(runs) == 1:
                figure.add_vline(
                    x=chosen.pop(), line={"color": style.color, "width": 1, "dash": "dot"}, **where
                )
    figure.update_xaxes(title_text="step", title_font_size=11)
    figure.update_layout(hovermode="closest", uirevision="curves")
    return figure


def improvement_figure(improvements: pd.DataFrame) -> go.Figure:
    """Draw the normalised improvement over no fine-tuning (percent): a dot per run, its median.

    Args:
        improvements: columns ``method, seed, improvement``.
    """
    figure = go.Figure()
    for method, runs in improvements.groupby("method", sort=False):
        style, label = look(str(method)), method_label(str(method))
        values = runs["improvement"].to_numpy(dtype=float)
        figure.add_trace(
            go.Scatter(
                x=values,
                y=[label] * len(values),
                mode="markers",
                marker={"color": style.color, "size": 9, "opacity": 0.55, "symbol": style.symbol},
                hovertemplate="%{x:+.2f} %<extra>" + label + "</extra>",
                showlegend=False,
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[float(np.median(values))],
                y=[label],
                mode="markers",
                marker={
                    "color": style.color,
                    "symbol": "line-ns",
                    "size": 26,
                    "line": {"width": 3, "color": style.color},
                },
                hovertemplate="median %{x:+.2f} %<extra>" + label + "</extra>",
                showlegend=False,
            )
        )
    figure.add_vline(x=0, line={"color": "#737373", "width": 1.5, "dash": "dash"})
    figure.update_layout(
        height=110 + 42 * improvements["method"].nunique(),
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
    )
    figure.update_xaxes(title="change of test ROC-AUC against no fine-tuning, in percent")
    figure.update_yaxes(autorange="reversed")
    return figure
