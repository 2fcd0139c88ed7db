"""Files of many dialects and encodings give the same table."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, ReadingError, ReadSettings, read_raw, read_table, to_csv

PEOPLE = pd.DataFrame(
    {
        "Größe": [1.75, 1.6, 1.825, 1.9, 1.55, 1.71],
        "Ort": ["Köln", "Zürich", "Besançon", "Köln", "Zürich", "Malmö"],
        "Alter": [31, 45, 27, 63, 38, 51],
        "Raucher": ["ja", "nein", "nein", "ja", "nein", "nein"],
    }
)


def text(delimiter=",", decimal=".", quote_all=False, end="\n", header=True):
    rows = [list(PEOPLE.columns)] if header else []
    for row in PEOPLE.itertuples(index=False):
        rows.append([str(value).replace(".", decimal) for value in row])
    quote = '"' if quote_all else ""
    lines = [delimiter.join(f"{quote}{cell}{quote}" for cell in row) for row in rows]
    return end.join(lines) + end


def assert_people(table):
    assert table.frame["Größe"].tolist() == PEOPLE["Größe"].tolist()
    assert table.frame["Ort"].tolist() == PEOPLE["Ort"].tolist()
    assert table.frame["Alter"].tolist() == PEOPLE["Alter"].tolist()
    assert table.frame["Raucher"].tolist() == PEOPLE["Raucher"].tolist()
    assert list(table.kinds.values()) == [
        Kind.NUMERIC,
        Kind.CATEGORICAL,
        Kind.INTEGER,
        Kind.BINARY,
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote_all", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_quotes_and_line_ends_are_found(delimiter, quote_all, end):
    raw = read_raw(text(delimiter, quote_all=quote_all, end=end).encode(), name="people.csv")
    assert raw.settings.delimiter == delimiter
    assert_people(read_table(text(delimiter, quote_all=quote_all, end=end).encode(), name="x.csv"))


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("latin-1", "cp1252"),  # the same bytes mean the same in both
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_encoding_is_found(encoding, found):
    data = text(";").encode(encoding)
    assert read_raw(data, name="people.csv").settings.encoding == found
    assert_people(read_table(data, name="people.csv"))


def test_cp1252_signs_that_latin_1_lacks_are_read():
    data = "price,name\n5 €,“Ä”\n6 €,‘ö’\n5 €,“Ä”\n".encode("cp1252")
    raw = read_raw(data, name="prices.csv")
    assert raw.frame["price"].tolist() == ["5 €", "6 €", "5 €"]
    assert raw.frame["name"].tolist() == ["“Ä”", "‘ö’", "“Ä”"]


def test_cyrillic_in_its_old_code_page_is_read():
    town = "Санкт-Петербург — город на Неве, второй по величине в стране"
    data = ("город;число\n" + f"{town};1\n{town};2\nМосква и другие города;3\n" * 5).encode(
        "cp1251"
    )
    assert read_raw(data, name="t.csv").frame["город"][0] == town


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_comma_is_found(delimiter):
    data = text(delimiter, decimal=",").encode()
    assert read_raw(data, name="people.csv").settings.decimal == ","
    assert_people(read_table(data, name="people.csv"))


def test_decimal_comma_between_quotes_in_a_comma_file_is_found():
    data = b'a,b\n"1,5","x"\n"2,25","y"\n"3,75","z"\n"1,5","x"\n'
    assert read_table(data, name="t.csv").frame["a"].tolist() == [1.5, 2.25, 3.75, 1.5]


def test_thousands_are_parted_by_the_other_mark():
    english = read_table(b'a,b\n"1,234.5",x\n"12,345,678",y\n"7",x\n"9.25",y\n', name="t.csv")
    german = read_table(b"a;b\n1.234,5;x\n12.345.678;y\n7;x\n9,25;y\n", name="t.csv")
    assert english.frame["a"].tolist() == [1234.5, 12345678.0, 7.0, 9.25]
    assert german.frame["a"].tolist() == english.frame["a"].tolist()


def test_every_detection_can_be_overridden():
    data = "1,5;x\n2,5;y\n3,5;x\n".encode("utf-16")
    raw = read_raw(
        data,
        name="t.csv",
        delimiter=";",
        encoding="utf-16",
        decimal=",",
        header=False,
        missing=["x"],
    )
    assert raw.settings == ReadSettings(
        "csv", "utf-16", ";", '"', "", False, ",", False, None, ("x",)
    )
    assert raw.columns == ["column_1", "column_2"]
    by_comma = read_raw(b"a,b;c\n1,2;3\n4,5;6\n", name="t.csv", delimiter=",")
    assert by_comma.columns == ["a", "b;c"]


@pytest.mark.parametrize(
    "data", [b"'a';'b'\n'x';'2'\n'z';'3'\n", b"a; b\n1; x\n2; y\n", b"a;b\n1,5;x\n2,5;y\n"]
)
def test_to_state_what_was_found_changes_nothing(data):
    found = read_raw(data, name="t.csv")
    names = ("delimiter", "encoding", "decimal", "header")
    again = read_raw(data, name="t.csv", **{name: getattr(found.settings, name) for name in names})
    pd.testing.assert_frame_equal(again.frame, found.frame)
    assert again.settings.decimal == found.settings.decimal


def test_settings_survive_json():
    settings = read_raw(text(";", ",").encode(), name="people.csv").settings
    assert ReadSettings.from_dict(settings.to_dict()) == settings


def test_header_is_missed_where_the_first_row_is_data():
    numbers = read_raw(b"5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,2.9,virginica\n", name="iris.data")
    assert (numbers.settings.header, len(numbers)) == (False, 3)
    words = read_raw(b"x,o,win\no,x,lose\nx,x,win\no,o,lose\n", name="t.csv")
    assert (words.settings.header, len(words)) == (False, 4)
    named = read_raw(b"top,bottom,class\no,x,lose\nx,x,win\no,o,lose\n", name="t.csv")
    assert (named.settings.header, len(named)) == (True, 3)
    years = read_raw(b"place,2019,2020\nBern,north,south\nRom,south,south\n", name="t.csv")
    assert years.columns == ["place", "2019", "2020"]


def test_spaces_after_delimiters_are_dropped():
    raw = read_raw(b"age, work, pay\n39, State-gov, <=50K\n50, Private, >50K\n", name="adult.data")
    assert raw.frame["work"].tolist() == ["State-gov", "Private"]
    assert raw.settings.skip_space


def test_quotes_hold_delimiters_quotes_and_line_breaks():
    data = b'a,b\n"x, ""y""\nz",1\n"O\'Neil",2\nplain,3\n'
    raw = read_raw(data, name="t.csv")
    assert raw.frame["a"].tolist() == ['x, "y"\nz', "O'Neil", "plain"]


def test_apostrophes_are_no_quotes():
    data = b"a,b\nit's,1\nO'Neil,2\nd'Arc,3\n"
    assert read_raw(data, name="t.csv").frame["a"].tolist() == ["it's", "O'Neil", "d'Arc"]


def test_single_quotes_around_cells_are_found():
    data = b"name;size\n'a;1';3\n'b;2';4\n'c;3';5\n"
    assert read_raw(data, name="t.csv").frame["name"].tolist() == ["a;1", "b;2", "c;3"]


def test_single_quotes_around_the_names_alone_are_found():
    data = b"'age'\t'vote'\n36\t1\n20\t0\n41\t1\n"
    raw = read_raw(data, name="t.csv")
    assert raw.columns == ["age", "vote"]
    assert raw.settings.quote == "'"


def test_single_quotes_around_some_values_are_found():
    data = b"status,age\n'no checking',30\nnone,40\n'all paid',50\n"
    assert read_raw(data, name="t.csv").frame["status"].tolist() == [
        "no checking",
        "none",
        "all paid",
    ]


def test_an_apostrophe_at_the_end_of_a_name_is_no_quote():
    data = b"who,size\nthe Joneses',1\n'tis,2\n'x',3\n"
    assert read_raw(data, name="t.csv").frame["who"].tolist() == ["the Joneses'", "'tis", "'x'"]


def test_a_trailing_delimiter_makes_no_column():
    assert read_raw(b"a;b;\n1;x;\n2;y;\n", name="t.csv").columns == ["a", "b"]


def test_excels_hint_of_the_delimiter_is_obeyed():
    raw = read_raw(b"sep=;\r\na;b\r\n1,5;x\r\n2,5;y\r\n", name="t.csv")
    assert (raw.columns, raw.settings.delimiter) == (["a", "b"], ";")


def test_blank_lines_are_passed_over():
    assert len(read_raw(b"\n\na,b\n1,x\n\n2,y\n\n", name="t.csv")) == 2


def test_numbers_are_exact():
    big = [2**31, 2**53 + 1, -(2**62) - 1, 5]
    floats = [0.1, 1 / 3, 1e-300, 123456789.123456789]
    lines = "\n".join(f"{a},{b!r}" for a, b in zip(big, floats, strict=True))
    frame = read_table(f"a,b\n{lines}\n".encode(), name="t.csv").frame
    assert frame["a"].tolist() == big
    assert frame["a"].dtype == "int64"
    assert frame["b"].tolist() == floats


def test_big_whole_numbers_stay_exact_beside_missing_ones():
    frame = read_table(b"a,b\n9007199254740993,x\n,y\n5,x\n7,y\n", name="t.csv").frame
    assert frame["a"].dtype == "Int64"
    assert frame["a"].dropna().tolist() == [9007199254740993, 5, 7]


@pytest.mark.parametrize(
    "token", ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?", "#N/A", "<NA>", " ", "NaT"]
)
def test_usual_missing_tokens_count_as_missing(token):
    frame = read_table(f"a,b\n1,{token}\n{token},x\n3,y\n4,z\n".encode(), name="t.csv").frame
    assert frame["a"].isna().tolist() == [False, True, False, False]
    assert frame["b"].isna().tolist() == [True, False, False, False]


def test_none_is_a_category_among_words_but_missing_among_numbers():
    table = read_table(b"a,b\n1,none\nnone,some\n3,many\n-,none\n4,some\n", name="t.csv")
    assert table.frame["a"].isna().sum() == 2
    assert table.frame["b"].tolist() == ["none", "some", "many", "none", "some"]
    assert any("'none', '-'" in warning for warning in table.warnings)


def test_own_missing_tokens_replace_the_usual_ones():
    table = read_table(b"a,b\n-999,NA\n2,x\n3,y\n4,NA\n", name="t.csv", missing=["", "-999"])
    assert table.frame["a"].isna().tolist() == [True, False, False, False]
    assert table.frame["b"].tolist() == ["NA", "x", "y", "NA"]


def test_excel_gives_the_same_table(tmp_path):
    path = tmp_path / "people.xlsx"
    PEOPLE.to_excel(path, index=False)
    assert_people(read_table(path))
    assert read_raw(path).settings.format == "xlsx"


def test_excel_dates_and_empty_cells_and_sheets(tmp_path):
    path = tmp_path / "book.xlsx"
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(
                ["2024-01-31", None, "2024-03-01 12:30", "2024-03-02"], format="ISO8601"
            ),
            "n": [1.5, 2.0, None, 2.5],
        }
    )
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame().to_excel(writer, sheet_name="empty", index=False)
        frame.to_excel(writer, sheet_name="data", index=False)
    table = read_table(path)
    assert table.kinds == {"when": Kind.DATETIME, "n": Kind.NUMERIC}
    assert table.frame["when"].tolist()[2:] == frame["when"].tolist()[2:]
    assert table.frame["when"].isna().tolist() == [False, True, False, False]
    settings = read_raw(path).settings
    assert (settings.sheet, settings.sheets) == ("data", ("empty", "data"))
    assert ReadSettings.from_dict(settings.to_dict()) == settings
    with pytest.raises(TableError, match=r"no sheet 'x'; the workbook has 'empty', 'data'"):
        read_raw(path, sheet="x")


def test_a_cover_note_before_the_table_is_passed_over(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    path = tmp_path / "noted.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"About these visits": ["by K.", "in 2023", "draft"]}).to_excel(
            writer, sheet_name="about", index=False
        )
        frame.to_excel(writer, sheet_name="visits", index=False)
    settings = read_raw(path).settings
    assert (settings.sheet, settings.sheets) == ("visits", ("about", "visits"))
    assert list(read_raw(path, sheet="about", keep_small=True).columns) == ["About these visits"]


@pytest.mark.parametrize(
    "names", [[None, "north", "south"], ["total", "total", "share"]], ids=["no corner", "twice"]
)
def test_a_sheet_whose_columns_cannot_be_told_apart_is_passed_over(names, tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    path = tmp_path / "pivot.xlsx"
    pivot = pd.DataFrame([names, ["old", 3, 4], ["new", 5, 6]])
    with pd.ExcelWriter(path) as writer:
        pivot.to_excel(writer, sheet_name="summary", index=False, header=False)
        frame.to_excel(writer, sheet_name="data", index=False)
    assert read_raw(path).settings.sheet == "data"
    with pytest.raises(ReadingError, match="name") as refused:
        read_raw(path, sheet="summary")
    settings = refused.value.settings
    assert (settings.sheet, settings.sheets) == ("summary", ("summary", "data"))


def test_a_sheet_of_data_alone_may_lack_a_value_in_its_first_row(tmp_path):
    path = tmp_path / "bare.xlsx"
    rows = pd.DataFrame([[None, 1.5, 7], [2, 2.5, 8], [3, 3.5, 9]])
    with pd.ExcelWriter(path) as writer:
        rows.to_excel(writer, sheet_name="measured", index=False, header=False)
        PEOPLE.to_excel(writer, sheet_name="people", index=False)
    assert read_raw(path).settings.sheet == "measured"


@pytest.mark.parametrize(
    ("content", "understood", "stated"),
    [
        ("a#b\n1.5#x\n2.5#y\n", {"format": "csv"}, {"delimiter": "#"}),
        ("a;b\n1;2;3\n", {"delimiter": ";", "encoding": "utf-8"}, None),
    ],
)
def test_a_refusal_says_how_the_file_was_understood(content, understood, stated):
    with pytest.raises(ReadingError) as refused:
        read_raw(content.encode())
    settings = vars(refused.value.settings)
    assert {name: settings[name] for name in understood} == understood
    if stated:
        assert list(read_raw(content.encode(), **stated).columns) == ["a", "b"]


def test_parquet_gives_the_same_table(tmp_path):
    path = tmp_path / "people.parquet"
    PEOPLE.to_parquet(path)
    assert_people(read_table(path))
    PEOPLE.astype({"Ort": "category"}).to_parquet(path)
    assert_people(read_table(path))


def test_a_stored_index_without_a_name_is_no_column(tmp_path):
    path = tmp_path / "people.parquet"
    PEOPLE.sample(frac=1, random_state=0).to_parquet(path)
    assert read_table(path).columns == list(PEOPLE.columns)


def test_parquet_keeps_types_exact(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame(
        {
            "big": [2**60 + 1, 2**60 + 3, 7],
            "single": np.array([0.1, 0.2, 0.3], dtype="float32"),
            "when": pd.to_datetime(
                ["2024-01-01 10:00:00.000001", "2024-01-02", "2024-01-03"], format="ISO8601"
            ),
            "flag": [True, False, True],
        }
    )
    frame.to_parquet(path)
    read = read_table(path).frame
    assert read["big"].tolist() == frame["big"].tolist()
    assert read["single"].tolist() == frame["single"].astype("float64").tolist()
    assert read["when"].tolist() == frame["when"].tolist()
    assert read["flag"].tolist() == ["True", "False", "True"]


def test_a_frame_is_read_as_a_file_would_be():
    table = read_table(PEOPLE, "Raucher", name="people")
    assert_people(table)
    assert (table.target, table.name) == ("Raucher", "people")


def test_a_path_an_open_file_and_bytes_are_alike(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(text(), encoding="utf-8")
    digest = read_table(path).digest
    assert read_table(str(path)).digest == digest
    assert read_table(path.read_bytes(), name="other.csv").digest == digest
    with path.open("rb") as file:
        assert read_table(file).digest == digest
    assert read_table(io.BytesIO(path.read_bytes())).digest == digest
    assert read_table(path).name == "people"


def test_another_file_is_read_like_the_first(tmp_path):
    train = read_table(
        b"id,age,zip,pay,y\na1,20,01,1.5,no\na2,30,02,2.5,yes\na3,40,01,3.5,no\na4,50,02,4.5,yes\n",
        "y",
        name="train.csv",
    )
    new = read_table(b"pay;extra;zip;age\n7;1;02;25\n8;2;03;35\n", like=train, name="new.csv")
    assert new.columns == ["age", "zip", "pay"]
    assert new.kinds == {"age": Kind.INTEGER, "zip": Kind.BINARY, "pay": Kind.NUMERIC}
    assert new.frame["pay"].tolist() == [7.0, 8.0]
    assert new.frame["zip"].tolist() == ["02", "03"]
    assert new.target is None
    assert any("'extra'" in warning for warning in new.warnings)
    assert any("'03'" in warning for warning in new.warnings)


def test_a_file_read_like_another_may_not_lack_columns_or_hold_other_kinds():
    train = read_table(b"age,pay,y\n20,1.5,no\n30,2.5,yes\n40,3.5,no\n", "y", name="train.csv")
    with pytest.raises(TableError, match=r"lacks the column 'pay' .* add it or"):
        read_table(b"age,other\n20,1\n30,2\n", like=train, name="new.csv")
    with pytest.raises(
        TableError,
        match=r"'age' holds 'old' \(row 2\), which is not a whole number; correct the file\.$",
    ):
        read_table(b"age,pay\n20,1\nold,2\n", like=train, name="new.csv")


def test_whole_numbers_of_another_table_may_have_decimals_here():
    train = read_table(b"age,hours,y\n20,7,no\n30,8,yes\n40,9,no\n", "y", name="train.csv")
    new = read_table(b"age,hours\n20,7\n30.0,14.5\n40,NA\n", like=train, name="new.csv")
    assert train.kinds["hours"] is Kind.INTEGER
    assert new.kinds == {"age": Kind.INTEGER, "hours": Kind.NUMERIC}
    assert new.frame["age"].tolist() == [20, 30, 40]
    assert new.frame["hours"].tolist()[:2] == [7.0, 14.5]
    assert new.frame["hours"].isna().tolist() == [False, False, True]
    assert [warning for warning in new.warnings if "'hours'" in warning]
    assert train.kinds["hours"] is Kind.INTEGER


GERMAN = b"u;v;y\n7.876,63;3;a\n1.250,5;4;b\n2.000,25;5;a\n1.111,75;6;b\n"


@pytest.mark.parametrize("others", [b"", b"1.250,50;4\n", b"17;4\n"])
def test_a_number_is_read_like_those_of_the_other_table_whatever_stands_beside_it(others):
    train = read_table(GERMAN, "y", name="train.csv")
    new = read_table(b"u;v\n1.250;3\n" + others, like=train, keep_unlabelled=True, name="new.csv")
    assert new.frame["u"][0] == 1250.0
    points = GERMAN.replace(b".", b"'").replace(b",", b".")
    swiss = read_table(points, "y", name="swiss.csv")
    assert swiss.frame.equals(train.frame)
    like_swiss = read_table(b"u;v\n1,250;3\n", like=swiss, keep_unlabelled=True, name="new.csv")
    assert like_swiss.frame["u"][0] == 1250.0


def test_a_file_that_shows_its_decimal_mark_is_read_by_it():
    train = read_table(GERMAN, "y", name="train.csv")
    for file in (b"u;v\n1.25;3\n", b"u,v\n1.250,3\n"):
        new = read_table(file, like=train, keep_unlabelled=True, name="new.csv")
        assert new.frame["u"].tolist() == [1.25]
    # A table with commas between its cells says nothing about the marks of one with semicolons.
    plain = read_table(b"u,v,y\n1.125,3,a\n1.5,4,b\n2.5,5,a\n", "y", name="plain.csv")
    new = read_table(b"u;v\n1,250;3\n", like=plain, keep_unlabelled=True, name="new.csv")
    assert new.frame["u"].tolist() == [1.25]
    made = to_csv(train.X)
    pd.testing.assert_frame_equal(read_table(made, like=train, name="made.csv").frame, train.X)


def dates_of(texts, like=None):
    rows = "".join(f"{text},{k},{'ab'[k % 2]}\n" for k, text in enumerate(texts))
    data = f"when,x,y\n{rows}".encode()
    return read_table(data, None if like else "y", name="dates.csv", like=like).frame["when"]


@pytest.mark.parametrize("order", ["%d/%m/%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M"])
def test_days_and_months_stand_as_in_the_first_file(order):
    days = pd.Series(pd.date_range("2024-03-01", "2024-04-20").astype("datetime64[us]"))
    train = read_table(
        pd.DataFrame({"when": days.dt.strftime(order), "y": ["a", "b", "c"] * 17}), "y", name="t"
    )
    early = days[days.dt.day <= 12].reset_index(drop=True)
    for written in (order, order[:8], "%Y-%m-%d", "%d.%m.%Y", "%d %b %Y"):
        read = dates_of(early.dt.strftime(written), like=train)
        pd.testing.assert_series_equal(read, early, check_names=False)
    other = "%m/%d/%Y" if order.startswith("%d") else "%d/%m/%Y"
    shown = pd.Timestamp("2024-12-31").strftime(order)
    with pytest.raises(TableError, match=f"'when' holds .* \\(row 1\\), but 't' .* like {shown};"):
        dates_of(days.dt.strftime(other), like=train)


def test_dates_that_may_be_swapped_are_refused_beside_plain_ones():
    train = read_table(
        pd.DataFrame({"when": ["2024-03-01", "2024-03-09", "2024-05-02"] * 2, "y": list("ababab")}),
        "y",
    )
    with pytest.raises(TableError, match="like 2024-12-31; write them so here too"):
        dates_of(["03/04/2024", "05/06/2024"], like=train)
    assert dates_of(["", ""], like=train).isna().all()


def test_categories_that_are_numbers_are_spelt_as_the_first_file_spells_them():
    train = read_table(b"a,b,y\n0,5,no\n1,6,yes\n0,7,no\n1,8,yes\n", "y", name="train.csv")
    new = read_table(pd.DataFrame({"a": [0.0, 1.0, np.nan], "b": [1, 2, 3]}), like=train)
    assert new.frame["a"].tolist()[:2] == ["0", "1"]
    assert new.frame["a"].isna().tolist() == [False, False, True]


def test_rows_without_a_label_are_left_out_unless_they_are_wanted():
    data = b"a,b,y\n1,5,no\n2,6,\n3,7,yes\n4,8,no\n"
    table = read_table(data, "y", name="t.csv")
    assert table.frame["a"].tolist() == [1, 3, 4]
    assert any("One row has no value in the target 'y'" in text for text in table.warnings)
    assert len(read_table(data, like=table, name="t.csv")) == 3
    assert len(read_table(data, like=table, name="t.csv", keep_unlabelled=True)) == 4


@pytest.mark.parametrize(
    "data",
    [b"a,b,y\n2,6,no\n", pd.DataFrame({"a": [2], "b": [6]})],
    ids=["a file", "a data frame"],
)
def test_a_single_row_is_enough_for_a_prediction_only(data):
    train = read_table(b"a,b,y\n1,5,no\n2,6,yes\n3,7,yes\n4,8,no\n", "y", name="t.csv")
    new = read_table(data, like=train, keep_unlabelled=True, name="new.csv")
    assert new.frame[["a", "b"]].to_numpy().tolist() == [[2, 6]]
    with pytest.raises(TableError, match="one row only"):
        read_table(data, like=train, name="new.csv")


def test_a_single_column_is_enough_for_a_model_of_one_column():
    train = read_table(b"a,y\n1,no\n2,yes\n3,yes\n4,no\n", "y", name="t.csv")
    new = read_table(b"a\n2\n3\n", like=train, keep_unlabelled=True, name="new.csv")
    assert new.frame["a"].tolist() == [2, 3]


def test_nothing_is_left_open(tmp_path):
    path = Path(tmp_path) / "t.csv"
    path.write_bytes(b"a,b\n1,x\n2,y\n")
    read_raw(path)
    path.unlink()


def test_numbers_may_name_columns_where_another_table_says_so():
    train = read_table(pd.DataFrame({"2019": [1.5, 2.5, 3.5], "2020": [4, 5, 6]}))
    new = read_table(b"2019,2020\n7.5,8\n9.5,10\n", like=train, name="new.csv")
    assert new.frame["2020"].tolist() == [8, 10]


def test_numbers_with_the_other_decimal_mark_are_told() -> None:
    rows = [f"{k % 7},5;{k % 9};{'uv'[k % 2]}" for k in range(40)]
    data = "\n".join(["a;b;c", *rows]).encode()
    assert read_table(data).warnings == ()
    (warning,) = read_table(data, decimal=".").warnings
    assert warning.startswith("Column 'a' would hold numbers if ',' were the file's decimal mark")
