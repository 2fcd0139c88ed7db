"""Do synthetic rows sit on training rows? A check for copies, never a proof of privacy.

The distance of two rows is the mean over columns of |difference| / range of the training rows (at
most 1), 0 or 1 for categories, and 1 where only one of the two is missing. The bar is the 1st
percentile of the held-out rows' distances to their closest training row; the copy share is the
share of synthetic rows at or below the bar minus the share of held-out rows there.

That a set passes says little about attacks on membership (arXiv 2505.01524).
"""

from math import hypot

import numpy as np

from causalmix_core.fidelity.estimate import Estimate, share_deviation
from causalmix_core.fidelity.samples import Floats, Sample

PERCENTILE = 1.0
_CHUNK_CELLS = 4_000_000


def copy_share(synthetic: Floats, holdout: Floats) -> Estimate:
    """Return the copy share from the rows' distances to their closest training rows.

    About 0 for new rows, about 1 for plain copies.
    """
    bar = float(np.quantile(holdout, PERCENTILE / 100, method="higher"))
    reached = bar * (1 + 1e-6) + 1e-9  # equal up to rounding is equal
    p, q = float((synthetic <= reached).mean()), float((holdout <= reached).mean())
    return Estimate(p - q, hypot(_deviation(synthetic, reached), _deviation(holdout, reached)))


def _deviation(distances: Floats, reached: float) -> float:
    return share_deviation(float((distances <= reached).sum()), len(distances))


def distance_to_closest(rows: Sample, train: Sample) -> Floats:
    """Return for each row its distance to the closest row of `train`, in [0, 1]."""
    low = np.array([np.nanmin(c) if (~np.isnan(c)).any() else 0.0 for c in train.numbers.T])
    high = np.array([np.nanmax(c) if (~np.isnan(c)).any() else 0.0 for c in train.numbers.T])
    width = np.where(high > low, high - low, 1.0)
    x = ((rows.numbers - low) / width).astype("float32")
    y = ((train.numbers - low) / width).astype("float32")
    closest = np.empty(len(rows))
    step = max(1, _CHUNK_CELLS // max(len(train), 1))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        total = np.zeros((len(x[part]), len(train)), dtype="float32")
        for j in range(x.shape[1]):
            a, b = x[part, j], y[:, j]
            gap = np.abs(a[:, None] - b[None, :])
            np.minimum(gap, 1.0, out=gap)
            if np.isnan(a).any() or np.isnan(b).any():
                both = np.isnan(a)[:, None] & np.isnan(b)[None, :]
                gap = np.where(np.isnan(gap), np.where(both, 0.0, 1.0), gap).astype("float32")
            total += gap
        for j in range(rows.categories.shape[1]):
            total += rows.categories[part, j][:, None] != train.categories[:, j][None, :]
        closest[part] = total.min(axis=1)
    return closest / max(len(rows.columns.names), 1)
