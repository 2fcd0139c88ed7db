"""Settings travel as JSON and refuse nonsense; the keeper never prefers worse than the start."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import RunError
from causalmix_core.finetune import METHODS, Mixing, Settings, Stopping
from causalmix_core.finetune.mixing import draw
from causalmix_core.finetune.stopping import Keeper


def test_settings_come_back_from_json():
    settings = Settings(steps=7, mixing=Mixing(share=0.2), stopping=Stopping(metric="roc_auc"))
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert Settings.from_dict({"steps": 3}) == Settings(steps=3)


def test_precision_is_a_choice():
    assert Settings().precision == "float32"
    assert Settings(precision="bfloat16").to_dict()["precision"] == "bfloat16"
    with pytest.raises(RunError, match="precision must be one of float32, bfloat16"):
        Settings(precision="half")


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("inf")},
        {"weight_decay": float("nan")},
        {"weight_decay": -0.1},
        {"clip": float("inf")},
        {"query_share": 1.0},
        {"mixing": {"share": 1.5}},
        {"mixing": {"into": "test"}},
        {"stopping": {"metric": "test_auc"}},
        {"stopping": {"folds": 1}},
        {"unknown": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(values):
    with pytest.raises(RunError, match=r"must|cannot"):
        Settings.from_dict(values)


def test_the_learning_rate_rises_then_falls_and_never_starts_at_zero():
    settings = Settings(steps=20, warmup=0.2, learning_rate=1.0)
    rates = [settings.rate(step) for step in range(1, 21)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[4] == 1.0
    assert all(a > b for a, b in itertools.pairwise(rates[4:]))
    assert 0 < rates[-1] < 0.05
    flat = Settings(steps=20, warmup=0.0, schedule="constant", learning_rate=2.0)
    assert {flat.rate(step) for step in range(1, 21)} == {2.0}


@settings(deadline=None)
@given(
    st.sampled_from(["context", "query", "both"]),
    st.sampled_from(["constant", "fading"]),
    st.floats(0.0, 1.0),
    st.booleans(),
    st.floats(0.0, 1.0),
)
def test_steps_on_causal_rows_only_hold_no_real_row(into, schedule, share, fresh, done):
    mixing = Mixing(share=share, into=into, fresh=fresh, schedule=schedule)
    adapted = METHODS["causal-only"].adapt(Settings(mixing=mixing)).mixing
    assert adapted.fresh == fresh
    drawn = draw(
        np.repeat([0, 1], 15),
        30,
        adapted,
        query_share=0.3,
        max_rows=1_000,
        done=done,
        rng=np.random.default_rng(0),
    )
    assert not len(drawn.context.real)
    assert not len(drawn.query.real)
    assert len(drawn.context.synthetic) + len(drawn.query.synthetic) == 30
    assert METHODS["causalmix"].adapt(Settings(mixing=mixing)).mixing == mixing


def _keeper(scores: list[float], **stopping) -> Keeper:
    keeper = Keeper(Stopping(**stopping))
    for i, score in enumerate(scores):
        keeper.add(i * 4, score)
    return keeper


@settings(deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20),
    st.sampled_from(["validation", "smoothed", "synthetic"]),
    st.sampled_from(["roc_auc", "log_loss"]),
)
def test_what_is_kept_is_never_worse_than_the_start(scores, rule, metric):
    keeper = _keeper(scores, rule=rule, metric=metric)
    kept = scores[keeper.best]
    assert kept >= scores[0] if metric == "roc_auc" else kept <= scores[0]
    assert keeper.best_value >= keeper.start_value
    if rule != "smoothed":
        assert kept == (max(scores) if metric == "roc_auc" else min(scores))


def test_the_earliest_of_equal_steps_is_kept():
    assert _keeper([0.7, 0.9, 0.9], metric="roc_auc").best_step == 4
    assert _keeper([0.7, 0.7, 0.7], metric="roc_auc").best_step == 0
    assert _keeper([0.7, 0.5, 0.6], metric="log_loss").best_step == 4


def test_smoothing_ignores_a_lucky_evaluation():
    scores = [0.60, 0.70, 0.60, 0.66, 0.67, 0.68]
    assert _keeper(scores, metric="roc_auc").best_step == 4
    smoothed = _keeper(scores, metric="roc_auc", rule="smoothed", window=3)
    assert smoothed.best_step == 20
    assert smoothed.best_value == pytest.approx((0.66 + 0.67 + 0.68) / 3)


def test_smoothing_keeps_no_evaluation_below_the_start():
    scores = [0.70, 0.60, 0.78, 0.78, 0.69]
    keeper = _keeper(scores, metric="roc_auc", rule="smoothed", window=3)
    assert max(keeper.values) == keeper.values[4]
    assert keeper.best_step == 12


def test_patience_counts_evaluations_since_the_best():
    keeper = _keeper([0.7, 0.8, 0.6, 0.6], metric="roc_auc", patience=3)
    assert not keeper.exhausted
    keeper.add(16, 0.5)
    assert keeper.exhausted
    assert not _keeper([0.7] + [0.1] * 50, metric="roc_auc", patience=0).exhausted


def test_the_last_step_is_kept_where_that_is_the_rule():
    keeper = _keeper([0.9, 0.1, 0.2], metric="roc_auc", rule="last")
    assert (keeper.best_step, keeper.exhausted) == (8, False)


def test_a_start_that_cannot_be_scored_is_an_error_and_a_later_one_is_skipped():
    with pytest.raises(RunError, match="validation rows"):
        _keeper([math.nan])
    assert _keeper([0.7, math.nan, 0.8], metric="roc_auc").best_step == 8
