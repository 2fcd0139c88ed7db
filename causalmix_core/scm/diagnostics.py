"""What an analyst should know about a node's mechanism."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import stats

from causalmix_core.scm.columns import Array, ColumnCodec, Columns

_FEWEST_ROWS_OF_A_GROUP = 5


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was found while a mechanism was fitted.

    Attributes:
        mechanism: the mechanism in a few words, such as "boosted trees".
        noise: the noise in a few words.
        rows: rows the mechanism was fitted on.
        score_name: "R²" (higher is better) or "log loss" (lower is better); None for a root.
        score: out of fold, so on rows the mechanism had not seen.
        baseline: the same score without the parents.
        spread: standard deviation of drawn values over the real ones, given the real parents.
        independence: p-value of independence of what is left and each parent.
        predicted, residual: for a residual plot, at most 500 rows; residuals are out of fold,
            predictions are alike for rows with equal parents. In the column's own units, or the
            logarithm where the mechanism says so; dates in days since the first.
        warnings: sentences for the analyst.
    """

    mechanism: str
    noise: str
    rows: int
    score_name: str | None = None
    score: float | None = None
    baseline: float | None = None
    spread: float | None = None
    independence: dict[str, float] = field(default_factory=dict)
    predicted: Array = field(default_factory=lambda: np.empty(0), repr=False)
    residual: Array = field(default_factory=lambda: np.empty(0), repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NodeDiagnostics(Findings):
    """How well one node follows from its parents.

    Attributes:
        missing: share of missing values.
        weight: share of the ensemble's graphs that use this mechanism.
    """

    node: str
    parents: tuple[str, ...]
    missing: float = 0.0
    weight: float = 1.0

    @classmethod
    def of(
        cls, node: str, parents: tuple[str, ...], findings: Findings, missing: float = 0.0
    ) -> Self:
        """Name the node that findings are about."""
        found = {one.name: getattr(findings, one.name) for one in fields(Findings)}
        return cls(node=node, parents=parents, missing=missing, **found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON holds it, with the sentence."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("predicted", "residual"):
            found[name] = [float(f"{value:.6g}") for value in found[name]]
        return {**found, "parents": list(self.parents), "sentence": self.sentence}

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


def independence(left: Array, inputs: Columns, known: Sequence[ColumnCodec]) -> dict[str, float]:
    """Return, for each parent, the p-value of its independence of what is left.

    Location, trend and spread are tested: rank correlations of the residual and of its size with
    a number and with its distance from the middle, Kruskal–Wallis over the levels of a category;
    the least p-value counts, times their number (Bonferroni).
    """
    found: dict[str, float] = {}
    for codec in known:
        values = inputs[codec.name]
        present = ~np.isnan(values)
        if present.sum() < 2 * _FEWEST_ROWS_OF_A_GROUP:
            continue
        rest, parent = left[present], values[present]
        test = _levels_differ if codec.is_category else _correlate
        ps = [test(rest, parent), test(np.abs(rest), parent)]
        if not codec.is_category:
            distance = np.abs(parent - np.median(parent))
            ps += [_correlate(rest, distance), _correlate(np.abs(rest), distance)]
        found[codec.name] = float(min(1.0, min(ps) * len(ps)))
    return found


def _correlate(rest: Array, parent: Array) -> float:
    if rest.max() == rest.min() or parent.max() == parent.min():
        return 1.0
    return float(stats.spearmanr(rest, parent).pvalue)


def _levels_differ(rest: Array, codes: Array) -> float:
    groups = [rest[codes == code] for code in np.unique(codes)]
    groups = [group for group in groups if len(group) >= _FEWEST_ROWS_OF_A_GROUP]
    if len(groups) < 2 or rest.max() == rest.min():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)  # groups of equal values
        p = float(stats.kruskal(*groups).pvalue)
    return 1.0 if np.isnan(p) else p


def diagnostics_frame(diagnostics: Sequence[NodeDiagnostics]) -> pd.DataFrame:
    """Return diagnostics as a table, one line per mechanism."""
    rows: list[dict[str, Any]] = [
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
    return pd.DataFrame(rows)
