"""The likelihood-ratio test of independence for categories, counted in batches."""

import numpy as np

from causalmix_core.discovery.encoding import Encoded, Floats, Ints
from causalmix_core.discovery.independence import Evidence, IndependenceTest, log_p_chi2

MINIMUM_COUNT = 0.0


class GSquared(IndependenceTest):
    """G² = 2 Σ n_sxy ln(n_sxy n_s / (n_sx n_sy)), degrees of freedom from the filled margins.

    Per value s of the conditioning set the degrees of freedom are (filled rows − 1)(filled
    columns − 1).
    """

    label = "gsq"

    def __init__(self, data: Encoded, minimum_count: float = MINIMUM_COUNT) -> None:
        super().__init__(data)
        self.minimum_count = minimum_count
        codes = np.where(np.isnan(data.values), -1, data.values)
        self.codes = np.ascontiguousarray(codes.T.astype(np.int64))
        self.has_missing = (self.codes < 0).any(axis=1)
        self.levels = data.levels

    def on(self, rows: Ints) -> "GSquared":
        return GSquared(self.data.take(rows), self.minimum_count)

    def log_p(self, x: Ints, y: Ints, S: Ints) -> Floats:
        out = np.empty(len(x))
        for t in range(len(x)):
            g2, dof, n = self._statistic(int(x[t]), int(y[t]), tuple(S[t]))
            out[t] = np.nan if n < self.minimum_count * dof else 0.0
            out[t] += log_p_chi2(np.array(g2), np.array(dof))
            if dof == 0 and S.shape[1] == 0:
                out[t] = 0.0  # a column that is constant on these rows: no association
        return out

    def _statistic(self, x: int, y: int, S: tuple[int, ...]) -> tuple[float, float, int]:
        members = [*S, x, y]
        columns = self.codes[members]
        if self.has_missing[members].any():
            columns = columns[:, (columns >= 0).all(axis=0)]
        code = np.zeros(columns.shape[1], dtype=np.int64)
        for s, column in zip(S, columns):
            code = code * self.levels[s] + column
        strata = int(np.prod(self.levels[list(S)])) if S else 1
        if strata > 4 * columns.shape[1]:
            code = np.unique(code, return_inverse=True)[1]
            strata = int(code.max(initial=0)) + 1
        kx, ky = int(self.levels[x]), int(self.levels[y])
        code = (code * kx + columns[-2]) * ky + columns[-1]
        N = np.bincount(code, minlength=strata * kx * ky).reshape(strata, kx, ky).astype(float)
        rows, cols = N.sum(axis=2), N.sum(axis=1)
        total = rows.sum(axis=1)
        dof = (((rows > 0).sum(axis=1) - 1).clip(0) * ((cols > 0).sum(axis=1) - 1).clip(0)).sum()
        g2 = 2 * (_nlogn(N) + _nlogn(total) - _nlogn(rows) - _nlogn(cols))
        return max(g2, 0.0), float(dof), columns.shape[1]

    def evidence(self, x: int, y: int, S: tuple[int, ...]) -> Evidence:
        g2, dof, n = self._statistic(x, y, S)
        log_p = float(log_p_chi2(np.array(g2), np.array(dof)))
        strength = float(np.sqrt(1.0 - np.exp(-g2 / n))) if n else float("nan")
        return Evidence(log_p, g2, dof, n, strength)


def _nlogn(counts: Floats) -> float:
    filled = counts[counts > 0]
    return float((filled * np.log(filled)).sum())
