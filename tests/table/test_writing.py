"""What is written reads back as the same table; spreadsheets run nothing."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from causalmix_core.table import Kind, read_raw, read_table, to_csv
from causalmix_core.table.missing import is_missing
from causalmix_core.table.table import Table

nasty = st.text(
    st.one_of(
        st.sampled_from("abc ,;\t|\"'\\\n\r=+-@#éßŁ日本€\u200b\ufeff0127."),
        st.characters(exclude_categories=["Cs", "Cc"]),
    ),
    min_size=1,
    max_size=8,
).filter(lambda text: not is_missing(text))
names = nasty.map(lambda text: text.strip().lstrip("\ufeff").strip()).filter(bool)
whole = st.integers(-(2**63), 2**63 - 1)
real = st.floats(allow_nan=False, allow_infinity=False)
day = st.datetimes(pd.Timestamp("1000-01-01"), pd.Timestamp("9999-12-31"))


@st.composite
def tables(draw):
    rows = draw(st.integers(2, 12))
    columns = draw(st.lists(names, min_size=2, max_size=4, unique=True))
    kinds, frame = {}, {}
    for name in columns:
        kind = draw(st.sampled_from([Kind.NUMERIC, Kind.INTEGER, Kind.CATEGORICAL, Kind.DATETIME]))
        values = {
            Kind.NUMERIC: real,
            Kind.INTEGER: whole,
            Kind.CATEGORICAL: nasty,
            Kind.DATETIME: day,
        }[kind]
        cells = draw(st.lists(st.one_of(st.none(), values), min_size=rows, max_size=rows))
        assume(any(cell is not None for cell in cells))
        kinds[name] = kind
        frame[name] = {
            Kind.NUMERIC: lambda c: pd.Series(c, dtype="float64"),
            Kind.INTEGER: lambda c: pd.Series(
                pd.array(c, dtype="Int64") if None in c else np.array(c, dtype="int64")
            ),
            Kind.CATEGORICAL: lambda c: pd.Series(c, dtype="str"),
            Kind.DATETIME: lambda c: pd.Series(c, dtype="datetime64[us]"),
        }[kind](cells)
    return Table(pd.DataFrame(frame), kinds)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_a_written_table_reads_back_the_same(table):
    data = to_csv(table)
    again = read_table(data, like=table, name="t.csv")
    pd.testing.assert_frame_equal(again.frame, table.frame, check_exact=True)
    assert again.digest == table.digest
    chosen = read_table(data, kinds=table.kinds, name="t.csv", delimiter=",", header=True)
    pd.testing.assert_frame_equal(chosen.frame, table.frame, check_exact=True)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(nasty, min_size=3, max_size=3), min_size=2, max_size=10),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_cells_of_any_dialect_come_out_as_they_went_in(cells, delimiter, end, encoding):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b", "c"], *cells])
    raw = read_raw(file.getvalue().encode(encoding), name="t.csv", delimiter=delimiter, header=True)
    assert raw.frame.to_numpy().tolist() == cells


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(real, st.sampled_from("xyz"), whole), min_size=4, max_size=30),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_plain_tables_of_any_delimiter_are_understood_without_help(rows, delimiter):
    lines = [delimiter.join(["size", "class", "count"])]
    lines += [delimiter.join([repr(a), b, str(c)]) for a, b, c in rows]
    raw = read_raw("\n".join(lines).encode(), name="t.csv")
    assert raw.settings.delimiter == delimiter
    assert raw.frame["count"].tolist() == [str(c) for _, _, c in rows]
    assert raw.frame["size"].tolist() == [repr(a) for a, _, _ in rows]


def test_values_are_written_as_they_stand():
    data = b'when,code,x,word\r\n31.01.2024,007,1.5,"a, ""b"""\r\n01.02.2024,010,2,\xc3\xa4\r\n'
    table = read_table(data, name="t.csv")
    assert to_csv(table) == data


def test_missing_values_are_empty_cells():
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": pd.array([None, 2], dtype="Int64")})
    frame["c"] = pd.Series(["x", None], dtype="str")
    assert to_csv(frame) == b"a,b,c\r\n1.5,,x\r\n,2,\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formulas_are_neutralised_where_that_is_asked_for(start):
    formula = f"{start}cmd|' /C calc'!A0"
    frame = pd.DataFrame({f"{start}name": pd.Series([formula, "plain"], dtype="str"), "n": [-1, 2]})
    safe = to_csv(frame, safe_for_spreadsheets=True)
    rows = list(csv.reader(io.StringIO(safe.decode("utf-8-sig"), newline="")))
    assert rows == [[f"'{start}name", "n"], [f"'{formula}", "-1"], ["plain", "2"]]
    assert safe.startswith(b"\xef\xbb\xbf")
    untouched = list(csv.reader(io.StringIO(to_csv(frame).decode(), newline="")))
    assert untouched[1][0] == formula
