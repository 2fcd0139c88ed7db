"""Summaries and associations against independent computations."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalmix_core.table import Kind, associate, examples, inspect, read_table, summarise
from causalmix_core.table.table import Table


def table_of(frame, kinds):
    return Table(frame, kinds)


def test_summaries_say_what_a_column_holds():
    table = examples.load("health")
    of = {summary.name: summary for summary in summarise(table)}
    income = table.frame["income"]
    assert of["income"].missing == income.isna().sum() > 0
    assert of["income"].mean == pytest.approx(income.mean())
    assert of["income"].standard_deviation == pytest.approx(income.std())
    assert of["income"].quantiles == pytest.approx(income.quantile([0, 0.25, 0.5, 0.75, 1]))
    assert of["region"].counts == table.frame["region"].value_counts().to_dict()
    assert of["age"].distinct == table.frame["age"].nunique()


def test_numbers_are_associated_by_spearman():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    frame = pd.DataFrame({"x": x, "y": np.exp(x) + rng.normal(size=200), "z": -x})
    matrix = associate(table_of(frame, dict.fromkeys(frame, Kind.NUMERIC)))
    assert matrix.loc["x", "y"] == pytest.approx(stats.spearmanr(frame["x"], frame["y"]).statistic)
    assert matrix.loc["x", "z"] == pytest.approx(1.0)
    assert np.diag(matrix).tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_categories_are_associated_by_bias_corrected_cramers_v():
    rng = np.random.default_rng(1)
    a = rng.choice(list("pqr"), 300)
    b = np.where(rng.random(300) < 0.5, a, rng.choice(list("pqr"), 300))
    frame = pd.DataFrame({"a": pd.Series(a, dtype="str"), "b": pd.Series(b, dtype="str")})
    counts = pd.crosstab(frame["a"], frame["b"]).to_numpy()
    n = counts.sum()
    chi2 = stats.chi2_contingency(counts, correction=False).statistic
    phi2 = max(0.0, chi2 / n - 4 / (n - 1))
    expected = np.sqrt(phi2 / (3 - 4 / (n - 1) - 1))
    matrix = associate(table_of(frame, dict.fromkeys(frame, Kind.CATEGORICAL)))
    assert matrix.loc["a", "b"] == matrix.loc["b", "a"] == pytest.approx(expected)
    assert matrix.loc["a", "a"] == pytest.approx(1.0)


def test_a_number_and_a_category_are_associated_by_the_correlation_ratio():
    rng = np.random.default_rng(2)
    group = rng.choice(list("pqr"), 300)
    x = rng.normal(size=300) + (group == "q")
    frame = pd.DataFrame({"x": x, "g": pd.Series(group, dtype="str")})
    kruskal = stats.kruskal(*[x[group == label] for label in "pqr"]).statistic
    eta2 = kruskal / 299  # H = (n − 1) η² of the ranks
    expected = np.sqrt(1 - (1 - eta2) * 299 / 297)
    matrix = associate(table_of(frame, {"x": Kind.NUMERIC, "g": Kind.CATEGORICAL}))
    assert matrix.loc["x", "g"] == matrix.loc["g", "x"] == pytest.approx(expected)


def test_many_rare_categories_are_not_associated_with_everything():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "code": pd.Series(rng.integers(0, 90, 400).astype(str), dtype="str"),
            "other": pd.Series(rng.integers(0, 40, 400).astype(str), dtype="str"),
        }
    )
    kinds = {"x": Kind.NUMERIC, "code": Kind.CATEGORICAL, "other": Kind.CATEGORICAL}
    matrix = associate(table_of(frame, kinds))
    assert matrix.loc["x", "code"] < 0.25
    assert matrix.loc["other", "code"] < 0.25


def test_missing_values_and_constants_are_borne():
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan, 4.0, 5.0], "same": [1.0] * 5})
    frame["gone"] = np.nan
    frame["g"] = pd.Series(["a", None, "b", "a", "b"], dtype="str")
    frame["one"] = pd.Series(["a"] * 5, dtype="str")
    kinds = dict.fromkeys(["x", "same", "gone"], Kind.NUMERIC)
    kinds |= {"g": Kind.CATEGORICAL, "one": Kind.CATEGORICAL}
    matrix = associate(table_of(frame, kinds))
    assert matrix.loc["x", "x"] == pytest.approx(1.0)
    assert matrix[["same", "gone", "one"]].isna().all(axis=None)
    assert ((matrix >= 0) & (matrix <= 1) | matrix.isna()).all(axis=None)


def test_inspection_names_every_column_and_goes_into_json():
    lines = "\n".join(f"u{k},{k / 2},{'ab'[k % 2]},same," for k in range(30))
    table = read_table(f"id,x,y,c,gone\n{lines}\n".encode(), "y", name="t.csv")
    found = json.loads(json.dumps(inspect(table)))
    assert found["rows"] == 30
    assert found["target"] == "y"
    assert [column["name"] for column in found["columns"]] == ["id", "x", "y", "c", "gone"]
    of = {column["name"]: column for column in found["columns"]}
    assert of["x"] == {
        "name": "x", "kind": "numeric", "missing": 0, "distinct": 30, "set_aside": None
    }  # fmt: skip
    assert (of["id"]["kind"], of["id"]["distinct"]) == ("identifier", 30)
    assert (of["gone"]["kind"], of["gone"]["missing"]) == ("constant", 30)
    assert of["c"]["set_aside"] == "one value only, 'same'"
