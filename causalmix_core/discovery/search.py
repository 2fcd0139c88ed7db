"""One search of one set of rows: a skeleton shared by PC and FCI, each with its orientation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from causalmix_core.discovery import fci, pc
from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.marks import Marks, make_ancestral
from causalmix_core.discovery.skeleton import Skeleton, find_skeleton, prune_by_possible_dsep
from causalmix_core.discovery.triples import Known, judge_triples
from causalmix_core.progress import Progress, part, silent

Draws = Literal["bootstrap", "half"]


@dataclass(frozen=True)
class Settings:
    """What a search is told, the same for the whole table and for every resample.

    Attributes:
        algorithms: "pc", "fci" or both.
        alpha: significance level of every test.
        max_degree: largest conditioning set, None for no limit.
        draws: how a resample takes its rows: "bootstrap" (as many as there are, with replacement)
            or "half" (half of them, without).
        dsep_degree: largest conditioning set drawn from Possible-D-SEP where `max_degree` is None;
            these sets are many, and most of FCI's time goes into the larger ones.
    """

    algorithms: tuple[str, ...]
    alpha: float
    max_degree: int | None = None
    dsep_degree: int | None = 2
    draws: Draws = "bootstrap"


@dataclass(frozen=True)
class Found:
    """What a search found: marks per algorithm and the skeletons they stand on."""

    marks: dict[str, Marks]
    skeletons: dict[str, Skeleton]


def search(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    progress: Progress = silent,
) -> Found:
    """Search the rows of `test` by the algorithms of `settings`; tests are shared between them."""
    skeleton = find_skeleton(
        test, settings.alpha, constraints, settings.max_degree, part(progress, 0.0, 0.6)
    )
    judging = part(progress, 0.6, 0.65)
    known: Known = {}
    triples = judge_triples(skeleton, test, settings.alpha, known, judging)
    marks: dict[str, Marks] = {}
    skeletons: dict[str, Skeleton] = {}
    if "pc" in settings.algorithms:
        progress(0.65, "Orienting PC's graph")
        marks["pc"] = pc.orient_cpdag(skeleton.adjacent, triples, constraints)
        skeletons["pc"] = skeleton
    if "fci" in settings.algorithms:
        limit = settings.dsep_degree if settings.max_degree is None else settings.max_degree
        colliders = fci.orient_colliders(skeleton.adjacent, triples, constraints)
        reach = np.array([fci.possible_dsep(colliders, v) for v in range(len(test.names))])
        pruned = prune_by_possible_dsep(
            skeleton, reach, test, settings.alpha, constraints, limit, part(progress, 0.7, 1.0)
        )
        if pruned is not skeleton:
            triples = judge_triples(pruned, test, settings.alpha, known, judging)
            colliders = fci.orient_colliders(pruned.adjacent, triples, constraints)
        rules = fci.PagRules(colliders, triples, pruned.separators, constraints)
        marks["fci"] = make_ancestral(rules.close(), constraints)
        skeletons["fci"] = pruned
    return Found(marks, skeletons)
