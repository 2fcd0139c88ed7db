"""Classic models on the same rows: what the foundation model has to be better than."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from causalmix_core.finetune.diagnostics import diagnose
from causalmix_core.finetune.metrics import scores
from causalmix_core.foundation._tabpfn import TableEncoder
from causalmix_core.table.table import Table

_MOST_BINS = 255
"""Most categories of a column that scikit-learn's gradient boosting takes."""


def _forest(encoder: TableEncoder, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=300, random_state=seed, n_jobs=1)


def _boosting(encoder: TableEncoder, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # More categories than it has bins are taken as numbers, in their order.
    categorical = [
        i for i in encoder.categorical if len(encoder.categories[encoder.names[i]]) <= _MOST_BINS
    ]
    return HistGradientBoostingClassifier(
        categorical_features=categorical or None,
        early_stopping=False,
        random_state=seed,
    )


YARDSTICKS: Mapping[str, Callable[[TableEncoder, int], Any]] = {
    "random-forest": _forest,
    "gradient-boosting": _boosting,
}


def measure(
    name: str, splits: Mapping[str, Table], watched: Mapping[str, NDArray[np.int64]], seed: int
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]], dict[str, Any]]:
    """Fit a classic model, with scikit-learn's defaults, on the training rows and score the others.

    Returns the scores of every split but ``train``, those on the `watched` rows of each, and the
    diagnosis of the test rows.
    """
    train = splits["train"]
    encoder = TableEncoder.fit(train)
    y = encoder.labels(train.frame)
    model = YARDSTICKS[name](encoder, seed).fit(encoder.transform(train.frame), y)
    rare = int(np.bincount(y).argmin())
    found: dict[str, dict[str, float]] = {}
    on_watched: dict[str, dict[str, float]] = {}
    diagnosis: dict[str, Any] = {}
    for split, rows in watched.items():
        frame = splits[split].frame
        predicted = model.predict_proba(encoder.transform(frame))
        probabilities = np.asarray(predicted, dtype=np.float64)
        labels = encoder.labels(frame)
        found[split] = scores(labels, probabilities, rare)
        on_watched[split] = scores(labels[rows], probabilities[rows], rare)
        if split == "test":
            diagnosis = diagnose(labels, probabilities, encoder.classes)
    return found, on_watched, diagnosis
