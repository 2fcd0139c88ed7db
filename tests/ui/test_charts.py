"""Charts say what they are given: values, order, looks, and nothing that a name smuggles in."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from causalmix_core.graph import Edge, MixedGraph, PairFrequencies
from causalmix_core.table import Kind
from ui.charts import (
    adjacency_figure,
    association_figure,
    column_figure,
    curve_figure,
    diagnosis_figure,
    distance_figure,
    domain_figure,
    improvement_figure,
    marginal_figure,
    missing_figure,
    multiples_figure,
    policy_figure,
    rank_figure,
)
from ui.palette import look


def curves(method: str, seed: int, values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": method,
            "seed": seed,
            "step": range(len(values)),
            "split": "test",
            "metric": "roc_auc",
            "value": values,
        }
    )


def test_the_thick_curve_is_the_mean_over_seeds() -> None:
    both = pd.concat([curves("default", 0, [0.5, 0.7]), curves("default", 1, [0.7, 0.9])])
    figure = curve_figure(both, [("test", "roc_auc")])
    [thick] = [trace for trace in figure.data if trace.line.width == 2.5]
    assert list(thick.y) == pytest.approx([0.6, 0.8])
    thin = [trace for trace in figure.data if trace.line.width == 1]
    assert sorted(tuple(trace.y) for trace in thin) == [(0.5, 0.7), (0.7, 0.9)]


def test_many_seeds_are_summed_up_by_a_band_between_the_quartiles() -> None:
    runs = pd.concat([curves("default", seed, [seed / 10]) for seed in range(9)])
    figure = curve_figure(runs, [("test", "roc_auc")])
    [band] = [trace for trace in figure.data if trace.fill == "toself"]
    assert set(np.round(band.y, 6)) == {0.2, 0.6}


def test_no_fine_tuning_is_a_horizontal_line_over_all_steps() -> None:
    both = pd.concat([curves("none", 0, [0.6]), curves("default", 0, [0.6, 0.7, 0.8])])
    figure = curve_figure(both, [("test", "roc_auc")])
    [level] = [trace for trace in figure.data if trace.line.color == look("none").color]
    assert list(level.x) == [0, 2]
    assert list(level.y) == [0.6, 0.6]


def test_the_level_of_no_fine_tuning_is_over_the_seeds_of_the_curves_beside_it() -> None:
    runs = [curves("none", 0, [0.6]), curves("none", 1, [0.9]), curves("none", 2, [0.3])]
    runs += [curves("default", 0, [0.6, 0.7]), curves("smote", 0, [0.6, 0.8])]
    runs += [curves("smote", 1, [0.9, 0.8])]
    wide = pd.concat(runs)

    def levels(figure: go.Figure) -> list[float]:
        grey = look("none").color
        return [float(trace.y[0]) for trace in figure.data if trace.line.color == grey]

    assert levels(curve_figure(wide, [("test", "roc_auc")])) == pytest.approx([0.75])
    per_method = multiples_figure(wide, ("test", "roc_auc"))
    assert levels(per_method) == pytest.approx([0.6, 0.75])
    without = wide[(wide["method"] != "none") | (wide["seed"] > 0)]
    per_run = multiples_figure(without, ("test", "roc_auc"), per_run=True)
    assert levels(per_run) == pytest.approx([0.9])
    assert [trace.name for trace in per_run.data if trace.showlegend] == ["No fine-tuning"]


def test_a_constant_score_has_an_axis_around_it() -> None:
    flat = curves("default", 0, [0.9, 0.9, 0.9])
    moving = curves("default", 0, [0.5, 0.7]).assign(split="validation")
    wanted = [("test", "roc_auc"), ("validation", "roc_auc")]
    layout = curve_figure(pd.concat([flat, moving]), wanted).layout
    low, high = layout.yaxis.range
    assert 0.85 < low < 0.9 < high < 0.95
    assert all(low < tick < high for tick in layout.yaxis.tickvals)
    assert 0.9 in layout.yaxis.tickvals
    assert layout.yaxis2.range is None
    assert multiples_figure(flat, ("test", "roc_auc")).layout.yaxis.range == (low, high)
    perfect = curve_figure(curves("default", 0, [1.0]), [("test", "roc_auc")]).layout.yaxis
    assert max(perfect.tickvals) == 1.0
    zero = curve_figure(curves("default", 0, [0.0]), [("test", "roc_auc")]).layout.yaxis
    assert zero.range[0] < 0 < zero.range[1]


def test_smoothing_changes_nothing_unless_asked_for() -> None:
    wild = curves("default", 0, [0.1, 0.9, 0.1, 0.9])
    [raw] = curve_figure(wild, [("test", "roc_auc")]).data
    [smooth] = curve_figure(wild, [("test", "roc_auc")], smoothing=0.9).data
    assert list(raw.y) == [0.1, 0.9, 0.1, 0.9]
    assert np.ptp(smooth.y) < np.ptp(raw.y)


def test_cumulative_curves_end_at_one_and_rise() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"a": rng.normal(size=500)})
    figure = marginal_figure(
        real, {"causal": pd.DataFrame({"a": rng.normal(size=90)})}, {"a": Kind.NUMERIC}, ["a"]
    )
    for trace in figure.data:
        assert trace.y[-1] == pytest.approx(1.0)
        assert (np.diff(trace.y) > 0).all()
        assert (np.diff(trace.x) >= 0).all()


def test_category_shares_are_shares_of_known_values_in_the_real_order() -> None:
    real = pd.DataFrame({"c": ["x"] * 6 + ["y"] * 3 + [np.nan]})
    made = pd.DataFrame({"c": ["y"] * 4})
    figure = marginal_figure(real, {"smote": made}, {"c": Kind.CATEGORICAL}, ["c"])
    of_real, of_smote = figure.data
    assert list(of_real.x) == [0, 1]
    assert list(figure.layout.xaxis.ticktext) == ["x", "y"]
    assert list(of_real.y) == pytest.approx([2 / 3, 1 / 3])
    assert list(of_smote.y) == [0.0, 1.0]


def test_long_categories_are_cut_in_the_drawing_but_stay_two() -> None:
    long = ["domestic appliances, new", "domestic appliances, used"]
    frame = pd.DataFrame({"c": long * 3})
    kinds = {"c": Kind.CATEGORICAL}
    [bars] = column_figure(frame, kinds).data
    assert {len(text) for text in bars.text} == {16}
    assert all(text.endswith("…") for text in bars.text)
    assert sorted(bars.customdata) == long
    figure = marginal_figure(frame, {}, kinds, ["c"])
    assert len(figure.data[0].y) == len(set(figure.data[0].x)) == 2
    assert all(text.endswith("…") for text in figure.layout.xaxis.ticktext)
    assert sorted(figure.data[0].customdata) == long


ALIKE = ["share of households without a car, 2019", "share of households without a car, 2020"]


@pytest.mark.parametrize("names", [ALIKE, ["2019", "2020"]], ids=["cut alike", "numbers"])
def test_every_name_has_a_place_of_its_own(names: list[str]) -> None:
    zeros = pd.DataFrame(0.5, index=names, columns=names)
    pairs = [f"{one} – {other}" for one in names for other in names]
    truths = [f"true {one}, predicted {other}" for one in names for other in names]
    diagnosis = {"classes": names, "confusion": [[1, 2], [3, 4]], "calibration": []}
    graph = MixedGraph(nodes=tuple(names), edges=())
    for figure, hovers in (
        (missing_figure(pd.Series([0.1, 0.2], index=names)), names),
        (distance_figure(pd.DataFrame({"mixup": [0.1, 0.2]}, index=names)), names),
        (association_figure(zeros), pairs),
        (adjacency_figure(graph), pairs),
        (diagnosis_figure(diagnosis), truths),
    ):
        drawn = figure.data[0]
        axes = [figure.layout.yaxis]
        if drawn.type == "heatmap":  # its cells stand at 0, 1, … where no places are given
            assert (drawn.x, drawn.y) == (None, None)
            axes.append(figure.layout.xaxis)
        else:
            assert list(drawn.y) == [0, 1]
        for axis in axes:
            assert list(axis.tickvals) == [0, 1]
            assert len(axis.ticktext) == 2
        assert np.ravel(drawn.customdata).tolist() == hovers
        assert "%{customdata}" in drawn.hovertemplate


def test_so_many_names_side_by_side_are_labelled_at_steps() -> None:
    graph = MixedGraph(nodes=tuple(f"column {k}" for k in range(130)), edges=())
    layout = adjacency_figure(graph).layout
    assert list(layout.xaxis.tickvals) == list(range(0, 130, 3))
    assert layout.xaxis.ticktext[1] == "column 3"
    assert len(layout.yaxis.tickvals) == 130


def test_names_are_never_read_as_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    frame = pd.DataFrame({evil: ["<b>", "b"]})
    figures = [
        column_figure(frame, {evil: Kind.CATEGORICAL}),
        marginal_figure(frame, {"mixup": frame}, {evil: Kind.CATEGORICAL}, [evil]),
        missing_figure(pd.Series({evil: 0.5, "other": 0.1})),
        association_figure(pd.DataFrame([[1.0]], index=[evil], columns=[evil])),
        distance_figure(pd.DataFrame({"mixup": [0.1]}, index=[evil])),
    ]
    for figure in figures:
        shown = json.dumps(figure.to_dict(), default=list, ensure_ascii=False)
        assert "<img" not in shown
        assert "<b>" not in shown


def test_the_adjacency_map_shows_how_often_pairs_were_joined() -> None:
    pairs = (PairFrequencies("a", "b", {"tail-arrow": 0.7, "none": 0.3}),)
    graph = MixedGraph(nodes=("a", "b", "c"), edges=(Edge("a", "b"),), pairs=pairs)
    [heat] = adjacency_figure(graph).data
    assert heat.z[0][1] == pytest.approx(0.7)
    assert heat.z[1][0] == pytest.approx(0.7)
    assert heat.z[0][2] == 0.0


def test_improvements_show_every_run_and_the_median() -> None:
    gained = pd.DataFrame({"method": "default", "seed": [0, 1, 2], "improvement": [1.0, 5.0, 2.0]})
    dots, median = improvement_figure(gained).data
    assert sorted(dots.x) == [1.0, 2.0, 5.0]
    assert list(median.x) == [2.0]


def test_every_role_has_a_look_of_its_own() -> None:
    roles = ["real", "causal", "mixup", "smote", "default", "none"]
    looks = {(look(role).color, look(role).dash) for role in roles}
    assert len(looks) == len(roles)


def test_the_diagnosis_shows_counts_by_true_class_and_what_was_said() -> None:
    figure = diagnosis_figure(
        {
            "classes": ["no", "<b>yes"],
            "confusion": [[8, 2], [1, 9]],
            "calibration": [
                {"predicted": 0.2, "observed": 0.1, "rows": 10},
                {"predicted": 0.9, "observed": 0.9, "rows": 10},
            ],
        }
    )
    heat, line, points = figure.data
    assert np.asarray(heat.text).tolist() == [[8, 2], [1, 9]]
    assert np.asarray(heat.z).tolist() == [[0.8, 0.2], [0.1, 0.9]]
    assert list(line.x) == list(line.y) == [0, 1]
    assert list(points.y) == [0.1, 0.9]
    assert "<b>" not in json.dumps(figure.to_dict(), default=list)


def test_the_kept_step_is_a_mark_on_every_run_and_a_line_where_there_is_one() -> None:
    both = pd.concat([curves("default", 0, [0.5, 0.7]), curves("default", 1, [0.7, 0.9])])
    figure = curve_figure(both, [("test", "roc_auc")], {("default", 0): 1, ("default", 1): 0})
    [marks] = [trace for trace in figure.data if trace.mode == "markers"]
    assert sorted(zip(marks.x, marks.y, strict=True)) == [(0, 0.7), (1, 0.7)]
    assert not figure.layout.shapes
    alone = curve_figure(
        curves("default", 0, [0.5, 0.7]), [("test", "roc_auc")], {("default", 0): 1}
    )
    [line] = alone.layout.shapes
    assert line.x0 == line.x1 == 1


def test_small_multiples_have_a_panel_each_one_scale_and_the_level_of_no_fine_tuning() -> None:
    runs = [curves("none", seed, [0.6]) for seed in (0, 1)]
    runs += [curves(m, s, [0.6, 0.7]) for m in ("default", "smote") for s in range(10)]
    wide = pd.concat(runs)
    per_method = multiples_figure(wide, ("test", "roc_auc"))
    titles = [each.text for each in per_method.layout.annotations]
    assert titles == ["Real rows only", "Real + SMOTE rows"]
    per_run = multiples_figure(wide, ("test", "roc_auc"), per_run=True)
    assert len(per_run.layout.annotations) == 20
    levels = [trace for trace in per_run.data if trace.line.color == look("none").color]
    assert len(levels) == 4
    assert per_run.layout.yaxis2.matches == "y"
    assert per_run.layout.uirevision != per_method.layout.uirevision


def test_zoom_survives_new_points() -> None:
    short, long = curves("default", 0, [0.5]), curves("default", 0, [0.5, 0.6])
    first, second = (curve_figure(each, [("test", "roc_auc")]) for each in (short, long))
    assert first.layout.uirevision == second.layout.uirevision


def test_ranks_are_drawn_from_best_with_bars_over_what_cannot_be_told_apart() -> None:
    ranks = pd.Series({"none": 3.0, "default": 2.6, "causalmix": 1.0, "smote": 3.4})
    figure = rank_figure(ranks, 1.0, 5)
    texts = [trace.text[1] for trace in figure.data if trace.text and "·" in trace.text[1]]
    assert [text.split("·")[0].strip() for text in texts] == [
        "Real + causal rows",
        "Real rows only",
        "No fine-tuning",
        "Real + SMOTE rows",
    ]
    bars = [trace for trace in figure.data if trace.line.width == 6]
    assert [(round(min(b.x), 2), round(max(b.x), 2)) for b in bars] == [(2.57, 3.43)]
    assert not [t for t in rank_figure(ranks, float("nan"), 1).data if t.line.width == 6]


def test_domains_and_policies_are_drawn_as_given() -> None:
    summary = pd.DataFrame(
        {"method": ["none", "default"], "roc_auc_test": [0.8, 0.82], "roc_auc_domain": [0.7, 0.6]}
    )
    assert [tuple(t.x) for t in domain_figure(summary).data] == [(0.8, 0.7), (0.82, 0.6)]
    table = pd.DataFrame(
        {
            "settings": ["a<b", "c"],
            "method": ["default"] * 2,
            "improvement": [1.0, -1.0],
            "low": [0.5, np.nan],
            "high": [2.0, np.nan],
        }
    )
    figure = policy_figure(table)
    assert list(figure.data[0].error_x.arrayminus) == [0.5, 0.0]
    assert figure.layout.yaxis.ticktext == ("a&lt;b", "c")


def test_a_mean_ends_where_fewer_than_half_of_the_runs_go_on():
    rows = [
        ("default", seed, step, "validation", "roc_auc", 0.8 + 0.01 * seed)
        for seed, last in ((0, 2), (1, 2), (2, 6))
        for step in range(last + 1)
    ]
    curves = pd.DataFrame(rows, columns=["method", "seed", "step", "split", "metric", "value"])
    figure = curve_figure(curves, [("validation", "roc_auc")])
    assert all(trace.mode for trace in figure.data)
    (band,) = [trace for trace in figure.data if trace.fill]
    assert band.mode == "lines"
    lines = [trace for trace in figure.data if "lines" in trace.mode]
    assert max(max(line.x) for line in lines) == 6
    (mean,) = [line for line in lines if line.showlegend]
    assert list(mean.x) == [0, 1, 2]
    assert list(mean.y) == pytest.approx([0.81] * 3)
