"""Missing values in one column must not blind the search to the others."""

import numpy as np
import pandas as pd
import pytest

import causalmix_core as cm
from causalmix_core.discovery.encoding import encode


@pytest.mark.parametrize("test", ["fisherz", "degenerate-gaussian"])
def test_holes_in_one_column_hide_no_edge_between_the_others(test: str) -> None:
    rng = np.random.default_rng(0)
    a, d = rng.normal(size=(2, 600))
    b = a + 0.5 * rng.normal(size=600)
    c = b + 0.5 * rng.normal(size=600)
    frame = pd.DataFrame({"a": a, "b": b, "c": c, "d": d})
    frame.loc[rng.choice(600, 60, replace=False), "d"] = np.nan
    kinds = dict.fromkeys(frame.columns, "numeric")
    graph = cm.discover(
        cm.read_table(frame, kinds=kinds), algorithm="pc", bootstraps=0, test=test, alpha=0.01
    )
    assert {edge.pair for edge in graph.edges} == {frozenset("ab"), frozenset("bc")}


def test_the_order_of_rows_never_matters_where_the_first_column_has_holes() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc"))
    frame.loc[rng.choice(100, 30, replace=False), "a"] = np.nan
    encoded = [encode(cm.read_table(rows.reset_index(drop=True))) for rows in (frame, frame[::-1])]
    assert np.array_equal(encoded[0].values, encoded[1].values, equal_nan=True)


def test_edges_of_the_incomplete_column_are_found_on_its_complete_rows() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=600)
    b = a + 0.5 * rng.normal(size=600)
    frame = pd.DataFrame({"a": a, "b": b, "c": rng.normal(size=600)})
    frame.loc[rng.choice(600, 200, replace=False), "b"] = np.nan
    kinds = dict.fromkeys(frame.columns, "numeric")
    graph = cm.discover(cm.read_table(frame, kinds=kinds), algorithm="pc", bootstraps=0, alpha=0.01)
    assert {edge.pair for edge in graph.edges} == {frozenset("ab")}
