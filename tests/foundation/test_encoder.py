"""From a typed table to the numbers TabPFN takes."""

import itertools

import numpy as np
import pandas as pd
import pytest

from causalmix_core.errors import TableError
from causalmix_core.foundation import TableEncoder
from causalmix_core.foundation._tabpfn import _natural
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table


def mixed_table() -> Table:
    frame = pd.DataFrame(
        {
            "size": pd.Series([1.5, np.nan, 3.0, np.inf]),
            "count": pd.Series([2**40, 7, None, 7], dtype="Int64"),
            "member": pd.Series(["true", "false", None, "true"], dtype="str"),
            "colour": pd.Series(["red", "blue", "red", None], dtype="str"),
            "grade": pd.Series(["low", "high", "mid", "low"], dtype="str"),
            "since": pd.to_datetime(
                pd.Series(["2024-01-01 00:00", "2024-01-31 12:00", None, "2025-01-01 00:00"])
            ).astype("datetime64[us]"),
            "y": pd.Series(["b", "a", "b", "a"], dtype="str"),
        }
    )
    kinds = {
        "size": Kind.NUMERIC, "count": Kind.INTEGER, "member": Kind.BINARY,
        "colour": Kind.CATEGORICAL, "grade": Kind.ORDINAL, "since": Kind.DATETIME,
        "y": Kind.BINARY,
    }  # fmt: skip
    return Table(frame, kinds, target="y", levels={"grade": ("low", "mid", "high")})


def test_every_kind_is_encoded_as_documented() -> None:
    table = mixed_table()
    encoder = TableEncoder.fit(table)
    X = pd.DataFrame(encoder.transform(table.frame), columns=list(encoder.names))
    nan = np.nan
    expected = {
        "size": [1.5, nan, 3.0, nan],
        "count": [2.0**40, 7, nan, 7],
        "member": [1, 0, nan, 1],
        "colour": [1, 0, 1, nan],
        "grade": [0, 2, 1, 0],
        "since": [0, 30.5, nan, 366],
        "since: month": [1, 1, 0, 1],  # one month alone: whether there is one
        "since: weekday": [0, 2, nan, 2],
    }
    pd.testing.assert_frame_equal(X, pd.DataFrame(expected), check_dtype=False)
    assert [encoder.names[i] for i in encoder.categorical] == ["member", "colour"]
    assert encoder.labels(table.frame).tolist() == [1, 0, 1, 0]
    assert encoder.classes == ("a", "b")


def test_values_the_training_rows_do_not_hold_count_as_missing() -> None:
    table = mixed_table()
    encoder = TableEncoder.fit(table.take([0, 1, 2]))
    later = table.frame.assign(colour=pd.Series(["green", "red", "grün", "red"], dtype="str"))
    column = encoder.transform(later)[:, encoder.names.index("colour")]
    assert np.isnan(column).tolist() == [True, False, True, False]


def test_the_encoding_of_training_rows_ignores_all_other_rows() -> None:
    table = mixed_table()
    changed = table.frame.copy()
    garbage = {
        "size": -7.0, "count": 99, "member": "false", "colour": "grey", "grade": "mid",
        "since": pd.Timestamp("1999-09-09"), "y": "c",
    }  # fmt: skip
    for column, value in garbage.items():
        changed.loc[[2, 3], column] = value
    alone = TableEncoder.fit(table.take([0, 1]))
    assert alone == TableEncoder.fit(table.with_frame(changed).take([0, 1]))
    assert alone.categories["grade"] == ("low", "high")
    assert alone.classes == ("a", "b")
    pd.testing.assert_frame_equal(table.frame.iloc[:2], changed.iloc[:2])
    assert alone != TableEncoder.fit(table.with_frame(changed))


def test_levels_that_read_as_no_number_have_one_order() -> None:
    levels = ["b", "NaN", "10", "nan", "2", "-inf"]
    orders = {tuple(sorted(given, key=_natural)) for given in itertools.permutations(levels)}
    assert orders == {("-inf", "2", "10", "NaN", "b", "nan")}


def test_what_is_the_same_in_all_training_rows_is_left_out() -> None:
    table = mixed_table()
    encoder = TableEncoder.fit(table.take([0, 3]))
    assert encoder.names == ("size", "count", "colour", "since", "since: weekday")
    assert encoder.transform(table.frame).shape == (4, encoder.width)
    assert [encoder.names[i] for i in encoder.categorical] == ["colour"]


def test_a_column_of_one_value_and_blanks_says_whether_there_is_a_value() -> None:
    frame = mixed_table().frame.assign(
        colour=pd.Series(["red", None, "red", "blue"], dtype="str"), size=[0.0, np.nan, 0.0, 7.0]
    )
    encoder = TableEncoder.fit(mixed_table().with_frame(frame).take([0, 1, 2]))
    encoded = encoder.transform(frame)
    # A category that the training rows do not hold counts as missing; a number is one.
    assert encoded[:, encoder.names.index("colour")].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert encoded[:, encoder.names.index("size")].tolist() == [1.0, 0.0, 1.0, 1.0]


def test_a_missing_column_is_named() -> None:
    encoder = TableEncoder.fit(mixed_table())
    with pytest.raises(TableError, match="'colour'"):
        encoder.transform(mixed_table().frame.drop(columns="colour"))


def test_targets_that_cannot_be_predicted_are_refused_with_what_to_do() -> None:
    table = mixed_table()
    with pytest.raises(TableError, match="one value only"):
        TableEncoder.fit(table.take([0, 2]))
    many = pd.DataFrame({"x": np.arange(22.0), "y": [f"c{i % 11}" for i in range(22)]})
    many["y"] = many["y"].astype("str")
    kinds = {"x": Kind.NUMERIC, "y": Kind.CATEGORICAL}
    with pytest.raises(TableError, match=r"11 classes.*at most 10.*merge"):
        TableEncoder.fit(Table(many, kinds, target="y"))
    missing = table.frame.assign(y=pd.Series(["a", None, "b", "a"], dtype="str"))
    with pytest.raises(TableError, match="missing values"):
        TableEncoder.fit(table.with_frame(missing))
    with pytest.raises(TableError, match="'z'"):
        TableEncoder.fit(table).labels(table.frame.assign(y="z"))
