"""What the discovery benchmarks share: networks, simulated models, peers, scores, result tables."""

import contextlib
import io
import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

NETWORKS = ("asia", "sachs", "child", "insurance", "alarm")

Pattern = tuple[np.ndarray, np.ndarray]
"""Adjacency (symmetric) and arrows ([i, j]: i → j), over the same nodes."""


def network(folder: Path, name: str, rows: int, repeat: int = 0) -> tuple[pd.DataFrame, Pattern]:
    """Rows of a network and its true CPDAG; repeat 0 takes the first rows, others a random part."""
    frame = pd.read_csv(folder / f"{name}.csv", dtype=str)
    if rows < len(frame):
        chosen = np.arange(rows)
        if repeat:
            chosen = np.sort(np.random.default_rng([repeat, rows]).permutation(len(frame))[:rows])
        frame = frame.iloc[chosen].reset_index(drop=True)
    truth = json.loads((folder / f"{name}.truth.json").read_text())
    place = {column: k for k, column in enumerate(frame.columns)}
    dag = np.zeros((len(place), len(place)), dtype=bool)
    for edge in truth["edges"]:
        dag[place[edge["source"]], place[edge["target"]]] = True
    return frame, cpdag_of(dag)


def categories(frame: pd.DataFrame) -> Table:
    return Table(frame.astype("str"), dict.fromkeys(frame.columns, Kind.CATEGORICAL))


def numbers(values: np.ndarray) -> Table:
    names = [f"v{k:03d}" for k in range(values.shape[1])]
    return Table(pd.DataFrame(values, columns=names), dict.fromkeys(names, Kind.NUMERIC))


def random_dag(rng: np.random.Generator, p: int, degree: float) -> np.ndarray:
    order = rng.permutation(p)
    dag = np.zeros((p, p), dtype=bool)
    dag[np.ix_(order, order)] = np.triu(rng.random((p, p)) < degree / (p - 1), 1)
    return dag


def topological(dag: np.ndarray) -> Iterator[int]:
    left = set(range(len(dag)))
    while left:
        ready = sorted(v for v in left if not dag[list(left), v].any())
        yield from ready
        left -= set(ready)


def linear_gaussian(rng: np.random.Generator, dag: np.ndarray, n: int) -> np.ndarray:
    shape = dag.shape
    weights = dag * rng.uniform(0.3, 1.0, shape) * rng.choice([-1, 1], shape)
    values = np.zeros((n, len(dag)))
    for v in topological(dag):
        values[:, v] = values @ weights[:, v] + rng.normal(size=n)
    return values


def mixed_model(
    rng: np.random.Generator, dag: np.ndarray, n: int, fewest: int = 2, most: int = 4
) -> Table:
    """Numbers and categories; categories act by an effect per level and are softmax draws."""
    p = len(dag)
    is_category = rng.random(p) < 0.5
    columns: dict[str, np.ndarray] = {}
    values = np.zeros((n, p))
    for v in topological(dag):
        score = np.zeros(n)
        for u in np.flatnonzero(dag[:, v]):
            if is_category[u]:
                score += rng.normal(size=most + 1)[values[:, u].astype(int)]
            else:
                spread = values[:, u].std() + 1e-9
                score += rng.uniform(0.4, 1.0) * rng.choice([-1, 1]) * values[:, u] / spread
        if is_category[v]:
            levels = int(rng.integers(fewest, most + 1))
            utility = np.outer(score, rng.normal(size=levels)) + rng.gumbel(size=(n, levels))
            values[:, v] = utility.argmax(axis=1)
        else:
            values[:, v] = score + rng.normal(size=n)
    names = [f"v{k:03d}" for k in range(p)]
    for k, name in enumerate(names):
        text = pd.Series([f"s{int(x)}" for x in values[:, k]], dtype="str")
        columns[name] = text if is_category[k] else values[:, k]
    kinds = {
        name: Kind.CATEGORICAL if is_category[k] else Kind.NUMERIC for k, name in enumerate(names)
    }
    return Table(pd.DataFrame(columns), kinds)


def cpdag_of(dag: np.ndarray) -> Pattern:
    """The true CPDAG, by causal-learn's own conversion."""
    from causallearn.graph.Dag import Dag
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.utils.DAG2CPDAG import dag2cpdag

    nodes = [GraphNode(str(k)) for k in range(len(dag))]
    graph = Dag(nodes)
    for i, j in np.argwhere(dag):
        graph.add_directed_edge(nodes[i], nodes[j])
    found = dag2cpdag(graph)
    place = [found.get_nodes().index(node) for node in nodes]
    return _pattern(found.graph[np.ix_(place, place)])


def _pattern(matrix: np.ndarray) -> Pattern:
    """From causal-learn's matrix: [j, i] = 1 and [i, j] = −1 mean i → j."""
    adjacent = (matrix != 0) & (matrix.T != 0)
    return adjacent, adjacent & (matrix.T == 1)


def pattern_of(graph: MixedGraph, names: list[str]) -> Pattern:
    place = {name: k for k, name in enumerate(names)}
    adjacent = np.zeros((len(names), len(names)), dtype=bool)
    arrow = adjacent.copy()
    for edge in graph.edges:
        i, j = place[edge.source], place[edge.target]
        adjacent[i, j] = adjacent[j, i] = True
        arrow[i, j], arrow[j, i] = edge.target_mark is Mark.ARROW, edge.source_mark is Mark.ARROW
    return adjacent, arrow


def varying(frame: pd.DataFrame) -> list[str]:
    """Columns the peers can read: causal-learn joins a constant one to everything."""
    return [column for column in frame.columns if frame[column].nunique() > 1]


def codes(frame: pd.DataFrame) -> np.ndarray:
    return np.column_stack([pd.factorize(frame[c], sort=True)[0] for c in frame.columns])


def causal_learn_pc(
    values: np.ndarray, test: str, alpha: float, rule: int, priority: int
) -> Pattern:
    from causallearn.search.ConstraintBased.PC import pc

    with quiet():
        found = pc(values, alpha, test, True, rule, priority, show_progress=False)
    return _pattern(found.G.graph)


def causal_learn_fci(values: np.ndarray, test: str, alpha: float) -> Pattern:
    from causallearn.search.ConstraintBased.FCI import fci

    with quiet():
        graph, _ = fci(values, test, alpha, show_progress=False)
    return _pattern(graph.graph)


def pgmpy_pc(frame: pd.DataFrame, alpha: float) -> Pattern:
    from pgmpy.causal_discovery import PC

    with quiet():
        search = PC(
            ci_test="g_sq", significance_level=alpha, return_type="pdag", show_progress=False
        )
        search.fit(frame)
    place = {name: k for k, name in enumerate(frame.columns)}
    adjacent = np.zeros((len(place), len(place)), dtype=bool)
    arrow = adjacent.copy()
    for a, b in search.causal_graph_.directed_edges:
        arrow[place[a], place[b]] = True
    for a, b in [*search.causal_graph_.directed_edges, *search.causal_graph_.undirected_edges]:
        adjacent[place[a], place[b]] = adjacent[place[b], place[a]] = True
    return adjacent, arrow


def spread(part: Pattern, kept: list[int], p: int) -> Pattern:
    """Put a pattern over some of the columns back among all of them."""
    adjacent = np.zeros((p, p), dtype=bool)
    arrow = adjacent.copy()
    adjacent[np.ix_(kept, kept)], arrow[np.ix_(kept, kept)] = part
    return adjacent, arrow


def shd(truth: Pattern, found: Pattern) -> int:
    """Pairs whose marks differ, one each."""
    wrong = (truth[0] != found[0]) | (truth[1] != found[1]) | (truth[1].T != found[1].T)
    return int(np.triu(wrong, 1).sum())


def skeleton_f1(truth: Pattern, found: Pattern) -> float:
    return float(2 * (truth[0] & found[0]).sum() / max(truth[0].sum() + found[0].sum(), 1))


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds; the latter tell more on a machine that others share."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write(path: Path | None, title: str, table: pd.DataFrame, words: str) -> None:
    """Print a result table and, with a path, keep it as Markdown and CSV."""
    print(f"\n{title}\n{table.to_string(index=False)}\n{words}", flush=True)
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path.with_suffix(".csv"), index=False)
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    cores = len(os.sched_getaffinity(0))
    machine = (
        f"{date.today()}, {cores} cores, load average {os.getloadavg()[1]:.1f} at the end, "
        f"Python {platform.python_version()}."
    )
    path.with_suffix(".md").write_text(
        f"# {title}\n\n{machine}\n\n" + "\n".join(lines) + f"\n\n{words}\n"
    )
