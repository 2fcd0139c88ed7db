"""Judging synthetic rows against real ones that no generator has seen.

Everything is compared on equally many rows, and beside two yardsticks: the ceiling (real training
rows, judged as if they were synthetic) and the floor (every column resampled by itself, so that
nothing goes together).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeAlias

import networkx as nx
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from causalmix_core.errors import GraphError, TableError
from causalmix_core.fidelity import shift
from causalmix_core.fidelity.copies import copy_share, distance_to_closest
from causalmix_core.fidelity.estimate import Estimate, NotApplicable, bootstrap_weights
from causalmix_core.fidelity.figures import FIGURES
from causalmix_core.fidelity.independencies import (
    ALPHA,
    Kept,
    Statements,
    check_statements,
    dependencies_kept,
    independencies_kept,
    statements_of,
)
from causalmix_core.fidelity.report import CEILING, FLOOR, Figures, Intervals, Report
from causalmix_core.fidelity.samples import Floats, Sample, conform, encode, thin
from causalmix_core.fidelity.shape import column_distances, shape
from causalmix_core.fidelity.trend import trend
from causalmix_core.fidelity.two_sample import two_sample
from causalmix_core.fidelity.utility import train_synthetic_test_real
from causalmix_core.graph import MixedGraph
from causalmix_core.progress import Progress, part, silent
from causalmix_core.table import Table

Graph: TypeAlias = MixedGraph | nx.DiGraph

MIN_ROWS = 10
MAX_ROWS = 1_000
MAX_TRAIN_ROWS = 20_000
DRAWS = 50


def compare(
    rows: Mapping[str, Table | pd.DataFrame],
    train: Table,
    holdout: Table | pd.DataFrame | None = None,
    graph: Graph | Sequence[Graph] | None = None,
    seed: int = 0,
    progress: Progress = silent,
    *,
    max_rows: int = MAX_ROWS,
    draws: int = DRAWS,
) -> Report:
    """Compare synthetic rows of several generators with real rows.

    Args:
        rows: for each generator its synthetic rows, with the columns of `train`.
        train: the real rows the generators were fitted on.
        holdout: real rows no generator has seen. Without them the training rows stand in, and the
            figures that need unseen rows are left out.
        graph: a graph whose independencies are looked for in the rows (of several, the first).
        seed: decides which rows are used and how models are trained.
        progress: told after every figure; raising in it stops the work.
        max_rows: at most so many rows of each set are compared.
        draws: bootstrap resamples behind the intervals.

    Raises:
        TableError: if rows lack a column, do not fit its kind, or are fewer than 10.
    """
    made = _check_rows(rows, train)
    notes: dict[str, str] = {}
    unseen = _check_holdout(holdout, train, notes)
    reference = train if unseen is None else unseen
    size = min(max_rows, *(len(table) for table in (train, reference, *made.values())))

    def rng(purpose: int) -> np.random.Generator:
        return np.random.default_rng([seed, purpose])

    sets = {**made, FLOOR: shuffle_columns(train, size, rng(4))}
    if unseen is not None:
        sets[CEILING] = train
    sets = {name: thin(table, size, rng(2)) for name, table in sets.items()}
    real = thin(reference, size, rng(1))
    whole = thin(train, MAX_TRAIN_ROWS, rng(3))
    samples = encode(train, [whole, real], list(sets.values()))
    judge = _Judge(
        train=samples[0],
        real=samples[1],
        train_table=train,
        real_table=real,
        is_unseen=unseen is not None,
        statements=_read_graph(graph, train, seed, notes),
        draws=draws,
        seed=seed,
        notes=notes,
    )
    estimates: dict[str, dict[str, Estimate | None]] = {}
    distances: dict[str, Floats] = {}
    with threadpool_limits(1):
        for position, (name, sample) in enumerate(zip(sets, samples[2:], strict=True)):
            told = part(progress, position / len(sets), (position + 1) / len(sets))
            estimates[name] = judge.judge(name, sets[name], sample, told)
            distances[name] = column_distances(samples[1], sample)[0]
    if unseen is None:
        notes[CEILING] = "there are no held-out rows to compare the training rows with"
        estimates[CEILING] = dict.fromkeys(figure.name for figure in FIGURES)
    figures = {name: _values(found) for name, found in estimates.items()}
    order = samples[1].columns.names
    return Report(
        generators={name: figures[name] for name in made},
        ceiling=figures[CEILING],
        floor=figures[FLOOR],
        intervals={name: _intervals(estimates[name]) for name in sets},
        distances={
            column: {name: float(distances[name][order.index(column)]) for name in sets}
            for column in train.columns
        },
        settings={
            "rows": size,
            "real_rows": "training" if unseen is None else "held-out",
            "seed": seed,
            "alpha": ALPHA,
            "draws": draws,
            "table": train.name,
            "table_digest": train.digest,
            "target": train.target,
        },
        notes=notes,
    )


def shuffle_columns(train: Table, rows: int, rng: np.random.Generator) -> Table:
    """Return rows whose columns are resampled each by itself: right shapes, no relations."""
    frame = train.frame
    drawn = {
        name: frame[name].iloc[rng.integers(len(frame), size=rows)].reset_index(drop=True)
        for name in frame.columns
    }
    return train.with_frame(pd.DataFrame(drawn, columns=frame.columns))


@dataclass(frozen=True)
class _Judge:
    """Everything that the synthetic rows of one generator are held against."""

    train: Sample
    real: Sample
    train_table: Table
    real_table: Table
    is_unseen: bool
    statements: Statements | None
    draws: int
    seed: int
    notes: dict[str, str]

    def judge(
        self, name: str, table: Table, sample: Sample, progress: Progress
    ) -> dict[str, Estimate | None]:
        """Return every figure; None, with a note, where it does not apply."""
        rng = np.random.default_rng([self.seed, 5])
        w = bootstrap_weights(len(self.real), self.draws, rng)
        v = bootstrap_weights(len(sample), self.draws, rng)
        told_apart = cache(lambda: two_sample(self.real, sample, self.seed))
        encoded = cache(lambda: shift.encode_pair(self.real, sample))
        kept = cache(lambda: self._check(table))
        ways: dict[str, Callable[[], Estimate]] = {
            "shape": lambda: shape(self.real, sample, w, v),
            "trend": lambda: trend(self.real, sample, w, v, self.seed),
            "two_sample_auc": lambda: told_apart().auc(self.draws, rng),
            "independencies_kept": lambda: independencies_kept(kept(), self._kept_in_real),
            "dependencies_kept": lambda: dependencies_kept(kept()),
            "train_synthetic_test_real": lambda: self._utility(sample),
            "copy_share": lambda: self._copies(name, sample),
            "proxy_a_distance": lambda: told_apart().proxy_a_distance(),
            "mmd2": lambda: shift.mmd2(*encoded(), w, v),
            "coral": lambda: shift.coral(*encoded(), w, v),
        }
        found: dict[str, Estimate | None] = {}
        for step, figure in enumerate(FIGURES):
            progress(step / len(FIGURES), f"{name}: {figure.title.lower()}")
            try:
                found[figure.name] = ways[figure.name]()
            except NotApplicable as reason:
                self._note(name, figure.name, str(reason))
                found[figure.name] = None
        progress(1.0, f"{name}: done")
        return found

    @cached_property
    def _kept_in_real(self) -> Kept:
        return self._check(self.real_table)

    @cached_property
    def _holdout_distances(self) -> Floats:
        return distance_to_closest(self.real, self.train)

    def _check(self, table: Table) -> Kept:
        if self.statements is None:
            raise NotApplicable(self.notes.get("graph", "no graph was given"))
        return check_statements(table, self.statements, self.train_table)

    def _utility(self, sample: Sample) -> Estimate:
        target = self.real_table.target
        if not self.is_unseen:
            raise NotApplicable("there are no held-out rows to test on")
        if target is None:
            raise NotApplicable("the table has no target")
        if target not in sample.columns.categories:
            raise NotApplicable(f"the target {target!r} is a number, not a class")
        return train_synthetic_test_real(sample, self.real, target, self.draws, self.seed)

    def _copies(self, name: str, sample: Sample) -> Estimate:
        if not self.is_unseen:
            raise NotApplicable("there are no held-out rows to say how near is too near")
        if name == CEILING:
            raise NotApplicable("training rows are copies of themselves")
        return copy_share(distance_to_closest(sample, self.train), self._holdout_distances)

    def _note(self, name: str, figure: str, reason: str) -> None:
        """Note a reason under the figure; under the generator too where it is its own."""
        if self.notes.setdefault(figure, reason) != reason:
            self.notes[f"{name}: {figure}"] = reason


def _read_graph(
    graph: Graph | Sequence[Graph] | None, train: Table, seed: int, notes: dict[str, str]
) -> Statements | None:
    if graph is None:
        notes["graph"] = "no graph was given"
        return None
    if not isinstance(graph, MixedGraph | nx.DiGraph):
        if len(graph) == 0:
            notes["graph"] = "no graph was given"
            return None
        if len(graph) > 1:
            notes["graph"] = f"read from the first of {len(graph)} graphs"
        graph = graph[0]
    mixed = graph if isinstance(graph, MixedGraph) else MixedGraph.from_networkx(graph)
    try:
        if mixed.graph_type not in ("dag", "admg"):
            notes["graph"] = (
                f"completed to a DAG first, as it was given as a {mixed.graph_type} graph"
            )
            mixed = mixed.to_dag()
        return statements_of(mixed, train.columns, seed)
    except GraphError as error:
        notes["graph"] = str(error)
        return None


def _check_rows(rows: Mapping[str, Table | pd.DataFrame], train: Table) -> dict[str, Table]:
    for name in rows:
        if name in (CEILING, FLOOR):
            raise TableError(f"A generator cannot be called {name!r}; give it another name.")
    made = {name: conform(table, train, name) for name, table in rows.items()}
    if len(train) < MIN_ROWS:
        raise TableError(
            f"There are {len(train)} training rows, and a comparison needs at least {MIN_ROWS}: "
            "take more labelled rows."
        )
    for name, table in made.items():
        if len(table) < MIN_ROWS:
            raise TableError(
                f"{name!r} has {len(table)} rows; a comparison needs at least {MIN_ROWS}."
            )
    return made


def _check_holdout(
    holdout: Table | pd.DataFrame | None, train: Table, notes: dict[str, str]
) -> Table | None:
    unseen = None if holdout is None else conform(holdout, train, "holdout")
    if unseen is not None and len(unseen) < MIN_ROWS:
        notes["holdout"] = f"only {len(unseen)} held-out rows, too few to be used"
        return None
    return unseen


def _values(found: Mapping[str, Estimate | None]) -> Figures:
    return {name: None if one is None else one.value for name, one in found.items()}


def _intervals(found: Mapping[str, Estimate | None]) -> Intervals:
    return {
        figure.name: estimate.interval(figure.low, figure.high)
        for figure in FIGURES
        if (estimate := found[figure.name]) is not None
    }
