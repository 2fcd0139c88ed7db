"""Plotly figures as pure functions: values in, figure out; usable from a notebook."""

from ui.charts.curves import curve_figure, improvement_figure, multiples_figure
from ui.charts.diagnosis import diagnosis_figure
from ui.charts.domains import domain_figure
from ui.charts.marginals import distance_figure, marginal_figure
from ui.charts.mechanisms import explained_figure, residual_figure
from ui.charts.policies import policy_figure
from ui.charts.profile import association_figure, column_figure, missing_figure
from ui.charts.ranks import rank_figure
from ui.charts.resamples import adjacency_figure, marks_figure

__all__ = [
    "adjacency_figure",
    "association_figure",
    "column_figure",
    "curve_figure",
    "diagnosis_figure",
    "distance_figure",
    "domain_figure",
    "explained_figure",
    "improvement_figure",
    "marginal_figure",
    "marks_figure",
    "missing_figure",
    "multiples_figure",
    "policy_figure",
    "rank_figure",
    "residual_figure",
]
