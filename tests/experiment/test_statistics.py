"""Statistics over runs agree with figures worked out by hand or by scipy."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.experiment import statistics
from causalmix_core.experiment.experiment import summary_text

SCORES = {
    # case: none, default, causalmix
    ("t", 0): (0.80, 0.82, 0.84),
    ("t", 1): (0.80, 0.78, 0.82),
    ("u", 0): (0.50, 0.50, 0.55),
    ("u", 1): (0.60, 0.63, 0.60),
}


def _results(val_offset: float = 0.0) -> pd.DataFrame:
    rows = []
    for (table, seed), scores in SCORES.items():
        for method, score in zip(("none", "default", "causalmix"), scores, strict=True):
            rows.append(
                {
                    "table": table,
                    "budget": None,
                    "seed": seed,
                    "method": method,
                    "roc_auc_test": score,
                    "roc_auc_val": score * (1 + (val_offset if method != "none" else 0)),
                    "accuracy_test": score,
                    "log_loss_test": 1 - score,
                    "seconds": 2.0,
                    "status": "done",
                }
            )
    failed = {"table": "t", "seed": 7, "method": "default", "status": "failed"}
    return pd.DataFrame([*rows, failed])


def test_the_papers_example_of_a_normalised_improvement():
    assert statistics.improvement(0.9011, 0.9, "roc_auc") == pytest.approx(0.1222, abs=1e-4)
    assert statistics.improvement(0.9, 0.9, "roc_auc") == 0
    assert statistics.improvement(0.4, 0.5, "log_loss") == pytest.approx(20.0)
    assert math.isnan(statistics.improvement(0.4, math.nan, "roc_auc"))


def test_improvements_compare_within_a_case_only():
    found = statistics.improvements(_results())
    by_method = found.groupby("method")["improvement"].apply(lambda v: v.round(6).tolist())
    assert by_method["none"] == [0, 0, 0, 0]
    assert by_method["default"] == pytest.approx([2.5, -2.5, 0.0, 5.0])
    assert by_method["causalmix"] == pytest.approx([5.0, 2.5, 10.0, 0.0])
    losses = statistics.improvements(_results(), "log_loss")
    first = losses[(losses["method"] == "default") & (losses["table"] == "t")]["improvement"]
    assert first.iloc[0] == pytest.approx(-(0.18 / 0.20 - 1) * 100)


def _of_one_table() -> pd.DataFrame:
    """The same figures as if all were seeds of one table."""
    results = _results()
    other = results["table"] == "u"
    return results.assign(table="t", seed=results["seed"] + 10 * other)


def test_average_ranks_share_ties():
    ranks = statistics.ranks(_of_one_table())
    assert ranks["none"] == pytest.approx((3 + 2 + 2.5 + 2.5) / 4)
    assert ranks["default"] == pytest.approx((2 + 3 + 2.5 + 1) / 4)
    assert ranks["causalmix"] == pytest.approx((1 + 1 + 1 + 2.5) / 4)


def test_over_several_tables_each_counts_once_by_the_mean_of_its_seeds():
    results = _results()
    found = statistics.wide(results)
    assert found.index.get_level_values("table").tolist() == ["t", "u"]
    assert found.to_numpy().ravel() == pytest.approx([0, 0, 3.75, 0, 2.5, 5.0])
    assert statistics.ranks(results).to_dict() == {"none": 2.75, "default": 2.25, "causalmix": 1.0}
    duel = statistics.duel(results, "causalmix", "default")
    assert (duel.wins, duel.ties, duel.losses) == (2, 0, 0)
    assert duel.median == pytest.approx((3.75 + 2.5) / 2)
    # A seed that one of the two lacks does not count for the other either.
    lacking = results.drop(index=results.index[1])
    assert statistics.duel(lacking, "causalmix", "default").median == pytest.approx(
        ((2.5 + 2.5) + 2.5) / 2
    )
    summary = statistics.summarise(results).set_index("method")
    assert summary.loc["causalmix", "improvement"] == pytest.approx((3.75 + 5.0) / 2)
    assert "2 tables are too few" in statistics.verdict(results, "causalmix")
    copies = [results.assign(table=results["table"] + str(i)) for i in range(4)]
    said = statistics.verdict(pd.concat(copies), "causalmix")
    assert "is worth it on these tables" in said
    assert "over 8 tables" in said


def _of_sizes(sizes: dict[int, int], tables: str, seeds: int) -> pd.DataFrame:
    """Runs where causalmix gains alike at every budget; `sizes` says how many rows each has."""
    rows = []
    for table, budget, seed in product(tables, sizes, range(seeds)):
        for method, score in (("none", 0.7), ("causalmix", 0.71 + 0.001 * seed)):
            identity = {"table": table, "budget": budget, "seed": seed, "method": method}
            rows.append(identity | {"roc_auc_test": score, "roc_auc_val": score, "status": "done"})
            used = sizes[budget]
            rows[-1] |= {"train_rows": used - used // 3, "val_rows": used // 3, "seconds": 1.0}
            rows[-1] |= {"accuracy_test": score, "log_loss_test": 1 - score}
    return pd.DataFrame(rows)


def test_sizes_of_a_table_are_no_further_tables():
    results = _of_sizes({128: 128, 256: 256}, "abc", 3)
    assert len(statistics.wide(results)) == 3
    assert len(statistics.by_table(results)) == 6
    said = statistics.verdict(results, "causalmix")
    assert "over 3 tables" in said
    assert "can still be chance" in said
    # A table's figure is the mean over both of its sizes.
    better = results["roc_auc_test"].where(results["budget"] == 128, 0.7)
    only_one = results.assign(roc_auc_test=better)
    assert statistics.wide(only_one)["causalmix"].tolist() == pytest.approx(
        [100 * 0.0055 / 0.7] * 3
    )


def test_a_size_that_is_cut_to_another_one_counts_once():
    results = _of_sizes({128: 120, 256: 120, 60: 60}, "a", 3)
    assert len(statistics.wide(results)) == 6
    cut = _of_sizes({128: 120, 256: 120}, "a", 3)
    assert "over 3 runs" in statistics.verdict(cut, "causalmix")
    assert statistics.summarise(cut)["runs"].tolist() == [3, 3]
    said = summary_text(cut)
    assert "a: 256 labelled rows were asked for, 120 are used." in said
    assert "count once" in said
    assert "asked for" not in summary_text(_of_sizes({60: 60}, "a", 3))


def test_it_is_said_for_what_the_statistics_hold():
    assert "every table counts once" in summary_text(_results())
    assert "t: default +0.00, causalmix +3.75" in summary_text(_results())
    assert "u: default +2.50, causalmix +5.00" in summary_text(_results())
    assert "hold on these test rows" in summary_text(_of_one_table())
    assert "by table" not in summary_text(_of_one_table())


def test_the_critical_difference_is_demsars():
    # Demšar (2006), table 5: q(0.05) is 2.343 for 3 and 2.728 for 5 methods.
    assert statistics.critical_difference(3, 10) == pytest.approx(
        2.343 * math.sqrt(12 / 60), abs=1e-3
    )
    assert statistics.critical_difference(5, 30) == pytest.approx(
        2.728 * math.sqrt(30 / 180), abs=1e-3
    )


def test_a_duel_counts_wins_ties_and_losses():
    results = _of_one_table()
    duel = statistics.duel(results, "causalmix", "default")
    assert (duel.wins, duel.ties, duel.losses) == (3, 0, 1)
    assert duel.median == pytest.approx(np.median([2.5, 5.0, 10.0, -5.0]))
    back = statistics.duel(results, "default", "causalmix")
    assert (back.wins, back.losses) == (1, 3)
    assert statistics.duel(results, "none", "none").ties == 4


def test_the_gap_is_what_validation_promised_beyond_test():
    gaps = statistics.gap(_results(val_offset=0.03))
    tuned = gaps[gaps["method"] == "default"]["gap"]
    expected = [(s[1] * 1.03 / s[0] - s[1] / s[0]) * 100 for s in SCORES.values()]
    assert tuned.tolist() == pytest.approx(expected)
    assert gaps[gaps["method"] == "none"]["gap"].tolist() == pytest.approx([0, 0, 0, 0])


def test_the_curve_gap_is_one_minus_a_rank_correlation():
    up = np.arange(12.0)
    assert statistics.curve_gap(up, up**3) == pytest.approx(0.0)
    assert statistics.curve_gap(up, -up) == pytest.approx(2.0)
    assert math.isnan(statistics.curve_gap(up[:9], up[:9]))
    assert math.isnan(statistics.curve_gap(up, np.ones(12)))


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.integers(0, 5))
def test_a_bootstrap_interval_holds_the_median_and_repeats(values: list[float], seed: int):
    sample = np.array(values)
    low, high = statistics.bootstrap_median(sample, draws=200, seed=seed)
    assert sample.min() <= low <= high <= sample.max()
    assert (low, high) == statistics.bootstrap_median(sample, draws=200, seed=seed)


def test_the_interval_of_the_median_covers_it_about_as_often_as_promised():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        low, high = statistics.bootstrap_median(rng.normal(size=25), draws=300)
        covered += low <= 0 <= high
    assert 180 <= covered <= 200


def _many(shift: float) -> pd.DataFrame:
    rows = []
    for seed in range(12):
        noise = 0.004 * (1 + seed / 12) * (-1) ** seed
        for method, gain in (("none", 0.0), ("smote", shift + noise)):
            score = 0.8 * (1 + gain)
            rows.append(
                {"table": "t", "budget": 100, "seed": seed, "method": method, "status": "done"}
                | dict.fromkeys(("roc_auc_test", "roc_auc_val"), score)
            )
    return pd.DataFrame(rows)


def test_the_verdict_says_whether_it_was_worth_it():
    assert "smote is worth it on your table" in statistics.verdict(_many(0.02), "smote")
    assert "within noise" in statistics.verdict(_many(0.0), "smote")
    assert "makes the model worse" in statistics.verdict(_many(-0.02), "smote")
    few = _many(0.02)
    assert "2 comparable runs are too few" in statistics.verdict(few[few["seed"] < 2], "smote")
    assert "1 comparable run is too few" in statistics.verdict(few[few["seed"] < 1], "smote")


def test_agreement_of_a_few_runs_is_not_called_worth_it():
    ahead, behind = _many(0.02), _many(-0.02)
    for runs in (3, 5):
        said = statistics.verdict(ahead[ahead["seed"] < runs], "smote")
        assert "is ahead so far" in said
        assert "can still be chance" in said
        assert "is behind so far" in statistics.verdict(behind[behind["seed"] < runs], "smote")
    assert "worth it" in statistics.verdict(ahead[ahead["seed"] < 6], "smote")


def test_files_of_one_budget_are_read_like_those_of_several():
    results = _many(0.02).assign(accuracy_test=0.8, log_loss_test=0.4, seconds=1.0)
    points = [
        {"table": "t", "method": name, "seed": 0, "step": step, "split": split, "metric": "roc_auc"}
        | {"value": 0.5 + 0.01 * step}
        for name in ("none", "smote")
        for split in ("validation", "test")
        for step in range(12)
    ]
    curves = pd.DataFrame(points)
    lacking = statistics.summarise(results.drop(columns="budget"), curves)
    given_one = statistics.summarise(results, curves.assign(budget=100))
    pd.testing.assert_frame_equal(lacking, given_one)
    assert lacking["correlation_gap"].iloc[1] == pytest.approx(0.0)


def test_the_summary_has_a_line_per_method_and_names_what_failed():
    results = _of_one_table()
    results["error"] = None
    results.loc[results["status"] == "failed", "error"] = "No such thing."
    text = summary_text(results)
    assert "12 of 13 runs done." in text
    assert "Failed (default): No such thing." in text
    assert "Note: The graph was given." in summary_text(results, notes=["The graph was given."])
    line = next(row for row in text.splitlines() if row.startswith("causalmix "))
    assert "+3.75" in line


def test_a_summary_without_any_done_run_or_without_none_still_speaks():
    failed = pd.DataFrame([{"table": "t", "seed": 0, "method": "smote", "status": "failed"}])
    assert "0 of 1 runs done." in summary_text(failed)
    lone = _results()
    lone = lone[lone["method"] == "default"]
    assert "default" in summary_text(lone)


@pytest.mark.parametrize("split", ["test", "val"])
def test_scores_that_no_run_has_are_missing_figures(split: str):
    results = _results().astype(object)
    results[f"roc_auc_{split}"] = None
    assert statistics.improvements(results)["improvement"].isna().all() == (split == "test")
    assert statistics.gap(results)["gap"].isna().all()
    assert statistics.summarise(results)["gap"].isna().all()
    assert "12 of 13 runs done." in summary_text(results)


def test_stretches_of_ranks_within_the_critical_difference():
    ranks = pd.Series({"a": 1.0, "b": 1.8, "c": 2.5, "d": 4.0})
    assert statistics.cliques(ranks, 0.9) == [(1.0, 1.8), (1.8, 2.5)]
    assert statistics.cliques(ranks, 2.0) == [(1.0, 2.5), (2.5, 4.0)]
    assert statistics.cliques(ranks, 9.0) == [(1.0, 4.0)]
    assert statistics.cliques(ranks, 0.1) == []


def test_duels_are_all_pairs_once():
    found = statistics.duels(_of_one_table())
    assert found[["first", "second"]].to_numpy().tolist() == [
        ["none", "default"],
        ["none", "causalmix"],
        ["default", "causalmix"],
    ]
    last = found.iloc[-1]
    assert (last["wins"], last["ties"], last["losses"]) == (1, 0, 3)
    assert last["median"] == pytest.approx(-3.75)
