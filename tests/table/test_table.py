"""The table itself: what it hands out, and a digest that means its contents."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, examples, read_table

DATA = (
    b"a,b,c,when,y\n1,2.5,x,2024-01-01,no\n2,,z,2024-01-02,yes\n3,4.5,x,,no\n5,6.5,,2024-01-04,no\n"
)


def test_digest_is_the_same_in_another_process():
    code = (
        "from causalmix_core.table import read_table; "
        f"print(read_table({DATA!r}, 'y', name='t.csv').digest)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert found == read_table(DATA, "y", name="other.csv").digest


@pytest.mark.parametrize(
    "change",
    [
        (b"2.5", b"2.6"),
        (b"x", b"q"),
        (b"yes", b"no2"),
        (b",,z", b",0,z"),
        (b"2024-01-04", b"2024-01-05"),
        (b"a,b,c", b"a,b,d"),
    ],
)
def test_digest_changes_with_any_value(change):
    table = read_table(DATA, "y", name="t.csv")
    assert read_table(DATA.replace(*change), "y", name="t.csv").digest != table.digest


def test_digest_changes_with_kind_target_and_row_order():
    table = read_table(DATA, "y", name="t.csv")
    digests = {
        table.digest,
        read_table(DATA, name="t.csv").digest,
        read_table(DATA, "y", name="t.csv", kinds={"a": "numeric"}).digest,
        table.take([1, 0, 2, 3]).digest,
        table.take([0, 1, 2]).digest,
    }
    assert len(digests) == 5
    assert table.take([0, 1, 2, 3]).digest == table.digest


def test_taking_rows_takes_set_aside_columns_along():
    table = read_table(DATA, "y", name="t.csv", kinds={"c": "text"})
    part = table.take(np.array([3, 1]))
    assert part.frame.index.tolist() == [0, 1]
    assert part.frame["a"].tolist() == [5, 2]
    assert part.aside["c"].fillna("").tolist() == ["", "z"]
    assert len(table.take([])) == 0


def test_columns_features_and_target_agree():
    table = read_table(DATA, "y", name="t.csv")
    assert table.columns == ["a", "b", "c", "when", "y"]
    assert table.features == ["a", "b", "c", "when"]
    assert list(table.X.columns) == table.features
    assert table.y.tolist() == ["no", "yes", "no", "no"]
    with pytest.raises(TableError, match="Choose a target"):
        _ = read_table(DATA, name="t.csv").y


def test_a_target_that_is_no_column_in_use_is_refused():
    table = examples.load("wine")
    with pytest.raises(TableError, match="not a column"):
        type(table)(table.frame, table.kinds, "colour")
    with pytest.raises(TableError, match=r"set aside \(it only counts\)"):
        type(table)(table.frame, table.kinds, "id", {"id": "it only counts"})
    with pytest.raises(TableError, match="must name the table's columns"):
        type(table)(table.frame, {"alcohol": Kind.NUMERIC})


def test_codes_follow_the_order_of_the_texts_and_missing_is_minus_one():
    table = read_table("a,y\nb,1\nä,2\n,1\nB,2\nb,1\n".encode(), "y", name="t.csv")
    coded = table.coded("a")
    assert coded.values == ("B", "b", "ä")
    assert coded.codes.tolist() == [1, 2, -1, 0, 1]


def test_the_digest_of_texts_is_that_of_their_json():
    """Stored projects find their tables by this digest: it may not change."""
    text = 'a,y\n"q""x",1\nä,2\n,1\n\\,2\n"q""x",1\n'
    table = read_table(text.encode(), "y", name="t.csv")
    header = {"kinds": {"a": "categorical", "y": "binary"}, "target": "y", "levels": {}, "rows": 5}
    sha = hashlib.sha256(json.dumps(header).encode())
    for texts in (['q"x', "ä", None, "\\", 'q"x'], ["1", "2", "1", "2", "1"]):
        sha.update(np.array([text is None for text in texts]).tobytes())
        sha.update(json.dumps([text or "" for text in texts], ensure_ascii=False).encode())
    assert table.digest == sha.hexdigest()[:32]
