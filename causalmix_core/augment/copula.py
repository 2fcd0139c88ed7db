"""Gaussian copula: real marginals, tied together by one correlation matrix."""

import numpy as np
from scipy import special

from causalmix_core.augment.base import Counts, Generator
from causalmix_core.augment.encoding import Spread, learn_spread
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Array, Columns
from causalmix_core.table.table import Table

_SHRINK = 0.01  # least eigenvalue, so that the matrix can be factored


class GaussianCopula(Generator):
    """Normal scores of every column, their correlation, and back (Nelsen 2006, ch. 2).

    Categories are cut from a hidden normal score, in the order of their levels; so is, for every
    column with missing numbers, the fact that they are missing. What a category hides of its score
    would make correlations too small; they are divided by the share of the score's variance that
    it shows (the polyserial correction, to first order). Two columns are compared over the rows in
    which neither is missing.
    """

    name = "gaussian-copula"
    title = "Gaussian copula"

    def _fit(self, table: Table, progress: Progress) -> None:
        if len(table) < 3:
            raise GeneratorError("A Gaussian copula needs at least three rows.")
        self.spread_: Spread = learn_spread(self.columns_, self.codecs_)
        scores = self.spread_.scores()
        present = np.array([~np.isnan(column.values) for column in self.spread_.columns], float)
        rows, pairs = np.maximum(present.sum(axis=1), 1), np.maximum(present @ present.T, 1)
        size = np.maximum((scores**2).sum(axis=0) / rows, 1e-12)
        self.correlation_ = _nearest_correlation(scores.T @ scores / pairs / np.outer(size, size))

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        noise = rng.standard_normal((n, len(self.correlation_)))
        if self.class_column_ is None:
            scores = noise @ np.linalg.cholesky(self.correlation_).T
        else:
            scores = self._given_class(np.repeat(np.arange(len(counts)), counts), noise, rng)
        return self.spread_.values(np.clip(special.ndtr(scores), 1e-12, 1 - 1e-12))

    def _given_class(self, codes: Array, noise: Array, rng: np.random.Generator) -> Array:
        """Draw the class's score inside its interval, the others given it."""
        assert self.class_column_ is not None
        place = self.spread_.place(self.class_column_)
        low, high = self.spread_.interval(self.class_column_, codes)
        level = low + rng.random(len(codes)) * (high - low)
        score = special.ndtri(np.clip(level, 1e-12, 1 - 1e-12))
        pull = self.correlation_[:, place]
        rest = self.correlation_ - np.outer(pull, pull)
        rest[place, place] = 1.0
        scores = score[:, None] * pull + noise @ np.linalg.cholesky(rest).T
        scores[:, place] = score
        return scores


def _nearest_correlation(estimate: Array) -> Array:
    """Return a correlation matrix near the estimate, with no eigenvalue below `_SHRINK`."""
    bounded = np.clip(estimate, -0.99, 0.99)
    np.fill_diagonal(bounded, 1.0)
    values, vectors = np.linalg.eigh(bounded)
    positive = (vectors * np.maximum(values, _SHRINK)) @ vectors.T
    size = np.sqrt(np.diag(positive))
    result: Array = positive / np.outer(size, size)
    return result
