"""Tests on correlations: Fisher-Z for numbers, the degenerate-Gaussian ratio for mixed columns."""

from dataclasses import replace
from typing import Self

import numpy as np

from causalmix_core.discovery.encoding import Bools, Encoded, Floats, Ints
from causalmix_core.discovery.independence import (
    Evidence,
    IndependenceTest,
    log_p_chi2,
    log_p_normal,
)

DETERMINED = 1e-8
"""A variable with less than this share of its variance left, given S, is determined by S."""

_CHUNK = 2_000_000  # matrix entries worked on at once: keeps the stacks inside the cache


class _CorrelationTest(IndependenceTest):
    """Common ground: correlations of a design matrix over the rows that a test may use."""

    def __init__(self, data: Encoded, design: Floats, first: Ints, width: Ints) -> None:
        super().__init__(data)
        self.design = design
        self.first = first
        self.width = width
        self.has_missing: Bools = np.isnan(data.values).any(axis=0)
        self._whole: tuple[Floats, int] | None = None

    def on(self, rows: Ints) -> Self:
        return type(self)(self.data.take(rows), self.design[rows], self.first, self.width)

    def correlations(self, missing_in: tuple[int, ...]) -> tuple[Floats, int]:
        """Correlations over the rows complete in these variables, and their number."""
        if missing_in:
            complete = ~np.isnan(self.data.values[:, list(missing_in)]).any(axis=1)
            return correlation_matrix(self.design[complete]), int(complete.sum())
        if self._whole is None:
            self._whole = correlation_matrix(self.design), len(self.design)
        return self._whole

    def log_p(self, x: Ints, y: Ints, S: Ints) -> Floats:
        if not self.has_missing.any():
            return self._log_p(x, y, S, *self.correlations(()))
        out = np.empty(len(x))
        for missing_in, tests in self._by_missingness(x, y, S):
            out[tests] = self._log_p(x[tests], y[tests], S[tests], *self.correlations(missing_in))
        return out

    def _by_missingness(self, x: Ints, y: Ints, S: Ints) -> list[tuple[tuple[int, ...], Ints]]:
        """Group tests by the incomplete variables among their own: these share their rows."""
        members = np.column_stack([x, y, S])
        members = np.sort(np.where(self.has_missing[members], members, -1), axis=1)
        keys, group = np.unique(members, axis=0, return_inverse=True)
        order = np.argsort(group, kind="stable")
        bounds = np.searchsorted(group[order], np.arange(len(keys) + 1))
        return [
            (tuple(int(v) for v in key if v >= 0), order[bounds[k] : bounds[k + 1]])
            for k, key in enumerate(keys)
        ]

    def _log_p(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> Floats:
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

    def _log_p(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> Floats:
        d = S.shape[1]
        r = _partial_correlations(R, x, y, S)
        if n - d - 3 <= 0:
            return np.full(len(x), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return log_p_normal(np.sqrt(n - d - 3) * np.arctanh(np.clip(r, -1.0, 1.0)))

    def evidence(self, x: int, y: int, S: tuple[int, ...]) -> Evidence:
        used = tuple(v for v in sorted((x, y, *S)) if self.has_missing[v])
        R, n = self.correlations(used)
        X, Y, Z = np.array([x]), np.array([y]), np.array([S], dtype=np.int64).reshape(1, -1)
        r = float(_partial_correlations(R, X, Y, Z)[0])
        log_p = float(self._log_p(X, Y, Z, R, n)[0])
        free = n - len(S) - 3
        with np.errstate(divide="ignore"):
            z = float(np.sqrt(max(free, 0)) * np.arctanh(np.clip(r, -1.0, 1.0)))
        return Evidence(log_p, z, float(max(n - len(S) - 2, 0)), n, abs(r))


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
    factor: Floats = np.linalg.cholesky(stack + 1e-11 * np.eye(k))
    return factor


class DegenerateGaussian(_CorrelationTest):
    """Likelihood-ratio test that treats indicators of categories as jointly Gaussian with numbers.

    T = n (ln|Σ_xS| + ln|Σ_yS| − ln|Σ_S| − ln|Σ_xyS|), χ² with dim(x)·dim(y) degrees of freedom
    (Andrews, Ramsey & Cooper 2019). Ranked categories enter as their ranks.
    """

    label = "degenerate-gaussian"

    @classmethod
    def of(cls, data: Encoded) -> "DegenerateGaussian":
        """Build the test on all rows of `data`."""
        blocks, first, width = [], [], []
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

    def _log_p(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> Floats:
        statistic, dof = self._ratio(x, y, S, R, n)
        # A column that is constant on these rows is associated with nothing.
        return np.where(dof == 0, 0.0, log_p_chi2(statistic, dof))

    def _ratio(self, x: Ints, y: Ints, S: Ints, R: Floats, n: int) -> tuple[Floats, Floats]:
        """Statistic and degrees of freedom, each of shape (T,); NaN where not testable."""
        alive = np.abs(R - np.eye(len(R))).max(axis=1, initial=0.0) > 0.0
        dims = np.array([alive[f : f + w].sum() for f, w in zip(self.first, self.width)])
        dof = (dims[x] * dims[y]).astype(float)
        widths = self.width[np.column_stack([S, x, y])]
        given, wx, wy = widths[:, :-2].sum(axis=1), widths[:, -2], widths[:, -1]
        statistic = np.empty(len(x))
        # Tests of equal block sizes share one stack; sorting brings them together.
        signature = np.column_stack([given, wx, wy])
        shapes, group = np.unique(signature, axis=0, return_inverse=True)
        order = np.argsort(group, kind="stable")
        bounds = np.searchsorted(group[order], np.arange(len(shapes) + 1))
        for k, (g, a, b) in enumerate(shapes):
            tests = order[bounds[k] : bounds[k + 1]]
            if n <= g + a + b + 1:
                statistic[tests] = np.nan
                continue
            size = max(1, _CHUNK // (g + a + b) ** 2)
            for start in range(0, len(tests), size):
                block = tests[start : start + size]
                index = np.hstack(
                    [
                        self._dimensions(S[block], g),
                        self._dimensions(x[block, None], a),
                        self._dimensions(y[block, None], b),
                    ]
                )
                statistic[block] = n * _information(R[index[:, :, None], index[:, None, :]], g, a)
        return statistic, dof

    def _dimensions(self, variables: Ints, total: int) -> Ints:
        """Columns of the design that belong to each row of variables, shape (T, total)."""
        T, d = variables.shape
        widths = self.width[variables]
        before = np.cumsum(widths, axis=1) - widths
        out = np.zeros((T, total), dtype=np.int64)
        rows = np.arange(T)
        for j in range(d):
            for step in range(int(widths[:, j].max(initial=0))):
                has = widths[:, j] > step
                place = before[has, j] + step
                out[rows[has], place] = self.first[variables[has, j]] + step
        return out

    def evidence(self, x: int, y: int, S: tuple[int, ...]) -> Evidence:
        used = tuple(v for v in sorted((x, y, *S)) if self.has_missing[v])
        R, n = self.correlations(used)
        X, Y, Z = np.array([x]), np.array([y]), np.array([S], dtype=np.int64).reshape(1, -1)
        statistic, dof = self._ratio(X, Y, Z, R, n)
        log_p = float(log_p_chi2(statistic, dof)[0])
        share = 1.0 - np.exp(-max(statistic[0], 0.0) / n) if n else np.nan
        return Evidence(log_p, float(statistic[0]), float(dof[0]), n, float(np.sqrt(share)))


def _information(stack: Floats, g: int, a: int) -> Floats:
    """2 × the Gaussian mutual information of x and y given S, from correlations over (S, x, y).

    `g` and `a` are the dimensions of S and x. NaN where S determines a part of x or y.
    """
    both = _cholesky(stack)
    alone = np.delete(np.arange(stack.shape[-1]), np.s_[g : g + a])
    without_x = _cholesky(stack[:, alone[:, None], alone[None, :]])
    left_y = np.diagonal(without_x, axis1=1, axis2=2)[:, g:]
    left_xy = np.diagonal(both, axis1=1, axis2=2)[:, g:]
    left_y_given_x = left_xy[:, a:]
    determined = (left_xy[:, :a].min(axis=1) ** 2 < DETERMINED) | (
        left_y.min(axis=1) ** 2 < DETERMINED
    )
    ratio = 2.0 * (np.log(left_y).sum(axis=1) - np.log(left_y_given_x).sum(axis=1))
    return np.where(determined, np.nan, np.maximum(ratio, 0.0))


def as_numbers(data: Encoded) -> Encoded:
    """Return the same matrix with every column read as a number."""
    none = np.zeros_like(data.is_category)
    return replace(data, is_category=none, is_ranked=none)
