"""Are the probabilities honest? Stated probabilities against how often they are true.

    python benchmarks/discovery_calibration.py [--models M] [--bootstraps B] [--family F] [--out F]

Two groups of simulated tables with known graphs. On the families of *development* (linear
Gaussian, softmax mixtures, Dirichlet tables, categories with many levels) the rules were chosen:
how much a resample's statistics are lowered, and what o→ counts for a direction. The *unseen*
families were generated for this benchmark alone. Scored are pairs whose stated probability lies
between 0.05 and 0.95, for adjacency and for each direction: expected calibration error over ten
bins, and the Brier score beside that of the single graph (no resamples) on the same pairs.
"""

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from discovery_common import linear_gaussian, mixed_model, numbers, random_dag, topological, write

from causalmix_core.discovery import direction_probabilities, discover
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

Model = tuple[Table, np.ndarray, np.ndarray]
"""A table, its true directed edges [i, j], and which pairs are joined (symmetric)."""


def linear(rng: np.random.Generator, n: int) -> Model:
    dag = random_dag(rng, 10, rng.uniform(1.5, 3.0))
    return numbers(linear_gaussian(rng, dag, n)), dag, dag | dag.T


def mixtures(rng: np.random.Generator, n: int) -> Model:
    dag = random_dag(rng, 10, rng.uniform(1.5, 3.0))
    return mixed_model(rng, dag, n), dag, dag | dag.T


def dirichlet(rng: np.random.Generator, n: int) -> Model:
    dag = random_dag(rng, 10, rng.uniform(1.0, 2.5))
    levels = rng.integers(2, 5, 10)
    values = np.zeros((n, 10), dtype=np.int64)
    for v in topological(dag):
        stratum, strata = np.zeros(n, dtype=np.int64), 1
        for u in np.flatnonzero(dag[:, v]):
            stratum, strata = stratum * levels[u] + values[:, u], strata * levels[u]
        chances = np.cumsum(rng.dirichlet(np.ones(levels[v]), strata), axis=1)
        values[:, v] = (
            (rng.random(n)[:, None] > chances[stratum]).sum(axis=1).clip(0, levels[v] - 1)
        )
    return labelled(values), dag, dag | dag.T


def many_levels(rng: np.random.Generator, n: int) -> Model:
    """Categories of 6 to 12 levels; each level of a cause shifts the log-odds of the effect's."""
    dag = random_dag(rng, 8, rng.uniform(1.0, 2.0))
    levels = rng.integers(6, 13, 8)
    values = np.zeros((n, 8), dtype=np.int64)
    for v in topological(dag):
        utility = rng.gumbel(size=(n, levels[v])) + rng.normal(0.0, 0.5, levels[v])
        for u in np.flatnonzero(dag[:, v]):
            shifts = rng.normal(0.0, rng.uniform(0.2, 1.0), (levels[u], levels[v]))
            utility += shifts[values[:, u]]
        values[:, v] = utility.argmax(axis=1)
    return labelled(values), dag, dag | dag.T


def many_levels_mixed(rng: np.random.Generator, n: int) -> Model:
    dag = random_dag(rng, 8, rng.uniform(1.0, 2.0))
    return mixed_model(rng, dag, n, fewest=6, most=15), dag, dag | dag.T


def curved(rng: np.random.Generator, n: int) -> Model:
    """Additive noise with saturating and slightly bent effects, uniform or normal noise."""
    dag = random_dag(rng, 9, rng.uniform(1.5, 2.5))
    values = np.zeros((n, 9))
    for v in topological(dag):
        for u in np.flatnonzero(dag[:, v]):
            cause = values[:, u] / (values[:, u].std() + 1e-9)
            shape = rng.choice(3)
            effect = (np.tanh(1.5 * cause), cause + 0.3 * cause**2, np.maximum(cause, 0.0))[shape]
            values[:, v] += rng.uniform(0.3, 1.2) * rng.choice([-1, 1]) * effect
        noise = rng.uniform(-1.7, 1.7, n) if rng.random() < 0.5 else rng.normal(size=n)
        values[:, v] += noise
    return numbers(values), dag, dag | dag.T


def heavy_tailed(rng: np.random.Generator, n: int) -> Model:
    """Linear effects with Student noise on scale-free graphs (hubs)."""
    skeleton = nx.barabasi_albert_graph(11, 1, seed=int(rng.integers(1 << 30)))
    order = rng.permutation(11)
    dag = np.zeros((11, 11), dtype=bool)
    for a, b in skeleton.edges:
        i, j = sorted((a, b), key=lambda v: order[v])
        dag[i, j] = True
    weights = dag * rng.uniform(0.1, 0.8, dag.shape) * rng.choice([-1, 1], dag.shape)
    values = np.zeros((n, 11))
    for v in topological(dag):
        values[:, v] = values @ weights[:, v] + rng.standard_t(5, size=n)
    return numbers(values), dag, dag | dag.T


def probit(rng: np.random.Generator, n: int, fewest: int = 1, most: int = 3) -> Model:
    """Every column a latent score, cut so many times, that sums its parents' levels."""
    dag = random_dag(rng, 9, rng.uniform(1.5, 2.5))
    values = np.zeros((n, 9), dtype=np.int64)
    for v in topological(dag):
        score = rng.normal(size=n)
        for u in np.flatnonzero(dag[:, v]):
            score += rng.uniform(0.2, 0.9) * rng.choice([-1, 1]) * values[:, u]
        cuts = np.quantile(score, np.sort(rng.uniform(0.1, 0.9, rng.integers(fewest, most + 1))))
        values[:, v] = np.digitize(score, cuts)
    return labelled(values), dag, dag | dag.T


def fine_probit(rng: np.random.Generator, n: int) -> Model:
    return probit(rng, n, fewest=6, most=14)


def logistic_mixed(rng: np.random.Generator, n: int) -> Model:
    """Yes/no columns by logistic regression among skewed numbers."""
    dag = random_dag(rng, 10, rng.uniform(1.0, 2.5))
    binary = rng.random(10) < 0.4
    values = np.zeros((n, 10))
    for v in topological(dag):
        weights = dag[:, v] * rng.uniform(0.3, 1.2, 10) * rng.choice([-1, 1], 10)
        score = (values - values.mean(axis=0)) @ weights
        if binary[v]:
            values[:, v] = rng.random(n) < 1.0 / (1.0 + np.exp(-1.5 * score))
        else:
            values[:, v] = score + rng.gamma(2.0, 0.7, n)
    frame = pd.DataFrame(values, columns=[f"v{k:03d}" for k in range(10)])
    kinds = {}
    for k, name in enumerate(frame.columns):
        kinds[name] = Kind.BINARY if binary[k] else Kind.NUMERIC
        if binary[k]:
            frame[name] = pd.Series(np.where(values[:, k] > 0, "yes", "no"), dtype="str")
    return Table(frame, kinds), dag, dag | dag.T


def hidden(rng: np.random.Generator, n: int) -> Model:
    """Linear, with two of twelve variables unobserved: the truth is the MAG of the others."""
    dag = random_dag(rng, 12, rng.uniform(1.5, 2.5))
    values = linear_gaussian(rng, dag, n)
    observed = np.sort(rng.permutation(12)[2:])
    graph = nx.from_numpy_array(dag.astype(int), create_using=nx.DiGraph)
    above = {v: nx.ancestors(graph, v) for v in graph}
    adjacent = np.zeros((10, 10), dtype=bool)
    arrows = adjacent.copy()
    for i, j in combinations(range(10), 2):
        a, b = int(observed[i]), int(observed[j])
        given = ((above[a] | above[b]) & set(observed.tolist())) - {a, b}
        if not nx.is_d_separator(graph, {a}, {b}, given):
            adjacent[i, j] = adjacent[j, i] = True
            arrows[i, j], arrows[j, i] = a in above[b], b in above[a]
    return numbers(values[:, observed]), arrows, adjacent


DEVELOPMENT: dict[str, Callable] = {
    "linear Gaussian": linear,
    "softmax mixed": mixtures,
    "Dirichlet tables": dirichlet,
    "many levels": many_levels,
    "many levels, mixed": many_levels_mixed,
}
UNSEEN: dict[str, Callable] = {
    "curved effects": curved,
    "heavy tails on hubs": heavy_tailed,
    "probit categories": probit,
    "logistic and skewed": logistic_mixed,
    "hidden causes": hidden,
    "probit, many levels": fine_probit,
}


def labelled(values: np.ndarray) -> Table:
    names = [f"v{k:03d}" for k in range(values.shape[1])]
    frame = pd.DataFrame(
        {
            name: pd.Series([f"s{x}" for x in values[:, k]], dtype="str")
            for k, name in enumerate(names)
        }
    )
    return Table(frame, dict.fromkeys(names, Kind.CATEGORICAL))


def stated(graph: MixedGraph, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """P(adjacent), symmetric, and P(i → j)."""
    place = {name: k for k, name in enumerate(names)}
    adjacent = np.zeros((len(names), len(names)))
    directed = adjacent.copy()
    for pair in graph.pairs:
        i, j = place[pair.source], place[pair.target]
        says = direction_probabilities(pair)
        adjacent[i, j] = adjacent[j, i] = says.adjacent
        directed[i, j], directed[j, i] = says.forward, says.backward
    return adjacent, directed


def calibration_error(p: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    place = np.minimum((p * bins).astype(int), bins - 1)
    return float(
        sum(
            (place == b).mean() * abs(p[place == b].mean() - truth[place == b].mean())
            for b in np.unique(place)
        )
    )


def run(make: Callable, models: int, bootstraps: int, key: int) -> dict[str, list[np.ndarray]]:
    kept: dict[str, list[np.ndarray]] = {"adjacency": [], "direction": []}
    for seed in range(models):
        rng = np.random.default_rng([key, seed])
        table, arrows, adjacent = make(rng, int(rng.choice([200, 500, 1000, 2000])))
        whole = stated(discover(table, bootstraps=0), table.columns)
        drawn = stated(discover(table, bootstraps=bootstraps, workers=1), table.columns)
        upper = np.triu_indices(len(adjacent), 1)
        kept["adjacency"].append(np.array([drawn[0][upper], whole[0][upper], adjacent[upper]]))
        off = ~np.eye(len(adjacent), dtype=bool)
        kept["direction"].append(np.array([drawn[1][off], whole[1][off], arrows[off]]))
    return kept


def score(parts: list[np.ndarray]) -> dict[str, object]:
    p, single, truth = np.concatenate(parts, axis=1)
    middle = (p > 0.05) & (p < 0.95)
    p, single, truth = p[middle], single[middle], truth[middle]
    return {
        "pairs": len(p),
        "calibration error": round(calibration_error(p, truth), 3),
        "Brier": round(float(((p - truth) ** 2).mean()), 3),
        "Brier, single graph": round(float(((single - truth) ** 2).mean()), 3),
    }


def main(models: int, bootstraps: int, chosen: list[str], out: Path | None) -> None:
    records, curves = [], []
    for group, families in (("development", DEVELOPMENT), ("unseen", UNSEEN)):
        together: dict[str, list[np.ndarray]] = {"adjacency": [], "direction": []}
        for key, (family, make) in enumerate(families.items()):
            if chosen and family not in chosen:
                continue
            kept = run(make, models, bootstraps, key + (100 if group == "unseen" else 0))
            for what, parts in kept.items():
                together[what] += parts
                records.append({"group": group, "family": family, "of": what} | score(parts))
                print(records[-1], flush=True)
        for what, parts in together.items():
            if parts:
                records.append({"group": group, "family": "all", "of": what} | score(parts))
                curves += curve(group, what, parts)
    words = (
        f"{models} models per family, {bootstraps} resamples of PC and FCI each, 200 to 2,000 "
        "rows; pairs with a stated probability between 0.05 and 0.95."
    )
    write(out, "Are the probabilities honest?", pd.DataFrame(records), words)
    if out is not None:
        pd.DataFrame(curves).to_csv(out.with_name(f"{out.name}_curve.csv"), index=False)


def curve(group: str, what: str, parts: list[np.ndarray]) -> list[dict[str, object]]:
    p, _, truth = np.concatenate(parts, axis=1)
    place = np.minimum((p * 10).astype(int), 9)
    return [
        {
            "group": group,
            "of": what,
            "stated": round(float(p[place == b].mean()), 3),
            "true": round(float(truth[place == b].mean()), 3),
            "pairs": int((place == b).sum()),
        }
        for b in np.unique(place)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=25)
    parser.add_argument("--bootstraps", type=int, default=50)
    parser.add_argument("--family", nargs="+", default=[])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    main(arguments.models, arguments.bootstraps, arguments.family, arguments.out)
