"""A plan's rows: the same for every method, given ones where given, a domain held out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from causalmix_core.errors import RunError, TableError
from causalmix_core.experiment.plan import (
    Plan,
    Source,
    belongs,
    digest_of,
    graph_digest,
    splits,
)
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.tables import get_source, put_source, reference, table_digest
from causalmix_core.finetune import Settings, Stopping
from causalmix_core.graph import Edge, Knowledge, Mark, MixedGraph
from causalmix_core.table import Kind, read_table, split
from tests.finetune.tiny import small_table


def test_rows_are_those_of_the_split_command():
    table = small_table(300)
    found = splits(Source(table), 90, 3)
    expected = split(table, 90, 3)
    for ours, theirs in zip((found.train, found.validation, found.test), expected, strict=True):
        assert ours.digest == theirs.digest


def test_fixed_test_rows_stay_and_seeds_vary_the_labelled_ones():
    source = Source(small_table(200, 1), test=small_table(50, 2))
    first, second = splits(source, 60, 0), splits(source, 60, 1)
    assert first.test.digest == second.test.digest == source.test.digest
    assert first.train.digest != second.train.digest
    assert len(first.train) + len(first.validation) == 60


def test_with_fixed_validation_rows_the_whole_budget_is_for_training():
    source = Source(small_table(200, 1), validation=small_table(40, 2))
    found = splits(source, 60, 0)
    assert len(found.train) == 60
    assert found.validation.digest == source.validation.digest
    both = replace(source, test=small_table(50, 3))
    assert len(splits(both, None, 0).train) == 200


def test_a_domain_is_in_none_of_the_other_rows():
    found = splits(Source(small_table(400)), 120, 0, ("colour", "red"))
    assert set(found.domain.frame["colour"]) == {"red"}
    for part in (found.train, found.validation, found.test):
        assert "red" not in set(part.frame["colour"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("colour", "purple", "no row"),
        ("shade", "red", "no column 'shade'"),
        ("x", "tall", "numbers, not 'tall'"),
    ],
)
def test_a_domain_that_is_not_there_is_named(column: str, value: str, message: str):
    with pytest.raises(TableError, match=message):
        splits(Source(small_table(100)), 30, 0, (column, value))


def test_a_year_is_a_domain_and_so_is_a_number_and_a_column_set_aside():
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2019-11-01", periods=100, freq="D").astype("datetime64[us]"),
            "size": np.arange(100) % 4,
            "person": [f"id{i:03}" for i in range(100)],
            "y": np.array(["a", "b"])[np.arange(100) % 2],
        }
    )
    table = read_table(frame, target="y", kinds={"size": "integer", "day": "datetime"})
    assert belongs(table, "day", "2020").sum() == 39
    assert belongs(table, "day", "2019-11").sum() == 30
    assert belongs(table, "size", "3").sum() == 25
    assert belongs(table, "person", "id007").sum() == 1


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y %H:%M", "%d %b %Y", "%Y/%m/%d"])
def test_a_domain_of_dates_is_a_period_or_a_date_as_the_file_writes_it(form):
    days = pd.date_range("2021-12-20", periods=400, freq="D")
    rows = [f"{day.strftime(form)},{i % 9},{'ab'[i % 2]}" for i, day in enumerate(days)]
    table = read_table("\n".join(["day,size,y", *rows]).encode(), target="y", name="t.csv")
    assert table.kinds["day"] is Kind.DATETIME
    whole = pd.Timestamp("2022-03-04")
    expected = {
        "2022": days.year == 2022,
        "2022-01": (days.year == 2022) & (days.month == 1),
        "2022-03-04": days == whole,
        "2022-03-04 00:00": days == whole,
        "2022-03-04T00:00:00": days == whole,
        "2022-03-04 12:00": days < days[0],
        whole.strftime(form): days == whole,
        whole.strftime(form).removesuffix(" 00:00"): days == whole,
    }
    for value, rows in expected.items():
        assert (belongs(table, "day", value) == rows).all(), value
    for value in ("202", "2022-1", "2022-03-0", "", "March", "32.13.2022"):
        with pytest.raises(TableError, match=r"'day' holds dates, not .* a month \(2024-01\)"):
            belongs(table, "day", value)


def test_a_source_comes_back_from_the_store(tmp_path):
    store = Store(tmp_path)
    project = store.create("p").id
    graph = MixedGraph(nodes=("x", "label"), edges=(Edge("x", "label"),), graph_type="dag")
    source = Source(small_table(50), test=small_table(20, 2), graph=graph, group="colour")
    again = get_source(store, project, put_source(store, project, source))
    assert again.table.digest == source.table.digest
    assert again.table.name == "small"
    assert again.test.digest == source.test.digest
    assert again.validation is None
    assert graph_digest(again.graph) == graph_digest(graph)
    assert again.group == "colour"


def _people(groups, day: str = "%Y-%m-%d"):
    rows = [f"p{i},g{group},{i % 7},{'ab'[i % 2]}" for i, group in enumerate(groups)]
    days = pd.date_range("2024-01-01", periods=len(rows)).strftime(day)
    lines = [f"{row},{day}" for row, day in zip(rows, days, strict=True)]
    file = "\n".join(["person,shop,size,y,day", *lines]).encode()
    return read_table(file, target="y", kinds={"shop": "identifier"}, name="people.csv")


def test_a_corrected_column_that_is_set_aside_makes_another_table_in_the_store(tmp_path):
    store = Store(tmp_path)
    project = store.create("p").id
    wrong, right = _people([i // 4 for i in range(40)]), _people([i // 8 for i in range(40)])
    dates = _people([i // 8 for i in range(40)], "%d.%m.%Y")
    assert wrong.digest == right.digest == dates.digest
    kept = [put_source(store, project, Source(t, group="shop")) for t in (wrong, right, dates)]
    assert len({each["table"] for each in kept}) == 3
    for table, each in zip((wrong, right, dates), kept, strict=True):
        again = get_source(store, project, each)
        pd.testing.assert_frame_equal(again.table.aside, table.aside, check_column_type=False)
        assert again.table.formats == table.formats
        assert reference(again) == each


def test_a_table_with_nothing_set_aside_is_kept_as_before():
    # Runs that were done before are found again by this.
    frame = pd.DataFrame({"x": [1.5, 2.0, 2.5, 3.5], "y": ["a", "b", "a", "b"]})
    table = read_table(frame, target="y", kinds={"x": "numeric"})
    assert table_digest(table) == digest_of(table.digest, "table", [])


def test_a_graph_that_knowledge_completes_otherwise_is_another_one_in_the_store(tmp_path):
    store = Store(tmp_path)
    project = store.create("p").id
    nodes, known = ("x", "label"), Knowledge(required=(("label", "x"),))
    kept = []
    for graph in (
        MixedGraph(nodes, (Edge(*nodes, Mark.CIRCLE, Mark.CIRCLE),), knowledge=knowledge)
        for knowledge in (Knowledge(), known)
    ):
        put = put_source(store, project, Source(small_table(50), graph=graph))
        again = get_source(store, project, put).graph
        assert again.sample_dags(8) == graph.sample_dags(8)
        kept.append(put["graph"])
    assert kept[0] != kept[1]


def test_knowledge_leaves_a_dag_and_the_digest_of_every_graph_without_it_as_they_are():
    nodes, known = ("x", "label"), Knowledge(required=(("x", "label"),))
    dag = MixedGraph(nodes, (Edge(*nodes),), graph_type="dag")
    assert graph_digest(dag) == graph_digest(replace(dag, knowledge=known))
    # Runs that were done before are found again by this.
    free = MixedGraph(nodes, (Edge(*nodes, Mark.CIRCLE, Mark.ARROW, 0.5),))
    assert graph_digest(free) == "692f6fed48ce95de760e91b28e5da779"


@pytest.mark.parametrize(
    "change",
    [
        {"methods": ()},
        {"methods": ("none", "magic")},
        {"methods": ("none", "none")},
        {"seeds": ()},
        {"sources": ()},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change):
    plan = {"sources": (Source(small_table(50)),), **change}
    with pytest.raises(RunError, match=r"Give|no method|once"):
        Plan(**plan)


def test_two_tables_of_one_name_are_refused():
    with pytest.raises(RunError, match="same name"):
        Plan((Source(small_table(50)), Source(small_table(60))))


def test_given_validation_and_test_rows_lose_the_rows_of_a_held_out_domain():
    source = Source(small_table(120), validation=small_table(40, 3), test=small_table(40, 4))
    parts = splits(source, 60, 0, ("colour", "red"))
    for table in (parts.train, parts.validation, parts.test):
        assert "red" not in set(table.frame["colour"])
    assert set(parts.domain.frame["colour"]) == {"red"}
    only_red = source.test.take(np.flatnonzero(source.test.frame["colour"] == "red"))
    with pytest.raises(TableError, match="every row"):
        splits(replace(source, test=only_red), 60, 0, ("colour", "red"))


def test_cross_fitted_stopping_is_refused_where_rows_are_split_by_time():
    settings = Settings(stopping=Stopping(rule="cross-fitted"))
    with pytest.raises(RunError, match="a split by time rules out"):
        Plan((Source(small_table(100), time="count"),), settings=settings)


def test_a_table_that_no_model_can_predict_is_named_before_any_run_is_made():
    many = small_table(60, name="many")
    label = pd.Series([f"class {row % 12}" for row in range(60)], dtype="str")
    many = many.with_frame(many.frame.assign(label=label))
    with pytest.raises(TableError, match="many: The target 'label' has 12 classes"):
        Plan((Source(small_table(50)), Source(many)))
