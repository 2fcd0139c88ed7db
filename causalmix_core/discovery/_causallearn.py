"""The kernel test of causal-learn (Zhang et al. 2011): sees any dependence, costs O(rows³)."""

import numpy as np
from scipy.special import chdtri

from causalmix_core.discovery.encoding import Encoded, Floats, Ints
from causalmix_core.discovery.independence import Answers, IndependenceTest, log_p_chi2

MOST_ROWS = 300
"""Rows a kernel test looks at; a longer table is thinned evenly."""


class Kernel(IndependenceTest):
    """KCI with Gaussian kernels; categories enter as indicators.

    Its p-value has no likelihood ratio behind it: the χ² value on one degree of freedom with the
    same p-value stands in for one.
    """

    label = "kernel"

    at_once = 1

    def __init__(self, data: Encoded, repeated: bool = False) -> None:
        if len(data) > MOST_ROWS:
            data = data.take(np.linspace(0, len(data) - 1, MOST_ROWS).round().astype(np.int64))
        super().__init__(data, repeated)

    def resample(self, rows: Ints, repeated: bool = True) -> "Kernel":
        return Kernel(self.data.take(rows[rows < len(self.data)]), repeated)

    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        log_p = np.array(
            [
                self._log_p(int(a), int(b), tuple(given))
                for a, b, given in zip(x, y, S.tolist(), strict=True)
            ]
        )
        p = np.exp(np.where(np.isnan(log_p), 0.0, log_p))
        statistic = np.maximum(chdtri(1.0, p) - self.excess(np.ones(len(x))), 0.0)
        dof = np.where(np.isnan(log_p), 0.0, 1.0)
        present = ~np.isnan(self.data.values)
        n = present[:, np.column_stack([x, y, S])].all(axis=2).sum(axis=0)
        return Answers(log_p_chi2(statistic, dof), statistic / 2.0 - dof, statistic, dof, n)

    def _log_p(self, x: int, y: int, S: tuple[int, ...]) -> float:
        from causallearn.utils.KCI.KCI import KCI_CInd, KCI_UInd

        complete = ~np.isnan(self.data.values[:, [x, y, *S]]).any(axis=1)
        rows = self.data.values[complete]
        if len(rows) < 10:
            return float("nan")
        one, other = self._columns(rows, x), self._columns(rows, y)
        if not one.size or not other.size:
            return 0.0
        if S:
            given = np.hstack([self._columns(rows, s) for s in S])
            p, _ = KCI_CInd().compute_pvalue(one, other, given)
        else:
            p, _ = KCI_UInd().compute_pvalue(one, other)
        return float(np.log(max(float(p), 1e-300)))

    def _columns(self, rows: Floats, k: int) -> Floats:
        values = rows[:, k]
        if self.data.is_category[k] and not self.data.is_ranked[k]:
            block = (values[:, None] == np.unique(values)[None, 1:]).astype(float)
        else:
            block = values[:, None]
        spread = block.std(axis=0)
        varies = spread > 0
        scaled: Floats = (block[:, varies] - block[:, varies].mean(axis=0)) / spread[varies]
        return scaled
