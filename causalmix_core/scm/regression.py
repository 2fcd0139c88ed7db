"""Regressions of a node on its parents, each with predictions for rows it has not seen."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array, Columns
from causalmix_core.scm.features import ParentFeatures
from causalmix_core.scm.trees import GrowRegressor

_PENALTIES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class Regression(Protocol):
    """A fitted f(parents)."""

    @property
    def words(self) -> str:
        """What people call it."""
        ...

    def predict(self, columns: Columns) -> Array:
        """Return f for every row."""
        ...


@dataclass(frozen=True)
class Fit:
    """A regression with its predictions for the rows it was fitted on.

    Attributes:
        held_out: out-of-fold predictions.
        order: predictions to group similar rows by. Leave-one-out predictions will not do: among
            rows with equal parents they fall as the row's own value rises.
    """

    model: Regression
    held_out: Array
    order: Array


@dataclass(frozen=True)
class LinearRegression:
    """A penalised linear function of the features."""

    features: ParentFeatures
    centre: Array
    weights: Array
    intercept: float
    words: str = "linear"

    def predict(self, columns: Columns) -> Array:
        """Return f for every row."""
        return self.apply(self.features(columns))

    def apply(self, matrix: Array) -> Array:
        """Return f for rows given as features."""
        result: Array = (matrix - self.centre) @ self.weights + self.intercept
        return result


def fit_linear(features: ParentFeatures, matrix: Array, y: Array, words: str = "linear") -> Fit:
    """Fit a ridge regression whose penalty has the least leave-one-out error.

    Leave-one-out predictions are exact and need no refit: the residual divided by one minus the
    row's leverage (Allen 1974, PRESS).
    """
    rows = len(y)
    centre, middle = matrix.mean(axis=0), float(y.mean())
    X, target = matrix - centre, y - middle
    values, vectors = np.linalg.eigh(X.T @ X)
    values = np.maximum(values, 0.0)
    rotated = X @ vectors
    projected = rotated.T @ target
    best: tuple[float, Array, Array] | None = None
    for penalty in _PENALTIES:
        shrunk = values + penalty * rows
        weights = projected / shrunk
        leverage = 1.0 / rows + (rotated**2 / shrunk).sum(axis=1)
        error = (target - rotated @ weights) / np.maximum(1.0 - leverage, 1e-3)
        loss = float(np.mean(error**2))
        if best is None or loss < best[0] * (1 - 1e-9):
            best = loss, vectors @ weights, y - error
    assert best is not None
    model = LinearRegression(features, centre, best[1], middle, words)
    return Fit(model, best[2], model.apply(matrix))


@dataclass(frozen=True)
class TreeRegression:
    """Trees on what a linear function leaves over."""

    base: LinearRegression
    features: ParentFeatures
    trees: Any
    words: str

    def predict(self, columns: Columns) -> Array:
        """Return f for every row."""
        rest: Array = self.trees.predict(self.features(columns))
        return self.base.predict(columns) + rest


def fit_trees(
    base: Fit,
    features: ParentFeatures,
    matrix: Array,
    y: Array,
    folds: NDArray[np.int64],
    grow: GrowRegressor,
    words: str,
) -> Fit:
    """Grow trees on the out-of-fold residuals of a linear fit; `folds` numbers each row's fold."""
    assert isinstance(base.model, LinearRegression)
    rest = y - base.held_out
    grown = np.zeros(len(y))
    for fold in range(int(folds.max()) + 1):
        inside, outside = folds != fold, folds == fold
        grown[outside] = grow(matrix[inside], rest[inside]).predict(matrix[outside])
    model = TreeRegression(base.model, features, grow(matrix, rest), words)
    return Fit(model, base.held_out + grown, base.order + grown)
