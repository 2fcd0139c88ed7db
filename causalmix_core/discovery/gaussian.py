"""Tests on correlations: Fisher-Z for numbers, the degenerate-Gaussian ratio for mixed columns."""

from functools import cached_property
from typing import Any, Self

import numpy as np

from causalmix_core.discovery.encoding import Bools, Encoded, Floats, Ints
from causalmix_core.discovery.independence import (
    VACUOUS,
    Answers,
    IndependenceTest,
    groups,
    log_p_chi2,
    log_p_normal,
)

DETERMINED = 1e-8
"""A variable with less than this share of its variance left, given S, is determined by S."""

_MOST_KNOWN = 512  # correlation matrices kept, one for each set of incomplete variables

_CHUNK = 2_000_000  # matrix entries worked on at once: keeps the stacks inside the cache


class _CorrelationTest(IndependenceTest):
    """Common ground: correlations of a design matrix over the rows that a test may use."""

    def __init__(
        self, data: Encoded, design: Floats, first: Ints, width: Ints, repeated: bool = False
    ) -> None:
        super().__init__(data, repeated)
        self.design = design
        self.first = first
        self.width = width
        steps = np.arange(width.max(initial=1))
        self.columns: Ints = np.where(steps < width[:, None], first[:, None] + steps, -1)
        self.missing: Bools = np.ascontiguousarray(np.isnan(data.values).T)
        self.has_missing: Bools = np.asarray(self.missing.any(axis=1))
        if self.has_missing.any():
            self.at_once = 512  # nearly each test has rows of its own and takes its time
        self._known: dict[tuple[int, ...], tuple[Floats, int]] = {}

    def resample(self, rows: Ints, repeated: bool = True) -> Self:
        data, design = self.data.take(rows), self.design[rows]
        return type(self)(data, design, self.first, self.width, repeated)

    def __getstate__(self) -> dict[str, Any]:
        # Workers get the rows, not what was made of them.
        made = ("by_column",)
        return {k: v for k, v in self.__dict__.items() if k not in made} | {"_known": {}}

    def correlations(self, missing_in: tuple[int, ...]) -> tuple[Floats, int]:
        """Correlations over the rows complete in these variables, and their number."""
        if missing_in not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            complete = ~self.missing[list(missing_in)].any(axis=0)
            rows = self.design[complete] if missing_in else self.design
            self._known[missing_in] = correlation_matrix(rows), len(rows)
        return self._known[missing_in]

    def _correlations_of(self, members: Ints, missing_in: tuple[int, ...]) -> tuple[Floats, int]:
        """Like `correlations`; columns of other variables than these may be left out (as 0)."""
        used = np.unique(members)
        if 2 * len(used) > len(self.names):
            return self.correlations(missing_in)  # other tests will ask for the same rows
        complete = ~self.missing[list(missing_in)].any(axis=0)
        columns = self._dimensions(used[None])[0]
        R = np.eye(self.design.shape[1])
        R[np.ix_(columns, columns)] = correlation_matrix(self.by_column[columns][:, complete].T)
        return R, int(complete.sum())

    @cached_property
    def by_column(self) -> Floats:
        """The design with its columns in one piece each, to take few of them quickly."""
        return np.ascontiguousarray(self.design.T)

    def _dimensions(self, variables: Ints) -> Ints:
        """Columns of the design that belong to each row of variables, all rows equally many."""
        columns = self.columns[variables]
        chosen: Ints = columns[columns >= 0]
        return chosen.reshape(len(variables), -1)

    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        if not self.has_missing.any():
            return self._ask(x, y, S, *self.correlations(()))
        answers = Answers.empty(len(x))
        members = np.column_stack([x, y, S])
        # Tests with the same incomplete variables share their rows.
        incomplete = np.sort(np.where(self.has_missing[members], members, -1), axis=1)
        for key, tests in groups(incomplete):
            used = tuple(v for v in key if v >= 0)
            R, n = self._correlations_of(members[tests], used)
            answers.fill(tests, self._ask(x[tests], y[tests], S[tests], R, n))
        return answers

    def _ask(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> Answers:
        raise NotImplementedError


def correlation_matrix(design: Floats) -> Floats:
    """Correlations of the columns; a column without variance correlates with nothing.

    A missing entry makes its column's correlations NaN, which only tests that do not use the
    column may see.
    """
    if len(design) < 2:
        return np.eye(design.shape[1])
    centred = design - design.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    spread = np.abs(design).max(axis=0) if len(design) else scale
    flat = scale <= 1e-12 * np.maximum(spread, 1e-300) * np.sqrt(len(design))
    scaled = np.where(flat, 0.0, centred / np.where(flat, 1.0, scale))
    R: Floats = scaled.T @ scaled
    np.fill_diagonal(R, 1.0)
    return R


class FisherZ(_CorrelationTest):
    """Partial correlation with Fisher's transform; every column is read as a number."""

    label = "fisherz"

    @classmethod
    def of(cls, data: Encoded) -> "FisherZ":
        """Build the test on all rows of `data`."""
        columns = np.arange(len(data.names))
        return cls(data, data.values, columns, np.ones_like(columns))

    def _ask(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> Answers:
        r = _partial_correlations(R, x, y, S)
        free = n - S.shape[1] - 3
        determined = np.isnan(r)
        r = np.where(determined, 0.0, np.clip(r, -1.0 + 1e-15, 1.0 - 1e-15))
        z = np.sqrt(max(free, 0)) * np.arctanh(r)
        dof = np.ones(len(x))
        log_p = log_p_normal(np.sqrt(np.maximum(z**2 - self.excess(dof), 0.0)))
        log_p = np.where(determined, VACUOUS, log_p) if free > 0 else np.full(len(x), np.nan)
        gain = np.maximum(-n * np.log1p(-(r**2)) - self.excess(dof), 0.0) / 2.0 - 1.0
        gain = np.where(determined, 0.0, gain)
        return Answers(log_p, gain, z, dof, np.full(len(x), n))


def _partial_correlations(R: Floats, x: Ints, y: Ints, S: Ints) -> Floats:
    """Partial correlations, shape (T,); NaN where S determines x or y."""
    T, d = S.shape
    if d == 0:
        return R[x, y]
    if d == 1:
        xy, xz, yz = R[x, y], R[x, S[:, 0]], R[y, S[:, 0]]
        left = (1.0 - xz**2) * (1.0 - yz**2)
        determined = (1.0 - xz**2 < DETERMINED) | (1.0 - yz**2 < DETERMINED)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(determined, np.nan, (xy - xz * yz) / np.sqrt(left))
    out = np.empty(T)
    size = max(1, _CHUNK // (d + 2) ** 2)
    for start in range(0, T, size):
        block = slice(start, start + size)
        index = np.column_stack([S[block], x[block], y[block]])
        L = _cholesky(R[index[:, :, None], index[:, None, :]])
        # The last two rows of the factor hold x and y after S is taken out.
        left_x = L[:, d, d] ** 2
        left_y = L[:, d + 1, d] ** 2 + L[:, d + 1, d + 1] ** 2
        r = L[:, d + 1, d] / np.sqrt(np.maximum(left_y, DETERMINED / 10))
        determined = (left_x < DETERMINED) | (left_y < DETERMINED)
        out[block] = np.where(determined, np.nan, r)
    return out


def _cholesky(stack: Floats) -> Floats:
    """Factor correlation matrices, shape (T, k, k), of which some may be singular."""
    k = stack.shape[-1]
    factor: Floats = np.asarray(np.linalg.cholesky(stack + 1e-11 * np.eye(k)), dtype=np.float64)
    return factor


class DegenerateGaussian(_CorrelationTest):
    """Likelihood-ratio test that treats indicators of categories as jointly Gaussian with numbers.

    T = m (ln|Σ_xS| + ln|Σ_yS| − ln|Σ_S| − ln|Σ_xyS|), χ² with dim(x)·dim(y) degrees of freedom
    (Andrews, Ramsey & Cooper 2019). m = n − 1 − dim(S) − (dim(x) + dim(y) + 1)/2 is Bartlett's
    factor (1938): with n in its place, categories with many levels are rejected far too often.
    Ranked categories enter as their ranks.
    """

    label = "degenerate-gaussian"

    @classmethod
    def of(cls, data: Encoded) -> "DegenerateGaussian":
        """Build the test on all rows of `data`."""
        first: list[int] = []
        width: list[int] = []
        blocks: list[Floats] = []
        position = 0
        for column in range(len(data.names)):
            values = data.values[:, column]
            if data.is_category[column] and not data.is_ranked[column]:
                levels = np.arange(1, max(int(data.levels[column]), 2))
                block = (values[:, None] == levels).astype(float)
                block[np.isnan(values)] = np.nan
            else:
                block = values[:, None]
            blocks.append(block)
            first.append(position)
            width.append(block.shape[1])
            position += block.shape[1]
        return cls(data, np.hstack(blocks), np.array(first), np.array(width))

    def _ask(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> Answers:
        ratio, dof, factor, flat = self._ratio(x, y, S, R, n)
        excess = self.excess(dof)
        statistic = np.maximum(factor * ratio - excess, 0.0)
        vacuous = (dof == 0) & ~np.isnan(statistic)
        log_p = np.where(vacuous, VACUOUS, log_p_chi2(statistic, dof))
        # A column that is constant on these rows is associated with nothing.
        log_p = np.where(flat, 0.0, log_p)
        statistic = np.nan_to_num(statistic)
        gain = np.nan_to_num(np.maximum(n * ratio - excess, 0.0)) / 2.0 - dof
        return Answers(log_p, gain, statistic, dof, np.full(len(x), n))

    def _ratio(
        self, x: Ints, y: Ints, S: Ints, R: Floats, n: int
    ) -> tuple[Floats, Floats, Floats, Bools]:
        """Log-ratio per row, degrees of freedom, Bartlett's factor, and whether x or y is
        constant, each of shape (T,).

        The ratio is NaN where rows are too few. Dimensions that S determines do not count.
        """
        # An incomplete column that these tests do not use is NaN here; it says nothing of others.
        alive = np.nan_to_num(np.abs(R - np.eye(len(R)))).max(axis=1, initial=0.0) > 0.0
        dims = np.add.reduceat(alive.astype(np.int64), self.first)
        swap = self.width[x] > self.width[y]  # the test is symmetric: fewer shapes, larger stacks
        x, y = np.where(swap, y, x), np.where(swap, x, y)
        widths = self.width[np.column_stack([S, x, y])]
        given, wx, wy = widths[:, :-2].sum(axis=1), widths[:, -2], widths[:, -1]
        ratio, free_x, free_y = np.full(len(x), np.nan), dims[x], dims[y]
        for (g, a, b), tests in groups(np.column_stack([given, wx, wy])):
            if n <= g + a + b + 1:
                continue
            size = max(1, _CHUNK // (g + a + b) ** 2)
            for start in range(0, len(tests), size):
                block = tests[start : start + size]
                index = self._dimensions(np.column_stack([S[block], x[block], y[block]]))
                ratio[block], fixed_x, fixed_y = _information(
                    R[index[:, :, None], index[:, None, :]], g, a
                )
                free_x[block] -= fixed_x
                free_y[block] -= fixed_y
        factor = n - 1 - dims[S].sum(axis=1) - (free_x + free_y + 1) / 2.0
        return ratio, (free_x * free_y).astype(float), factor, (dims[x] == 0) | (dims[y] == 0)


def _information(stack: Floats, g: int, a: int) -> tuple[Floats, Ints, Ints]:
    """2 × the Gaussian mutual information of x and y given S, from correlations over (S, x, y).

    `g` and `a` are the dimensions of S and x. Also returns how many dimensions of x and of y are
    determined by S (and by those of the same column before them).
    """
    both = _cholesky(stack)
    alone = np.delete(np.arange(stack.shape[-1]), np.s_[g : g + a])
    without_x = _cholesky(stack[:, alone[:, None], alone[None, :]])
    left_x = np.diagonal(both, axis1=1, axis2=2)[:, g : g + a]
    left_y = np.diagonal(without_x, axis1=1, axis2=2)[:, g:]
    left_y_given_x = np.diagonal(both, axis1=1, axis2=2)[:, g + a :]
    fixed_x, fixed_y = left_x**2 < DETERMINED, left_y**2 < DETERMINED
    ratio = 2.0 * np.where(fixed_y, 0.0, np.log(left_y / left_y_given_x)).sum(axis=1)
    return np.maximum(ratio, 0.0), fixed_x.sum(axis=1), fixed_y.sum(axis=1)
