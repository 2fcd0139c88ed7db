"""The likelihood-ratio test of independence for categories, counted in batches."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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

_FEW_CELLS = 32  # up to so many cells, intersecting levels is faster than counting codes


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
        self.first: Ints = np.cumsum(data.levels) - data.levels
        counts = np.arange(len(data) + 1, dtype=np.float64)
        self.n_log_n: Floats = counts * np.log(np.maximum(counts, 1.0))

    def resample(self, rows: Ints) -> "GSquared":
        return GSquared(self.data.take(rows), self.minimum_count, excess=RESAMPLING_EXCESS)

    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        g2, dof, n, strata, determined = self._statistics(x, y, S)
        g2 = np.maximum(g2 - self.excess * dof, 0.0)
        log_p = log_p_chi2(g2, dof)
        sparse = n < self.minimum_count * np.maximum(dof, np.where(dof == 0, strata, 0))
        # No freedom: within every stratum one of the two is constant, and so they are independent.
        log_p[dof == 0] = 0.0
        if S.shape[1]:
            log_p[determined] = VACUOUS  # … always the same one: S determines it
        log_p[sparse] = np.nan
        return Answers(log_p, g2 / 2.0 - dof, g2, dof, n)

    def _statistics(self, x: Ints, y: Ints, S: Ints) -> tuple[Floats, Floats, Ints, Ints, Bools]:
        """G², degrees of freedom, effective n, filled strata, and whether S determines x or y."""
        g2, dof = np.empty(len(x)), np.empty(len(x))
        n, filled = np.empty(len(x), dtype=np.int64), np.empty(len(x), dtype=np.int64)
        determined = np.empty(len(x), dtype=bool)
        strata = self.levels[S].prod(axis=1) if S.shape[1] else np.ones(len(x), dtype=np.int64)
        shapes = np.column_stack([strata, self.levels[x], self.levels[y]])
        for (ks, kx, ky), tests in groups(shapes):
            few = S.shape[1] == 0 or (
                S.shape[1] == 1 and (ks - 1) * (kx - 1) * (ky - 1) <= _FEW_CELLS
            )
            # Where most strata must be empty, only those that occur are counted.
            wide = ks * kx * ky >= 1 << 15
            most = max(1, min(_CHUNK // len(self.data), ((1 << 15) - 1) // (ks * kx * ky)))
            size = 1 if wide else most
            for start in range(0, len(tests), size):
                block = tests[start : start + size]
                at = x[block], y[block], S[block]
                if few and not (S.shape[1] and self.has_missing[np.column_stack(at)].any()):
                    counts = self._count_small(*at, ks, kx, ky)
                elif wide:
                    counts = self._count_wide(*at, kx, ky)
                else:
                    counts = self._count(*at, ks, kx, ky)
                g2[block], dof[block], n[block], filled[block], determined[block] = self._ratio(
                    counts
                )
        return g2, dof, n, filled, determined

    def _count_small(self, x: Ints, y: Ints, S: Ints, ks: int, kx: int, ky: int) -> Ints:
        """Tables given at most one variable, from pair tables and intersections of levels.

        A cell of three levels other than the first is the number of rows in all three; the cells
        of first levels follow from the pair tables by subtraction.
        """
        xy = self._pair_table(x, y, kx, ky)
        if not S.shape[1]:
            return xy[:, None]
        s = S[:, 0]
        level_s, level_x, level_y = (
            self.bits[self.first[v][:, None] + np.arange(1, k)]
            for v, k in ((s, ks), (x, kx), (y, ky))
        )
        both = level_x[:, :, None] & level_y[:, None]
        inner = np.bitwise_count(level_s[:, :, None, None] & both[:, None])
        counts = np.empty((len(x), ks, kx, ky), dtype=np.int64)
        counts[:, 1:, 1:, 1:] = inner.sum(axis=-1, dtype=np.uint32)
        sy, sx = self._pair_table(s, y, ks, ky), self._pair_table(s, x, ks, kx)
        counts[:, 1:, 0, 1:] = sy[:, 1:, 1:] - counts[:, 1:, 1:, 1:].sum(axis=2)
        counts[:, 1:, :, 0] = sx[:, 1:] - counts[:, 1:, :, 1:].sum(axis=3)
        counts[:, 0] = xy - counts[:, 1:].sum(axis=1)
        return counts

    def _pair_table(self, a: Ints, b: Ints, ka: int, kb: int) -> Ints:
        rows = self.first[a][:, None, None] + np.arange(ka)[:, None]
        table: Ints = self.pair_counts[rows, self.first[b][:, None, None] + np.arange(kb)]
        return table

    @cached_property
    def indicators(self) -> Bools:
        """Shape (levels of all columns, rows): which rows have which level."""
        columns = np.repeat(np.arange(len(self.levels)), self.levels)
        level = np.arange(len(columns)) - self.first[columns]
        found: Bools = (self.codes[columns] == level[:, None]) & self.complete[columns]
        return found

    @cached_property
    def pair_counts(self) -> Ints:
        """How many rows have both of two levels, for every two levels of any columns."""
        ones = self.indicators.astype(np.float32)  # sums of ones are exact up to 2²⁴ rows
        counts: Ints = np.rint(ones @ ones.T).astype(np.int64)
        return counts

    @cached_property
    def bits(self) -> NDArray[np.uint64]:
        """The indicators, 64 rows to a word."""
        packed = np.packbits(self.indicators, axis=1)
        words = -(-packed.shape[1] // 8)
        padded = np.zeros((len(packed), 8 * words), dtype=np.uint8)
        padded[:, : packed.shape[1]] = packed
        return padded.view(np.uint64)

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

    def _ratio(self, counts: Ints) -> tuple[Floats, Floats, Ints, Ints, Bools]:
        rows, columns = counts.sum(axis=3), counts.sum(axis=2)
        total = rows.sum(axis=2)
        h = self.n_log_n
        g2 = h[counts].sum(axis=(1, 2, 3)) + h[total].sum(axis=1)
        g2 -= h[rows].sum(axis=(1, 2)) + h[columns].sum(axis=(1, 2))
        filled_rows = np.maximum((rows > 0).sum(axis=2) - 1, 0)
        filled_columns = np.maximum((columns > 0).sum(axis=2) - 1, 0)
        dof = (filled_rows * filled_columns).sum(axis=1).astype(np.float64)
        determined = (filled_rows == 0).all(axis=1) | (filled_columns == 0).all(axis=1)
        strata = (total > 0).sum(axis=1)
        return np.maximum(2.0 * g2, 0.0), dof, total.sum(axis=1), strata, determined
