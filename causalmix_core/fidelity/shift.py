"""Distances between two sets of rows as the theory of domain shift measures them.

Rows are encoded first: numbers standardised on the real rows (a missing one is 0, with a column
that says so), categories one-hot over the levels of the real rows.

- MMD²: the unbiased squared maximum mean discrepancy (Gretton et al., 2012) with the kernel
  exp(−‖x − y‖²/M), M the median of the non-zero pooled squared distances, over at most 500 rows
  drawn from each set, always the same ones;
- CORAL: ‖C_real − C_synthetic‖²_F / (4 d²) between covariances (Sun & Saenko, 2016).

The proxy A-distance comes out of the two-sample classifier.
"""

import numpy as np
from scipy.spatial.distance import cdist

from causalmix_core.fidelity.estimate import Estimate
from causalmix_core.fidelity.samples import Floats, Ints, Sample, indicators

MMD_ROWS = 500


def encode_pair(real: Sample, synthetic: Sample) -> tuple[Floats, Floats]:
    """Return both sets encoded as (rows, dimensions) on the scale of the real rows."""
    present = [column[~np.isnan(column)] for column in real.numbers.T]
    centre = np.array([column.mean() if len(column) else 0.0 for column in present])
    spread = np.array([column.std() if len(column) else 0.0 for column in present])
    spread[spread == 0] = 1.0
    gaps = np.isnan(real.numbers).any(axis=0) | np.isnan(synthetic.numbers).any(axis=0)
    encoded = []
    for sample in (real, synthetic):
        scaled = (sample.numbers - centre) / spread
        blocks = [np.nan_to_num(scaled), np.isnan(sample.numbers[:, gaps]).astype("float64")]
        for j, known in enumerate(sample.columns.real_levels):
            codes = sample.categories[:, j]
            codes = np.where((codes < 0) | (codes >= known), known, codes)
            blocks.append(indicators(codes, known + 1)[:, :known])
        encoded.append(np.hstack(blocks))
    return encoded[0], encoded[1]


def mmd2(x: Floats, y: Floats, w: Floats, v: Floats) -> Estimate:
    """Return MMD² of two encoded sets; w and v are bootstrap weights of their rows."""
    kernel = Kernel(x, y)
    first, second = kernel.rows
    resampled = [kernel.mmd2(w[draw, first], v[draw, second]) for draw in range(len(w))]
    return Estimate.of(kernel.mmd2(), np.array(resampled))


def coral(x: Floats, y: Floats, w: Floats, v: Floats) -> Estimate:
    """Return the CORAL distance of two encoded sets, with bootstrap weights of their rows."""
    resampled = [coral_distance(x, y, w[draw], v[draw]) for draw in range(len(w))]
    return Estimate.of(coral_distance(x, y), np.array(resampled))


class Kernel:
    """The kernel matrix between two sets, from which MMD² and its resamples are read.

    Attributes:
        rows: positions of the rows compared, of either set: at random, since files are sorted.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        rng = np.random.default_rng(0)
        self.rows = _some(len(x), rng), _some(len(y), rng)
        x, y = x[self.rows[0]], y[self.rows[1]]
        pooled = np.vstack([x, y])
        squared = cdist(pooled, pooled, "sqeuclidean")
        above = squared[np.triu_indices(len(pooled), 1)]
        apart = above[above > 0]
        scale = float(np.median(apart)) if len(apart) else 1.0
        self.matrix: Floats = np.exp(-squared / scale)
        self.sizes = len(x), len(y)

    def mmd2(self, w: Floats | None = None, v: Floats | None = None) -> float:
        """Return the unbiased MMD²; weights count rows (a row never meets itself)."""
        n, m = self.sizes
        w = np.ones(n) if w is None else w
        v = np.ones(m) if v is None else v
        K, L, M = self.matrix[:n, :n], self.matrix[n:, n:], self.matrix[:n, n:]
        # The diagonal is 1: a pair of a row with itself is taken out, also where it is drawn twice.
        xx = (w @ K @ w - (w**2).sum()) / (w.sum() ** 2 - (w**2).sum())
        yy = (v @ L @ v - (v**2).sum()) / (v.sum() ** 2 - (v**2).sum())
        return float(xx + yy - 2 * (w @ M @ v) / (w.sum() * v.sum()))


def _some(count: int, rng: np.random.Generator) -> Ints:
    return np.sort(rng.permutation(count)[:MMD_ROWS])


def coral_distance(x: Floats, y: Floats, w: Floats | None = None, v: Floats | None = None) -> float:
    """Return ‖C_x − C_y‖²_F / (4 d²), rows counted w and v times."""
    gap = _covariance(x, w) - _covariance(y, v)
    return float((gap**2).sum() / (4 * x.shape[1] ** 2))


def _covariance(x: Floats, w: Floats | None) -> Floats:
    w = np.ones(len(x)) if w is None else w
    centred = x - (w @ x) / w.sum()
    covariance: Floats = (centred * w[:, None]).T @ centred / (w.sum() - 1)
    return covariance
