"""Tables that are known to break automatic causal models: rows all the same, or a clear message."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalmix_core.scm import StructuralCausalModel
from causalmix_core.table import Kind, Table

ROWS = 120


def text(values: object) -> "pd.Series[str]":
    return pd.Series(values, dtype="str")


def caused_by_x(values: object, kind: Kind, rows: int = ROWS) -> Table:
    """x, and y as given: x → y is the graph."""
    x = np.random.default_rng(0).normal(size=rows)
    frame = pd.DataFrame({"y": values, "x": x})
    return Table(frame, {"y": kind, "x": Kind.NUMERIC}, target="y")


GRAPH = nx.DiGraph([("x", "y")])


@pytest.mark.parametrize("rare", [1, 2, 4])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_of_few_rows_is_fitted_and_drawn(rare, classes):
    often = [f"often {number}" for number in range(classes - 1)]
    y = text([*np.resize(often, ROWS - rare), *["rare"] * rare])
    model = StructuralCausalModel().fit(caused_by_x(y, Kind.CATEGORICAL), GRAPH)

    rows = model.sample(6_000, seed=0)

    assert (rows["y"] == "rare").mean() == pytest.approx(rare / ROWS, abs=0.02)
    assert (rows["y"] == "rare").any()
    only = model.sample(30, seed=0, balance={"rare": 1.0})
    assert set(only["y"]) == {"rare"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (text(["same"] * ROWS), Kind.CATEGORICAL),
        (np.full(ROWS, 7, dtype="int64"), Kind.INTEGER),
        (np.full(ROWS, 0.1), Kind.NUMERIC),
    ],
    ids=["category", "integer", "number"],
)
def test_a_constant_effect_stays_constant(values, kind):
    table = caused_by_x(values, kind)

    rows = StructuralCausalModel().fit(table, GRAPH).sample(50, seed=0)

    assert set(rows["y"]) == {table.frame["y"].iloc[0]}


def test_integers_of_zero_and_one_stay_zero_and_one():
    x = np.random.default_rng(0).normal(size=ROWS)
    y = (x + 0.5 * np.random.default_rng(1).normal(size=ROWS) > 0.5).astype("int64")
    table = caused_by_x(y, Kind.INTEGER)

    rows = StructuralCausalModel().fit(table, GRAPH).sample(4_000, seed=0)

    assert set(rows["y"]) == {0, 1}
    assert rows["y"].mean() == pytest.approx(y.mean(), abs=0.05)
    assert rows["y"][rows["x"] > 1.5].mean() > 0.8
    assert rows["y"][rows["x"] < -1].mean() < 0.2


def test_codes_with_a_gap_never_fall_into_it():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = np.array([3, 6, 7])[np.searchsorted([-0.5, 0.8], x + 0.5 * rng.normal(size=200))]
    frame = pd.DataFrame({"x": x, "y": y.astype("int64")})
    table = Table(frame, {"x": Kind.NUMERIC, "y": Kind.INTEGER})

    rows = StructuralCausalModel().fit(table, GRAPH).sample(4_000, seed=0)

    shares = rows["y"].value_counts(normalize=True)
    real = frame["y"].value_counts(normalize=True)
    assert set(shares.index) == {3, 6, 7}
    assert shares.sub(real).abs().max() < 0.05


def test_counts_are_drawn_closer_to_their_source_than_to_the_chance_of_the_rows():
    """A rounded, cut-off line: shares of few rows are smoothed where that is likelier."""

    def draw(rows: int, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        ill = rng.random(rows) < 0.4
        visits = np.clip(np.round(2.5 + 1.8 * ill + 1.4 * rng.normal(size=rows)), 0, None)
        return pd.DataFrame({"ill": text(np.where(ill, "yes", "no")), "y": visits.astype(int)})

    def shares(frame: pd.DataFrame) -> "pd.Series[float]":
        return frame.groupby("ill")["y"].value_counts(normalize=True)

    truth = shares(draw(200_000, 99))
    apart = []
    for seed in range(10):
        frame = draw(200, seed)
        table = Table(frame, {"ill": Kind.BINARY, "y": Kind.INTEGER})
        graph = nx.DiGraph([("ill", "y")])
        rows = StructuralCausalModel().fit(table, graph).sample(20_000, seed=0)
        apart.append([shares(one).sub(truth, fill_value=0).abs().sum() for one in (rows, frame)])
        assert rows["y"].var() / frame["y"].var() == pytest.approx(1.0, abs=0.05)
    drawn, real = np.mean(apart, axis=0)
    assert drawn < 0.85 * real


@pytest.mark.parametrize("first", [1_700_000_000_000, 2**53, 2**62])
def test_whole_numbers_beyond_32_and_53_bits_do_not_overflow(first):
    x = np.random.default_rng(0).normal(size=ROWS)
    y = first + np.round(1_000 * x + 100 * np.random.default_rng(1).normal(size=ROWS)).astype(int)
    table = caused_by_x(y.astype("int64"), Kind.INTEGER)

    rows = StructuralCausalModel().fit(table, GRAPH).sample(2_000, seed=0)

    assert rows["y"].dtype == "int64"
    assert rows["y"].between(y.min(), y.max()).all()
    offsets = (rows["y"] - int(y.min())).astype(float)
    assert stats.pearsonr(rows["x"], offsets).statistic > 0.95


def test_a_date_can_be_cause_and_effect():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 700, ROWS), unit="D")
    end = start + pd.to_timedelta(rng.integers(1, 60, ROWS), unit="D")
    frame = pd.DataFrame({"end": end, "start": start}).astype("datetime64[us]")
    table = Table(frame, dict.fromkeys(frame, Kind.DATETIME))

    rows = StructuralCausalModel().fit(table, nx.DiGraph([("start", "end")])).sample(1_000, seed=0)

    assert rows.dtypes.equals(frame.dtypes)
    stay = (rows["end"] - rows["start"]).dt.days
    assert stay.mean() == pytest.approx(30, abs=6)
    assert (rows["start"] == rows["start"].dt.normalize()).all()


def test_a_cause_of_two_hundred_levels_and_one_row_drawn():
    levels = text([f"level {number}" for number in np.resize(np.arange(200), 400)])
    y = np.random.default_rng(0).normal(size=400)
    table = Table(pd.DataFrame({"x": levels, "y": y}), {"x": Kind.CATEGORICAL, "y": Kind.NUMERIC})

    rows = StructuralCausalModel().fit(table, GRAPH).sample(1, seed=0)

    assert len(rows) == 1
    assert rows["x"].iloc[0] in set(levels)


def test_columns_come_back_in_the_tables_order_and_the_graph_as_it_was_given():
    table = caused_by_x(np.random.default_rng(1).normal(size=ROWS), Kind.NUMERIC)
    graph = nx.DiGraph([("x", "y")])

    model = StructuralCausalModel().fit(table, graph)
    rows = model.sample(10, seed=0)
    model.to_dowhy()

    assert list(rows.columns) == ["y", "x"]
    assert dict(graph.nodes(data=True)) == {"x": {}, "y": {}}
    assert list(graph.edges(data=True)) == [("x", "y", {})]


def test_a_node_that_is_never_there_together_with_its_cause_says_so():
    x = np.where(np.arange(ROWS) % 2, np.nan, np.random.default_rng(0).normal(size=ROWS))
    y = np.where(np.arange(ROWS) < 5, np.random.default_rng(1).normal(size=ROWS), np.nan)
    frame = pd.DataFrame({"x": x, "y": y})
    table = Table(frame, dict.fromkeys("xy", Kind.NUMERIC))

    model = StructuralCausalModel().fit(table, GRAPH)

    assert "Only 5 rows have a value" in " ".join(model.diagnostics[1].warnings)
    assert model.sample(2_000, seed=0)["y"].notna().mean() == pytest.approx(5 / ROWS, abs=0.02)
