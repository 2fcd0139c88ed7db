"""Tree models, grown the same way for every node."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array

GrowRegressor = Callable[[Array, Array], Any]
"""Fits on features and values; the result predicts."""
GrowClassifier = Callable[[Array, NDArray[np.int64]], Any]
"""Fits on features and classes 0..k-1; the result gives probabilities."""


def boosted_regressor(rounds: int) -> GrowRegressor:
    """Return a fitter of scikit-learn's histogram gradient boosting, with small trees."""

    def grow(matrix: Array, y: Array) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return _quietly(HistGradientBoostingRegressor(**_boosting(rounds, len(y))), matrix, y)

    return grow


def boosted_classifier(rounds: int) -> GrowClassifier:
    """Return a fitter of scikit-learn's histogram gradient boosting, with small trees."""

    def grow(matrix: Array, classes: NDArray[np.int64]) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(**_boosting(rounds, len(classes)))
        return _quietly(model, matrix, classes)

    return grow


def forest_regressor(matrix: Array, y: Array) -> Any:
    """Fit a random forest (Breiman 2001)."""
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(100, min_samples_leaf=5, random_state=0).fit(matrix, y)


def forest_classifier(matrix: Array, classes: NDArray[np.int64]) -> Any:
    """Fit a random forest (Breiman 2001)."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, min_samples_leaf=5, random_state=0).fit(matrix, classes)


def _boosting(rounds: int, rows: int) -> dict[str, Any]:
    return {
        "max_iter": rounds,
        "learning_rate": 0.1,
        "max_leaf_nodes": 15,
        "min_samples_leaf": int(np.clip(rows // 20, 5, 20)),
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": 0,
    }


def _quietly(model: Any, matrix: Array, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)  # binning of constant features
        return model.fit(matrix, y)
