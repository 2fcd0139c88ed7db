"""From a table to a graph with its evidence."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from causalmix_core.discovery import cost, evidence
from causalmix_core.discovery.catalogue import TestName, make_test
from causalmix_core.discovery.constraints import constrain
from causalmix_core.discovery.encoding import Ints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.marks import ARROW, MARK, NONE, Marks
from causalmix_core.discovery.probabilities import (
    Counts,
    consensus,
    count_marks,
    direction_probabilities,
    frequencies_of,
    shares_of,
)
from causalmix_core.discovery.resampling import choose_workers, resample
from causalmix_core.discovery.screening import join_copies, prepare
from causalmix_core.discovery.search import Draws, Settings, search
from causalmix_core.discovery.skeleton import Skeleton
from causalmix_core.errors import DiscoveryError
from causalmix_core.graph.knowledge import target_last
from causalmix_core.graph.mixed_graph import Edge, GraphType, Knowledge, MixedGraph
from causalmix_core.progress import Progress, part, silent
from causalmix_core.table.table import Table

Algorithm = Literal["both", "pc", "fci"]

_GRAPH_TYPE: Mapping[Algorithm, GraphType] = {"pc": "cpdag", "fci": "pag", "both": "mixed"}


def discover(
    table: Table,
    algorithm: Algorithm = "both",
    *,
    alpha: float = 0.05,
    bootstraps: int = 50,
    seed: int = 0,
    test: TestName = "auto",
    knowledge: Knowledge | None = None,
    max_degree: int | None = None,
    threshold: float = 0.5,
    target_is_sink: bool = False,
    draws: Draws = "bootstrap",
    workers: int | None = None,
    progress: Progress = silent,
) -> MixedGraph:
    """Find the causal graph of a table by PC, FCI or both.

    ``pc`` returns the CPDAG and ``fci`` the PAG of the whole table, with edge probabilities from
    the resamples; ``both`` the consensus: pairs adjacent in at least `threshold` of all resamples
    of both, each with its most frequent marks. With `bootstraps` 0 the whole table is searched
    once per algorithm. The graph does not depend on the order of columns or rows, nor on
    `workers`.

    Args:
        test: ``auto`` takes ``fisherz`` where all columns are numbers, ``gsq`` where all are
            categories, ``degenerate-gaussian`` where they are mixed. ``kernel`` sees any form of
            dependence and is slow: ask `estimate_seconds` first.
        max_degree: the largest conditioning set. A small one is faster and leaves more edges in.
        target_is_sink: the table's target has no effects.
        draws: ``bootstrap`` draws as many rows as there are, with replacement; ``half`` draws half
            of them without, which no repeated row can mislead but which sees less.
        workers: processes for the resamples; None chooses by the time they will take.

    Raises:
        DiscoveryError: an argument or the table does not allow a search.
        GraphError: the knowledge contradicts itself or names an unknown column.
    """
    algorithms = _algorithms(algorithm)
    _refuse(alpha, bootstraps, max_degree, threshold)
    if draws not in ("bootstrap", "half"):
        raise DiscoveryError(f"There are no draws {draws!r}; choose bootstrap or half.")
    knowledge = given = knowledge or Knowledge()
    if target_is_sink and table.target is not None:
        knowledge = target_last(knowledge, table.columns, table.target)
    names = tuple(sorted(table.columns))
    everything = constrain(knowledge, names)
    data, screening = prepare(table, knowledge)
    searched = np.array([names.index(name) for name in screening.searched])
    constraints = everything.among(searched)
    tester = make_test(test, data)
    settings = Settings(algorithms, float(alpha), max_degree, draws=draws)

    def widen(marks: dict[str, Marks]) -> dict[str, Marks]:
        return {
            name: join_copies(found, searched, names, screening, everything, name == "pc")
            for name, found in marks.items()
        }

    start = perf_counter()
    with threadpool_limits(1):
        whole = search(tester, settings, constraints, part(progress, 0.0, 0.1))
    seconds = perf_counter() - start
    graphs = [widen(whole.marks)]
    if bootstraps:
        processes = choose_workers(workers, bootstraps, seconds)
        resamples = resample(
            tester, settings, constraints, bootstraps, seed, processes, part(progress, 0.1, 0.95)
        )
        graphs = [widen(marks) for marks in resamples]
    counts, total = count_marks(item for graph in graphs for item in graph.items())
    by_algorithm = {
        name: count_marks((name, graph[name]) for graph in graphs) for name in algorithms
    }
    if algorithm == "both":
        marks = consensus(counts, total, everything, threshold)
    else:
        marks = widen(whole.marks)[algorithm]
    progress(0.96, "Collecting the evidence")
    skeleton = whole.skeletons[settings.algorithms[-1]]
    edges = _edges(marks, counts, total, by_algorithm, names, searched, skeleton, tester)
    progress(1.0, f"Found {len(edges)} edges among {len(names)} columns")
    return MixedGraph(
        nodes=tuple(table.columns),
        edges=edges,
        graph_type=_GRAPH_TYPE[algorithm],
        pairs=frequencies_of(counts, total, names),
        knowledge=knowledge,
        provenance={
            "algorithm": algorithm,
            "alpha": float(alpha),
            "bootstraps": bootstraps,
            "draws": draws,
            "seed": seed,
            "table_digest": table.digest,
            "test": tester.label,
            "max_degree": max_degree,
            "threshold": threshold,
            "rows": len(table),
            "tests": skeleton.tests,
            "unanswered_tests": skeleton.unanswered,
            "constant": list(screening.constant),
            "copies": dict(screening.copies),
            "target_rules": [
                list(pair) for pair in knowledge.forbidden if pair not in given.forbidden
            ],
            "notes": [*screening.notes, *_notes(skeleton, settings, tester)],
            "separations": evidence.separations(skeleton, tester.names),
            "joined_in_all_rows": evidence.joined(skeleton, tester.names),
        },
    )


def estimate_seconds(
    table: Table,
    algorithm: Algorithm = "both",
    *,
    alpha: float = 0.05,
    bootstraps: int = 50,
    test: TestName = "auto",
    max_degree: int | None = None,
    workers: int | None = None,
) -> float:
    """Estimate, by timing a few tests, how long `discover` will take; good to a factor of three."""
    _algorithms(algorithm)
    tester = make_test(test, prepare(table)[0])
    one = cost.estimate(tester, algorithm, alpha, max_degree)
    return one + bootstraps * one / choose_workers(workers, bootstraps, one)


def _algorithms(algorithm: Algorithm) -> tuple[str, ...]:
    if algorithm not in _GRAPH_TYPE:
        raise DiscoveryError(f"There is no algorithm {algorithm!r}; choose both, pc or fci.")
    return ("pc", "fci") if algorithm == "both" else (algorithm,)


def _refuse(alpha: float, bootstraps: int, max_degree: int | None, threshold: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise DiscoveryError(f"alpha must lie between 0 and 1, not be {alpha}.")
    if bootstraps < 0:
        raise DiscoveryError(f"The number of resamples cannot be {bootstraps}; use 0 or more.")
    if max_degree is not None and max_degree < 0:
        raise DiscoveryError(f"max_degree cannot be {max_degree}; use 0 or more.")
    if not 0.0 < threshold <= 1.0:
        raise DiscoveryError(f"threshold must lie above 0 and at most at 1, not be {threshold}.")


def _edges(
    marks: Marks,
    counts: Counts,
    total: int,
    by_algorithm: Mapping[str, tuple[Counts, int]],
    names: tuple[str, ...],
    searched: Ints,
    skeleton: Skeleton,
    test: IndependenceTest,
) -> tuple[Edge, ...]:
    place = {int(position): k for k, position in enumerate(searched)}
    joined = [(i, j) for i, j in np.argwhere(np.triu(marks != NONE, 1)).tolist()]
    why_of = evidence.edge_evidence(
        skeleton, test, [(place[i], place[j]) for i, j in joined if i in place and j in place]
    )
    edges = []
    for i, j in joined:
        shares = _shares(counts, total, (i, j))
        direction = direction_probabilities(shares)
        forward, backward = direction.forward, direction.backward
        why: dict[str, Any] = {"decided_by": "copy"}
        if i in place and j in place:
            why = why_of[place[i], place[j]]
        each = {name: _shares(*found, (i, j)) for name, found in by_algorithm.items()}
        if marks[j, i] == ARROW and marks[i, j] != ARROW:
            i, j, forward, backward = j, i, backward, forward  # the arrow points at the target
            each = {name: _turned(found) for name, found in each.items()}
        why |= {"forward": forward, "backward": backward, "bidirected": direction.bidirected}
        why["frequencies"] = each
        ends = MARK[int(marks[j, i])], MARK[int(marks[i, j])]
        edges.append(Edge(names[i], names[j], *ends, direction.adjacent, why))
    return tuple(edges)


def _shares(counts: Counts, total: int, pair: tuple[int, int]) -> dict[str, float]:
    return shares_of(counts[pair], total) if pair in counts else {"none": 1.0}


def _turned(shares: dict[str, float]) -> dict[str, float]:
    """Write shares of mark pairs from the other end."""
    return {"-".join(reversed(key.split("-"))): share for key, share in shares.items()}


def _notes(skeleton: Skeleton, settings: Settings, test: IndependenceTest) -> list[str]:
    notes = []
    if settings.max_degree is not None and skeleton.limit_reached:
        notes.append(
            f"No test looked at more than {settings.max_degree} other columns at once, as asked: "
            "some edges may be there only because more columns together were not tried."
        )
    elif skeleton.limit_reached:
        notes.append(
            f"When FCI looked for hidden causes, it tried at most {settings.dsep_degree} distant "
            "columns (Possible-D-SEP) at a time: an edge that only more of them together explain "
            "stays."
        )
    if skeleton.unanswered:
        notes.append(
            f"For {skeleton.unanswered:,} tests there were too few rows to tell; none of them "
            "removed an edge."
        )
    if test.label == "kernel":
        notes.append(f"The kernel test looked at {len(test.data)} rows.")
    return notes
