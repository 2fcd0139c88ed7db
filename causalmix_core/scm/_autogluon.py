"""The one file that imports AutoGluon, which quality "best" uses where it is installed."""

import tempfile
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array

_SECONDS = 60  # for one fit of one node
_TARGET = "y"


class _Fitted:
    """An AutoGluon predictor on a bare matrix, with the folder that it lives in."""

    def __init__(self, matrix: Array, y: Any, problem: str) -> None:
        from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found]

        self.folder = tempfile.TemporaryDirectory(prefix="causalmix-autogluon-")
        self.predictor = TabularPredictor(
            label=_TARGET, problem_type=problem, path=self.folder.name, verbosity=0
        ).fit(_frame(matrix).assign(**{_TARGET: y}), time_limit=_SECONDS)

    def predict(self, matrix: Array) -> Array:
        """Return predictions."""
        return np.asarray(self.predictor.predict(_frame(matrix)), dtype=np.float64)

    def predict_proba(self, matrix: Array) -> Array:
        """Return (rows, classes), classes in rising order."""
        chances = self.predictor.predict_proba(_frame(matrix), as_multiclass=True)
        return np.asarray(chances[sorted(chances.columns)], dtype=np.float64)


def regressor(matrix: Array, y: Array) -> Any:
    """Fit AutoGluon's choice of regressors."""
    return _Fitted(matrix, y, "regression")


def classifier(matrix: Array, classes: NDArray[np.int64]) -> Any:
    """Fit AutoGluon's choice of classifiers."""
    return _Fitted(matrix, classes, "binary" if classes.max() == 1 else "multiclass")


def _frame(matrix: Array) -> pd.DataFrame:
    return pd.DataFrame(matrix, columns=[f"x{place}" for place in range(matrix.shape[1])])
