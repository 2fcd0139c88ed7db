"""How far each column's distribution is from the real one.

A number: the Kolmogorov–Smirnov statistic sup|F_real − F_synthetic| over the values that are there.
A category: the total variation ½ Σ|p − q|, missing being a category. A number's distance is at
least the difference of the missing shares. The shape score is the mean of 1 − distance, as in
SDMetrics' column shapes. It cannot tell independent columns from real rows: never show it alone.
"""

import numpy as np

from causalmix_core.fidelity.estimate import Estimate
from causalmix_core.fidelity.samples import Floats, Sample, one_hot


def shape(real: Sample, synthetic: Sample, w: Floats, v: Floats) -> Estimate:
    """Return the shape score; w and v are bootstrap weights of real and synthetic rows."""
    score = 1 - column_distances(real, synthetic)[0].mean()
    return Estimate.of(score, 1 - column_distances(real, synthetic, w, v).mean(axis=1))


def column_distances(
    real: Sample,
    synthetic: Sample,
    real_weights: Floats | None = None,
    synthetic_weights: Floats | None = None,
) -> Floats:
    """Return (draws, columns) distances in [0, 1], numbers first.

    Weights of shape (draws, rows) count every row that often; without them there is one draw.
    """
    w = np.ones((1, len(real))) if real_weights is None else real_weights
    v = np.ones((1, len(synthetic))) if synthetic_weights is None else synthetic_weights
    w, v = w / w.sum(axis=1, keepdims=True), v / v.sum(axis=1, keepdims=True)
    numbers = [
        _number_distance(real.numbers[:, j], synthetic.numbers[:, j], w, v)
        for j in range(real.numbers.shape[1])
    ]
    categories = [
        np.abs(w @ p - v @ q).sum(axis=1) / 2
        for p, q in zip(one_hot(real), one_hot(synthetic), strict=True)
    ]
    return np.column_stack([*numbers, *categories])


def _number_distance(x: Floats, y: Floats, w: Floats, v: Floats) -> Floats:
    here, there = ~np.isnan(x), ~np.isnan(y)
    w_here, v_there = w[:, here], v[:, there]
    w_sum, v_sum = w_here.sum(axis=1, keepdims=True), v_there.sum(axis=1, keepdims=True)
    missing: Floats = np.abs(w_sum - v_sum)[:, 0]
    if not here.any() or not there.any():
        return np.ones(len(w)) if here.any() or there.any() else missing
    pooled = np.concatenate([x[here], y[there]])
    order = np.argsort(pooled, kind="stable")
    tiny = np.finfo(float).tiny
    steps = np.hstack([w_here / np.maximum(w_sum, tiny), -v_there / np.maximum(v_sum, tiny)])
    gap = np.cumsum(steps[:, order], axis=1)
    last_of_ties = np.append(pooled[order][1:] != pooled[order][:-1], True)
    largest: Floats = np.maximum(np.abs(gap[:, last_of_ties]).max(axis=1), missing)
    return np.clip(largest, 0.0, 1.0)
