"""How hard to look for a mechanism, and when one is clearly better than another."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array

Quality = Literal["good", "better", "best"]

_CLEARLY = 0.02  # relative gain in loss that a more complex model must bring


@dataclass(frozen=True)
class Effort:
    """How hard to look for a node's mechanism.

    Attributes:
        trial_rows: rows that decide between classifiers, and whether trees are worth a try.
        folds: folds of the out-of-fold score.
        rounds: trees of a boosted model.
        screen: whether trees must pass a quick trial before they are fitted on every fold.
        forest: whether random forests are tried too.
        autogluon: whether AutoGluon is tried too.
    """

    trial_rows: int
    folds: int
    rounds: int
    screen: bool
    forest: bool = False
    autogluon: bool = False


EFFORTS: Mapping[str, Effort] = {
    "good": Effort(trial_rows=2_000, folds=3, rounds=60, screen=True),
    "better": Effort(trial_rows=20_000, folds=5, rounds=150, screen=False, forest=True),
    "best": Effort(
        trial_rows=20_000, folds=5, rounds=150, screen=False, forest=True, autogluon=True
    ),
}


def has_autogluon() -> bool:
    """Whether AutoGluon, which "best" asks for, is installed."""
    try:
        return find_spec("autogluon.tabular") is not None
    except ModuleNotFoundError:
        return False


def clearly_better(loss: Array, than: Array, errors: float = 2.0, share: float = _CLEARLY) -> bool:
    """Whether `loss` is lower by a clear share and by some standard errors, row by row."""
    gain = than - loss
    mean = float(gain.mean())
    if mean <= share * float(np.abs(than).mean()):
        return False
    return mean > errors * float(gain.std()) / float(np.sqrt(len(gain)))


def make_folds(rows: int, count: int) -> NDArray[np.int64]:
    """Return the fold of each row, the same for every model."""
    return np.random.default_rng(0).permutation(np.arange(rows) % max(min(count, rows), 2))


def choose_rows(rows: int, most: int) -> NDArray[np.int64]:
    """Return up to `most` rows by chance, the same ones every time."""
    return np.random.default_rng(1).permutation(rows)[:most]
