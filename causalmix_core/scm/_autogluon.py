"""The one file that imports AutoGluon, which quality "best" uses where it is installed."""

import shutil
import tempfile
import weakref
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array

_TARGET = "y"
_PACKAGES = {"GBM": "lightgbm", "CAT": "catboost", "XGB": "xgboost"}


class _Fitted:
    """An AutoGluon predictor on a bare matrix; its folder goes when it goes.

    Forests and boosted trees only, and no limit of time: with one, the chosen models, and so the
    rows, would depend on how busy the machine is.
    """

    def __init__(self, matrix: Array, y: Any, problem: str) -> None:
        from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found]

        folder = tempfile.mkdtemp(prefix="causalmix-autogluon-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        models = {"RF", "XT"} | {name for name, one in _PACKAGES.items() if find_spec(one)}
        self.predictor = TabularPredictor(
            label=_TARGET, problem_type=problem, path=folder, verbosity=0
        ).fit(
            _frame(matrix).assign(**{_TARGET: y}),
            hyperparameters={name: {} for name in sorted(models)},
            num_cpus=1,
            num_gpus=0,
        )

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
