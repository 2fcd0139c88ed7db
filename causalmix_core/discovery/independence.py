"""What a conditional-independence test is, and p-values that stay ordered where they underflow."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import gammaincc, gammaln, log_ndtr

from causalmix_core.discovery.encoding import Encoded, Floats, Ints

VACUOUS = np.inf
"""The log p-value of a test in which S determines x or y: nothing is left that could depend."""


RESAMPLING_GRACE = 0.5
"""Degrees of freedom that are left on a statistic when a bootstrap draw's excess is taken off.

On a draw, the statistic of a table with statistic T and d degrees of freedom is close to a
noncentral χ² with d degrees and noncentrality T: d above T in the mean, about d − 1 in the median.
With d − ½ off, half of the draws find a link about where the table itself does, whatever d is, so
that columns with many levels look related no more often than yes/no columns. (A share of d would
leave an excess that grows with d, past any level of the test. At one degree, ½ gave the best
calibrated frequencies: benchmarks/discovery_calibration.py, families of development.)
"""


@dataclass(frozen=True)
class Answers:
    """What a batch of tests says; every array has shape (T,).

    Attributes:
        log_p: natural logarithms of the p-values; NaN where these rows cannot tell (never read as
            independence), `VACUOUS` where S determines x or y.
        gain: how much better dependence explains the rows than independence: half the
            likelihood-ratio statistic less its degrees of freedom (Akaike's criterion).
        statistic: the statistic behind the p-value.
        dof: its degrees of freedom.
        effective_n: rows complete in all variables of the test.
    """

    log_p: Floats
    gain: Floats
    statistic: Floats
    dof: Floats
    effective_n: Ints

    @property
    def strength(self) -> Floats:
        """Association in [0, 1]: what |correlation| is for two Gaussian numbers."""
        information = np.maximum(self.gain + self.dof, 0.0) / np.maximum(self.effective_n, 1)
        strength: Floats = np.sqrt(-np.expm1(-2.0 * information))
        return strength

    @classmethod
    def empty(cls, T: int) -> "Answers":
        """Return T answers to be filled in."""
        log_p, gain, statistic, dof = np.empty((4, T))
        return cls(log_p, gain, statistic, dof, np.empty(T, dtype=np.int64))

    def fill(self, at: Ints, part: "Answers") -> None:
        """Write the answers to a part of the tests in place."""
        for field in fields(self):
            getattr(self, field.name)[at] = getattr(part, field.name)


class IndependenceTest(ABC):
    """A test of x ⊥ y | S on one set of rows, asked in batches; variables are positions.

    Where rows are `repeated`, as on a bootstrap draw, every likelihood-ratio statistic is lowered
    by its `excess`.
    """

    label: str

    at_once = 4096
    """Tests between two chances to cancel."""

    def __init__(self, data: Encoded, repeated: bool = False) -> None:
        self.data = data
        self.repeated = repeated
        self.names = data.names

    def excess(self, dof: Floats) -> Floats:
        """By how much repeated rows raise statistics with these degrees of freedom."""
        return np.maximum(dof - RESAMPLING_GRACE, 0.0) * self.repeated

    @abstractmethod
    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        """Test x[t] ⊥ y[t] | S[t] for every t; `S` has shape (T, d)."""

    def ask_in_parts(
        self, x: Ints, y: Ints, S: Ints, pause: Callable[[], None] = lambda: None
    ) -> Answers:
        """Ask the same in parts; `pause` is called before each and may raise to cancel."""
        answers = Answers.empty(len(x))
        for start in range(0, len(x), self.at_once):
            pause()
            part = np.arange(start, min(start + self.at_once, len(x)))
            answers.fill(part, self.ask(x[part], y[part], S[part]))
        return answers

    def ask_one(self, x: int, y: int, S: tuple[int, ...]) -> Answers:
        """Test x ⊥ y | S alone."""
        given = np.array([S], dtype=np.int64).reshape(1, len(S))
        return self.ask(np.array([x]), np.array([y]), given)

    @abstractmethod
    def resample(self, rows: Ints, repeated: bool = True) -> "IndependenceTest":
        """Return the same test on a draw of the rows (positions in the encoded table)."""


def groups(keys: Ints) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """Yield each distinct row of `keys` with the positions that hold it, in order."""
    distinct, group = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    bounds = np.searchsorted(group.ravel()[order], np.arange(len(distinct) + 1))
    for k, key in enumerate(distinct):
        yield tuple(key.tolist()), order[bounds[k] : bounds[k + 1]]


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
