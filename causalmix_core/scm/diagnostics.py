"""What an analyst should know about a node's mechanism."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class NodeDiagnostics:
    """How well one node follows from its parents.

    Attributes:
        mechanism: the mechanism in a few words, such as "boosted trees".
        noise: the noise in a few words.
        score_name: "R²" (higher is better) or "log loss" (lower is better); None for a root.
        score: out of fold, so on rows the mechanism had not seen.
        baseline: the same score without the parents.
        rows: rows the mechanism was fitted on.
        missing: share of missing values.
        spread: standard deviation of drawn values over the real ones, given the real parents.
        independence: p-value of independence of residual and each parent.
        predicted, residual: at most 500 rows, for a residual plot.
        weight: share of the ensemble's graphs that use this mechanism.
    """

    node: str
    parents: tuple[str, ...]
    mechanism: str
    noise: str
    score_name: str | None
    score: float | None
    baseline: float | None
    rows: int
    missing: float = 0.0
    spread: float | None = None
    independence: dict[str, float] = field(default_factory=dict)
    predicted: "np.ndarray[Any, Any]" = field(default_factory=lambda: np.empty(0), repr=False)
    residual: "np.ndarray[Any, Any]" = field(default_factory=lambda: np.empty(0), repr=False)
    warnings: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def sentence(self) -> str:
        """The mechanism in words, such as "age → income: boosted trees, R² 0.31, 120 rows"."""
        start = f"{', '.join(self.parents)} → {self.node}" if self.parents else self.node
        words = [self.mechanism]
        if self.score_name == "R²" and self.score is not None:
            words.append(f"R² {self.score:.2f}")
        elif self.score is not None and self.baseline is not None:
            words.append(f"log loss {self.score:.2f} ({self.baseline:.2f} without parents)")
        words.append(f"{self.rows:,} rows")
        return f"{start}: {', '.join(words)}"


def diagnostics_frame(diagnostics: Sequence[NodeDiagnostics]) -> pd.DataFrame:
    """Return diagnostics as a table, one line per mechanism."""
    return pd.DataFrame(
        [
            {
                "node": one.node,
                "parents": ", ".join(one.parents),
                "mechanism": one.mechanism,
                "noise": one.noise,
                "score": one.score_name or "",
                "value": one.score,
                "baseline": one.baseline,
                "rows": one.rows,
                "missing": one.missing,
                "spread": one.spread,
                "independence": min(one.independence.values(), default=None),
                "weight": one.weight,
                "warnings": " ".join(one.warnings),
            }
            for one in diagnostics
        ]
    )
