"""Splits are disjoint, stratified, decided by the seed, and never leak."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import TableError
from causalmix_core.table import Kind, draw, hold_out_test, read_table, split
from causalmix_core.table.splitting import allocate
from causalmix_core.table.table import Table


def table_of(labels, **columns):
    """A table whose column `row` tells where every row came from."""
    frame = pd.DataFrame({"row": np.arange(len(labels)), **columns})
    frame["y"] = pd.Series(labels, dtype="str")
    kinds = dict.fromkeys(frame.columns, Kind.INTEGER)
    kinds["y"] = Kind.CATEGORICAL
    return Table(frame, kinds, "y")


def rows_of(table):
    return table.frame["row"].tolist()


def shares(table):
    return table.y.value_counts(normalize=True)


@st.composite
def labelled(draw_):
    sizes = draw_(st.lists(st.integers(1, 60), min_size=2, max_size=6))
    labels = [f"c{k}" for k, size in enumerate(sizes) for _ in range(size)]
    order = draw_(st.randoms(use_true_random=False))
    order.shuffle(labels)
    return labels


@settings(deadline=None, max_examples=60)
@given(labelled(), st.integers(0, 5))
def test_splits_are_disjoint_complete_stratified_and_seeded(labels, seed):
    table = table_of(labels)
    classes = len(set(labels))
    most = int(0.6 * len(labels))
    if len(labels) < 5 or most < max(3, classes + 1):
        with pytest.raises(TableError):
            split(table, seed=seed)
        return
    train, validation, test = split(table, seed=seed)
    assert sorted(rows_of(train) + rows_of(validation) + rows_of(test)) == list(range(len(labels)))
    assert len(train) + len(validation) == most
    assert len(validation) == round(most / 3)
    for part, size in ((train, len(train)), (test, len(test))):
        for label, count in table.y.value_counts().items():
            expected = count * size / len(labels)
            assert abs((part.y == label).sum() - expected) <= classes + 1
    assert set(train.y) == set(labels)
    again = split(table, seed=seed)
    assert [rows_of(part) for part in again] == [rows_of(train), rows_of(validation), rows_of(test)]


def test_the_budget_is_met_exactly_and_test_rows_are_capped():
    table = table_of(["a"] * 4_000 + ["b"] * 6_000)
    train, validation, test = split(table, train_rows=500, seed=3)
    assert (len(train), len(validation), len(test)) == (333, 167, 2_000)
    for part in (train, validation, test):
        assert shares(part)["a"] == pytest.approx(0.4, abs=0.005)


def test_small_budgets_leave_all_other_rows_for_testing():
    table = table_of(["a", "b"] * 100)
    train, validation, test = split(table, train_rows=30, seed=0)
    assert (len(train), len(validation), len(test)) == (20, 10, 170)


def test_a_budget_beyond_60_percent_is_cut_and_said():
    train, validation, _ = split(table_of(["a", "b"] * 50), train_rows=90)
    assert len(train) + len(validation) == 60
    assert train.warnings == ("Only 60 rows can be labelled ones; 90 were asked for.",)


def test_seeds_give_different_draws():
    table = table_of(["a", "b"] * 100)
    assert rows_of(split(table, 50, 0)[0]) != rows_of(split(table, 50, 1)[0])


def test_rare_classes_go_to_training_first():
    labels = ["common"] * 95 + ["one"] + ["two"] * 2 + ["three"] * 3
    for seed in range(10):
        train, validation, test = split(table_of(labels), seed=seed)
        assert set(train.y) == set(labels)
        assert "one" not in set(validation.y) | set(test.y)
        assert (test.y == "two").sum() == 1
        assert (test.y == "three").sum() == 1


def test_too_small_tables_and_budgets_are_refused():
    with pytest.raises(TableError, match="4 rows are too few"):
        split(table_of(["a", "b", "a", "b"]))
    with pytest.raises(TableError, match="5 labelled rows are too few for 7 classes"):
        split(table_of([f"c{k}" for k in range(7)] * 10), train_rows=5)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=25),
    st.integers(0, 3),
    st.integers(0, 10_000),
)
def test_groups_stay_together(sizes, seed, noise):
    rng = np.random.default_rng(noise)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = rng.choice(["a", "b"], size=len(groups)).tolist()
    table = table_of(labels, group=rng.permutation(groups))
    if len(groups) < 5 or int(0.6 * len(groups)) < len(set(labels)) + 1:
        return
    parts = split(table, seed=seed, group="group")
    of = [set(part.frame["group"]) for part in parts]
    assert not (of[0] & of[1])
    assert not (of[0] & of[2])
    assert not (of[1] & of[2])
    assert all(len(part) for part in parts)


def test_grouped_splits_come_near_to_the_asked_sizes_and_shares():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 60, size=1_000)
    labels = np.where(rng.random(1_000) < 0.2 + 0.4 * (groups % 2), "a", "b").tolist()
    table = table_of(labels, group=groups)
    train, validation, test = split(table, seed=0, group="group")
    assert len(train) == pytest.approx(400, abs=20)
    assert len(validation) == pytest.approx(200, abs=20)
    assert len(test) == pytest.approx(400, abs=40)
    overall = shares(table)["a"]
    assert all(shares(part)["a"] == pytest.approx(overall, abs=0.05) for part in (train, test))


def test_a_group_column_that_is_set_aside_can_be_used():
    lines = "\n".join(f"customer{k % 30:02d}x{k % 30},{k * 0.5},{'no yes'.split()[k % 2]}"
                      for k in range(60))  # fmt: skip
    table = read_table(f"customer_code,x,y\n{lines}\n".encode(), "y", name="t.csv",
                       kinds={"customer_code": "identifier"})  # fmt: skip
    assert "customer_code" in table.set_aside
    parts = split(table, group="customer_code")
    of = [set(part.aside["customer_code"]) for part in parts]
    assert not (of[0] & of[1])
    assert not (of[0] & of[2])
    assert not (of[1] & of[2])


def test_rows_of_no_group_are_groups_of_their_own():
    frame = pd.DataFrame(
        {"g": ["a", "b", None, None, "c"] * 8, "x": range(40), "y": ["n", "y"] * 20}
    )
    parts = split(read_table(frame, "y"), group="g")
    of = [set(part.frame["g"].dropna()) for part in parts]
    assert not (of[0] & of[1])
    assert not (of[0] & of[2])
    assert not (of[1] & of[2])


@pytest.mark.parametrize("blank", ["", " ", "NA"])
def test_rows_of_no_group_part_also_where_the_column_is_set_aside(blank):
    shops = [f"shop{k}" for k in range(10)]
    lines = [f"{blank if k % 3 else shops[k % 10]},{k * 0.5},{'ny'[k % 2]}" for k in range(90)]
    file = "\n".join(["shop,x,y", *lines]).encode()
    table = read_table(file, "y", kinds={"shop": "identifier"}, name="t.csv")
    parts = split(table, group="shop")
    of = [set(part.aside["shop"].str.strip()) for part in parts]
    assert all(blank.strip() in shop for shop in of)
    for other in (of[1], of[2]):
        assert (of[0] & other) <= {blank.strip()}


def test_time_never_runs_backwards():
    rng = np.random.default_rng(0)
    table = table_of(["a", "b"] * 200, when=rng.integers(0, 50, size=400))
    for budget in (None, 60):
        train, validation, test = split(table, budget, seed=1, time="when")
        assert train.frame["when"].max() < validation.frame["when"].min()
        assert validation.frame["when"].max() < test.frame["when"].min()
        if budget:
            assert (len(train), len(validation)) == (40, 20)


def test_dates_order_rows_also_where_they_are_set_aside():
    days = pd.date_range("2024-01-01", periods=40).strftime("%d.%m.%Y").tolist()
    frame = pd.DataFrame({"day": days, "x": range(40), "y": ["n", "y"] * 20}).sample(
        frac=1, random_state=0
    )
    for kinds in ({}, {"day": "identifier"}):
        table = read_table(frame, "y", kinds={"x": "integer", **kinds})
        train, validation, test = split(table, time="day")
        assert train.frame["x"].max() < validation.frame["x"].min()
        assert validation.frame["x"].max() < test.frame["x"].min()


def test_columns_that_cannot_part_rows_are_refused():
    table = table_of(["a", "b"] * 20, two=[0, 1] * 20, same=[1] * 40)
    with pytest.raises(TableError, match="no column 'q'"):
        split(table, group="q")
    with pytest.raises(TableError, match="too few groups"):
        split(table, group="two")
    with pytest.raises(TableError, match="'same' has too few different times"):
        split(table, time="same")
    with pytest.raises(TableError, match="by the target"):
        split(table, group="y")
    with pytest.raises(TableError, match="neither dates nor numbers"):
        split(read_table(pd.DataFrame({"w": ["p", "q", "r"] * 9, "x": range(27)})), time="w")
    with pytest.raises(TableError, match="not by both"):
        split(table, group="two", time="row")


def test_test_rows_are_held_out_once_and_draws_vary():
    table = table_of(["a"] * 6_000 + ["b"] * 3_000)
    development, test = hold_out_test(table, seed=0)
    assert (len(development), len(test)) == (7_000, 2_000)
    assert shares(test)["a"] == pytest.approx(2 / 3, abs=0.001)
    seen = set()
    for seed in range(3):
        train, validation = draw(development, 300, seed)
        assert (len(train), len(validation)) == (200, 100)
        assert not set(rows_of(train)) & set(rows_of(validation))
        assert not set(rows_of(train) + rows_of(validation)) & set(rows_of(test))
        seen.add(tuple(rows_of(train)))
    assert len(seen) == 3
    whole = draw(development, None, 0)
    assert sorted(rows_of(whole[0]) + rows_of(whole[1])) == sorted(rows_of(development))


def test_small_tables_hold_out_40_percent():
    development, test = hold_out_test(table_of(["a", "b"] * 50))
    assert (len(development), len(test)) == (60, 40)


def test_held_out_groups_and_times_stay_apart():
    rng = np.random.default_rng(0)
    table = table_of(
        ["a", "b"] * 200, group=rng.integers(0, 40, 400), when=rng.integers(0, 90, 400)
    )
    development, test = hold_out_test(table, group="group")
    assert not set(development.frame["group"]) & set(test.frame["group"])
    train, validation = draw(development, 90, group="group")
    assert not set(train.frame["group"]) & set(validation.frame["group"])
    development, test = hold_out_test(table, time="when")
    assert development.frame["when"].max() < test.frame["when"].min()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(5, 60), min_size=2, max_size=6),
    st.integers(0, 3),
    st.sampled_from(["group", "time"]),
)
def test_what_can_be_held_out_by_can_be_drawn_by(sizes, seed, way):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    table = table_of((["a", "b"] * len(codes))[: len(codes)], code=codes)
    if len(sizes) < 3:
        with pytest.raises(TableError, match="'code' has too few"):
            hold_out_test(table, seed, **{way: "code"})
        return
    development, test = hold_out_test(table, seed, **{way: "code"})
    parts = [*draw(development, None, seed, **{way: "code"}), test]
    assert all(len(part) for part in parts)
    assert sum(part.frame["code"].nunique() for part in parts) == len(sizes)


def test_the_split_does_not_look_at_features():
    labels = ["a", "b", "b"] * 40
    one = split(table_of(labels, x=np.zeros(120, int)), 60, seed=5)
    two = split(table_of(labels, x=np.arange(120)), 60, seed=5)
    assert [rows_of(part) for part in one] == [rows_of(part) for part in two]


@settings(deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=10), st.floats(0, 1), st.integers(0, 1))
def test_shares_are_allocated_exactly_and_fairly(sizes, part, spare):
    total = int(part * sum(sizes))
    counts = allocate(sizes, total, spare=spare)
    assert sum(counts) == total
    assert all(0 <= count <= size for count, size in zip(counts, sizes, strict=True))
    if total >= len(sizes):
        assert all(counts)
