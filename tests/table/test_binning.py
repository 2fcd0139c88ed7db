"""Numbers to be predicted become classes named by intervals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, bins_at, examples, find_bins, read_table, split


def table_of(values, target="pay"):
    frame = pd.DataFrame({"x": np.arange(len(values)) * 1.5, "pay": values})
    return read_table(frame, target, kinds={"pay": "numeric", "x": "numeric"})


def test_quantile_bins_hold_about_equally_many_rows():
    table = table_of(np.arange(1.0, 101.0))
    binned = find_bins(table, bins=4).apply(table)
    assert binned.y.value_counts(sort=False).to_dict() == {
        "≤ 25": 25,
        "25 – 50": 25,
        "50 – 75": 25,
        "> 75": 25,
    }
    assert binned.kinds["pay"] is Kind.ORDINAL
    assert binned.levels["pay"] == ("≤ 25", "25 – 50", "50 – 75", "> 75")
    assert not any("bins" in warning for warning in binned.warnings)


def test_width_bins_have_equal_widths():
    binning = find_bins(table_of([0.0, 1.0, 2.0, 10.0]), bins=5, how="width")
    assert binning.edges == (2.0, 4.0, 6.0, 8.0)


def test_two_bins_are_binary_and_a_value_on_the_edge_falls_below():
    table = table_of([10.0, 20.0, 30.0, np.nan], target=None)
    binned = bins_at("pay", [20.0]).apply(table)
    assert binned.kinds["pay"] is Kind.BINARY
    assert binned.frame["pay"].fillna("").tolist() == ["≤ 20", "≤ 20", "> 20", ""]


def test_many_equal_values_leave_fewer_bins():
    table = table_of([0.0] * 80 + [1.0] * 10 + [2.0] * 10)
    assert find_bins(table, bins=4).edges == (0.0,)
    capped = table_of([1.0] * 10 + [2.0] * 10 + [100.0] * 80)
    assert find_bins(capped, bins=2).edges == (2.0,)


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60).filter(lambda v: len(set(v)) > 1),
    st.integers(2, 8),
    st.sampled_from(["quantile", "width"]),
)
def test_every_value_falls_into_one_named_bin(values, bins, how):
    table = table_of(np.array(values))
    binning = find_bins(table, bins=bins, how=how)
    assert len(set(binning.labels)) == len(binning.labels) == len(binning.edges) + 1 <= bins
    assert len(binning.edges) >= 1
    labels = binning.apply(table).frame["pay"]
    for value, label in zip(values, labels, strict=True):
        assert binning.labels.index(label) == sum(value > edge for edge in binning.edges)


def test_bins_made_of_a_table_serve_its_parts():
    table = examples.load("health")
    target = read_table(table.frame, "cholesterol")
    binned = find_bins(target).apply(target)
    train, _, test = split(binned, 300)
    assert set(train.y) == set(test.y) == set(binned.levels["cholesterol"])


def test_what_cannot_be_binned_is_refused():
    table = examples.load("health")
    with pytest.raises(TableError, match="'sex' holds no numbers"):
        find_bins(table, "sex")
    with pytest.raises(TableError, match="At least two bins"):
        find_bins(table, "age", bins=1)
    with pytest.raises(TableError, match="Choose the column"):
        find_bins(table_of([1.0, 2.0, 3.0], target=None))
    with pytest.raises(TableError, match="fewer than two bins"):
        find_bins(table_of([1.0, 1.0, np.nan], target=None), "pay")
    with pytest.raises(TableError, match="fewer than two bins"):
        bins_at("age", [])
