"""The whole comparison: its figures, its file, and what it does with odd input."""

import json
import subprocess
import sys

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_core.errors import Cancelled, TableError
from causalmix_core.fidelity import FIGURES, compare, shuffle_columns
from causalmix_core.graph import MixedGraph
from causalmix_core.table import Kind, examples, hold_out_test, read_table, split
from causalmix_core.table.table import Table

NAMES = [
    "shape",
    "trend",
    "two_sample_auc",
    "independencies_kept",
    "dependencies_kept",
    "train_synthetic_test_real",
    "copy_share",
    "proxy_a_distance",
    "mmd2",
    "coral",
]
GRAPH = nx.DiGraph(examples.true_edges("health"))


@pytest.fixture(scope="module")
def people():
    table = read_table(examples.make_health(1_500, 3), "disease", name="health")
    return [table.take(range(start, start + 500)) for start in (0, 500, 1_000)]


@pytest.fixture(scope="module")
def report(people):
    train, holdout, fresh = people
    rng = np.random.default_rng(0)
    rows = {
        "fresh": fresh.frame,
        "alone": shuffle_columns(train, 500, rng).frame,
        "copies": train.take(rng.integers(0, 500, 500)).frame,
    }
    return compare(rows, train=train, holdout=holdout, graph=GRAPH, seed=0, draws=20)


def test_the_file_holds_what_the_contract_says(report, people):
    content = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert {"generators", "ceiling", "floor", "intervals", "columns", "settings", "notes"} <= set(
        content
    )
    assert list(content["generators"]) == ["fresh", "alone", "copies"]
    for figures in (*content["generators"].values(), content["ceiling"], content["floor"]):
        assert list(figures) == NAMES == [figure.name for figure in FIGURES]
    assert list(content["columns"]) == people[0].columns
    assert all(list(row) == ["fresh", "alone", "copies"] for row in content["columns"].values())
    for name, figures in content["generators"].items():
        for figure, (low, high) in content["intervals"][name].items():
            assert low <= figures[figure] <= high


def test_new_rows_of_the_same_source_reach_the_ceiling(report):
    fresh, ceiling = report.generators["fresh"], report.ceiling
    for figure in ("shape", "trend", "two_sample_auc", "train_synthetic_test_real"):
        assert fresh[figure] == pytest.approx(ceiling[figure], abs=0.07)
    assert fresh["copy_share"] == pytest.approx(0.0, abs=0.03)
    assert fresh["dependencies_kept"] > 0.9
    assert fresh["independencies_kept"] > 0.9
    assert abs(fresh["proxy_a_distance"]) < 0.35
    assert abs(fresh["mmd2"]) < 0.01


def test_columns_resampled_alone_are_the_floor(report):
    alone, floor, ceiling = report.generators["alone"], report.floor, report.ceiling
    assert alone["shape"] == pytest.approx(ceiling["shape"], abs=0.03)
    for figures in (alone, floor):
        assert figures["trend"] < ceiling["trend"] - 0.04
        assert figures["two_sample_auc"] > 0.75
        assert figures["dependencies_kept"] < 0.2
        assert figures["train_synthetic_test_real"] == pytest.approx(0.5, abs=0.2)
        assert figures["coral"] > 5 * ceiling["coral"]


def test_copies_are_caught_though_they_look_real(report):
    copies = report.generators["copies"]
    assert copies["copy_share"] > 0.95
    assert copies["two_sample_auc"] < 0.6
    assert report.ceiling["copy_share"] is None
    assert "copies of themselves" in report.notes["copy_share"]


def test_names_and_company_change_no_figure(report, people):
    train, holdout, fresh = people
    alone = compare({"other name": fresh.frame}, train, holdout, GRAPH, draws=20)
    assert alone.generators["other name"] == report.generators["fresh"]
    assert alone.ceiling == report.ceiling


def test_the_same_bytes_come_out_in_another_process(tmp_path):
    code = """
import json, sys
from causalmix_core.fidelity import compare
from causalmix_core.table import examples, read_table
table = read_table(examples.make_health(240, 3), "disease")
parts = [table.take(range(k, k + 80)) for k in (0, 80, 160)]
report = compare({"a": parts[2]}, parts[0], parts[1], seed=4, draws=5)
print(json.dumps(report.to_dict()))
"""
    table = read_table(examples.make_health(240, 3), "disease")
    parts = [table.take(range(k, k + 80)) for k in (0, 80, 160)]
    here = compare({"a": parts[2]}, parts[0], parts[1], seed=4, draws=5).to_dict()
    there = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(there) == json.loads(json.dumps(here))
    other = compare({"a": parts[2]}, parts[0], parts[1], seed=5, draws=5).to_dict()
    assert other["generators"] != here["generators"]


def test_without_held_out_rows_some_figures_are_missing_and_it_says_why(people):
    train, _, fresh = people
    report = compare({"fresh": fresh.take(range(100))}, train.take(range(100)), draws=5)
    figures = report.generators["fresh"]
    assert [name for name in NAMES if figures[name] is None] == [
        "independencies_kept",
        "dependencies_kept",
        "train_synthetic_test_real",
        "copy_share",
    ]
    assert all(name in report.notes for name in NAMES if figures[name] is None)
    assert set(report.ceiling.values()) == {None}
    assert report.settings["real_rows"] == "training"
    json.dumps(report.to_dict(), allow_nan=False)


def test_too_few_held_out_rows_are_put_by(people):
    train, holdout, fresh = people
    few = [part.take(range(60)) for part in (train, fresh)]
    report = compare({"fresh": few[1]}, few[0], holdout.take(range(5)), draws=5)
    assert "only 5 held-out rows" in report.notes["holdout"]
    assert report.generators["fresh"]["shape"] is not None


def test_tables_without_a_class_to_predict_are_compared(people):
    frames = [part.take(range(80)).frame for part in people]
    plain = [read_table(frame) for frame in frames]
    report = compare({"a": plain[2]}, plain[0], plain[1], draws=5)
    assert report.generators["a"]["train_synthetic_test_real"] is None
    assert "no target" in report.notes["train_synthetic_test_real"]
    numbers = [read_table(frame, "bmi") for frame in frames]
    report = compare({"a": numbers[2]}, numbers[0], numbers[1], draws=5)
    assert "'bmi' is a number" in report.notes["train_synthetic_test_real"]


def test_any_graph_is_taken(people):
    train, holdout, fresh = (part.take(range(150)) for part in people)
    plain = MixedGraph.from_networkx(GRAPH)
    for graph in (plain, [plain, plain]):
        report = compare({"a": fresh}, train, holdout, graph, draws=5)
        assert report.generators["a"]["dependencies_kept"] is not None
    assert report.notes["graph"] == "read from the first of 2 graphs"
    undirected = MixedGraph.from_networkx(nx.Graph([("age", "education"), ("education", "income")]))
    report = compare({"a": fresh}, train, holdout, undirected, draws=5)
    assert "completed to a DAG" in report.notes["graph"]
    stranger = nx.DiGraph([("age", "height"), ("height", "bmi")])
    report = compare({"a": fresh}, train, holdout, stranger, draws=5)
    assert report.generators["a"]["dependencies_kept"] is None
    assert "joins no columns" in report.notes["dependencies_kept"]


def test_all_categories_and_all_numbers_are_compared():
    rng = np.random.default_rng(0)

    def made(kind):
        if kind == "words":
            columns = {name: rng.choice(["p", "q", "r"], 60) for name in "abc"}
        else:
            columns = {name: rng.normal(size=60) for name in "abc"}
        return read_table(pd.DataFrame(columns))

    for kind in ("words", "numbers"):
        train, holdout, rows = made(kind), made(kind), made(kind)
        graph = nx.DiGraph([("a", "b")])
        figures = compare({"x": rows}, train, holdout, graph, draws=5).generators["x"]
        assert figures["shape"] > 0.7
        assert figures["trend"] > 0.6
        assert figures["dependencies_kept"] in (0.0, 1.0)


def test_rows_of_other_dtypes_are_read_as_the_table(people):
    train, holdout, fresh = (part.take(range(80)) for part in people)
    frame = fresh.frame
    loose = frame.assign(
        age=frame["age"].astype("float64"),
        sex=frame["sex"].astype("category"),
        region=frame["region"].astype(object),
    )[frame.columns[::-1]]
    strict = compare({"a": frame}, train, holdout, draws=5)
    assert compare({"a": loose}, train, holdout, draws=5).to_dict() == strict.to_dict()


def test_rows_that_do_not_fit_are_refused_by_name(people):
    train, holdout, fresh = (part.take(range(80)) for part in people)
    with pytest.raises(TableError, match="'a' lack the column 'bmi'"):
        compare({"a": fresh.frame.drop(columns="bmi")}, train, holdout)
    words = fresh.frame.assign(bmi="heavy")
    with pytest.raises(TableError, match=r"'a' do not fit the table: .*'bmi' holds 'heavy'"):
        compare({"a": words}, train, holdout)
    with pytest.raises(TableError, match="'a' has 3 rows"):
        compare({"a": fresh.take(range(3))}, train, holdout)
    with pytest.raises(TableError, match="cannot be called 'floor'"):
        compare({"floor": fresh}, train, holdout)


def test_infinite_and_missing_values_in_made_rows_are_borne(people):
    train, holdout, fresh = (part.take(range(80)) for part in people)
    frame = fresh.frame.copy()
    frame.loc[:10, "bmi"] = np.inf
    frame.loc[:20, "income"] = np.nan
    frame["smoker"] = pd.Series([None] * 80, dtype="str")
    figures = compare({"a": frame}, train, holdout, GRAPH, draws=5).generators["a"]
    json.dumps(dict(figures), allow_nan=False)
    assert figures["shape"] < 0.95


@pytest.mark.parametrize("seed", range(4))
def test_odd_tables_are_borne(seed):
    """Every kind, gaps, constants, empty columns, few rows: figures or reasons, never a crash."""

    def odd(rows, seed):
        rng = np.random.default_rng(seed)
        count = pd.Series(pd.array(rng.integers(0, 9, rows), dtype="Int64"))
        count[rng.random(rows) < 0.3] = pd.NA
        word = pd.Series(rng.choice(["p", "q", "r"], rows), dtype="str")
        word[rng.random(rows) < 0.5] = None
        days = rng.integers(0, 900, rows).astype("timedelta64[D]")
        frame = pd.DataFrame(
            {
                "tiny": rng.normal(size=rows) * 1e-8,
                "count": count,
                "word": word,
                "day": (np.datetime64("2020-01-01", "us") + days).astype("datetime64[us]"),
                "same": np.full(rows, 3.0),
                "gone": np.full(rows, np.nan),
                "grade": pd.Series(rng.choice(["lo", "mid", "hi"], rows), dtype="str"),
            }
        )
        kinds = [Kind.NUMERIC, Kind.INTEGER, Kind.CATEGORICAL, Kind.DATETIME]
        kinds += [Kind.NUMERIC, Kind.NUMERIC, Kind.ORDINAL]
        return Table(
            frame,
            dict(zip(frame.columns, kinds, strict=True)),
            "word",
            levels={"grade": ("lo", "mid", "hi")},
        )

    sizes = np.random.default_rng(seed).integers(10, 50, 3)
    train, holdout, made = (odd(int(size), 10 * seed + k) for k, size in enumerate(sizes))
    graph = nx.DiGraph([("count", "word"), ("day", "tiny"), ("gone", "same")])
    content = compare({"made": made.frame}, train, holdout, graph, draws=3).to_dict()
    json.dumps(content, allow_nan=False)
    figures = content["generators"]["made"]
    assert all(name in content["notes"] for name in NAMES if figures[name] is None)


def test_progress_rises_and_raising_in_it_cancels(people):
    train, holdout, fresh = (part.take(range(60)) for part in people)
    seen = []
    compare({"a": fresh}, train, holdout, draws=3, progress=lambda f, s: seen.append((f, s)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0

    def stop(fraction, sentence):
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        compare({"a": fresh}, train, holdout, progress=stop)


def test_the_page_needs_nothing_else_and_escapes_names(people):
    train, holdout, fresh = (part.take(range(60)) for part in people)
    evil = "<script>alert(1)</script>"

    def renamed(table):
        names = {"bmi": evil}
        kinds = {names.get(name, name): kind for name, kind in table.kinds.items()}
        return Table(table.frame.rename(columns=names), kinds, table.target, name=evil)

    page = compare(
        {f"{evil}&": renamed(fresh).frame}, renamed(train), renamed(holdout), draws=3
    ).to_html()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "http:" not in page
    assert "https:" not in page
    assert "src=" not in page


def test_split_parts_can_be_compared_at_once():
    train, validation, test = split(examples.load("wine"))
    report = compare({"validation": validation.frame}, train, test, draws=3)
    assert report.settings["rows"] == len(validation)
    development, held = hold_out_test(examples.load("wine"))
    assert compare({"same": development}, development, held, draws=3).generators["same"][
        "copy_share"
    ] == pytest.approx(0.98, abs=0.03)
    assert held.kinds["cultivar"] is Kind.CATEGORICAL
