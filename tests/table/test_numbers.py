"""Which texts are numbers, and that no digit is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalmix_core.table.numbers import as_whole, find_decimal, parse_number, parse_numbers


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("5", ".", 5),
        (" -5 ", ".", -5),
        ("+5.50", ".", 5.5),
        (".5", ".", 0.5),
        ("5.", ".", 5.0),
        ("1e3", ".", 1000.0),
        ("1E-3", ".", 0.001),
        ("0", ".", 0),
        ("0.5", ".", 0.5),
        ("9223372036854775807", ".", 2**63 - 1),
        ("1,234,567.5", ".", 1234567.5),
        ("1,5", ",", 1.5),
        ("1.234.567,5", ",", 1234567.5),
        ("1.234", ",", 1234),
        ("1\u00a0234\u00a0567,5", ",", 1234567.5),
        ("1'234.5", ".", 1234.5),
    ],
)
def test_numbers_are_read(text, decimal, number):
    found = parse_number(text, decimal)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "abc", "007", "-01", "9223372036854775808", "1,5", "1,2345", "12,34,567",
        "0,123", "1_000", "nan", "inf", "1e999", "0x10", "1 000", "٣", "½", "5%", "$5", "1.2.3",
        "1'234,567",
    ],
)  # fmt: skip
def test_other_texts_are_none(text):
    assert parse_number(text) is None


@given(
    st.lists(
        st.one_of(
            st.text("0123456789.,+-eE _ n", max_size=6),
            st.integers().map(str),
            st.floats().map(repr),
        ),
        max_size=5,
    )
)
def test_many_texts_are_read_as_each_alone(texts):
    alone = [parse_number(text) for text in texts]
    together = parse_numbers(texts)
    if None in alone:
        assert together is None
    else:
        assert together == alone
        assert [type(number) for number in together] == [type(number) for number in alone]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back_exactly(number):
    assert parse_number(repr(number)) == number


def test_whole_numbers_are_told_from_others():
    assert [as_whole(number) for number in (3, 3.0, 3.5, 2**60 + 1, 2.0**60)] == [
        3, 3, None, 2**60 + 1, None
    ]  # fmt: skip


def test_the_decimal_mark_is_what_most_clear_cells_use():
    assert find_decimal(["1,5", "2,25", "3"]) == ","
    assert find_decimal(["1.5", "2.25", "3"]) == "."
    assert find_decimal(["1,234", "5,678"]) == "."
    assert find_decimal(["1,234", "5,678"], prefers_comma=True) == ","
    assert find_decimal(["1.234,5"]) == ","
    assert find_decimal(["1,234.5"]) == "."
    assert find_decimal(["a", "31.01.2024", ""], prefers_comma=True) == "."
