"""Colliders: what the tests say about every unshielded triple."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from causalmix_core.discovery.encoding import Bools, Floats, Ints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.skeleton import Skeleton

MAX_SET = 3
"""Largest conditioning set asked for when a triple is judged."""


@dataclass(frozen=True)
class Triple:
    """An unshielded triple x – z – y and its evidence.

    Attributes:
        x, z, y: positions, x < y; x and y are not joined.
        support: log p of the best separating set without z minus that of the best one with z;
            positive speaks for a collider x → z ← y, negative against, NaN: nothing is known.
    """

    x: int
    z: int
    y: int
    support: float


def judge_triples(
    skeleton: Skeleton, test: IndependenceTest, alpha: float, max_set: int = MAX_SET
) -> list[Triple]:
    """Judge every unshielded triple by the sets that separate its ends (max-p)."""
    adjacent = skeleton.adjacent
    common = adjacent.astype(np.int64) @ adjacent.astype(np.int64)
    pairs = np.argwhere(np.triu((common > 0) & ~adjacent, 1))
    log_alpha = float(np.log(alpha))
    best: dict[tuple[int, int, int], list[float]] = {}
    for (x, y), (sets, log_p) in _separators(pairs, adjacent, skeleton, test, max_set).items():
        for z in np.flatnonzero(adjacent[x] & adjacent[y]):
            with_z = [p for S, p in zip(sets, log_p) if z in S and p > log_alpha]
            without = [p for S, p in zip(sets, log_p) if z not in S and p > log_alpha]
            best[x, int(z), y] = [max(without, default=-np.inf), max(with_z, default=-np.inf)]
    out = []
    for (x, z, y), (without_z, with_z_) in sorted(best.items()):
        if np.isinf(without_z) and np.isinf(with_z_):
            out.append(Triple(x, z, y, float("nan")))
        else:
            floor = log_alpha - 1.0
            out.append(Triple(x, z, y, max(without_z, floor) - max(with_z_, floor)))
    return out


def _separators(
    pairs: Ints, adjacent: Bools, skeleton: Skeleton, test: IndependenceTest, max_set: int
) -> dict[tuple[int, int], tuple[list[tuple[int, ...]], Floats]]:
    asked: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for x, y in pairs.tolist():
        sets: dict[tuple[int, ...], None] = {}
        for around in (adjacent[x], adjacent[y]):
            members = [int(v) for v in np.flatnonzero(around) if v not in (x, y)]
            for size in range(min(max_set, len(members)) + 1):
                sets.update(dict.fromkeys(combinations(members, size)))
        recorded = skeleton.separators.get((x, y))
        if recorded is not None:
            sets[recorded] = None
        asked[x, y] = list(sets)
    by_size: dict[int, list[tuple[tuple[int, int], tuple[int, ...]]]] = {}
    for pair, given in asked.items():
        for S in given:
            by_size.setdefault(len(S), []).append((pair, S))
    answers: dict[tuple[tuple[int, int], tuple[int, ...]], float] = {}
    for size, questions in sorted(by_size.items()):
        ends = np.array([pair for pair, _ in questions], dtype=np.int64)
        S = np.array([S for _, S in questions], dtype=np.int64).reshape(len(questions), size)
        answers.update(zip(questions, test.log_p(ends[:, 0], ends[:, 1], S).tolist()))
    return {
        pair: (given, np.array([answers[pair, S] for S in given])) for pair, given in asked.items()
    }
