"""Where a classifier errs: confusion matrix and calibration curve."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def confusion(y: Codes, probabilities: Probabilities) -> Codes:
    """Count rows by true class (rows) and predicted class (columns)."""
    classes = probabilities.shape[1]
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (y, probabilities.argmax(axis=1)), 1)
    return counts


def calibration(y: Codes, probabilities: Probabilities, bins: int = 10) -> list[dict[str, float]]:
    """Compare promised with observed frequencies in bins of equal width.

    For two classes: the probability of class 1 and the share of class 1; for more: the probability
    of the predicted class and the share of right predictions. Empty bins are left out.

    Returns per bin: ``predicted`` (mean probability), ``observed`` (share), ``rows``.
    """
    if probabilities.shape[1] == 2:
        promised, true = probabilities[:, 1], y == 1
    else:
        promised, true = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    places = np.minimum((promised * bins).astype(int), bins - 1)
    return [
        {
            "predicted": float(promised[inside].mean()),
            "observed": float(true[inside].mean()),
            "rows": int(inside.sum()),
        }
        for place in range(bins)
        if (inside := places == place).any()
    ]


def diagnose(y: Codes, probabilities: Probabilities, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return both, as JSON can hold them."""
    return {
        "classes": list(classes),
        "confusion": confusion(y, probabilities).tolist(),
        "calibration": calibration(y, probabilities),
    }
