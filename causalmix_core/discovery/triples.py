"""Colliders: what the tests say about every unshielded triple."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb

import numpy as np

from causalmix_core.discovery.encoding import Bools
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.skeleton import Pair, Set, Skeleton
from causalmix_core.progress import Progress, silent

LARGEST_SET = 3
"""Largest conditioning set asked for when a triple is judged."""

MOST_SETS = 300
"""Most sets asked for per pair: around hubs the sets are kept smaller."""


@dataclass(frozen=True)
class Triple:
    """An unshielded triple x – z – y with x < y, and its evidence.

    Attributes:
        support: how much better a collider x → z ← y explains the rows than any other reading of
            the triple, in units of log-likelihood: positive speaks for a collider, negative
            against one; NaN where no set separates x and y.
    """

    x: int
    z: int
    y: int
    support: float


Known = dict[Pair, dict[Set, tuple[float, float]]]
"""Answers so far: per pair and conditioning set the log p-value and the gain."""


def judge_triples(
    skeleton: Skeleton,
    test: IndependenceTest,
    alpha: float,
    known: Known | None = None,
    progress: Progress = silent,
) -> list[Triple]:
    """Judge every unshielded triple by the sets that separate its ends.

    What `known` holds is not tested again, and what is tested is added to it: FCI judges its
    pruned skeleton by the tests that PC's was judged by.

    At a collider, adding z to a set that separates x and y makes them dependent; at any other
    triple, taking z out of one does. The support is what z adds to the dependence of x and y
    given S (three-point information, penalised as in Akaike's criterion; Verny et al. 2017 orient
    by its sign), averaged over the sets around x and y that separate with or without z, with
    their p-values as weights. It depends on no order of columns and on no single separating set.
    """
    joined = skeleton.adjacent
    common = (joined.astype(np.int64) @ joined.astype(np.int64)) > 0
    pairs = [(int(x), int(y)) for x, y in np.argwhere(np.triu(common & ~joined, 1))]
    middles = {(x, y): np.flatnonzero(joined[x] & joined[y]).tolist() for x, y in pairs}
    asked = {
        pair: list(_sets(pair, joined, skeleton.separators.get(pair), middles[pair]))
        for pair in pairs
    }
    pause = partial(progress, 0.0, "Judging colliders")
    answers = _ask(test, asked, {} if known is None else known, pause)
    log_alpha = float(np.log(alpha))
    return [
        Triple(x, z, y, _support(answers[x, y], z, log_alpha))
        for x, y in pairs
        for z in middles[x, y]
    ]


def clearest_first(triples: Iterable[Triple]) -> list[Triple]:
    """Return the triples of which anything is known, the best supported reading first."""
    known = (t for t in triples if not np.isnan(t.support))
    return sorted(known, key=lambda t: (-abs(t.support), t.z, t.x, t.y))


def _support(answers: dict[Set, tuple[float, float]], z: int, log_alpha: float) -> float:
    weights, gains = [], []
    for S, (log_p, gain) in answers.items():
        if z in S:
            continue
        with_z = answers.get(_add(S, z))
        if with_z is None:
            continue
        best = max((p for p in (log_p, with_z[0]) if not np.isnan(p)), default=-np.inf)
        if best > log_alpha:
            weights.append(np.exp(min(best, 0.0)))
            gains.append(with_z[1] - gain)
    return float(np.average(gains, weights=weights)) if gains else float("nan")


def _sets(pair: Pair, joined: Bools, separator: Set | None, middles: list[int]) -> Iterable[Set]:
    """Subsets of both neighbourhoods, and the separating set with and without each middle."""
    sets: dict[Set, None] = {}
    for end in pair:
        members = [int(v) for v in np.flatnonzero(joined[end]) if v not in pair]
        sets.update(dict.fromkeys(_subsets(members)))
    if separator is not None:
        sets[separator] = None
        for z in middles:
            without = tuple(v for v in separator if v != z)
            sets[without if len(without) < len(separator) else _add(separator, z)] = None
    return sets


def _subsets(members: list[int]) -> Iterator[Set]:
    total = 0
    for size in range(min(LARGEST_SET, len(members)) + 1):
        total += comb(len(members), size)
        if size > 1 and total > MOST_SETS:
            return
        yield from combinations(members, size)


def _add(S: Set, z: int) -> Set:
    return tuple(sorted((*S, z)))


def _ask(
    test: IndependenceTest,
    asked: dict[Pair, list[Set]],
    known: Known,
    pause: Callable[[], None],
) -> Known:
    by_size: dict[int, list[tuple[Pair, Set]]] = {}
    for pair, sets in asked.items():
        before = known.setdefault(pair, {})
        for S in sets:
            if S not in before:
                by_size.setdefault(len(S), []).append((pair, S))
    for size, questions in sorted(by_size.items()):
        ends = np.array([pair for pair, _ in questions], dtype=np.int64)
        given = np.array([S for _, S in questions], dtype=np.int64).reshape(len(questions), size)
        answers = test.ask_in_parts(ends[:, 0], ends[:, 1], given, pause)
        for (pair, S), log_p, gain in zip(
            questions, answers.log_p.tolist(), answers.gain.tolist(), strict=True
        ):
            known[pair][S] = (log_p, gain)
    return {pair: {S: known[pair][S] for S in sets} for pair, sets in asked.items()}
