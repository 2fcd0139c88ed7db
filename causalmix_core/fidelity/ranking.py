"""The area under the ROC curve, and how it varies from resample to resample."""

import numpy as np

from causalmix_core.fidelity.estimate import Estimate
from causalmix_core.fidelity.samples import Bools, Floats, Ints


def roc_auc(positive: Bools, score: Floats, weights: Floats | None = None) -> float:
    """Return the probability that a positive scores above a negative, ties counting half.

    `weights` say how often each row counts. As fast as one sort, where resampling needs it often.
    """
    _, place = np.unique(score, return_inverse=True)
    w = np.ones(len(score)) if weights is None else weights
    above = np.bincount(place, w * positive)
    below = np.bincount(place, w * ~positive)
    wins = above @ (np.cumsum(below) - below / 2)
    return float(wins / (above.sum() * below.sum()))


def estimate_roc_auc(truth: Ints, scores: Floats, draws: int, rng: np.random.Generator) -> Estimate:
    """Return the ROC-AUC with its spread; of several classes, the mean of one against the rest.

    Args:
        truth: (rows,) class codes.
        scores: (rows, classes) how probable each class is.
        draws: bootstrap resamples, each class by itself.
        rng: decides the resamples.
    """
    present = np.unique(truth)
    # Of two classes, one against the rest says everything.
    asked = [1] if scores.shape[1] == 2 else [int(label) for label in present]
    members = [np.flatnonzero(truth == label) for label in present]
    resampled = np.empty(draws)
    for draw in range(draws):
        weights = np.zeros(len(truth))
        for rows in members:
            weights[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
        resampled[draw] = np.mean([roc_auc(truth == c, scores[:, c], weights) for c in asked])
    value = float(np.mean([roc_auc(truth == c, scores[:, c]) for c in asked]))
    return Estimate.of(value, resampled)
