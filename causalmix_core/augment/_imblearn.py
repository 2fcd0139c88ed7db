"""The one file that imports imbalanced-learn."""

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Family = Literal["smote", "borderline", "adasyn"]
_CHUNK = 5_000  # SMOTENC holds rows × neighbours × features at once


def oversample(
    family: Family,
    X: NDArray[np.float64],
    categorical: NDArray[np.bool_],
    of_class: NDArray[np.bool_],
    extra: int,
    neighbours: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return new rows of one class, as many as asked for, or none where the method finds none.

    Args:
        X: (rows, columns), numbers standardised, categories as codes.
        categorical: which columns hold codes.
        of_class: which rows are of the class wanted; the others are its surroundings.
    """
    X = np.ascontiguousarray(X)
    y = np.where(of_class, 0, 1)
    if of_class.all():  # imbalanced-learn wants two classes: one row stands apart
        X, y = np.vstack([X, X[:1]]), np.append(y, 1)
    made: list[NDArray[np.float64]] = []
    missing = extra
    while missing > 0:
        count = min(missing, _CHUNK)
        if family == "adasyn":  # it rounds each row's share down: a small order brings nothing
            count = max(count, 3 * int(of_class.sum()))
        sampler = _sampler(
            family, categorical, {0: int(of_class.sum()) + count}, neighbours, len(X), rng
        )
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it warns where a class becomes the largest: we mean it
            try:
                new = np.asarray(sampler.fit_resample(X, y)[0], dtype=np.float64)[len(X) :]
            except (RuntimeError, ValueError):
                if family == "adasyn":  # no neighbour of another class, or too few to count
                    break
                raise
        if not len(new):
            break
        made.append(rng.permutation(new)[:missing])
        missing -= len(made[-1])
    return np.vstack(made) if made else np.empty((0, X.shape[1]))


def _sampler(
    family: Family,
    categorical: NDArray[np.bool_],
    strategy: dict[int, int],
    neighbours: int,
    rows: int,
    rng: np.random.Generator,
) -> Any:
    from imblearn.over_sampling import ADASYN, SMOTE, SMOTEN, SMOTENC, BorderlineSMOTE

    common = {"sampling_strategy": strategy, "random_state": int(rng.integers(2**31))}
    if family == "adasyn":
        return ADASYN(n_neighbors=min(5, rows - 1), **common)
    if family == "borderline":
        around = min(10, rows - 1)
        return BorderlineSMOTE(k_neighbors=neighbours, m_neighbors=around, **common)
    if categorical.all():
        return SMOTEN(k_neighbors=neighbours, **common)
    if categorical.any():
        places = np.flatnonzero(categorical).tolist()
        return SMOTENC(categorical_features=places, k_neighbors=neighbours, **common)
    return SMOTE(k_neighbors=neighbours, **common)
