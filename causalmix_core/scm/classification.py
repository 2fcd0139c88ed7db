"""Classifiers of a node given its parents: probabilities, not votes."""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array, Columns
from causalmix_core.scm.features import ParentFeatures

_SMALLEST = 1e-9


class Classifier(Protocol):
    """Fitted P(class | parents) over the classes 0..k-1."""

    @property
    def words(self) -> str:
        """What people call it."""
        ...

    def probabilities(self, columns: Columns) -> Array:
        """Return (rows, classes)."""
        ...


@dataclass(frozen=True)
class Shares:
    """The same probabilities whatever the parents are."""

    shares: Array
    words: str = "constant probabilities"

    def probabilities(self, columns: Columns) -> Array:
        """Return (1, classes), which holds for every row."""
        return np.atleast_2d(self.shares)


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression."""

    features: ParentFeatures
    weights: Array
    intercepts: Array
    words: str = "logistic regression"

    def probabilities(self, columns: Columns) -> Array:
        """Return (rows, classes)."""
        return self.apply(self.features(columns))

    def apply(self, matrix: Array) -> Array:
        """Return (rows, classes) for rows given as features."""
        return softmax(matrix @ self.weights + self.intercepts)


@dataclass(frozen=True)
class TreeClassifier:
    """Trees, with a temperature and shifts that make their probabilities honest."""

    features: ParentFeatures
    trees: Any
    sharpness: float
    shifts: Array
    words: str

    def probabilities(self, columns: Columns) -> Array:
        """Return (rows, classes)."""
        return calibrate(
            self.trees.predict_proba(self.features(columns)), self.sharpness, self.shifts
        )


def fit_logistic(
    features: ParentFeatures,
    matrix: Array,
    classes: NDArray[np.int64],
    words: str = "logistic regression",
    strength: float = 1.0,
) -> Logistic:
    """Fit by maximum penalised likelihood, `strength` the inverse of the penalty.

    Every class 0..k-1 must have a row.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=ConvergenceWarning)
        model.fit(matrix, classes)
    weights, intercepts = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:
        weights = np.hstack([np.zeros_like(weights), weights])
        intercepts = np.concatenate([[0.0], intercepts])
    return Logistic(features, weights, intercepts, words)


def calibration(probabilities: Array, classes: NDArray[np.int64]) -> tuple[float, Array]:
    """Return the sharpness and shifts that fit held-out probabilities best.

    Temperature scaling (Guo et al. 2017), then shifts that bring the mean probability of each
    class to its share, so that synthetic rows keep the class balance.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(classes))

    def loss(log_sharpness: float) -> float:
        scaled = calibrate(probabilities, float(np.exp(log_sharpness)), 0.0)
        return float(-np.log(scaled[rows, classes] + _SMALLEST).mean())

    found = minimize_scalar(loss, bounds=(-2.0, 1.0), method="bounded")
    sharpness = float(np.exp(found.x))
    return sharpness, _balance(calibrate(probabilities, sharpness, 0.0), classes)


def _balance(probabilities: Array, classes: NDArray[np.int64]) -> Array:
    shares = np.bincount(classes, minlength=probabilities.shape[1]) / len(classes)
    shifts = np.zeros(probabilities.shape[1])
    for _ in range(20):
        now = calibrate(probabilities, 1.0, shifts).mean(axis=0)
        shifts += np.log((shares + _SMALLEST) / (now + _SMALLEST))
    return shifts


def calibrate(probabilities: Array, sharpness: float, shifts: Array | float) -> Array:
    """Return probabilities sharpened and shifted on the log scale."""
    return softmax(sharpness * np.log(probabilities + _SMALLEST) + shifts)


def softmax(scores: Array) -> Array:
    """Return rows that add up to one."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Array = raised / raised.sum(axis=1, keepdims=True)
    return result
