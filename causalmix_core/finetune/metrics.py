"""Scores of predicted class probabilities, each null where it is not defined."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Probabilities = NDArray[np.float64]

METRICS = (
    "roc_auc",
    "accuracy",
    "balanced_accuracy",
    "pr_auc",
    "log_loss",
    "recall_rare",
)
"""Names of the scores, in the order of the result tables."""

HIGHER_IS_BETTER: Mapping[str, bool] = {name: name != "log_loss" for name in METRICS}


def scores(y: Codes, probabilities: Probabilities, rare: int) -> dict[str, float]:
    """Score predictions.

    Args:
        y: class codes, shape (rows,).
        probabilities: shape (rows, classes); rows add up to 1.
        rare: code of the class that is rarest in the training rows.

    Returns:
        The `METRICS`; NaN where a score is not defined on these rows. For two classes ROC-AUC and
        PR-AUC (average precision) are those of class 1 and of the rare class; for more they are
        means, each class against the rest, over the classes that occur here.
    """
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    present = [code for code in range(classes) if 0 < np.sum(y == code) < len(y)]
    recalls = [float(np.mean(predicted[y == code] == code)) for code in np.unique(y)]
    if classes == 2:
        areas = [roc_auc(y == 1, probabilities[:, 1])]
        precisions = [average_precision(y == rare, probabilities[:, rare])]
    else:
        areas = [roc_auc(y == code, probabilities[:, code]) for code in present]
        precisions = [average_precision(y == code, probabilities[:, code]) for code in present]
    true_class = np.clip(probabilities[np.arange(len(y)), y], np.finfo(np.float64).eps, 1.0)
    return {
        "roc_auc": _mean(areas),
        "accuracy": _mean((predicted == y).tolist()),
        "balanced_accuracy": _mean(recalls),
        "pr_auc": _mean(precisions),
        "log_loss": _mean((-np.log(true_class)).tolist()),
        "recall_rare": _mean((predicted[y == rare] == rare).tolist()),
    }


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the chance that a positive row scores above a negative one."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    # Tied scores share the mean of their ranks.
    middle = np.cumsum(counts) - (counts - 1) / 2
    above = middle[inverse][positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def average_precision(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Area under the precision-recall curve as a step function (average precision)."""
    positives = int(positive.sum())
    if not positives:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    # Only the last of equal scores is a threshold.
    last = np.append(np.diff(score[order]) != 0, True)
    precision = (hits / np.arange(1, len(order) + 1))[last]
    gained = np.diff(hits[last], prepend=0)
    return float(np.sum(precision * gained) / positives)


def _mean(values: "list[float] | list[bool]") -> float:
    return float(np.mean(values)) if len(values) else float("nan")
