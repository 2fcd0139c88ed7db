"""What a graph says of independence, checked in rows."""

from collections import Counter

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_core.discovery.screening import merge_rare_levels
from causalmix_core.fidelity.estimate import NotApplicable
from causalmix_core.fidelity.independencies import (
    Kept,
    Statements,
    check_statements,
    dependencies_kept,
    independencies_kept,
    statements_of,
)
from causalmix_core.graph import MixedGraph
from causalmix_core.graph.separation import Independence
from causalmix_core.table import examples, read_table

CHAIN = MixedGraph.from_networkx(nx.DiGraph([("x", "m"), ("m", "y")]))


def chain(rows, seed, *, broken=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    m = x + rng.normal(size=rows)
    y = (x if broken else m) + rng.normal(size=rows)
    return read_table(pd.DataFrame({"x": x, "m": m, "y": y}))


def test_statements_are_one_per_unjoined_pair_and_one_per_edge():
    said = statements_of(CHAIN, ["x", "m", "y"], 0)
    assert [(s.x, s.y, s.given) for s in said.independent] == [("x", "y", ("m",))]
    assert {frozenset((s.x, s.y)) for s in said.dependent} == {
        frozenset("xm"),
        frozenset("my"),
    }
    assert statements_of(CHAIN, ["x", "y"], 0).independent == ()


def test_rows_that_obey_pass_and_rows_that_do_not_fail():
    said = statements_of(CHAIN, ["x", "m", "y"], 0)
    good = check_statements(chain(1_000, 0), said)
    assert (good.independent.tolist(), good.dependent.tolist()) == ([1.0], [1.0, 1.0])
    bad = check_statements(chain(1_000, 0, broken=True), said)
    assert bad.independent.tolist() == [0.0]
    assert independencies_kept(bad, good).value == 0.0
    assert independencies_kept(bad, bad).value == 1.0


def test_mixed_columns_with_missing_values_are_tested():
    table = read_table(examples.make_health(2_000, 5), "disease")
    graph = MixedGraph.from_networkx(nx.DiGraph(examples.true_edges("health")))
    kept = check_statements(table, statements_of(graph, table.columns, 0))
    assert np.nanmean(kept.dependent) == 1.0
    assert np.nanmean(kept.independent) > 0.9


def test_many_levels_are_merged_as_the_search_of_the_training_rows_merges_them():
    rng = np.random.default_rng(0)

    def rows(n, levels):
        town = pd.Series([f"town {k:02d}" for k in rng.integers(0, levels, n)], dtype="str")
        kinds = {"town": "categorical", "size": "categorical"}
        size = pd.Series(rng.choice(["large", "small"], n), dtype="str")
        return read_table(pd.DataFrame({"town": town, "size": size}), kinds=kinds)

    train, made = rows(3_000, 60), rows(400, 80)
    count = Counter(train.frame["town"])
    frequent = sorted(count, key=lambda town: (-count[town], town))[:19]
    merged = merge_rare_levels(made, train).frame["town"]
    kept = made.frame["town"].isin(frequent)
    assert (merged[kept] == made.frame["town"][kept]).all()
    assert merged[~kept].nunique() == 1
    assert merged[~kept].iloc[0] not in set(frequent)
    # 79 degrees of freedom are too many for 150 rows to tell, 19 are not.
    said = Statements((), (Independence("size", "town", ()),))
    assert not np.isnan(check_statements(made.take(range(150)), said, train).dependent).any()


def test_columns_resampled_alone_pass_every_independence_and_depend_on_nothing():
    rng = np.random.default_rng(0)
    table = read_table(examples.make_health(1_000, 5), "disease")
    frame = table.frame.apply(lambda column: rng.permutation(column))
    alone = table.with_frame(frame.astype(table.frame.dtypes.to_dict()))
    graph = MixedGraph.from_networkx(nx.DiGraph(examples.true_edges("health")))
    kept = check_statements(alone, statements_of(graph, table.columns, 0))
    assert np.nanmean(kept.independent) > 0.95
    assert np.nanmean(kept.dependent) < 0.1


def test_shares_leave_out_what_cannot_be_told():
    gap = np.nan
    made = Kept(np.array([1, 0, gap, 1.0]), np.array([1, 0, gap]))
    real = Kept(np.array([1, 1, 1, gap]), np.array([1, 1, 1.0]))
    assert independencies_kept(made, real).value == pytest.approx(0.5)
    assert dependencies_kept(made).value == pytest.approx(0.5)
    nothing = Kept(np.array([]), np.array([]))
    with pytest.raises(NotApplicable, match="implies no independence"):
        independencies_kept(nothing, nothing)
    with pytest.raises(NotApplicable, match="joins no columns"):
        dependencies_kept(nothing)
