"""The rules that give every column a kind, one by one."""

import numpy as np
import pytest

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, infer_kinds, read_raw, to_table


def raw_of(**columns):
    rows = len(next(iter(columns.values())))
    names = ["other", *columns]
    lines = [",".join(names)]
    for row in range(rows):
        cells = ["pq"[row % 2], *(str(values[row]) for values in columns.values())]
        lines.append(",".join(cells))
    return read_raw("\n".join(lines).encode(), name="t.csv", delimiter=",", header=True)


def guess(values):
    return infer_kinds(raw_of(x=values))["x"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "1"] * 20, Kind.BINARY),
        (["1", "2"] * 20, Kind.BINARY),
        (["true", "false"] * 20, Kind.BINARY),
        (["0.5", "1.5"] * 20, Kind.BINARY),
        (["1", "2", "3", "4", "5"] * 8, Kind.INTEGER),
        (["41.0", "42.0", "", "43.0"] * 10, Kind.INTEGER),
        (["1.5", "2", "3", "4"] * 10, Kind.NUMERIC),
        (["1e-3", "2.5E+4", "-.5", "+7."] * 10, Kind.NUMERIC),
        (["007", "008", "123", "050"] * 10, Kind.CATEGORICAL),
        (["12345678901234567890", "12345678901234567891", "5"] * 10, Kind.CATEGORICAL),
        (["red", "green", "blue", "NA"] * 10, Kind.CATEGORICAL),
        (["2024-01-31", "2024-02-01", "2023-12-31"] * 10, Kind.DATETIME),
        (["2024-01-31 10:15", "2024-02-01 00:00", "2023-12-31 23:59"] * 10, Kind.DATETIME),
        (["2024-01-31T10:15:00Z", "2024-02-01T00:00:00+02:00", "2023-12-31T23:59:59Z"] * 4,
         Kind.DATETIME),
        (["31.01.2024", "01.02.2024", "31.12.2023"] * 10, Kind.DATETIME),
        (["01/31/2024", "02/01/2024", "12/31/2023"] * 10, Kind.DATETIME),
        (["5 Jan 2024", "17 Feb 2024", "1 Mar 2023"] * 10, Kind.DATETIME),
        (["1-2-3", "4-5-6", "7-8-9"] * 10, Kind.CATEGORICAL),
        ([f"{k}" for k in range(1990, 2030)], Kind.INTEGER),
        ([f"{k * 37 % 1009}" for k in range(1, 41)], Kind.INTEGER),
    ],
)  # fmt: skip
def test_kinds_are_guessed(values, kind):
    assert guess(values) == (guess(values).__class__)(kind, None)


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (["a"] * 30, Kind.CONSTANT, "one value only, 'a'"),
        (["a", ""] * 15, Kind.CONSTANT, "one value only, 'a' (the other 15 are missing)"),
        (["1", "1.0"] * 15, Kind.CONSTANT, "one value only, '1'"),
        (["NA", ""] * 15, Kind.CONSTANT, "all values are missing"),
        ([f"{k}" for k in range(1, 31)], Kind.IDENTIFIER, "it only counts the rows"),
        ([f"{k}" for k in range(29, -1, -1)], Kind.IDENTIFIER, "it only counts the rows"),
        (
            [f"A{k:04d}" for k in range(30)],
            Kind.IDENTIFIER,
            "it names the rows: 30 different values in 30 rows",
        ),
        (
            [f"the patient said number {k}" for k in range(30)],
            Kind.TEXT,
            "free text: 30 different values in 30 rows",
        ),
        (
            [f"ticket{k % 22}" for k in range(30)],
            Kind.TEXT,
            "hardly a value comes twice: 22 different values in 30 rows",
        ),
    ],
)
def test_columns_are_set_aside_with_the_reason(values, kind, reason):
    assert (guess(values).kind, guess(values).reason) == (kind, reason)


@pytest.mark.parametrize("name", ["id", "ID", "customer_id", "CustomerId", "Patient ID", "row_nr"])
def test_a_different_number_in_every_row_under_an_id_name_is_an_identifier(name):
    numbers = [f"{k * 7919 % 100_003}" for k in range(30)]
    assert infer_kinds(raw_of(**{name: numbers}))[name].kind is Kind.IDENTIFIER


@pytest.mark.parametrize("name", ["paid", "grid", "humid", "void", "bid", "price"])
def test_a_name_that_only_ends_like_an_id_is_none(name):
    numbers = [f"{k * 7919 % 100_003}" for k in range(30)]
    assert infer_kinds(raw_of(**{name: numbers}))[name].kind is Kind.INTEGER


def test_a_few_rows_of_different_words_are_categories():
    assert guess(["a", "b", "c", "d", "e"]).kind is Kind.CATEGORICAL


def test_swapped_day_and_month_are_told():
    table = to_table(raw_of(x=["01/02/2024", "03/04/2024", "05/06/2024"] * 4))
    assert table.frame["x"][0].month == 1
    assert any("day and month could be swapped" in warning for warning in table.warnings)
    sure = to_table(raw_of(x=["01/02/2024", "13/04/2024", "05/06/2024"] * 4))
    assert sure.frame["x"][0].month == 2
    assert sure.warnings == ()
    plain = to_table(raw_of(x=["2024-01-02", "2024-03-04", "2024-05-06"] * 4))
    assert plain.warnings == ()


def test_kinds_can_be_changed_and_columns_taken_back():
    raw = raw_of(
        code=["007", "008", "009", "010"] * 10,
        number=[f"{k}" for k in range(1, 41)],
        grade=["10", "9", "11", "9"] * 10,
    )
    table = to_table(raw)
    assert table.set_aside == {"number": "it only counts the rows"}
    changed = to_table(raw, kinds={"code": "constant", "number": "numeric", "grade": "ordinal"})
    assert changed.set_aside == {"code": "set aside by choice"}
    assert changed.frame["number"].dtype == "float64"
    assert changed.levels == {"grade": ("9", "10", "11")}
    ordered = to_table(raw, kinds={"grade": Kind.ORDINAL}, levels={"grade": ["11", "9", "10"]})
    assert ordered.levels == {"grade": ("11", "9", "10")}
    with pytest.raises(TableError, match="leaves out the value '11'"):
        to_table(raw, kinds={"grade": Kind.ORDINAL}, levels={"grade": ["9", "10"]})
    with pytest.raises(TableError, match="twice"):
        to_table(raw, kinds={"grade": Kind.ORDINAL}, levels={"grade": ["9", "10", "11", "9"]})


def test_a_target_of_few_whole_numbers_holds_classes():
    raw = raw_of(x=[f"{k * 37 % 101}" for k in range(1, 41)], y=["1", "2", "3", "4"] * 10)
    assert to_table(raw).kinds["y"] is Kind.INTEGER
    table = to_table(raw, "y")
    assert table.kinds["y"] is Kind.CATEGORICAL
    assert table.y.tolist() == ["1", "2", "3", "4"] * 10


def test_a_target_is_never_set_aside_and_numbers_are_to_be_binned():
    words = [f"name{k % 35}" for k in range(40)]
    numbers = [f"{k * 1.5}" for k in range(40)]
    counts = [f"{k}" for k in range(1, 41)]
    raw = raw_of(words=words, numbers=numbers, counts=counts)
    assert to_table(raw).set_aside.keys() == {"words", "counts"}
    assert to_table(raw, "words").kinds["words"] is Kind.CATEGORICAL
    assert to_table(raw, "counts").kinds["counts"] is Kind.INTEGER
    table = to_table(raw, "numbers")
    assert table.kinds["numbers"] is Kind.NUMERIC
    assert any("put it into bins first" in warning for warning in table.warnings)
    with pytest.raises(TableError, match="cannot be set aside as text"):
        to_table(raw, "words", kinds={"words": "text"})


def test_values_are_the_texts_of_the_file():
    raw = raw_of(flag=["1.0", "0"] * 10, word=[" a", "b ", "c", "ä"] * 5)
    frame = to_table(raw).frame
    assert frame["flag"].tolist()[:2] == ["1.0", "0"]
    assert frame["word"].tolist()[:4] == [" a", "b ", "c", "ä"]
    assert frame["word"].dtype == "str"


def test_guessing_is_quick_on_many_different_values():
    numbers = np.random.default_rng(0).normal(size=20_000)
    assert guess([repr(float(number)) for number in numbers]).kind is Kind.NUMERIC
