"""What a conditional-independence test is, and p-values that stay ordered where they underflow."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, gammaln, log_ndtr

from causalmix_core.discovery.encoding import Encoded, Floats, Ints


@dataclass(frozen=True)
class Evidence:
    """One test in full.

    Attributes:
        log_p: natural logarithm of the p-value; NaN where the rows cannot answer.
        statistic: the test's statistic.
        dof: degrees of freedom (for Fisher-Z: of the t-distribution behind it).
        effective_n: rows complete in all variables of the test.
        strength: association in [0, 1], comparable between tests of a table.
    """

    log_p: float
    statistic: float
    dof: float
    effective_n: int
    strength: float


class IndependenceTest(ABC):
    """A test of x ⊥ y | S on one set of rows, asked in batches.

    Variables are positions in `names`. A log p-value of NaN means "these rows cannot tell" (too
    few, or x or y is determined by S): it is never read as independence.
    """

    label: str

    def __init__(self, data: Encoded) -> None:
        self.data = data
        self.names = data.names

    @abstractmethod
    def log_p(self, x: Ints, y: Ints, S: Ints) -> Floats:
        """Return log p-values, shape (T,), of x[t] ⊥ y[t] | S[t]; `S` has shape (T, d)."""

    @abstractmethod
    def evidence(self, x: int, y: int, S: tuple[int, ...]) -> Evidence:
        """Return one test with its statistic, effective n and strength."""

    @abstractmethod
    def on(self, rows: Ints) -> "IndependenceTest":
        """Return the same test on these rows (positions in the encoded table)."""


def log_p_normal(z: Floats) -> Floats:
    """Two-sided log p-value of a standard normal statistic."""
    log_p: Floats = np.log(2.0) + log_ndtr(-np.abs(z))
    return np.minimum(log_p, 0.0)


def log_p_chi2(statistic: Floats, dof: Floats) -> Floats:
    """Upper-tail log p-value of a χ² statistic; NaN where there is no degree of freedom.

    Where the tail underflows, the upper incomplete gamma function's continued fraction
    (Abramowitz & Stegun 6.5.31) is summed in logarithms.
    """
    statistic, dof = np.broadcast_arrays(
        np.asarray(statistic, dtype=np.float64), np.asarray(dof, dtype=np.float64)
    )
    a, x = dof / 2.0, np.maximum(statistic, 0.0) / 2.0
    usable = dof > 0
    tail = gammaincc(np.where(usable, a, 1.0), x)
    with np.errstate(divide="ignore"):
        log_p: Floats = np.where(usable, np.log(tail), np.nan)
    tiny = usable & (tail < 1e-280)
    if tiny.any():
        log_p[tiny] = _log_upper_gamma(a[tiny], x[tiny])
    return log_p


def _log_upper_gamma(a: Floats, x: Floats) -> Floats:
    fraction = np.zeros_like(x)
    for k in range(60, 0, -1):  # x ≫ a here: sixty terms are exact to rounding
        fraction = k * (k - a) / (x + 2 * k + 1 - a - fraction)
    log_q: Floats = a * np.log(x) - x - gammaln(a) - np.log(x + 1 - a - fraction)
    return log_q
