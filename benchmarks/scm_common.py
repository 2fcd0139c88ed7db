"""Simulated tables with a known graph, and the two-sample AUC, for the SCM benchmarks."""

import warnings

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_core.table import Kind, Table


def random_dag(nodes: int, edges: int, rng: np.random.Generator) -> nx.DiGraph:
    """Draw a DAG with at most five parents per node; a quarter of the nodes have none."""
    names = [f"x{number:02d}" for number in range(nodes)]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    roots = nodes // 4
    while graph.number_of_edges() < edges:
        effect = int(rng.integers(roots, nodes))
        cause = int(rng.integers(0, effect))
        if graph.in_degree(names[effect]) < 5:
            graph.add_edge(names[cause], names[effect])
    return graph


def simulate(
    graph: nx.DiGraph, categorical: set[str], rows: int, seed: int, structure_seed: int = 0
) -> Table:
    """Draw rows: numbers are additive in bent parents, a third with skewed or uneven noise."""
    choice = np.random.default_rng(structure_seed)
    rng = np.random.default_rng(seed)
    scores: dict[str, np.ndarray] = {}
    columns: dict[str, object] = {}
    kinds: dict[str, Kind] = {}
    for node in nx.lexicographical_topological_sort(graph):
        total = np.zeros(rows)
        for parent in sorted(graph.predecessors(node)):
            weight = float(choice.uniform(0.5, 1.2) * choice.choice([-1, 1]))
            bend = choice.choice(["line", "line", "tanh", "square"])
            value = scores[parent]
            shaped = {"line": value, "tanh": np.tanh(2 * value), "square": value**2 / 2}[bend]
            total += weight * shaped
        if node in categorical:
            levels = int(choice.integers(2, 6))
            slopes = choice.normal(size=levels) * 1.5
            shifts = choice.normal(size=levels) * 0.7
            noise = rng.gumbel(size=(rows, levels))
            code = np.argmax(total[:, None] * slopes + shifts + noise, axis=1)
            columns[node] = pd.Series([f"level {one}" for one in code], dtype="str")
            kinds[node] = Kind.BINARY if levels == 2 else Kind.CATEGORICAL
            scores[node] = choice.normal(size=levels)[code]
            continue
        form = choice.choice(["even", "even", "skewed", "uneven"])
        noise = rng.normal(size=rows)
        if form == "skewed":
            noise = rng.gamma(1.5, size=rows) - 1.5
        elif form == "uneven" and graph.in_degree(node):
            noise *= np.exp(0.5 * np.tanh(total))
        value = total + noise
        columns[node] = value
        kinds[node] = Kind.NUMERIC
        scores[node] = np.clip((value - value.mean()) / value.std(), -4, 4)
    order = sorted(graph.nodes)
    return Table(pd.DataFrame(columns)[order], {name: kinds[name] for name in order})


def two_sample_auc(real: pd.DataFrame, synthetic: pd.DataFrame, seed: int = 0) -> float:
    """Return the 5-fold AUC of boosted trees that tell two sets of rows apart (Lopez-Paz 2017)."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    size = min(len(real), len(synthetic))
    both = pd.concat([real.head(size), synthetic.head(size)], ignore_index=True)
    matrix = both.apply(
        lambda column: (
            column.astype("float64")
            if pd.api.types.is_numeric_dtype(column)
            else pd.Series(pd.factorize(column)[0], dtype="float64")
        )
    )
    label = np.repeat([0, 1], size)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    model = HistGradientBoostingClassifier(max_iter=60, random_state=seed)
    # small fits on a shared machine wait longer for a second thread than they gain by it
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        chance = cross_val_predict(model, matrix, label, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(label, chance))


def shape(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return the mean over columns of 1 - KS distance, or 1 - total variation."""
    from scipy.stats import ks_2samp

    values = []
    for name in real:
        if pd.api.types.is_numeric_dtype(real[name]):
            values.append(1 - ks_2samp(real[name].dropna(), synthetic[name].dropna()).statistic)
        else:
            p, q = (one[name].value_counts(normalize=True) for one in (real, synthetic))
            values.append(1 - p.sub(q, fill_value=0).abs().sum() / 2)
    return float(np.mean(values))


def trend(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return 1 - half the mean distance of Spearman correlations of the numeric columns."""
    numbers = real.select_dtypes("number").columns
    distance = real[numbers].corr("spearman") - synthetic[numbers].corr("spearman")
    return float(1 - np.abs(distance.to_numpy()[np.triu_indices(len(numbers), 1)]).mean() / 2)
