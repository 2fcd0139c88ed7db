"""What the analyst is told about a table before anything is done with it."""

import numpy as np
import pandas as pd
import pytest

from causalmix_core.table import Kind, examples, read_table


def remarks(frame, target=None):
    return read_table(pd.DataFrame(frame), target).warnings


def numbers(rows=40, seed=0):
    return np.random.default_rng(seed).normal(size=rows).tolist()


def test_a_clean_table_gets_no_remark():
    assert examples.load("health").warnings == ()
    assert examples.load("wine").warnings == ()


def test_columns_that_rename_each_other_are_named():
    level = np.random.default_rng(0).integers(1, 5, 40)
    frame = {"x": numbers(), "grade": level, "word": [f"level {k}" for k in level]}
    assert remarks(frame) == (
        "Each of the columns 'grade', 'word' settles the others: no search can tell them apart, "
        "so set all but one aside.",
    )
    frame["word"][3] = "other"
    assert remarks(frame) == ()


def test_columns_without_repeats_do_not_count_as_renamings():
    assert remarks({"x": numbers(), "z": numbers(seed=1)}) == ()


def test_a_column_that_settles_the_target_is_named():
    code = np.random.default_rng(0).integers(0, 6, 60)
    frame = {"x": numbers(60), "code": code, "y": np.where(code < 2, "yes", "no")}
    (remark,) = remarks(frame, "y")
    assert "'y' is settled by the column 'code'" in remark
    frame["y"][0] = "no" if frame["y"][0] == "yes" else "yes"
    assert remarks(frame, "y") == ()


def test_repeated_rows_are_counted_where_they_are_no_chance():
    frame = pd.DataFrame({"x": numbers(), "g": list("pqrs") * 10})
    twice = pd.concat([frame, frame[:3]])
    assert remarks(twice) == (
        "3 rows repeat an earlier one in full; the same row may be learnt from and tested on.",
    )
    assert remarks({"a": list("pqr") * 10, "b": list("rqprp") * 6}) == ()


def test_repeated_rows_of_whole_numbers_are_told_unless_few_values_explain_them():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.integers(0, 200, (300, 4)), columns=list("abcd"))
    assert remarks(wide) == ()
    assert remarks(pd.concat([wide, wide[:48]]))[0].startswith("48 rows repeat")
    narrow = pd.DataFrame(rng.integers(0, 12, (300, 2)), columns=list("ab"))
    assert narrow.duplicated().sum() > 48
    assert not [said for said in remarks(narrow) if "repeat" in said]


def test_mostly_missing_columns_and_rare_classes_are_named():
    frame = {"x": [1.5, 2.5, 3.5] + [np.nan] * 37, "z": numbers(), "y": ["a", "b"] * 19 + ["c"] * 2}
    missing, rare = remarks(frame, "y")
    assert missing == "More than half of the values are missing in the column 'x'."
    assert "hold the class 'c'" in rare


def test_many_categories_are_told():
    frame = {"x": numbers(400), "code": [f"c{k % 60}" for k in range(400)]}
    assert "60 categories" in remarks(frame)[0]


@pytest.mark.parametrize(
    ("texts", "unit", "expected"),
    [
        (["$1,234.50", "-$2", "$ 3"], "$", [1234.5, -2.0, 3.0]),
        (["1.5 €", "2 €", "3€"], "€", [1.5, 2.0, 3.0]),
        (["5%", "7 %", "-9.5%"], "%", [5.0, 7.0, -9.5]),
    ],
)
def test_a_sign_that_stands_at_every_number_is_taken_off_and_said(texts, unit, expected):
    table = read_table(pd.DataFrame({"pay": texts, "g": ["p", "q", "p"]}))
    assert table.kinds["pay"] is Kind.NUMERIC
    assert table.frame["pay"].tolist() == expected
    assert any(f"{unit!r} is taken off" in remark for remark in table.warnings)


def test_mixed_signs_are_no_numbers():
    table = read_table(pd.DataFrame({"pay": ["$1", "€2", "3"], "g": ["p", "q", "p"]}))
    assert table.kinds["pay"] is Kind.CATEGORICAL
    assert table.frame["pay"].tolist() == ["$1", "€2", "3"]


def test_german_prices_are_read():
    table = read_table("a;b\n1.234,50 €;x\n2,25 €;y\n3,75 €;x\n".encode(), name="t.csv")
    assert table.frame["a"].tolist() == [1234.5, 2.25, 3.75]
