"""The adjacency search: PC-stable in batches (Colombo & Maathuis 2014).

Neighbourhoods are frozen per level, every pair leaves at its first separating set, candidate sets
stand in an order that depends on the data alone, and pairs that knowledge decides are not tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Bools, Floats, Ints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.progress import Progress, silent

_ROUNDS = (1, 8, 64, 512)
"""Sets tried per pair and round: the likely separators alone first, then in growing blocks."""


@dataclass
class Skeleton:
    """Who is joined to whom, and what separated the others.

    Attributes:
        adjacent: (p, p), symmetric.
        separators: the separating set found for each removed pair (i < j).
        marginal: (p, p) log p-values of the unconditional tests; NaN where there was none.
        tests: number of tests done per size of the conditioning set.
        untestable: how many of them the rows could not answer.
        limit_reached: whether `max_degree` left sets untried.
    """

    adjacent: Bools
    separators: dict[tuple[int, int], tuple[int, ...]]
    marginal: Floats
    tests: list[int] = field(default_factory=list)
    untestable: int = 0
    limit_reached: bool = False


def find_skeleton(
    test: IndependenceTest,
    alpha: float,
    constraints: Constraints,
    max_degree: int | None = None,
    progress: Progress = silent,
) -> Skeleton:
    """Search adjacencies by tests of growing conditioning sets."""
    p = len(test.names)
    log_alpha = np.log(alpha)
    adjacent = ~np.eye(p, dtype=bool) & ~constraints.separate
    undecided = np.triu(adjacent & ~constraints.adjacent, 1)
    found = Skeleton(adjacent, {}, np.full((p, p), np.nan))
    x, y = np.nonzero(undecided)
    log_p = test.log_p(x, y, np.empty((len(x), 0), dtype=np.int64))
    found.marginal[x, y] = found.marginal[y, x] = log_p
    found.tests.append(len(x))
    found.untestable += int(np.isnan(log_p).sum())
    _remove(found, x[log_p > log_alpha], y[log_p > log_alpha], None)
    strength = _strength(found.marginal)
    depth = 1
    while True:
        pairs = np.argwhere(np.triu(found.adjacent & ~constraints.adjacent, 1))
        degree = found.adjacent.sum(axis=1)
        pairs = pairs[np.maximum(degree[pairs[:, 0]], degree[pairs[:, 1]]) - 1 >= depth]
        if not len(pairs):
            return found
        if max_degree is not None and depth > max_degree:
            found.limit_reached = True
            return found
        progress(min(0.95, depth / (depth + 2)), f"Testing conditioning sets of size {depth}")
        _search_level(found, found.adjacent, test, pairs, depth, log_alpha, strength, progress)
        depth += 1


def prune_by_possible_dsep(
    skeleton: Skeleton,
    reach: Bools,
    test: IndependenceTest,
    alpha: float,
    constraints: Constraints,
    limit: int | None = None,
    progress: Progress = silent,
) -> Skeleton:
    """Test every edge again given sets from Possible-D-SEP (FCI's second stage).

    `reach[v]` marks Possible-D-SEP(v). Returns the same skeleton where nothing was removed.
    """
    found = replace(
        skeleton,
        adjacent=skeleton.adjacent.copy(),
        separators=dict(skeleton.separators),
        tests=list(skeleton.tests),
    )
    strength = _strength(skeleton.marginal)
    depth = 1
    while True:
        pairs = np.argwhere(np.triu(found.adjacent & ~constraints.adjacent, 1))
        sizes = reach.sum(axis=1)
        pairs = pairs[np.maximum(sizes[pairs[:, 0]], sizes[pairs[:, 1]]) - 1 >= depth]
        if not len(pairs):
            break
        if limit is not None and depth > limit:
            found.limit_reached = True
            break
        _search_level(found, reach, test, pairs, depth, np.log(alpha), strength, progress)
        depth += 1
    return found if (found.adjacent != skeleton.adjacent).any() else skeleton


def _strength(marginal: Floats) -> Floats:
    """How strongly each pair is associated (larger is stronger); unknown counts as strongest."""
    strength: Floats = np.where(np.isnan(marginal), np.inf, -marginal)
    return strength


def _remove(found: Skeleton, x: Ints, y: Ints, S: Ints | None) -> None:
    found.adjacent[x, y] = found.adjacent[y, x] = False
    for k in range(len(x)):
        given = () if S is None else tuple(sorted(int(s) for s in S[k]))
        found.separators[int(x[k]), int(y[k])] = given


def _search_level(
    found: Skeleton,
    around: Bools,
    test: IndependenceTest,
    pairs: Ints,
    depth: int,
    log_alpha: float,
    strength: Floats,
    progress: Progress,
) -> None:
    frozen = around.copy()
    queues = [_Queue(_candidates(int(x), int(y), frozen, depth, strength)) for x, y in pairs]
    live = list(range(len(pairs)))
    done = 0
    removed: list[tuple[int, int, Ints]] = []
    round_number = 0
    while live:
        size = _ROUNDS[min(round_number, len(_ROUNDS) - 1)]
        owners: list[Ints] = []
        sets: list[Ints] = []
        for k in live:
            block = queues[k].take(size, depth)
            owners.append(np.full(len(block), k))
            sets.append(block)
        owner, S = np.concatenate(owners), np.concatenate(sets)
        progress(
            min(0.95, depth / (depth + 2)),
            f"Testing conditioning sets of size {depth}: {len(live)} pairs left",
        )
        log_p = test.log_p(pairs[owner, 0], pairs[owner, 1], S)
        done += len(owner)
        found.untestable += int(np.isnan(log_p).sum())
        hit = np.flatnonzero(log_p > log_alpha)
        # Of a pair's separating sets in this round, keep the one with the largest p-value.
        best = hit[np.lexsort((-log_p[hit], owner[hit]))]
        separated, place = np.unique(owner[best], return_index=True)
        removed += [
            (int(pairs[k, 0]), int(pairs[k, 1]), S[best[at]]) for k, at in zip(separated, place)
        ]
        out = set(separated.tolist())
        counts = dict(zip(live, (len(b) for b in sets)))
        live = [k for k in live if k not in out and counts[k] == size]
        round_number += 1
    found.tests.append(done)
    for x, y, given in removed:
        found.adjacent[x, y] = found.adjacent[y, x] = False
        found.separators[x, y] = tuple(sorted(int(s) for s in given))


class _Queue:
    """Rows of blocks, handed out in portions."""

    def __init__(self, blocks: Iterator[Ints]) -> None:
        self.blocks = blocks
        self.rest: Ints | None = None

    def take(self, size: int, depth: int) -> Ints:
        """Return the next `size` rows, fewer at the end."""
        taken: list[Ints] = []
        wanted = size
        while wanted:
            block = self.rest if self.rest is not None else next(self.blocks, None)
            if block is None:
                break
            taken.append(block[:wanted])
            self.rest = block[wanted:] if len(block) > wanted else None
            wanted -= len(taken[-1])
        return np.concatenate(taken) if taken else np.empty((0, depth), dtype=np.int64)


def _candidates(x: int, y: int, adjacent: Bools, depth: int, strength: Floats) -> Iterator[Ints]:
    """Yield the conditioning sets of a pair, likely separators first, each set once."""
    around_x = adjacent[x].copy()
    around_y = adjacent[y].copy()
    around_x[y] = around_y[x] = False
    closeness = np.minimum(strength[x], strength[y])
    for around, seen in ((around_x, None), (around_y, around_x)):
        members = np.flatnonzero(around)
        if len(members) < depth:
            continue
        members = members[np.argsort(-closeness[members], kind="stable")]
        for chosen in _choices(len(members), depth):
            sets = members[chosen]
            if seen is not None:
                sets = sets[~seen[sets].all(axis=1)]
            if len(sets):
                yield sets


def _choices(m: int, d: int) -> Iterator[Ints]:
    """Yield the d-subsets of range(m) in blocks of rows."""
    if comb(m, d) <= 4096:
        yield _all_choices(m, d)
        return
    source = combinations(range(m), d)
    while True:
        block = [c for _, c in zip(range(4096), source)]
        if not block:
            return
        yield np.array(block, dtype=np.int64)


@lru_cache(maxsize=512)
def _all_choices(m: int, d: int) -> Ints:
    return np.array(list(combinations(range(m), d)), dtype=np.int64).reshape(-1, d)
