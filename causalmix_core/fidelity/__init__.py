"""How synthetic rows compare with real ones: shape, trend, two-sample test and the rest."""

from causalmix_core.fidelity.compare import compare, shuffle_columns
from causalmix_core.fidelity.figures import FIGURES, Figure
from causalmix_core.fidelity.report import Report

__all__ = ["FIGURES", "Figure", "Report", "compare", "shuffle_columns"]
