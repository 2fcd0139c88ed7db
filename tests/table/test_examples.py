"""The bundled tables are what they say they are."""

import networkx as nx
import numpy as np
import pytest

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, examples, read_table, to_table


@pytest.mark.parametrize(
    ("name", "rows", "columns", "classes"),
    [("breast-cancer", 569, 31, 2), ("wine", 178, 14, 3), ("health", 1_000, 12, 2)],
)
def test_examples_load_with_their_target(name, rows, columns, classes):
    table = examples.load(name)
    assert (len(table), len(table.columns)) == (rows, columns)
    assert table.y.nunique() == classes
    assert table.set_aside == {}
    assert to_table(examples.load_raw(name), examples.find(name).target).digest == table.digest


def test_the_simulated_table_has_every_kind_and_missing_values():
    table = examples.load("health")
    assert set(table.kinds.values()) == {
        Kind.NUMERIC,
        Kind.INTEGER,
        Kind.BINARY,
        Kind.CATEGORICAL,
    }
    assert 0.05 < table.frame["income"].isna().mean() < 0.11
    assert table.frame.drop(columns="income").notna().all(axis=None)


def test_its_true_graph_is_a_dag_over_its_columns():
    graph = nx.DiGraph(examples.true_edges("health"))
    assert nx.is_directed_acyclic_graph(graph)
    assert set(graph.nodes) == set(examples.load("health").columns)


def test_its_independencies_hold_and_its_edges_show():
    frame = examples.make_health(20_000, seed=7)
    numbers = frame[["age", "bmi", "exercise_hours", "blood_pressure", "cholesterol"]]
    # cholesterol and blood pressure are independent given bmi and sex
    women = numbers[(frame["sex"] == "female").to_numpy()]
    design = np.column_stack([np.ones(len(women)), women["bmi"]])
    rest = [
        women[name] - design @ np.linalg.lstsq(design, women[name], rcond=None)[0]
        for name in ("cholesterol", "blood_pressure")
    ]
    assert abs(np.corrcoef(*rest)[0, 1]) < 0.03
    assert numbers.corr().loc["exercise_hours", "bmi"] < -0.5
    ill = frame["disease"] == "ill"
    assert ill[frame["smoker"] == "yes"].mean() > ill[frame["smoker"] == "no"].mean() + 0.2


def test_simulation_follows_its_seed():
    one, two = (read_table(examples.make_health(50, seed=3)) for _ in range(2))
    assert one.digest == two.digest
    assert read_table(examples.make_health(50, seed=4)).digest != one.digest


def test_unknown_names_and_unknown_truths_are_said():
    with pytest.raises(
        TableError, match="no example 'iris'; there are breast-cancer, wine, health"
    ):
        examples.load("iris")
    with pytest.raises(TableError, match="true graph of the example 'wine' is not known"):
        examples.true_edges("wine")
