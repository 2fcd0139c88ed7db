"""The adjacency search: PC-stable in batches (Colombo & Maathuis 2014).

Neighbourhoods are frozen per level, every pair leaves at its first separating set, candidate sets
stand in an order that depends on the data alone, and pairs that knowledge decides are not tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import combinations
from math import comb

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Bools, Floats, Ints
from causalmix_core.discovery.independence import VACUOUS, IndependenceTest
from causalmix_core.progress import Progress, silent

_ROUNDS = (1, 8, 64, 512)
"""Sets tried per pair and round: the likely separators alone first, then in growing blocks."""

_BLOCK = 4096  # candidate sets listed at once

Pair = tuple[int, int]
Set = tuple[int, ...]


@dataclass
class Skeleton:
    """Who is joined to whom, and what separated the others.

    Attributes:
        adjacent: (p, p), symmetric.
        separators: the separating set found for each removed pair (i < j).
        separating: the log p-value of the test given that set.
        marginal: (p, p) log p-values of the unconditional tests; NaN where there was none.
        weakest: per pair the test that came closest to taking it apart, as (log p, set).
        vacuous: pairs whose only separating set determines one of the two.
        blocked: per pair the sets that left a test without an answer; larger ones cannot answer
            either and are not tried.
        tests: number of tests done per size of the conditioning set.
        unanswered: how many of them the rows could not answer.
        limit_reached: whether a limit on the sets' size left sets untried.
    """

    adjacent: Bools
    separators: dict[Pair, Set]
    marginal: Floats
    separating: dict[Pair, float] = field(default_factory=dict)
    weakest: dict[Pair, tuple[float, Set]] = field(default_factory=dict)
    vacuous: set[Pair] = field(default_factory=set)
    blocked: dict[Pair, list[Set]] = field(default_factory=dict)
    tests: list[int] = field(default_factory=list)
    unanswered: int = 0
    limit_reached: bool = False

    def copy(self) -> "Skeleton":
        """Return a copy that can be changed without touching this one."""
        return replace(
            self,
            adjacent=self.adjacent.copy(),
            separators=dict(self.separators),
            separating=dict(self.separating),
            weakest=dict(self.weakest),
            vacuous=set(self.vacuous),
            blocked={pair: list(sets) for pair, sets in self.blocked.items()},
            tests=list(self.tests),
        )

    def separate(self, pair: Pair, given: Set, log_p: float) -> None:
        """Take an edge out."""
        self.adjacent[pair] = self.adjacent[pair[::-1]] = False
        self.separators[pair] = tuple(sorted(given))
        self.separating[pair] = log_p
        self.blocked.pop(pair, None)

    def count(self, depth: int, tests: int) -> None:
        """Add tests to the count of their conditioning sets' size."""
        self.tests += [0] * (depth + 1 - len(self.tests))
        self.tests[depth] += tests


def find_skeleton(
    test: IndependenceTest,
    alpha: float,
    constraints: Constraints,
    max_degree: int | None = None,
    progress: Progress = silent,
) -> Skeleton:
    """Search adjacencies by tests of growing conditioning sets."""
    p = len(test.names)
    log_alpha = float(np.log(alpha))
    adjacent = ~np.eye(p, dtype=bool) & ~constraints.separate
    found = Skeleton(adjacent, {}, np.full((p, p), np.nan))
    x, y = np.nonzero(np.triu(adjacent & ~constraints.adjacent, 1))
    nothing = np.empty((len(x), 0), dtype=np.int64)
    log_p = test.ask_in_parts(x, y, nothing, lambda: progress(0.0, "Testing every pair")).log_p
    found.marginal[x, y] = found.marginal[y, x] = log_p
    found.count(0, len(x))
    found.unanswered += int(np.isnan(log_p).sum())
    for k in range(len(x)):
        pair = int(x[k]), int(y[k])
        if log_p[k] > log_alpha:
            found.separate(pair, (), float(log_p[k]))
        elif not np.isnan(log_p[k]):
            found.weakest[pair] = float(log_p[k]), ()
    level = _Level(found, test, log_alpha, constraints, progress)
    level.search_all(max_degree)
    _restore_orphans(found)
    return found


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

    `reach[v]` marks Possible-D-SEP(v); sets inside a neighbourhood were tried before. Returns the
    same skeleton where nothing was removed.
    """
    found = skeleton.copy()
    level = _Level(found, test, float(np.log(alpha)), constraints, progress)
    level.search_all(limit, within=reach, tried=skeleton.adjacent)
    _restore_orphans(found)
    return found if (found.adjacent != skeleton.adjacent).any() else skeleton


def _restore_orphans(found: Skeleton) -> None:
    """Put back pairs that were taken apart only because a set determines one of the two.

    Such a set explains the pair as long as one of its members stays joined to the other variable;
    where none does, each of them was explained by the pair in turn, and all would be lost. The
    strongest pairs go first: one that is back may explain the next.
    """
    for x, y in sorted(found.vacuous, key=lambda pair: (found.marginal[pair], pair)):
        S = list(found.separators[x, y])
        if not (found.adjacent[x, S].any() and found.adjacent[y, S].any()):
            found.adjacent[x, y] = found.adjacent[y, x] = True
            del found.separators[x, y], found.separating[x, y]
            found.vacuous.remove((x, y))


class _Level:
    """The tests of one skeleton, level by level."""

    def __init__(
        self,
        found: Skeleton,
        test: IndependenceTest,
        log_alpha: float,
        constraints: Constraints,
        progress: Progress,
    ) -> None:
        self.found = found
        self.test = test
        self.log_alpha = log_alpha
        self.open = ~constraints.adjacent
        self.progress = progress
        # Unknown associations count as the strongest: their variables are tried first.
        self.closeness = np.where(np.isnan(found.marginal), np.inf, -found.marginal)

    def search_all(
        self, limit: int | None, within: Bools | None = None, tried: Bools | None = None
    ) -> None:
        """Search the levels 1, 2, … up to `limit`, sets drawn from `within` or the neighbours."""
        depth = 1
        while True:
            around = (self.found.adjacent if within is None else within).copy()
            size = around.sum(axis=1)
            pairs = np.argwhere(np.triu(self.found.adjacent & self.open, 1))
            ends = around[pairs[:, 0], pairs[:, 1]], around[pairs[:, 1], pairs[:, 0]]
            room = np.maximum(size[pairs[:, 0]] - ends[0], size[pairs[:, 1]] - ends[1])
            pairs = pairs[room >= depth]
            if not len(pairs):
                return
            if limit is not None and depth > limit:
                self.found.limit_reached = True
                return
            self._search(pairs, depth, around, tried)
            depth += 1

    def _search(self, pairs: Ints, depth: int, around: Bools, tried: Bools | None) -> None:
        found, owners = self.found, [(int(x), int(y)) for x, y in pairs]
        queues = [_Queue(self._candidates(x, y, depth, around, tried), depth) for x, y in owners]
        live = list(range(len(pairs)))
        separated: dict[Pair, tuple[Set, float]] = {}
        vacuous: dict[Pair, Set] = {}
        round_number = 0
        while live:
            size = _ROUNDS[min(round_number, len(_ROUNDS) - 1)]
            sentence = f"Testing conditioning sets of size {depth}: {len(live)} pairs to go"
            pause = partial(self.progress, depth / (depth + 2), sentence)
            pause()
            blocks = [queues[k].take(size) for k in live]
            owner = np.repeat(live, [len(block) for block in blocks])
            S = np.concatenate(blocks)
            if not len(S):
                break
            log_p = self.test.ask_in_parts(pairs[owner, 0], pairs[owner, 1], S, pause).log_p
            found.count(depth, len(owner))
            self._note_unanswered(owners, owner, S, log_p)
            for k in np.flatnonzero(log_p == VACUOUS):
                vacuous.setdefault(owners[owner[k]], tuple(S[k].tolist()))
            # Of a pair's separating sets in this round, keep the one with the largest p-value.
            answered = np.flatnonzero(log_p < VACUOUS)
            order = answered[np.lexsort((log_p[answered], owner[answered]))]
            for k in order[np.flatnonzero(np.diff(owner[order], append=-1))].tolist():
                pair, given = owners[owner[k]], tuple(S[k].tolist())
                if log_p[k] > self.log_alpha:
                    separated[pair] = given, float(log_p[k])
                elif log_p[k] > found.weakest.get(pair, (-np.inf, ()))[0]:
                    found.weakest[pair] = float(log_p[k]), given
            live = [
                k
                for k, block in zip(live, blocks, strict=True)
                if len(block) == size and owners[k] not in separated
            ]
            round_number += 1
        for pair, (given, separating) in separated.items():
            found.separate(pair, given, separating)
        for pair, given in vacuous.items():
            if pair not in separated:
                found.separate(pair, given, VACUOUS)
                found.vacuous.add(pair)

    def _note_unanswered(self, owners: list[Pair], owner: Ints, S: Ints, log_p: Floats) -> None:
        for k in np.flatnonzero(np.isnan(log_p)):
            self.found.unanswered += 1
            self.found.blocked.setdefault(owners[owner[k]], []).append(tuple(S[k].tolist()))

    def _candidates(
        self, x: int, y: int, depth: int, around: Bools, tried: Bools | None
    ) -> Iterator[Ints]:
        """Yield the conditioning sets of a pair, likely separators first, each set once."""
        blocked = self.found.blocked.get((x, y), [])
        hopeless = [x, y, *(S[0] for S in blocked if len(S) == 1)]
        together = [S for S in blocked if 1 < len(S) < depth]
        near_x, near_y = around[x].copy(), around[y].copy()
        near_x[hopeless] = near_y[hopeless] = False
        closeness = np.minimum(self.closeness[x], self.closeness[y])
        known: list[Bools] = [] if tried is None else [tried[x], tried[y]]
        for near in (near_x, near_y):
            members = np.flatnonzero(near)
            members = members[np.argsort(-closeness[members], kind="stable")]
            for chosen in _choices(len(members), depth):
                sets = members[chosen]
                for seen in known:
                    sets = sets[~seen[sets].all(axis=1)]
                for S in together:
                    sets = sets[np.isin(sets, S).sum(axis=1) < len(S)]
                if len(sets):
                    yield sets
            known = [*known, near_x]


class _Queue:
    """Rows of blocks, handed out in portions."""

    def __init__(self, blocks: Iterator[Ints], width: int) -> None:
        self.blocks = blocks
        self.rest: Ints = np.empty((0, width), dtype=np.int64)

    def take(self, size: int) -> Ints:
        """Return the next `size` rows, fewer at the end."""
        taken = [self.rest[:size]]
        self.rest = self.rest[size:]
        wanted = size - len(taken[0])
        while wanted:
            block = next(self.blocks, None)
            if block is None:
                break
            taken.append(block[:wanted])
            self.rest = block[wanted:]
            wanted -= len(taken[-1])
        return np.concatenate(taken)


def _choices(m: int, d: int) -> Iterator[Ints]:
    """Yield the d-subsets of range(m) in blocks of rows."""
    if comb(m, d) <= _BLOCK:
        yield _all_choices(m, d)
        return
    source = combinations(range(m), d)
    while block := [chosen for _, chosen in zip(range(_BLOCK), source, strict=False)]:
        yield np.array(block, dtype=np.int64)


@lru_cache(maxsize=512)
def _all_choices(m: int, d: int) -> Ints:
    return np.array(list(combinations(range(m), d)), dtype=np.int64).reshape(-1, d)
