"""The likelihood-ratio test of independence for categories, counted in batches."""

import numpy as np

from causalmix_core.discovery.encoding import Bools, Encoded, Floats, Ints
from causalmix_core.discovery.independence import (
    RESAMPLING_EXCESS,
    VACUOUS,
    Answers,
    IndependenceTest,
    groups,
    log_p_chi2,
)

MINIMUM_COUNT = 2.0
"""Rows needed per degree of freedom; with fewer a test has no answer."""

_CHUNK = 1 << 18  # coded rows held at once


class GSquared(IndependenceTest):
    """G² = 2 Σ n_sxy ln(n_sxy n_s / (n_sx n_sy)), degrees of freedom from the filled margins.

    Per value s of the conditioning set the degrees of freedom are (filled rows − 1)(filled
    columns − 1). Fewer than `minimum_count` rows per degree of freedom leave a test unanswered.
    """

    label = "gsq"

    def __init__(
        self, data: Encoded, minimum_count: float = MINIMUM_COUNT, excess: float = 0.0
    ) -> None:
        super().__init__(data, excess)
        self.minimum_count = minimum_count
        missing: Bools = np.isnan(data.values)
        codes = np.where(missing, 0, data.values).T
        self.codes = np.ascontiguousarray(codes.astype(np.int16))
        self.complete = np.ascontiguousarray(~missing.T)
        self.has_missing: Bools = np.asarray(missing.any(axis=0))
        self.levels = data.levels
        counts = np.arange(len(data) + 1, dtype=np.float64)
        self.n_log_n: Floats = counts * np.log(np.maximum(counts, 1.0))

    def resample(self, rows: Ints) -> "GSquared":
        return GSquared(self.data.take(rows), self.minimum_count, excess=RESAMPLING_EXCESS)

    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        g2, dof, n, strata = self._statistics(x, y, S)
        g2 = np.maximum(g2 - self.excess * dof, 0.0)
        log_p = log_p_chi2(g2, dof)
        sparse = n < self.minimum_count * np.maximum(dof, np.where(dof == 0, strata, 0))
        # Without conditioning, no freedom means a column that is constant on these rows.
        log_p[dof == 0] = VACUOUS if S.shape[1] else 0.0
        log_p[sparse] = np.nan
        return Answers(log_p, g2 / 2.0 - dof, g2, dof, n)

    def _statistics(self, x: Ints, y: Ints, S: Ints) -> tuple[Floats, Floats, Ints, Ints]:
        """G², degrees of freedom, effective n and filled strata, each of shape (T,)."""
        g2, dof = np.empty(len(x)), np.empty(len(x))
        n, filled = np.empty(len(x), dtype=np.int64), np.empty(len(x), dtype=np.int64)
        strata = self.levels[S].prod(axis=1) if S.shape[1] else np.ones(len(x), dtype=np.int64)
        shapes = np.column_stack([strata, self.levels[x], self.levels[y]])
        for (ks, kx, ky), tests in groups(shapes):
            # Where most strata must be empty, only those that occur are counted.
            wide = ks * kx * ky >= 1 << 15
            size = (
                1
                if wide
                else max(1, min(_CHUNK // len(self.data), ((1 << 15) - 1) // (ks * kx * ky)))
            )
            for start in range(0, len(tests), size):
                block = tests[start : start + size]
                counts = (
                    self._count_wide(x[block], y[block], S[block], kx, ky)
                    if wide
                    else self._count(x[block], y[block], S[block], ks, kx, ky)
                )
                g2[block], dof[block], n[block], filled[block] = self._ratio(counts)
        return g2, dof, n, filled

    def _count(self, x: Ints, y: Ints, S: Ints, ks: int, kx: int, ky: int) -> Ints:
        """Contingency tables, shape (tests, strata, levels of x, levels of y)."""
        T, d = S.shape
        cells = ks * kx * ky
        code = np.zeros((T, len(self.data)), dtype=np.int16)
        for j in range(d):
            if j:
                code *= self.levels[S[:, j], None].astype(np.int16)
            code += self.codes[S[:, j]]
        if d:
            code *= np.int16(kx)
        code += self.codes[x]
        code *= np.int16(ky)
        code += self.codes[y]
        code += (np.arange(T, dtype=np.int16) * np.int16(cells))[:, None]
        members = np.column_stack([S, x, y])
        flat = code.ravel()
        if self.has_missing[members].any():
            flat = code[self.complete[members].all(axis=1)]
        return np.bincount(flat, minlength=T * cells).reshape(T, ks, kx, ky)

    def _count_wide(self, x: Ints, y: Ints, S: Ints, kx: int, ky: int) -> Ints:
        """The same for one test, over the strata that occur."""
        members = [*S[0], x[0], y[0]]
        rows = self.codes[members][:, self.complete[members].all(axis=0)].astype(np.int64)
        stratum = np.zeros(rows.shape[1], dtype=np.int64)
        for s, column in zip(S[0], rows, strict=False):
            stratum = np.unique(stratum * self.levels[s] + column, return_inverse=True)[1]
        strata = int(stratum.max(initial=0)) + 1
        code = (stratum * kx + rows[-2]) * ky + rows[-1]
        return np.bincount(code, minlength=strata * kx * ky).reshape(1, strata, kx, ky)

    def _ratio(self, counts: Ints) -> tuple[Floats, Floats, Ints, Ints]:
        rows, columns = counts.sum(axis=3), counts.sum(axis=2)
        total = rows.sum(axis=2)
        h = self.n_log_n
        g2 = h[counts].sum(axis=(1, 2, 3)) + h[total].sum(axis=1)
        g2 -= h[rows].sum(axis=(1, 2)) + h[columns].sum(axis=(1, 2))
        filled_rows = np.maximum((rows > 0).sum(axis=2) - 1, 0)
        filled_columns = np.maximum((columns > 0).sum(axis=2) - 1, 0)
        dof = (filled_rows * filled_columns).sum(axis=1).astype(np.float64)
        return np.maximum(2.0 * g2, 0.0), dof, total.sum(axis=1), (total > 0).sum(axis=1)
