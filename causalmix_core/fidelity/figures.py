"""The figures of a comparison: their names, bounds, and what they say."""

from dataclasses import dataclass
from typing import Literal

INFINITE = float("inf")


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: its key in the report file.
        title: for people.
        meaning: one sentence, what it says and which values are good.
        better: "higher" or "lower".
        low: its smallest possible value.
        high: its largest possible value.
        digits: after the point, where it is shown.
    """

    name: str
    title: str
    meaning: str
    better: Literal["higher", "lower"]
    low: float = 0.0
    high: float = 1.0
    digits: int = 3


FIGURES: tuple[Figure, ...] = (
    Figure(
        "shape",
        "Shape",
        "How alike each column by itself is (1 = the same). Blind to what goes together.",
        "higher",
    ),
    Figure("trend", "Trend", "How alike pairs of columns go together (1 = the same).", "higher"),
    Figure(
        "two_sample_auc",
        "Told apart",
        "ROC-AUC of boosted trees telling synthetic from real rows (0.5 = they cannot).",
        "lower",
    ),
    Figure(
        "independencies_kept",
        "Independencies kept",
        "How nearly the graph's independencies hold as often as in real rows (1 = as often). "
        "Columns with nothing in common pass too: read it with the next figure.",
        "higher",
    ),
    Figure(
        "dependencies_kept",
        "Dependencies kept",
        "Share of the graph's joined pairs that still depend on each other.",
        "higher",
    ),
    Figure(
        "train_synthetic_test_real",
        "Trained on it, tested on real",
        "ROC-AUC on held-out real rows of a forest trained on these rows.",
        "higher",
    ),
    Figure(
        "copy_share",
        "Copies",
        "Share of rows that sit on a training row, beyond what held-out rows do "
        "(0 = none; no proof of privacy).",
        "lower",
        -1.0,
        1.0,
    ),
    Figure(
        "proxy_a_distance",
        "Proxy A-distance",
        "Domain shift as a classifier sees it (0 = none, 2 = complete).",
        "lower",
        -2.0,
        2.0,
    ),
    Figure(
        "mmd2",
        "MMD²",
        "Distance of the two clouds of rows (0 = none; slightly negative is noise).",
        "lower",
        -INFINITE,
        INFINITE,
        4,
    ),
    Figure("coral", "CORAL", "Distance of the covariances (0 = none).", "lower", 0.0, INFINITE, 4),
)
NAMES: tuple[str, ...] = tuple(figure.name for figure in FIGURES)
