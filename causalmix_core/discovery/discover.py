"""From a table to a graph with its evidence."""

from typing import Literal

import numpy as np

from causalmix_core.discovery.constraints import compile_knowledge
from causalmix_core.discovery.encoding import Encoded, encode
from causalmix_core.discovery.g_squared import GSquared
from causalmix_core.discovery.gaussian import DegenerateGaussian, FisherZ
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.marks import ARROW, MARK, NONE, Marks
from causalmix_core.discovery.probabilities import (
    Counts,
    consensus,
    count_marks,
    frequencies_of,
    without_cycles,
)
from causalmix_core.discovery.resampling import resample
from causalmix_core.discovery.search import Settings, search
from causalmix_core.errors import DiscoveryError
from causalmix_core.graph.mixed_graph import Edge, GraphType, Knowledge, MixedGraph
from causalmix_core.progress import Progress, part, silent
from causalmix_core.table.table import Table

Algorithm = Literal["both", "pc", "fci"]
TestName = Literal["auto", "fisherz", "gsq", "degenerate-gaussian"]


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
    workers: int | None = None,
    progress: Progress = silent,
) -> MixedGraph:
    """Find the causal graph of a table by PC, FCI or both.

    ``pc`` returns the CPDAG and ``fci`` the PAG of the whole table; ``both`` the consensus of all
    resamples of both: pairs adjacent in at least `threshold` of them, each with its most frequent
    marks. With `bootstraps` 0 the whole table is searched once per algorithm.

    Raises:
        DiscoveryError: an argument, the knowledge or the table does not allow a search.
    """
    _refuse(algorithm, alpha, bootstraps, max_degree, threshold)
    data = encode(table)
    sinks = [table.target] if target_is_sink and table.target else []
    constraints = compile_knowledge(knowledge, data.names, sinks)
    if len(data) < 5 or len(data.names) < 2:
        raise DiscoveryError(
            f"A causal search needs at least 2 columns and 5 rows; this table has "
            f"{len(data.names)} columns and {len(data)} rows."
        )
    tester = make_test(test, data)
    algorithms = ("pc", "fci") if algorithm == "both" else (algorithm,)
    settings = Settings(algorithms, float(alpha), max_degree)
    whole = search(tester, settings, constraints, part(progress, 0.0, 0.1 if bootstraps else 0.95))
    if bootstraps:
        graphs = resample(
            tester, settings, constraints, bootstraps, seed, workers or 1, part(progress, 0.1, 0.98)
        )
        counts, total = count_marks(graphs)
    else:
        counts, total = count_marks(whole.marks.items())
    if algorithm == "both":
        marks = consensus(counts, total, constraints, threshold)
    else:
        marks = without_cycles(whole.marks[algorithm], constraints)
    graph_type: dict[str, GraphType] = {"pc": "cpdag", "fci": "pag", "both": "mixed"}
    progress(1.0, "Done")
    return MixedGraph(
        nodes=tuple(table.columns),
        edges=_edges(marks, counts, total, data.names),
        graph_type=graph_type[algorithm],
        pairs=frequencies_of(counts, total, data.names),
        knowledge=knowledge or Knowledge(),
        provenance={
            "algorithm": algorithm,
            "alpha": float(alpha),
            "bootstraps": bootstraps,
            "seed": seed,
            "table_digest": table.digest,
            "test": tester.label,
            "max_degree": max_degree,
            "threshold": threshold,
        },
    )


def make_test(name: TestName, data: Encoded) -> IndependenceTest:
    """Build the named test; ``auto`` chooses by the columns' kinds."""
    if name == "auto":
        if data.is_category.all():
            name = "gsq"
        else:
            name = "degenerate-gaussian" if data.is_category.any() else "fisherz"
    if name == "gsq":
        if not data.is_category.all():
            number = data.names[int(np.flatnonzero(~data.is_category)[0])]
            raise DiscoveryError(
                f"The test gsq needs categories, and {number!r} holds numbers; "
                "choose degenerate-gaussian."
            )
        return GSquared(data)
    if name == "fisherz":
        if data.is_category.any():
            category = data.names[int(np.flatnonzero(data.is_category)[0])]
            raise DiscoveryError(
                f"The test fisherz needs numbers, and {category!r} holds categories; "
                "choose degenerate-gaussian."
            )
        return FisherZ.of(data)
    if name == "degenerate-gaussian":
        return DegenerateGaussian.of(data)
    raise DiscoveryError(
        f"There is no test {name!r}; choose auto, fisherz, gsq or degenerate-gaussian."
    )


def _refuse(
    algorithm: str, alpha: float, bootstraps: int, max_degree: int | None, threshold: float
) -> None:
    if algorithm not in ("both", "pc", "fci"):
        raise DiscoveryError(f"There is no algorithm {algorithm!r}; choose both, pc or fci.")
    if not 0.0 < alpha < 1.0:
        raise DiscoveryError(f"alpha must lie between 0 and 1, not be {alpha}.")
    if bootstraps < 0:
        raise DiscoveryError(f"The number of resamples cannot be {bootstraps}; use 0 or more.")
    if max_degree is not None and max_degree < 0:
        raise DiscoveryError(f"max_degree cannot be {max_degree}; use 0 or more.")
    if not 0.0 < threshold <= 1.0:
        raise DiscoveryError(f"threshold must lie above 0 and at most at 1, not be {threshold}.")


def _edges(marks: Marks, counts: Counts, total: int, names: tuple[str, ...]) -> tuple[Edge, ...]:
    edges = []
    for i, j in np.argwhere(np.triu(marks != NONE, 1)).tolist():
        if marks[j, i] == ARROW and marks[i, j] != ARROW:
            i, j = j, i  # the arrow points at the target
        seen = counts.get((min(i, j), max(i, j)))
        share = sum(seen.values()) / total if seen else 0.0
        edges.append(
            Edge(names[i], names[j], MARK[int(marks[j, i])], MARK[int(marks[i, j])], share)
        )
    return tuple(edges)
