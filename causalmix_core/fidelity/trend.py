"""How well pairs of columns keep going together.

Two numbers: 1 − |ρ_real − ρ_synthetic| / 2 with Spearman's ρ. Any other pair: 1 − ½ Σ|P − Q| over
the joint table, numbers cut into ten bins at the real deciles, missing values a bin of their own.
The trend score is the mean over all pairs (SDMetrics' column pair trends, with ranks).
"""

import numpy as np

from causalmix_core.fidelity.estimate import Estimate, NotApplicable
from causalmix_core.fidelity.samples import Floats, Ints, Sample, indicators

BINS = 10
MAX_LEVELS = 20
MAX_COLUMNS = 100


def trend(real: Sample, synthetic: Sample, w: Floats, v: Floats, seed: int = 0) -> Estimate:
    """Return the trend score; w and v are bootstrap weights of real and synthetic rows.

    Of more than 100 columns, 100 are drawn by the seed: the pairs would be too many.
    """
    width = len(real.columns.names)
    if width < 2:
        raise NotApplicable("a trend needs two columns")
    if width > MAX_COLUMNS:
        rng = np.random.default_rng([seed, 41])
        chosen = np.sort(rng.permutation(width)[:MAX_COLUMNS])
        real, synthetic = real.select(chosen), synthetic.select(chosen)
    pairs = Pairs(real, synthetic)
    resampled = [pairs.mean_score(w[draw], v[draw]) for draw in range(len(w))]
    return Estimate.of(pairs.mean_score(), np.array(resampled))


class Pairs:
    """The scores of all pairs of columns, for any weights of the rows."""

    def __init__(self, real: Sample, synthetic: Sample) -> None:
        cuts = [_cuts(column) for column in real.numbers.T]
        self.real, self.synthetic = _Blocks.of(real, cuts), _Blocks.of(synthetic, cuts)

    def scores(self, w: Floats | None = None, v: Floats | None = None) -> Floats:
        """Return the symmetric (columns, columns) matrix of scores, numbers first."""
        starts = self.real.starts
        gap = np.abs(self.real.joint(w) - self.synthetic.joint(v))
        scores: Floats = 1 - np.add.reduceat(np.add.reduceat(gap, starts, 0), starts, 1) / 2
        count = self.real.ranks.shape[1]
        rho = np.abs(self.real.spearman(w) - self.synthetic.spearman(v))
        scores[:count, :count] = 1 - rho / 2
        return scores

    def mean_score(self, w: Floats | None = None, v: Floats | None = None) -> float:
        """Return the mean over pairs of different columns."""
        scores = self.scores(w, v)
        return float(scores[np.triu_indices(len(scores), 1)].mean())


class _Blocks:
    """One sample as indicators of bins and levels, and as ranks."""

    def __init__(self, hot: Floats, starts: Ints, ranks: Floats, present: Floats) -> None:
        self.hot, self.starts, self.ranks, self.present = hot, starts, ranks, present

    @classmethod
    def of(cls, sample: Sample, cuts: list[Floats]) -> "_Blocks":
        blocks = [
            indicators(_bin(sample.numbers[:, j], edges), len(edges) + 2)
            for j, edges in enumerate(cuts)
        ]
        for j, levels in enumerate(sample.columns.levels):
            width = min(len(levels), MAX_LEVELS) + 1
            codes = np.minimum(sample.categories[:, j], width - 1)
            blocks.append(indicators(np.where(codes < 0, width, codes), width + 1))
        starts = np.cumsum([0] + [block.shape[1] for block in blocks])[:-1]
        ranks = np.empty(sample.numbers.shape)
        for j, column in enumerate(sample.numbers.T):
            ranks[:, j] = _ranks(column)
        present = ~np.isnan(ranks)
        return cls(
            np.hstack(blocks), starts, np.where(present, ranks, 0.0), present.astype("float64")
        )

    def joint(self, weights: Floats | None) -> Floats:
        """Return the share of rows in every pair of bins."""
        if weights is None:
            table: Floats = self.hot.T @ self.hot / len(self.hot)
        else:
            table = (self.hot * weights[:, None]).T @ self.hot / weights.sum()
        return table

    def spearman(self, weights: Floats | None) -> Floats:
        """Return Spearman's ρ of every pair of numbers over the rows with both; 0 if undefined."""
        w = np.ones(len(self.ranks)) if weights is None else weights
        ranks, present = self.ranks * w[:, None], self.present * w[:, None]
        n = present.T @ self.present
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (ranks.T @ self.present) / n
            variance = (ranks * self.ranks).T @ self.present / n - mean**2
            rho = (ranks.T @ self.ranks / n - mean * mean.T) / np.sqrt(variance * variance.T)
        return np.where(np.isfinite(rho), np.clip(rho, -1.0, 1.0), 0.0)


def _ranks(column: Floats) -> Floats:
    """Return mid-ranks centred on zero and scaled to about ±½; NaN stays."""
    here = ~np.isnan(column)
    ranks = np.full(len(column), np.nan)
    if here.any():
        _, codes, counts = np.unique(column[here], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - (counts - 1) / 2
        ranks[here] = (middle[codes] - (here.sum() + 1) / 2) / here.sum()
    return ranks


def _cuts(column: Floats) -> Floats:
    here = column[~np.isnan(column)]
    if len(here) == 0:
        return np.empty(0)
    return np.unique(np.quantile(here, np.arange(1, BINS) / BINS))


def _bin(column: Floats, edges: Floats) -> Ints:
    bins = np.searchsorted(edges, column, side="left")
    return np.where(np.isnan(column), len(edges) + 1, bins)
