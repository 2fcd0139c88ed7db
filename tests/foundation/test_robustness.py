"""Tables that break models elsewhere: the compact model predicts proper probabilities on them."""

import numpy as np
import pandas as pd
import pytest

from causalmix_core.foundation import TableEncoder, load
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

ROWS = 60


def numbers(columns: int, seed: int = 0) -> pd.DataFrame:
    X = np.random.default_rng(seed).normal(size=(ROWS, columns))
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(columns)])


def texts(values: list[str | None]) -> pd.Series:
    return pd.Series([values[i % len(values)] for i in range(ROWS)], dtype="str")


def table_of(features: pd.DataFrame, y: pd.Series, **kinds: Kind) -> Table:
    frame = features.assign(y=y)
    given = {c: kinds.get(c, Kind.NUMERIC) for c in frame.columns if c != "y"}
    return Table(frame, {**given, "y": Kind.CATEGORICAL}, target="y")


def cases() -> dict[str, Table]:
    two = texts(["no", "yes", "yes"])
    category = Kind.CATEGORICAL
    holes = numbers(5).mask(np.random.default_rng(1).random((ROWS, 5)) < 0.5)
    holes["x4"] = np.nan
    rare = two.copy()
    rare[[3, 40]] = "rare"
    return {
        "one column": table_of(numbers(1), two),
        "one column of whole numbers": table_of(
            pd.DataFrame({"n": pd.Series(np.arange(ROWS) % 3)}), two, n=Kind.INTEGER
        ),
        "a constant column among others": table_of(numbers(2).assign(c=1.0), two),
        "nothing but constant columns": table_of(
            pd.DataFrame({"c": np.ones(ROWS), "d": texts(["same"])}), two, d=category
        ),
        "a column without any value": table_of(numbers(1).assign(x1=np.nan), two),
        "categories only": table_of(
            pd.DataFrame({"a": texts(["p", "q", None]), "b": texts([f"v{i}" for i in range(17)])}),
            two, a=category, b=category,
        ),
        "more categories than rows can show": table_of(
            pd.DataFrame({"a": texts([f"v{i}" for i in range(55)])}), two, a=category
        ),
        "a hundred columns": table_of(numbers(100), two),
        "ten classes": table_of(numbers(3), texts([f"class {i}" for i in range(10)])),
        "a class with two rows": table_of(numbers(3), rare),
        "missing values everywhere": table_of(holes, two),
        "true and false": table_of(
            pd.DataFrame({"a": texts(["true", "false", None])}), two, a=Kind.BINARY
        ),
        "one value or none everywhere": table_of(
            pd.DataFrame({"a": texts(["x", None, "x", None, None]), "b": [0.0, 0.0, np.nan] * 20}),
            two, a=category,
        ),
        "numbers beyond 32 bits": table_of(
            pd.DataFrame({"n": pd.Series(np.arange(ROWS) * 2**40 + 2**62)}), two, n=Kind.INTEGER
        ),
        "numbers beyond float32": table_of(numbers(2) * 1e200, two),
        "dates": table_of(
            pd.DataFrame({"d": pd.date_range("2020-02-28", periods=ROWS).astype("datetime64[us]")}),
            two, d=Kind.DATETIME,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(cases()))
def test_it_predicts_probabilities(name: str) -> None:
    table = cases()[name]
    train, test = table.take(np.arange(45)), table.take(np.arange(45, ROWS))
    encoder = TableEncoder.fit(train)
    model = load("compact", encoder=encoder, n_estimators=2, device="cpu")
    model.fit(encoder.transform(train.frame), encoder.labels(train.frame))
    p = model.predict_proba(encoder.transform(test.frame))
    assert p.shape == (15, len(encoder.classes))
    assert np.isfinite(p).all()
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(1), 1.0, atol=1e-5)
    if name == "nothing but constant columns":
        shares = np.bincount(encoder.labels(train.frame)) / 45
        assert np.abs(p.mean(0) - shares).max() < 0.25


def test_unseen_categories_and_new_missing_values_are_predicted() -> None:
    rng = np.random.default_rng(0)
    colour = rng.choice(["red", "blue"], size=ROWS)
    frame = pd.DataFrame({"x": rng.normal(size=ROWS), "colour": pd.Series(colour, dtype="str")})
    y = pd.Series(np.where(colour == "red", "a", "b"), dtype="str")
    table = table_of(frame, y, colour=Kind.CATEGORICAL)
    encoder = TableEncoder.fit(table)
    model = load("compact", encoder=encoder, n_estimators=2, device="cpu")
    model.fit(encoder.transform(table.frame), encoder.labels(table.frame))
    later = pd.DataFrame(
        {
            "x": [0.0, np.nan, 0.0, 0.0],
            "colour": pd.Series(["green", None, "red", "blue"], dtype="str"),
        }
    )
    p = model.predict_proba(encoder.transform(later))
    assert np.isfinite(p).all()
    assert p[2].argmax() == 0
    assert p[3].argmax() == 1


def test_where_nothing_varies_a_rows_prediction_does_not_depend_on_the_rows_beside_it() -> None:
    table = cases()["nothing but constant columns"]
    encoder = TableEncoder.fit(table)
    model = load("compact", encoder=encoder, n_estimators=2, device="cpu")
    model.fit(encoder.transform(table.frame), encoder.labels(table.frame))
    together = model.predict_proba(encoder.transform(table.frame.iloc[:7]))
    alone = [model.predict_proba(encoder.transform(table.frame.iloc[[i]]))[0] for i in (0, 1, 6)]
    np.testing.assert_allclose(together[[0, 1, 6]], alone, atol=1e-6)
    np.testing.assert_allclose(together, together[:1].repeat(7, axis=0), atol=1e-6)


def test_one_column_that_varies_among_many_that_do_not_is_enough() -> None:
    X = pd.DataFrame(np.ones((ROWS, 240)), columns=[f"x{i}" for i in range(240)])
    X["x7"] = np.arange(ROWS) % 5
    table = table_of(X, pd.Series(np.where(X["x7"] > 2, "a", "b"), dtype="str"))
    encoder = TableEncoder.fit(table)
    model = load("compact", encoder=encoder, device="cpu")
    model.fit(encoder.transform(table.frame), encoder.labels(table.frame))
    p = model.predict_proba(encoder.transform(table.frame))[:, 0]
    assert p[X["x7"] > 2].min() > p[X["x7"] <= 2].max()


def test_few_members_see_more_columns_each_and_together_all() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(30, 240)), columns=[f"x{i}" for i in range(240)])
    table = table_of(X, pd.Series(["a", "b"] * 15, dtype="str"))
    encoder = TableEncoder.fit(table)
    model = load("compact", encoder=encoder, n_estimators=2, device="cpu")
    model.fit(encoder.transform(table.frame), encoder.labels(table.frame))
    first, second = (set(member.feature_indices) for member in model.executor_.ensemble_members)
    assert min(len(first), len(second)) >= 120
    assert first | second == set(range(240))


@pytest.mark.slow
def test_a_deciding_column_is_found_wherever_it_stands() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    for place in range(0, 24, 3):
        X = pd.DataFrame(rng.normal(size=(240, 24)), columns=[f"x{i}" for i in range(24)])
        y = pd.Series(np.where(X[f"x{place}"] > 0, "high", "low"), dtype="str")
        labelled = table_of(X[:120], y[:120])
        encoder = TableEncoder.fit(labelled)
        model = load("compact", encoder=encoder, n_estimators=2, device="cpu")
        model.fit(encoder.transform(labelled.frame), encoder.labels(labelled.frame))
        p = model.predict_proba(encoder.transform(X[120:]))[:, 0]
        assert roc_auc_score(y[120:] == "high", p) > 0.9, f"column {place}"
