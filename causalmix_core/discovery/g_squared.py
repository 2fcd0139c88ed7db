"""The likelihood-ratio test of independence for categories, counted in batches."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from causalmix_core.discovery.encoding import Bools, Encoded, Floats, Ints
from causalmix_core.discovery.independence import (
    VACUOUS,
    Answers,
    IndependenceTest,
    log_p_chi2,
)

MINIMUM_COUNT = 2.0
"""Rows needed per degree of freedom; with fewer a test has no answer."""

_CHUNK = 1 << 18  # coded rows held at once

_MOST_CELLS = (1 << 15) - 1  # cells of a block of tests: their codes fit into 16 bits

_FEW_CELLS = 32  # up to so many cells, intersecting levels is faster than counting codes


Counting = Callable[[Ints, Ints, Ints, int, int, int], Ints]
"""A way to make contingency tables, shape (levels of x, levels of y, tests, strata)."""


class GSquared(IndependenceTest):
    """G² = 2 Σ n_sxy ln(n_sxy n_s / (n_sx n_sy)), degrees of freedom from the filled margins.

    Per value s of the conditioning set the degrees of freedom are (filled rows − 1)(filled
    columns − 1). Fewer than `minimum_count` rows per degree of freedom leave a test unanswered.
    """

    label = "gsq"

    def __init__(
        self, data: Encoded, minimum_count: float = MINIMUM_COUNT, repeated: bool = False
    ) -> None:
        super().__init__(data, repeated)
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

    def resample(self, rows: Ints, repeated: bool = True) -> "GSquared":
        return GSquared(self.data.take(rows), self.minimum_count, repeated)

    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        g2, dof, n, strata, determined = self._statistics(x, y, S)
        g2 = np.maximum(g2 - self.excess(dof), 0.0)
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
        swap = self.levels[x] > self.levels[y]  # the test is symmetric: fewer shapes
        x, y = np.where(swap, y, x), np.where(swap, x, y)
        strata = self.levels[S].prod(axis=1) if S.shape[1] else np.ones(len(x), dtype=np.int64)
        shapes = np.column_stack([strata, self.levels[x], self.levels[y]])
        for way, tests, shape in self._blocks(shapes, self._ways(x, y, S, shapes)):
            counts = way(x[tests], y[tests], S[tests], *shape)
            g2[tests], dof[tests], n[tests], filled[tests], determined[tests] = self._ratio(counts)
        return g2, dof, n, filled, determined

    def _ways(self, x: Ints, y: Ints, S: Ints, shapes: Ints) -> list[tuple[Counting, int, Ints]]:
        """Which tests are counted in which way, and how many of them at once at most."""
        if not S.shape[1]:
            return [(self._count_pairs, len(x), np.arange(len(x)))]
        cells, rows = shapes.prod(axis=1), max(len(self.data), 1)
        # Where most strata must be empty, only those that occur are counted.
        wide = cells > _MOST_CELLS
        few = ~wide & ((shapes - 1).prod(axis=1) <= _FEW_CELLS) & (S.shape[1] == 1)
        few &= ~self.has_missing[np.column_stack([x, y, S])].any(axis=1)
        return [
            (way, max(1, most), tests[np.argsort(cells[tests], kind="stable")])
            for way, most, tests in (
                (self._count_bits, 2 * _CHUNK // rows, np.flatnonzero(few)),
                (self._count_codes, _CHUNK // rows, np.flatnonzero(~few & ~wide)),
                (self._count_strata, 1, np.flatnonzero(wide)),
            )
        ]

    def _blocks(
        self, shapes: Ints, ways: list[tuple[Counting, int, Ints]]
    ) -> Iterator[tuple[Counting, Ints, tuple[int, int, int]]]:
        """Cut tests into blocks, each with the shape of its largest table.

        The other tables of a block are padded: a level without rows changes no figure.
        """
        for way, most, tests in ways:
            while len(tests):
                cells = int(shapes[tests[:most]].max(axis=0).prod())
                size = max(1, min(most, _MOST_CELLS // cells))
                block, tests = tests[:size], tests[size:]
                ks, kx, ky = shapes[block].max(axis=0).tolist()
                yield way, block, (ks, kx, ky)

    def _count_pairs(self, x: Ints, y: Ints, S: Ints, ks: int, kx: int, ky: int) -> Ints:
        """Count tables of two variables, given nothing."""
        return self._pair_table(x, y, kx, ky)[..., None]

    def _count_bits(self, x: Ints, y: Ints, S: Ints, ks: int, kx: int, ky: int) -> Ints:
        """Count tables given one variable by pair tables and intersections of levels.

        A cell of three levels other than the first is the number of rows in all three; the cells
        of first levels follow from the pair tables by subtraction.
        """
        s = S[:, 0]
        level_x, level_y = self.bits[self.rows_of[1:kx, x]], self.bits[self.rows_of[1:ky, y]]
        level_s = self.bits[self.rows_of[1:ks, s].T]
        both = level_x[:, None] & level_y
        inner = np.bitwise_count(both[:, :, :, None] & level_s)
        counts = np.empty((kx, ky, len(x), ks), dtype=np.int64)
        counts[1:, 1:, :, 1:] = inner.sum(axis=-1, dtype=np.uint32)
        xs = self._pair_table(x, s, kx, ks).swapaxes(1, 2)
        ys = self._pair_table(y, s, ky, ks).swapaxes(1, 2)
        counts[0, 1:, :, 1:] = ys[1:, :, 1:] - counts[1:, 1:, :, 1:].sum(axis=0)
        counts[:, 0, :, 1:] = xs[..., 1:] - counts[:, 1:, :, 1:].sum(axis=1)
        counts[..., 0] = self._pair_table(x, y, kx, ky) - counts[..., 1:].sum(axis=-1)
        return counts

    def _pair_table(self, a: Ints, b: Ints, ka: int, kb: int) -> Ints:
        """Shape (levels of a, levels of b, tests)."""
        table: Ints = self.pair_counts[self.rows_of[:ka, None, a], self.rows_of[None, :kb, b]]
        return table

    @cached_property
    def rows_of(self) -> Ints:
        """Entry [k, v]: where level k of variable v stands in `indicators`; the last row, of no
        level, where v has no such level."""
        level = np.arange(self.levels.max(initial=1))[:, None]
        return np.where(level < self.levels, self.first + level, self.levels.sum())

    @cached_property
    def indicators(self) -> Bools:
        """Shape (levels of all columns and one, rows): which rows have which level; the last one
        none."""
        columns = np.repeat(np.arange(len(self.levels)), self.levels)
        level = np.arange(len(columns)) - self.first[columns]
        found = np.zeros((len(columns) + 1, len(self.data)), dtype=bool)
        found[:-1] = (self.codes[columns] == level[:, None]) & self.complete[columns]
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

    def _count_codes(self, x: Ints, y: Ints, S: Ints, ks: int, kx: int, ky: int) -> Ints:
        """Count codes of the rows, 16 bits each."""
        T, d = S.shape
        code = self.codes[x]
        code *= np.int16(ky)
        code += self.codes[y]
        code *= np.int16(T * ks)
        stratum = self.codes[S[:, 0]] if d else np.zeros_like(code)
        for j in range(1, d):
            stratum *= self.levels[S[:, j], None].astype(np.int16)
            stratum += self.codes[S[:, j]]
        code += stratum
        code += (np.arange(T, dtype=np.int16) * np.int16(ks))[:, None]
        members = np.column_stack([S, x, y])
        flat = code.ravel()
        if self.has_missing[members].any():
            flat = code[self.complete[members].all(axis=1)]
        return np.bincount(flat, minlength=T * ks * kx * ky).reshape(kx, ky, T, ks)

    def _count_strata(self, x: Ints, y: Ints, S: Ints, ks: int, kx: int, ky: int) -> Ints:
        """Count the table of one test over the strata that occur."""
        members = [*S[0], x[0], y[0]]
        rows = self.codes[members][:, self.complete[members].all(axis=0)].astype(np.int64)
        stratum = np.zeros(rows.shape[1], dtype=np.int64)
        for s, column in zip(S[0], rows, strict=False):
            stratum = np.unique(stratum * self.levels[s] + column, return_inverse=True)[1]
        strata = int(stratum.max(initial=0)) + 1
        code = (rows[-2] * ky + rows[-1]) * strata + stratum
        return np.bincount(code, minlength=strata * kx * ky).reshape(kx, ky, 1, strata)

    def _ratio(self, counts: Ints) -> tuple[Floats, Floats, Ints, Ints, Bools]:
        rows, columns = counts.sum(axis=1), counts.sum(axis=0)
        total = rows.sum(axis=0)
        h = self.n_log_n
        per_stratum = h[counts].sum(axis=(0, 1)) + h[total]
        per_stratum -= h[rows].sum(axis=0) + h[columns].sum(axis=0)
        filled_rows = np.maximum(np.count_nonzero(rows, axis=0) - 1, 0)
        filled_columns = np.maximum(np.count_nonzero(columns, axis=0) - 1, 0)
        dof = (filled_rows * filled_columns).sum(axis=1).astype(np.float64)
        determined = ~filled_rows.any(axis=1) | ~filled_columns.any(axis=1)
        g2 = np.maximum(2.0 * per_stratum.sum(axis=1), 0.0)
        return g2, dof, total.sum(axis=1), np.count_nonzero(total, axis=1), determined
