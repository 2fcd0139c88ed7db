import numpy as np
import pandas as pd
import pytest
from discovery_tables import as_text, mixed_table, numeric_table

from causalmix_core.discovery import discover, screen
from causalmix_core.errors import DiscoveryError
from causalmix_core.graph.legality import directed_cycles
from causalmix_core.graph.mixed_graph import Knowledge
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table


def with_column(table, name, values, kind):
    return Table(table.frame.assign(**{name: values}), {**table.kinds, name: kind}, table.target)


def test_a_constant_column_stays_in_the_graph_without_edges():
    table = with_column(mixed_table(0), "fixed", 3.0, Kind.NUMERIC)
    assert screen(table).constant == ("fixed",)
    graph = discover(table, bootstraps=3)
    assert "fixed" in graph.nodes
    assert not graph.edges_of("fixed")
    assert any("'fixed' has one value only" in note for note in graph.provenance["notes"])


@pytest.mark.parametrize("algorithm", ["pc", "fci", "both"])
def test_a_copy_is_joined_to_its_original_alone(algorithm):
    base = mixed_table(0)
    table = with_column(base, "income in cents", 100 * base.frame["income"] + 7, Kind.NUMERIC)
    table = with_column(table, "school", "S" + base.frame["education"], Kind.CATEGORICAL)
    screening = screen(table)
    assert dict(screening.copies) == {"income in cents": "income", "school": "education"}
    graph = discover(table, algorithm, bootstraps=3)
    assert [e.other("income in cents") for e in graph.edges_of("income in cents")] == ["income"]
    assert [e.other("school") for e in graph.edges_of("school")] == ["education"]
    without = discover(base, algorithm, bootstraps=3)
    rest = {e.pair for e in graph.edges if not e.pair & {"income in cents", "school"}}
    assert rest == {e.pair for e in without.edges}


def test_a_code_and_its_words_are_copies_across_kinds():
    base = mixed_table(0)
    code = base.frame["education"].map({"level 0": 10, "level 1": 30, "level 2": 20})
    table = with_column(base, "education_num", code.astype("int64"), Kind.INTEGER)
    assert screen(table).copies == {"education_num": "education"}


def test_near_copies_and_numbers_without_repeats_are_no_copies():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    table = numeric_table(
        {"x": x, "near": x + 1e-3 * rng.normal(size=200), "z": rng.normal(size=200)}
    )
    assert not screen(table).copies


def test_columns_that_determine_others_are_named():
    base = mixed_table(0)
    rng = np.random.default_rng(1)
    city = rng.integers(0, 9, len(base))
    table = with_column(base, "city", as_text(city), Kind.CATEGORICAL)
    table = with_column(table, "state", as_text(city // 3), Kind.CATEGORICAL)
    total = base.frame["age"] + base.frame["income"]
    table = with_column(table, "total", total, Kind.NUMERIC)
    determined = screen(table).determined
    assert determined["state"] == ("city",)
    assert set(determined["total"]) == {"age", "income"}
    graph = discover(table, "pc", bootstraps=0)
    assert graph.edge_between("city", "state") is not None


@pytest.mark.parametrize(("rows", "kept"), [(800, 19), (200, 10), (12, 3)])
def test_rare_levels_are_merged_and_the_user_told(rows: int, kept: int):
    base = mixed_table(0, n=rows)
    rng = np.random.default_rng(2)
    table = with_column(base, "town", as_text(rng.geometric(0.05, rows)), Kind.CATEGORICAL)
    screening = screen(table)
    levels = table.frame["town"].nunique()
    assert screening.thinned == {"town": levels - kept}
    assert any("'town' has many levels" in note for note in screening.notes)


def test_independent_categories_of_many_levels_are_not_joined_for_want_of_a_test():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: as_text(rng.geometric(0.03, 110)) for name in "abcd"})
    graph = discover(Table(frame, dict.fromkeys(frame, Kind.CATEGORICAL)), "pc", bootstraps=20)
    assert graph.provenance["unanswered_tests"] == 0
    assert graph.edges == ()


def test_a_link_that_no_test_could_judge_says_so():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 9, (2, 200)).astype("str").astype(object)
    values[0, :95] = values[1, 105:] = np.nan  # ten rows have both
    frame = pd.DataFrame({"a": values[0], "b": values[1]}).astype("str")
    table = Table(frame, dict.fromkeys(frame, Kind.CATEGORICAL))
    [edge] = discover(table, "pc", bootstraps=0).edges
    assert edge.evidence["decided_by"] == "rows"


def test_a_table_that_cannot_be_searched_is_refused_in_words():
    with pytest.raises(DiscoveryError, match="at least 10 rows"):
        screen(mixed_table(0, n=6))
    same = np.arange(50.0)
    with pytest.raises(DiscoveryError, match="two columns"):
        screen(numeric_table({"a": same, "b": 2 * same, "c": np.ones(50)}))


def test_few_complete_rows_are_mentioned():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 200))
    values[0, :120] = np.nan
    values[1, 150:] = np.nan
    notes = screen(numeric_table({"a": values[0], "b": values[1]})).notes
    assert any("Only 30 rows are complete in 'a' and 'b'" in note for note in notes)


def test_a_column_that_is_all_missing_counts_as_constant():
    table = with_column(mixed_table(0), "empty", np.nan, Kind.NUMERIC)
    assert screen(table).constant == ("empty",)


def test_a_column_that_is_constant_in_a_resample_only_joins_nothing_there():
    rng = np.random.default_rng(0)
    rare = np.zeros(60)
    rare[0] = 1.0
    frame = pd.DataFrame({"rare": as_text(rare.astype(int)), "x": rng.normal(size=60)})
    frame["y"] = frame["x"] + rng.normal(size=60)
    kinds = {"rare": Kind.BINARY, "x": Kind.NUMERIC, "y": Kind.NUMERIC}
    graph = discover(Table(frame, kinds), bootstraps=20)
    pair = graph.frequencies_between("rare", "x")
    assert pair is None or pair.adjacent < 0.5


def test_a_required_edge_keeps_its_columns_in_the_search():
    base = mixed_table(0)
    table = with_column(base, "fixed", 3.0, Kind.NUMERIC)
    table = with_column(table, "income in cents", 100 * base.frame["income"], Kind.NUMERIC)
    knowledge = Knowledge(required=(("fixed", "age"), ("income in cents", "colour")))
    for algorithm in ("pc", "fci", "both"):
        graph = discover(table, algorithm, bootstraps=2, knowledge=knowledge)
        for cause, effect in knowledge.required:
            edge = graph.edge_between(cause, effect)
            assert (edge.cause, edge.effect) == (cause, effect)
        assert graph.edge_between("income", "income in cents") is not None
        assert not directed_cycles(graph)
