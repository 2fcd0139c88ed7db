"""Missing values in one column must not blind the search to the others."""

import numpy as np
import pandas as pd
import pytest

import causalmix_core as cm
from causalmix_core.discovery.constraints import constrain
from causalmix_core.discovery.encoding import encode
from causalmix_core.discovery.gaussian import DegenerateGaussian, FisherZ
from causalmix_core.discovery.skeleton import find_skeleton
from causalmix_core.graph.mixed_graph import Knowledge


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


@pytest.mark.parametrize("kind", [FisherZ, DegenerateGaussian])
def test_a_test_among_many_incomplete_columns_sees_its_own_rows_alone(kind: type[FisherZ]) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(200, 9)).cumsum(axis=1)
    values[rng.random(values.shape) < 0.1] = np.nan
    frame = pd.DataFrame(values, columns=list("abcdefghi"))
    frame["i"] = pd.Series(np.where(frame["i"] > 0, "up", "down"), dtype="str")
    kinds = {name: "binary" if name == "i" else "numeric" for name in frame}
    encoded = encode(cm.read_table(frame, kinds=kinds))
    x, y, S = 1, 8, (3,)
    answer = kind.of(encoded).ask_one(x, y, S)
    own = frame[["b", "d", "i"]].dropna()
    complete = encode(cm.read_table(own, kinds={name: kinds[name] for name in own}))
    alone = kind.of(complete).ask_one(0, 2, (1,))
    assert answer.effective_n == alone.effective_n == len(complete)
    assert answer.log_p == pytest.approx(alone.log_p)


def test_a_batch_can_be_cancelled_between_its_parts() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(50, 6)), columns=list("abcdef"))
    test = FisherZ.of(encode(cm.read_table(frame, kinds=dict.fromkeys(frame, "numeric"))))
    test.at_once = 5
    said: list[str] = []
    constraints = constrain(Knowledge(), test.names)
    found = find_skeleton(
        test, 0.05, constraints, 0, lambda fraction, sentence: said.append(sentence)
    )
    assert said.count("Testing every pair") == 3  # fifteen pairs
    x, y = np.triu_indices(6, 1)
    assert (found.marginal[x, y] == test.ask(x, y, np.empty((15, 0), dtype=np.int64)).log_p).all()


def test_edges_of_the_incomplete_column_are_found_on_its_complete_rows() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=600)
    b = a + 0.5 * rng.normal(size=600)
    frame = pd.DataFrame({"a": a, "b": b, "c": rng.normal(size=600)})
    frame.loc[rng.choice(600, 200, replace=False), "b"] = np.nan
    kinds = dict.fromkeys(frame.columns, "numeric")
    graph = cm.discover(cm.read_table(frame, kinds=kinds), algorithm="pc", bootstraps=0, alpha=0.01)
    assert {edge.pair for edge in graph.edges} == {frozenset("ab")}
