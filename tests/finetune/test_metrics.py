"""Scores agree with scikit-learn's wherever it defines them, and are missing elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from causalmix_core.finetune.metrics import METRICS, average_precision, roc_auc, scores


def _sample(seed: int, rows: int, classes: int, decimals: int):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, rows)])
    probabilities = np.round(rng.dirichlet(np.ones(classes), len(y)), decimals) + 1e-9
    return y, probabilities / probabilities.sum(axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(2, 5), st.integers(1, 6))
def test_scores_are_those_of_scikit_learn(seed: int, rows: int, classes: int, decimals: int):
    y, p = _sample(seed, rows, classes, decimals)
    rare = int(np.bincount(y).argmin())
    found = scores(y, p, rare)
    if classes == 2:
        assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(y, p[:, 1]))
        assert found["pr_auc"] == pytest.approx(
            reference.average_precision_score(y == rare, p[:, rare])
        )
    else:
        assert found["roc_auc"] == pytest.approx(
            reference.roc_auc_score(y, p, multi_class="ovr", average="macro")
        )
        assert found["pr_auc"] == pytest.approx(
            np.mean([reference.average_precision_score(y == c, p[:, c]) for c in range(classes)])
        )
    guess = p.argmax(axis=1)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(y, guess))
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(y, guess))
    assert found["log_loss"] == pytest.approx(reference.log_loss(y, p, labels=range(classes)))
    assert found["recall_rare"] == pytest.approx(
        reference.recall_score(y == rare, guess == rare, zero_division=0)
    )
    assert tuple(found) == METRICS


def test_ties_count_half_in_the_roc_area():
    assert roc_auc(np.array([True, False]), np.array([0.3, 0.3])) == 0.5
    assert roc_auc(np.array([True, False, True]), np.array([0.9, 0.3, 0.3])) == 0.75


def test_areas_are_missing_where_one_class_is_absent():
    nobody, everybody = np.array([False, False]), np.array([True, True])
    assert math.isnan(roc_auc(nobody, np.array([0.1, 0.2])))
    assert math.isnan(roc_auc(everybody, np.array([0.1, 0.2])))
    assert math.isnan(average_precision(nobody, np.array([0.1, 0.2])))


def test_a_class_without_rows_is_left_out_of_the_means_of_several_classes():
    y = np.array([0, 0, 1, 1])
    p = np.array([[0.8, 0.1, 0.1], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3]])
    found = scores(y, p, rare=2)
    assert found["roc_auc"] == 1.0
    assert math.isnan(found["recall_rare"])
