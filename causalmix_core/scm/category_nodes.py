"""The mechanism of a node of categories: calibrated class probabilities given its parents."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.classification import (
    Classifier,
    Shares,
    TreeClassifier,
    calibrate,
    calibration,
    fit_logistic,
)
from causalmix_core.scm.columns import Array, ColumnCodec, Columns
from causalmix_core.scm.diagnostics import Findings
from causalmix_core.scm.features import ParentFeatures, learn_features
from causalmix_core.scm.mechanism import Classified
from causalmix_core.scm.selection import Effort, choose_rows, clearly_better, make_folds
from causalmix_core.scm.trees import GrowClassifier, boosted_classifier, forest_classifier

Classes = NDArray[np.int64]
Predict = Callable[[Array, Classes, Array], Array]
"""Fits on features and classes 0..k-1, all present, and gives probabilities of other rows."""

_FEWEST_ROWS = 8
_FEWEST_ROWS_FOR_BENDS = 60
_FEWEST_ROWS_FOR_TREES = 150
_MOST_CLASSES = 30
_FEWEST_ROWS_OF_A_CLASS = 3
_MOST_CLASSES_FOR_TREES = 10
_MOST_ROWS_TO_CHOOSE_STRENGTH = 1_000
_STRENGTHS = (1.0, 0.1, 0.01)


def assign_category(
    size: int,
    inputs: Columns,
    known: Sequence[ColumnCodec],
    y: Array,
    effort: Effort,
) -> tuple[Classified, Findings]:
    """Choose and fit the mechanism of a categorical node.

    Args:
        size: number of different codes.
        inputs: encoded parents.
        known: the parents that tell rows apart.
        y: the node's codes.
    """
    classes, counts = _pool(y.astype(np.int64), max(size, 1))
    totals = counts.sum(axis=1)
    spread, shares = counts / totals[:, None], totals / totals.sum()
    if len(shares) == 1 or not known or len(y) < _FEWEST_ROWS:
        return Classified(Shares(shares), spread), Findings(
            mechanism="constant" if size <= 1 else "its own distribution",
            noise="observed shares",
            rows=len(y),
        )
    model, score = _choose(inputs, known, classes, len(shares), effort)
    baseline = float(-(shares * np.log(shares)).sum())
    warnings: tuple[str, ...] = ()
    if score >= baseline:
        warnings = ("On rows it had not seen, the parents did not help to predict it.",)
    return Classified(model, spread), Findings(
        mechanism=model.words,
        noise="class probabilities",
        rows=len(y),
        score_name="log loss",
        score=score,
        baseline=baseline,
        warnings=warnings,
    )


def assign_absence(inputs: Columns, known: Sequence[ColumnCodec], gone: Classes) -> Classified:
    """Fit P(missing | parents); with few rows on either side, the plain share."""
    few = min(int(gone.sum()), int(len(gone) - gone.sum()))
    share = float(gone.mean())
    if few < 5 or not known:
        return Classified(Shares(np.array([1 - share, share])), np.eye(2))
    features = learn_features(inputs, known)
    return Classified(fit_logistic(features, features(inputs), gone), np.eye(2))


def _pool(codes: Classes, size: int) -> tuple[Classes, Array]:
    """Return each row's class, and (classes, codes) how many rows of each class have which code.

    Levels with few rows are pooled, so that a level of one row neither stops the fit nor vanishes.
    """
    counts = np.bincount(codes, minlength=size)
    ranked = np.argsort(-counts, kind="stable")
    own = [code for code in ranked[:_MOST_CLASSES] if counts[code] >= _FEWEST_ROWS_OF_A_CLASS]
    rest = [code for code in range(size) if code not in own and counts[code] > 0]
    if len(rest) == 1:
        own, rest = [*own, *rest], []
    slot = np.full(size, len(own), dtype=np.int64)
    slot[own] = np.arange(len(own))
    spread = np.zeros((len(own) + int(bool(rest)), size))
    for code in [*own, *rest]:
        spread[slot[code], code] = counts[code]
    return slot[codes], spread


def _choose(
    inputs: Columns,
    known: Sequence[ColumnCodec],
    classes: Classes,
    size: int,
    effort: Effort,
) -> tuple[Classifier, float]:
    """Return the chosen classifier and its out-of-fold log loss."""
    features = learn_features(inputs, known)
    trial = choose_rows(len(classes), effort.trial_rows)
    rows = len(trial)
    target = classes[trial]
    X = features({name: values[trial] for name, values in inputs.items()})
    folds = make_folds(rows, effort.folds)

    def held_out(predict: Predict, X: Array) -> Array:
        result = np.zeros((rows, size))
        for fold in range(int(folds.max()) + 1):
            inside, outside = folds != fold, folds == fold
            result[outside] = _predict_unseen(predict, X[inside], target[inside], X[outside], size)
        return result

    strengths = _STRENGTHS if rows <= _MOST_ROWS_TO_CHOOSE_STRENGTH else _STRENGTHS[:1]
    strength, best = strengths[0], np.empty(0)
    for candidate in strengths:
        loss = _log_loss(held_out(_logistic(candidate), X), target)
        if not len(best) or loss.mean() < best.mean():
            strength, best = candidate, loss
    chosen: Callable[[], Classifier] = lambda: fit_logistic(  # noqa: E731
        features, features(inputs), classes, strength=strength
    )
    if rows >= _FEWEST_ROWS_FOR_BENDS:
        bent = learn_features(inputs, known, bends=True)
        wide = bent({name: values[trial] for name, values in inputs.items()})
        if X.shape[1] < wide.shape[1] <= rows / 8:
            loss = _log_loss(held_out(_logistic(1.0), wide), target)
            if clearly_better(loss, best):
                best = loss
                chosen = lambda: fit_logistic(  # noqa: E731
                    bent, bent(inputs), classes, "curved logistic regression"
                )
    if (
        rows < _FEWEST_ROWS_FOR_TREES
        or size > _MOST_CLASSES_FOR_TREES
        or not _trees_promise(X, target, best, size, effort)
    ):
        return chosen(), float(best.mean())
    for words, grow in _candidates(effort).items():
        guess = held_out(_grown(grow), X)
        sharpness, shifts = calibration(guess, target)
        loss = _log_loss(calibrate(guess, sharpness, shifts), target)
        if clearly_better(loss, best):
            best = loss
            chosen = partial(_fit_trees, features, inputs, classes, grow, sharpness, shifts, words)
    return chosen(), float(best.mean())


def _fit_trees(
    features: ParentFeatures,
    inputs: Columns,
    classes: Classes,
    grow: GrowClassifier,
    sharpness: float,
    shifts: Array,
    words: str,
) -> TreeClassifier:
    trees = grow(features(inputs), classes)
    return TreeClassifier(features, trees, sharpness, shifts, words)


def _candidates(effort: Effort) -> dict[str, GrowClassifier]:
    candidates = {"boosted trees": boosted_classifier(effort.rounds)}
    if effort.forest:
        candidates["random forest"] = forest_classifier
    if effort.autogluon:
        from causalmix_core.scm import _autogluon

        candidates["AutoGluon"] = _autogluon.classifier
    return candidates


def _logistic(strength: float) -> Predict:
    def predict(X: Array, classes: Classes, unseen: Array) -> Array:
        return fit_logistic(ParentFeatures(()), X, classes, strength=strength).apply(unseen)

    return predict


def _grown(grow: GrowClassifier) -> Predict:
    def predict(X: Array, classes: Classes, unseen: Array) -> Array:
        return np.asarray(grow(X, classes).predict_proba(unseen), dtype=np.float64)

    return predict


def _trees_promise(X: Array, target: Classes, loss: Array, size: int, effort: Effort) -> bool:
    """Try a few trees on some rows: whether it is worth growing them on every fold."""
    if not effort.screen:
        return True
    cut = 2 * len(target) // 3
    guess = _predict_unseen(_grown(boosted_classifier(20)), X[:cut], target[:cut], X[cut:], size)
    return clearly_better(_log_loss(guess, target[cut:]), loss[cut:], 0.0)


def _predict_unseen(
    predict: Predict, X: Array, classes: Classes, unseen: Array, size: int
) -> Array:
    """Predict held-out rows; a class that this fold has not seen gets a small probability."""
    found, compact = np.unique(classes, return_inverse=True)
    result = np.full((len(unseen), size), 0.5 / (len(classes) + 1.0))
    result[:, found] = predict(X, compact, unseen) if len(found) > 1 else 1.0
    normalised: Array = result / result.sum(axis=1, keepdims=True)
    return normalised


def _log_loss(probabilities: Array, classes: Classes) -> Array:
    loss: Array = -np.log(probabilities[np.arange(len(classes)), classes] + 1e-12)
    return loss
