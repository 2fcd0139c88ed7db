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
    "recall_rare": "Recall of the rare class",
    "log_loss": "Log loss",
    "loss": "Training loss",
    "learning_rate": "Learning rate",
    "seconds": "Seconds per step",
}
FEWEST_FOR_BAND = 3
Kept = Mapping[tuple[str, int], int]
ONE_SPLIT = ("loss", "learning_rate", "seconds")
CASE = ["table", "budget", "seed"]
SPLIT_WORDS = {"train": "training", "validation": "validation", "test": "test", "domain": "domain"}


def _mean_and_range(series: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return mean, quartiles and count over the runs, as far as at least half of them have got.

    Runs stop at different steps: a mean over the few that went on would jump for no other reason.
    """
    wide = pd.concat([run.set_index("step")["value"] for run in series], axis=1)
    wide = wide[2 * wide.notna().sum(axis=1) >= len(series)]
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
    best_steps: Kept | None = None,
    smoothing: float = 0.0,
) -> go.Figure:
    """Draw one panel per (split, metric), one colour per method.

    Args:
        curves: columns ``method, seed, step, split, metric, value``.
        wanted: the panels, such as ``("validation", "roc_auc")``.
        best_steps: the step that early stopping chose, per (method, seed).
        smoothing: weight of the past in an exponential average; 0 draws what was measured.

    Every run is a thin line and the mean over seeds a thick one as far as half of the runs have got
    (they stop at different steps), with a band between the quartiles
    from `FEWEST_FOR_BAND` seeds on. The score of a method that takes no steps is a horizontal line,
    its mean over the seeds that the curves of the same panel have.
    The kept step is a dotted upright line where a method has one run, else a small upright mark
    on every run's line.
    """
    figure = panels(
        [panel_title(*each) for each in wanted],
        across=3 if len(wanted) > 2 else len(wanted),
        height=330,
        gap=105,
    )
    across = min(3, len(wanted))
    named: set[str] = set()
    for index, (split, metric) in enumerate(wanted):
        where = place(index, across)
        part = curves[(curves["split"] == split) & (curves["metric"] == metric)]
        trained = part[[learns(str(method)) for method in part["method"]]]
        for name, of_method in part.groupby("method", sort=False):
            method = str(name)
            if not learns(method):
                of_method = of_method if trained.empty else _same_cases(of_method, trained)
            if of_method.empty:
                continue
            shown = method not in named
            named.add(method)
            if learns(method):
                runs = _smoothed(of_method, smoothing)
                _draw_method(figure, where, method, runs, best_steps or {}, metric, shown)
            else:
                _draw_level(figure, where, method, of_method, int(part["step"].max()), shown)
        if not part.empty:
            _room_around(figure, where, part["value"])
    figure.update_xaxes(title_text="step", title_font_size=11)
    # About four names fit beside each other; further ones need lines of their own above the panels.
    more = 22 * max(0, (len(named) - 1) // 4)
    figure.update_layout(margin_t=figure.layout.margin.t + more, height=figure.layout.height + more)
    figure.update_layout(hovermode="closest", uirevision="curves")
    return figure


def multiples_figure(
    curves: pd.DataFrame,
    curve: tuple[str, str],
    best_steps: Kept | None = None,
    smoothing: float = 0.0,
    per_run: bool = False,
) -> go.Figure:
    """Draw one small panel per method (or per run) of one curve, all on the same scale.

    Args:
        curves: columns ``method, seed, step, split, metric, value``.
        curve: (split, metric).
        best_steps: the step that early stopping chose, per (method, seed).
        smoothing: as in `curve_figure`.
        per_run: a panel per method and seed instead of one per method.

    Every panel repeats the level of ``none`` on its own seeds as a grey dashed line.
    """
    split, metric = curve
    part = curves[(curves["split"] == split) & (curves["metric"] == metric)]
    trained = part[[learns(str(method)) for method in part["method"]]]
    keys = ["method", "seed"] if per_run else ["method"]
    cells = [(key, cell) for key, cell in trained.groupby(keys, sort=False)]
    titles = [
        method_label(str(key[0])) + (f", seed {key[1]}" if per_run else "") for key, _ in cells
    ]
    if not cells:
        return go.Figure()
    across = min(4, len(cells))
    figure = panels(titles, across=across, height=200, gap=75)
    reference = part[part["method"] == "none"]
    last, named = int(part["step"].max()), False
    for index, (key, cell) in enumerate(cells):
        where, method = place(index, across), str(key[0])
        level = _same_cases(reference, cell)
        if not level.empty:
            _draw_level(figure, where, "none", level, last, not named)
            named = True
        runs = _smoothed(cell, smoothing)
        _draw_method(figure, where, method, runs, best_steps or {}, metric, False)
    _room_around(figure, {}, part["value"])
    # One scale, so that panels can be compared; zooming one zooms all.
    figure.update_yaxes(matches="y")
    figure.update_xaxes(matches="x")
    figure.update_layout(hovermode="closest", uirevision=f"multiples-{split}-{metric}-{per_run}")
    return figure


def _same_cases(level: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the points of the tables, budgets and seeds that others were measured on too."""
    keys = [name for name in CASE if name in level]
    return level[pd.MultiIndex.from_frame(level[keys]).isin(pd.MultiIndex.from_frame(others[keys]))]


def panel_title(split: str, metric: str) -> str:
    """What a panel of a split's metric is called."""
    if metric in ONE_SPLIT:
        return METRIC_WORDS[metric]
    return f"{METRIC_WORDS.get(metric, metric)}, {SPLIT_WORDS[split]} rows"


def _room_around(figure: go.Figure, where: Mapping[str, int], values: pd.Series) -> None:
    """Give a panel whose values are all the same an axis around that value."""
    value = float(values.min())
    if not values.max() - value <= 1e-9 * max(1.0, abs(value)):
        return
    room = 0.02 * abs(value) or 0.02
    figure.update_yaxes(
        range=[value - 2 * room, value + 2 * room],
        # No share is more than 1.
        tickvals=[tick for tick in (value - room, value, value + room) if tick <= 1 or value > 1],
        tickformat=".4~g",
        **where,
    )


def _smoothed(of_method: pd.DataFrame, smoothing: float) -> list[pd.DataFrame]:
    """Return each seed's curve, averaged with its past where that is asked for."""
    runs = [run.sort_values("step") for _, run in of_method.groupby("seed")]
    if smoothing > 0:
        runs = [run.assign(value=run["value"].ewm(alpha=1 - smoothing).mean()) for run in runs]
    return runs


def _draw_level(
    figure: go.Figure,
    where: Mapping[str, int],
    method: str,
    runs: pd.DataFrame,
    last: int,
    named: bool,
) -> None:
    """Draw the mean score of a method that takes no steps as a horizontal line."""
    style = look(method)
    cases = [name for name in CASE if name in runs]
    level = float(runs.groupby(cases)["value"].first().mean())
    figure.add_trace(
        go.Scatter(
            x=[0, max(last, 1)],
            y=[level, level],
            mode="lines",
            line={"color": style.color, "dash": style.dash, "width": 2},
            legendgroup=method,
            name=method_label(method),
            showlegend=named,
            hovertemplate="%{y:.4f}",
        ),
        **where,
    )


def _draw_method(
    figure: go.Figure,
    where: Mapping[str, int],
    method: str,
    runs: Sequence[pd.DataFrame],
    best_steps: Kept,
    metric: str,
    named: bool,
) -> None:
    """Draw a method's runs, their mean and spread, and where early stopping chose."""
    style = look(method)
    summary = _mean_and_range(runs)
    hidden = {"hoverinfo": "skip", "legendgroup": method, "showlegend": False}
    if len(runs) >= FEWEST_FOR_BAND:
        figure.add_trace(
            go.Scatter(
                x=[*summary.index, *summary.index[::-1]],
                y=[*summary["high"], *summary["low"][::-1]],
                mode="lines",  # with few points plotly would add markers
                fill="toself",
                fillcolor=style.faint(0.13),
                line={"width": 0},
                **hidden,
            ),
            **where,
        )
    if len(runs) > 1:
        for run in runs:
            figure.add_trace(
                go.Scatter(
                    x=run["step"],
                    y=run["value"],
                    mode="lines",
                    line={"color": style.faint(0.45 if len(runs) < 6 else 0.25), "width": 1},
                    **hidden,
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
            hovertemplate="step %{x}: %{y:.4f}, n = %{customdata}",
            legendgroup=method,
            name=method_label(method) + (f", n = {len(runs)}" if len(runs) > 1 else ""),
            showlegend=named,
        ),
        **where,
    )
    if metric in ONE_SPLIT:
        return
    chosen = [(run, best_steps.get((method, int(run["seed"].iloc[0])))) for run in runs]
    if len(runs) == 1 and chosen[0][1] is not None:
        figure.add_vline(
            x=chosen[0][1], line={"color": style.color, "width": 1, "dash": "dot"}, **where
        )
        return
    marks = [
        (step, float(run.loc[run["step"] == step, "value"].iloc[0]))
        for run, step in chosen
        if step is not None and (run["step"] == step).any()
    ]
    if marks:
        figure.add_trace(
            go.Scatter(
                x=[step for step, _ in marks],
                y=[value for _, value in marks],
                mode="markers",
                marker={
                    "symbol": "line-ns",
                    "size": 13,
                    "line": {"color": style.color, "width": 2},
                },
                hovertemplate="kept: step %{x}, %{y:.4f}",
                name=method_label(method),
                legendgroup=method,
                showlegend=False,
            ),
            **where,
        )


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
