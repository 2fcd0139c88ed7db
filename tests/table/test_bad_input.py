"""Every bad file gives one clear sentence, never a traceback of something else."""

import io
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import TableError
from causalmix_core.table import read_raw, read_table

GOOD = b"a,b,y\n1,2.5,no\n2,3.5,yes\n3,4.5,no\n4,5.5,yes\n"


def workbook(frame=None):
    file = io.BytesIO()
    (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}) if frame is None else frame).to_excel(
        file, index=False
    )
    return file.getvalue()


def archive(**entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries.items():
            out.writestr(name, content)
    return file.getvalue()


def parquet(frame=None):
    file = io.BytesIO()
    (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}) if frame is None else frame).to_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "t.csv", "'t.csv' is empty"),
        (b"\n \n\n", "t.csv", "'t.csv' is empty"),
        (b"\xef\xbb\xbf", "t.csv", "'t.csv' is empty"),
        (b"a,b,c\n", "t.csv", "has a header but no rows"),
        (b"a,b,c\n1,2,3\n1,2\n4,5,6\n", "t.csv", "Line 3 has 2 cells but the first line has 3"),
        (b"a,b,c\n1,2,3\n1,2,3,4\n", "t.csv", "Line 3 has 4 cells but the first line has 3"),
        (b"My report\n\na,b\n1,2\n3,4\n", "t.csv", "take away the lines above the header"),
        (b"a,b,a\n1,2,3\n4,5,6\n", "t.csv", "Two columns are named 'a'"),
        (b"a,b, a \n1,2,3\n4,5,6\n", "t.csv", "Two columns are named 'a'"),
        (b",b,c\n1,2,3\n4,5,6\n", "t.csv", "Column 1 has no name"),
        (b"a\n1\n2\n3\n", "t.csv", "one column only"),
        (b"a,b\n1,2\n", "t.csv", "one row only"),
        (b'a,b\n1,"x\n2,y\n3,z\n', "t.csv", "never ends"),
        (b"\x00\x01\x02\xff" * 200, "t.csv", "not text"),
        (b"%PDF-1.7 something", "t.csv", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "t.csv", "a PNG picture"),
        (b"\x1f\x8b\x08\x00aaaa", "t.csv", "a gzip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "t.xls", "an old Excel"),
        (b"<!DOCTYPE html><html></html>", "t.csv", "a web page"),
        (b'{"a": [1, 2]}', "t.json", "JSON"),
        (b"a,b\n1,2\n", "t.xlsx", "not the .xlsx file its name says"),
        (b"a,b\n1,2\n", "t.parquet", "not the .parquet file its name says"),
        (b"PK\x03\x04 and no more", "t.xlsx", "no Excel workbook"),
        (b"PAR1 and no more", "t.parquet", "cannot be read"),
    ],
)
def test_files_that_are_no_table_are_refused_in_one_sentence(data, name, sentence):
    with pytest.raises(TableError) as caught:
        read_table(data, name=name)
    message = str(caught.value)
    assert sentence in message
    assert message.endswith(".")
    assert "\n" not in message


def test_other_formats_named_csv_are_refused():
    with pytest.raises(TableError, match="is an Excel workbook, not what its name says"):
        read_table(workbook(), name="t.csv")
    with pytest.raises(TableError, match="is a Parquet file, not what its name says"):
        read_table(parquet(), name="t.csv")
    with pytest.raises(TableError, match="a zip archive, not a table"):
        read_table(archive(**{"t.csv": GOOD}), name="t.csv")
    with pytest.raises(TableError, match="a zip archive, not an Excel workbook"):
        read_table(archive(**{"t.csv": GOOD}), name="t.xlsx")


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(GOOD)
    for source in (path, GOOD, io.BytesIO(GOOD)):
        with pytest.raises(TableError, match="larger than the limit"):
            read_table(source, max_bytes=10)
    with pytest.raises(TableError, match="more than 6 cells"):
        read_table(GOOD, name="t.csv", max_cells=6)


def test_a_workbook_bomb_is_refused_before_it_is_unpacked():
    bomb = archive(
        **{"[Content_Types].xml": b"x", "xl/workbook.xml": b"x", "xl/sheet.xml": b" " * 20_000_000}
    )
    assert len(bomb) < 100_000
    with pytest.raises(TableError, match="unpacks to more than ten times"):
        read_table(bomb, name="t.xlsx", max_bytes=1_000_000)


def test_a_workbook_that_repeats_a_long_text_is_refused():
    data = workbook(pd.DataFrame({"a": ["x" * 5_000] * 500, "b": range(500)}))
    assert len(data) < 100_000
    with pytest.raises(TableError, match="unpacks to more than ten times"):
        read_table(data, name="t.xlsx", max_bytes=200_000)


def test_a_workbook_with_a_far_away_cell_is_refused():
    file = io.BytesIO()
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    with pd.ExcelWriter(file) as writer:
        frame.to_excel(writer, index=False)
        writer.book.worksheets[0].cell(row=500, column=10_000, value=1)
        for row in range(3, 500):
            writer.book.worksheets[0].cell(row=row, column=9_999, value=1)
    with pytest.raises(TableError, match="more than 1,000,000 cells"):
        read_table(file.getvalue(), name="t.xlsx", max_cells=1_000_000)


def test_a_parquet_bomb_is_refused_before_it_is_unpacked():
    repeated = pa.table({"a": pa.array(["x" * 10_000] * 20_000), "b": pa.array([1] * 20_000)})
    file = io.BytesIO()
    pq.write_table(repeated, file)
    assert len(file.getvalue()) < 200_000
    with pytest.raises(TableError, match="unpacks to far more than the size limit"):
        read_table(file.getvalue(), name="t.parquet", max_bytes=1_000_000)
    file = io.BytesIO()
    pq.write_table(pa.table({"a": pa.nulls(3_000_000, pa.int8()), "b": [1] * 3_000_000}), file)
    with pytest.raises(TableError, match="unpacks to far more than the size limit"):
        read_table(file.getvalue(), name="t.parquet", max_cells=1_000_000)


def test_targets_that_cannot_be_learnt_are_refused():
    with pytest.raises(TableError, match=r"one class only \('no'\)"):
        read_table(b"a,b,y\n1,2.5,no\n2,3.5,no\n3,4.5,no\n", "y", name="t.csv")
    lines = "\n".join(f"{k},{k / 3},name{k}" for k in range(30))
    with pytest.raises(TableError, match="a different value in every row"):
        read_table(f"a,b,y\n{lines}\n".encode(), "y", name="t.csv")
    with pytest.raises(TableError, match="has no values"):
        read_table(b"a,b,y\n1,2.5,\n2,3.5,\n3,4.5,\n", "y", name="t.csv")
    with pytest.raises(TableError, match=r"no column 'z'; the table has the columns 'a', 'b', 'y'"):
        read_table(GOOD, "z", name="t.csv")


def test_an_empty_column_is_set_aside():
    table = read_table(b"a,b,c\n1,,x\n2,NA,y\n3,,x\n", name="t.csv")
    assert table.set_aside == {"b": "all values are missing"}
    assert table.columns == ["a", "c"]


def test_a_table_of_set_aside_columns_only_is_refused():
    with pytest.raises(TableError, match="No column is left"):
        read_table(b"a,b\n1,\n1,\n1,\n", name="t.csv")


def test_values_that_do_not_fit_a_chosen_kind_are_named():
    data = b"a,b\n1,x\n2.5,y\nfew,z\n"
    with pytest.raises(TableError, match=r"'a' holds 'few' \(row 3\), which is not a number"):
        read_table(data, kinds={"a": "numeric"}, name="t.csv")
    with pytest.raises(TableError, match=r"'a' holds '2.5' \(row 2\), which is not a whole number"):
        read_table(data, kinds={"a": "integer"}, name="t.csv")
    with pytest.raises(TableError, match=r"'a' holds '1' \(row 1\), which is not a date"):
        read_table(data, kinds={"a": "datetime"}, name="t.csv")
    with pytest.raises(TableError, match="a kind is one of numeric, integer"):
        read_table(data, kinds={"a": "number"}, name="t.csv")
    with pytest.raises(TableError, match="no column 'q'"):
        read_table(data, kinds={"q": "numeric"}, name="t.csv")


def test_five_hundred_columns_load_with_a_word_on_what_they_cost():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 500)), columns=[f"x{k}" for k in range(500)])
    table = read_table(frame.to_csv(index=False).encode(), name="wide.csv")
    assert len(table.columns) == 500
    assert any("500 columns make 124,750 pairs" in warning for warning in table.warnings)


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(TableError, match="cannot be opened"):
        read_table(tmp_path / "none.csv")


def test_overrides_that_make_no_sense_are_refused():
    with pytest.raises(TableError, match="A delimiter is one character"):
        read_raw(GOOD, name="t.csv", delimiter=",,")
    with pytest.raises(TableError, match="no encoding named 'utf-99'"):
        read_raw(GOOD, name="t.csv", encoding="utf-99")
    with pytest.raises(TableError, match="not written in utf-8: byte 7"):
        read_raw("a,b\nx,é\ny,è\n".encode("latin-1"), name="t.csv", encoding="utf-8")
    with pytest.raises(TableError, match="The decimal mark is"):
        read_raw(GOOD, name="t.csv", decimal="'")


@st.composite
def damaged(draw):
    data = bytearray(
        draw(st.sampled_from([GOOD, GOOD.decode().encode("utf-16"), WORKBOOK, PARQUET]))
    )
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 8))] = draw(
            st.one_of(
                st.binary(max_size=6), st.sampled_from([b'"', b"'", b",", b";", b"\n", b"\\"])
            )
        )
    return bytes(data)


WORKBOOK, PARQUET = workbook(), parquet()


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=200), damaged()), st.sampled_from(["csv", "xlsx", "parquet"]))
def test_damaged_files_are_read_or_refused_in_one_sentence(data, suffix):
    message = "."
    try:
        assert len(read_table(data, name=f"t.{suffix}")) >= 2
    except TableError as error:
        message = str(error)
    assert message.endswith(".")
    assert "\n" not in message
