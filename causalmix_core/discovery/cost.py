"""How long a search will take, asked before it starts."""

from time import perf_counter

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Ints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.skeleton import find_skeleton

_SAMPLE = 200
_PATIENCE = 0.3  # seconds of measuring per size of conditioning set

_LEVELS = 3
_TRIED = 0.25
"""Share of the possible sets that a search tries: most pairs leave early."""

_WHOLE = {"pc": 1.6, "fci": 3.5, "both": 4.0}
"""Whole search relative to its skeleton, by algorithm."""


def estimate(
    test: IndependenceTest,
    algorithm: str,
    alpha: float,
    constraints: Constraints,
    max_degree: int | None,
) -> float:
    """Return seconds for one search, good to a factor of about three.

    The unconditional tests are done for real; how many neighbours they leave says how many
    conditional tests to expect, and a few of those are timed.
    """
    start = perf_counter()
    skeleton = find_skeleton(test, alpha, constraints, max_degree=0)
    seconds = perf_counter() - start
    degree = skeleton.adjacent.sum(axis=1)
    pairs = np.argwhere(np.triu(skeleton.adjacent, 1))
    deepest = _LEVELS if max_degree is None else min(max_degree, _LEVELS)
    left = len(pairs)
    for depth in range(1, deepest + 1):
        room = np.maximum(degree[pairs[:, 0]], degree[pairs[:, 1]]) - 1 if len(pairs) else degree
        if not len(pairs) or room.max() < depth:
            break
        mean_room = float(np.maximum(room - depth + 1, 0).mean())
        seconds += left * _TRIED * 2 * mean_room * _time_one(test, pairs, depth)
        left = left // 2
    return seconds * _WHOLE[algorithm]


def _time_one(test: IndependenceTest, pairs: Ints, depth: int) -> float:
    p = len(test.names)
    rng = np.random.default_rng(0)
    chosen = pairs[rng.integers(0, len(pairs), _SAMPLE)]
    S = np.array(
        [rng.choice(np.setdiff1d(np.arange(p), pair), depth, replace=False) for pair in chosen]
    )
    done, size = 0, 1
    start = perf_counter()
    while done < _SAMPLE and perf_counter() - start < _PATIENCE:
        block = slice(done, done + size)
        test.ask(chosen[block, 0], chosen[block, 1], S[block])
        done, size = min(done + size, _SAMPLE), size * 4
    return (perf_counter() - start) / done
