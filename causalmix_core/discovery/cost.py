"""How long a search will take, asked before it starts."""

from math import sqrt
from time import perf_counter

import numpy as np
from scipy.special import binom

from causalmix_core.discovery.encoding import Ints
from causalmix_core.discovery.independence import IndependenceTest

_SAMPLE = 200  # tests timed per size of conditioning set
_PATIENCE = 0.3  # seconds after which timing stops

_ENOUGH = 3e6
"""Seconds (five weeks) beyond which an estimate need not be any better."""

_PRIOR = 0.3  # share of dependent pairs taken for one test more, where few could be timed

_TRIED = 0.25
"""Share of the possible sets that is tried for a pair that one of them takes apart."""

_WHOLE = {"pc": 1.6, "fci": 3.5, "both": 4.0}
"""Whole search relative to its skeleton, by algorithm, where few pairs are dependent; where all
are, nothing is left to do after the skeleton."""


def estimate(test: IndependenceTest, algorithm: str, alpha: float, max_degree: int | None) -> float:
    """Return seconds for one search, good to a factor of about three.

    A sample of tests is timed; the share of dependent pairs in it says how many neighbours a
    column will have, and so how many conditional tests to expect: sets are drawn from the
    neighbours, and a pair goes on to larger sets as often as pairs given random sets of this size
    are dependent.
    """
    p = len(test.names)
    pairs = np.column_stack(np.triu_indices(p, 1))
    each, dependent = _time(test, pairs, 0, alpha)
    seconds = len(pairs) * each
    density, left, degree = dependent, len(pairs) * dependent, (p - 1) * dependent
    for depth in range(1, min(p - 2 if max_degree is None else max_degree, p - 2) + 1):
        if degree < depth or left < 1.0 or seconds > _ENOUGH:
            break
        each, dependent = _time(test, pairs, depth, alpha)
        sets = float(min(2.0 * binom(degree, depth), binom(p - 2, depth)))
        seconds += left * (dependent + (1.0 - dependent) * _TRIED) * sets * each
        left *= dependent
        degree *= sqrt(dependent)  # slower than the pairs: those that are left stand at hubs
    return float(seconds * (1.0 + (_WHOLE[algorithm] - 1.0) * (1.0 - density)))


def _time(test: IndependenceTest, pairs: Ints, depth: int, alpha: float) -> tuple[float, float]:
    """Seconds per test on random pairs given random sets, and the share found dependent."""
    rng = np.random.default_rng(0)
    chosen = pairs[rng.integers(0, len(pairs), _SAMPLE)]
    everything = np.arange(len(test.names))
    S = np.array(
        [rng.choice(np.setdiff1d(everything, pair), depth, replace=False) for pair in chosen],
        dtype=np.int64,
    ).reshape(_SAMPLE, depth)
    done, dependent, size, spent = 0, 0, 1, 0.0
    test.ask(chosen[:1, 0], chosen[:1, 1], S[:1])  # what is made once is not timed
    start = perf_counter()
    while done < _SAMPLE and spent < _PATIENCE:
        block = slice(done, done + size)
        log_p = test.ask(chosen[block, 0], chosen[block, 1], S[block]).log_p
        dependent += int((log_p <= np.log(alpha)).sum())
        done, spent = min(done + size, _SAMPLE), perf_counter() - start
        # No more tests than the time that is left allows: one of the kernel's can take seconds.
        size = max(1, min(size * 4, int((_PATIENCE - spent) * done / spent)))
    return spent / done, (dependent + _PRIOR) / (done + 1)
