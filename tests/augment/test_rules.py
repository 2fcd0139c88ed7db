"""Rules between columns hold in every row of every generator."""

from itertools import permutations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.augment import GENERATORS, generator, parse_rule, suggest_rules
from causalmix_core.augment.rules import Combinations, Order, Sum
from causalmix_core.errors import GeneratorError
from causalmix_core.table import Kind, Table

CITIES = {"Paris": "France", "Lyon": "France", "Rome": "Italy"}
RULES = ("rent + food = spending", "start <= end", "city within country")


def journeys(rows: int = 120) -> Table:
    rng = np.random.default_rng(0)
    rent, food = rng.integers(0, 50, size=(2, rows))
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")
    end = start + pd.to_timedelta(rng.integers(0, 30, rows), unit="D")
    city = rng.choice(list(CITIES), size=rows)
    frame = pd.DataFrame(
        {
            "rent": rent,
            "food": food,
            "spending": rent + food,
            "start": start.astype("datetime64[us]"),
            "end": end.astype("datetime64[us]"),
            "city": pd.Series(city, dtype="str"),
            "country": pd.Series([CITIES[one] for one in city], dtype="str"),
            "again": pd.Series(rng.choice(["yes", "no"], size=rows, p=[0.2, 0.8]), dtype="str"),
        }
    )
    kinds = {
        **dict.fromkeys(["rent", "food", "spending"], Kind.INTEGER),
        **dict.fromkeys(["start", "end"], Kind.DATETIME),
        "city": Kind.CATEGORICAL,
        "country": Kind.BINARY,
        "again": Kind.BINARY,
    }
    return Table(frame, kinds, target="again")


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"borderline-smote", "adasyn"}))
def test_every_generator_keeps_them_and_the_class_shares(name):
    table = journeys()
    graph = nx.DiGraph([("rent", "spending"), ("start", "end"), ("city", "country")])
    settings = {"causal": {"graph": graph}, "tabebm": {"steps": 1}}.get(name, {})
    made = generator(name, rules=RULES, **settings).fit(table)

    rows = made.sample(200, seed=1, balance={"yes": 0.5, "no": 0.5})

    assert (rows["rent"] + rows["food"] == rows["spending"]).all()
    assert (rows["start"] <= rows["end"]).all()
    assert all(
        CITIES[city] == country for city, country in zip(rows["city"], rows["country"], strict=True)
    )
    assert rows["again"].value_counts().to_dict() == {"yes": 100, "no": 100}
    assert rows.dtypes.equals(table.frame.dtypes)
    assert rows.equals(made.sample(200, seed=1, balance={"yes": 0.5, "no": 0.5}))


def spending(target: str | None) -> Table:
    """A price, a part of it, and a number that follows the price."""
    rng = np.random.default_rng(0)
    price = rng.uniform(0, 20, size=400)
    frame = pd.DataFrame(
        {"price": price, "part": rng.uniform(0, 20, 400), "dear": price + rng.normal(size=400)}
    )
    frame = frame[frame["part"] <= frame["price"]].reset_index(drop=True)
    return Table(frame, dict.fromkeys(frame, Kind.NUMERIC), target=target)


@pytest.mark.parametrize("target", [None, "dear"])
def test_rows_drawn_again_from_a_causal_model_without_classes_follow_their_causes(target):
    table = spending(target)
    graph = nx.DiGraph([("price", "dear")])
    graph.add_node("part")
    made = generator("causal", graph=graph, rules=["part <= price"]).fit(table)

    rows = made.sample(1000, seed=0)

    assert (rows["part"] <= rows["price"]).all()
    assert made.redrawn_ > 0.1
    assert made.replaced_ < 0.01
    assert (rows["dear"] == table.frame["dear"].min()).mean() < 0.01
    assert (rows["dear"] - rows["price"]).std() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_sums_of_sums_are_computed_in_whatever_order_they_are_given(order):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(1, 100, size=(100, 4)), columns=list("abcd"))
    frame["ab"] = frame["a"] + frame["b"]
    frame["abc"] = frame["ab"] + frame["c"]
    frame["all"] = frame["abc"] + frame["d"]
    table = Table(frame, dict.fromkeys(frame, Kind.INTEGER))
    sums = ["abc + d = all", "ab + c = abc", "a + b = ab"]
    made = generator("independent", rules=[sums[place] for place in order]).fit(table)

    rows = made.sample(200, seed=0)

    assert (rows["a"] + rows["b"] + rows["c"] + rows["d"] == rows["all"]).all()
    assert made.redrawn_ == made.replaced_ == 0.0


def test_sums_that_go_round_in_a_circle_take_over_real_rows():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 50, size=(2, 100))
    frame = pd.DataFrame({"a": a, "b": b, "c": a + b, "d": -b})
    table = Table(frame, dict.fromkeys(frame, Kind.INTEGER))
    made = generator("independent", rules=["a + b = c", "c + d = a"]).fit(table)

    rows = made.sample(50, seed=0)

    assert (rows["a"] + rows["b"] == rows["c"]).all()
    assert (rows["c"] + rows["d"] == rows["a"]).all()
    assert made.replaced_ > 0


def test_the_share_drawn_again_is_told():
    table = journeys()

    often = generator("independent", rules=["start <= end"]).fit(table)
    never = generator("bootstrap", rules=["start <= end"]).fit(table)
    often.sample(1000, seed=0)
    never.sample(1000, seed=0)

    apart = table.frame["start"].to_numpy()[:, None] > table.frame["end"].to_numpy()
    assert often.redrawn_ == pytest.approx(apart.mean(), abs=0.05)
    assert often.replaced_ < 0.01
    assert never.redrawn_ == 0.0


def test_rows_that_break_a_rule_for_ever_take_over_a_real_row():
    rng = np.random.default_rng(0)
    keys = [f"key {number}" for number in range(100)]
    frame = pd.DataFrame(
        {
            "a": pd.Series(keys, dtype="str"),
            "b": pd.Series(keys[::-1], dtype="str"),
            "x": rng.normal(size=100),
        }
    )
    kinds = {"a": Kind.CATEGORICAL, "b": Kind.CATEGORICAL, "x": Kind.NUMERIC}
    table = Table(frame, kinds)
    made = generator("independent", rules=["a within b"]).fit(table)

    rows = made.sample(50, seed=0)

    pairs = set(zip(frame["a"], frame["b"], strict=True))
    assert set(zip(rows["a"], rows["b"], strict=True)) <= pairs
    assert made.redrawn_ > 0.9
    assert 0.5 < made.replaced_ < 1.0


def test_rows_with_a_missing_value_are_left_in_peace():
    table = journeys()
    frame = table.frame.copy()
    frame.loc[::3, "end"] = pd.NaT
    made = generator("bootstrap", rules=["start <= end"]).fit(table.with_frame(frame))

    assert made.sample(300, seed=0)["end"].isna().mean() == pytest.approx(1 / 3, abs=0.1)


def test_rules_are_read_and_written():
    assert parse_rule("a <= b") == Order("a", "b")
    assert parse_rule("a b > c") == Order("c", "a b", strict=True)
    assert parse_rule("a + b + c = d") == Sum(("a", "b", "c"), "d")
    assert parse_rule("city within country") == Combinations(("city", "country"))
    assert parse_rule("`x + y` <= `p < q`") == Order("x + y", "p < q")
    for wrong in ("", "a", "a = b", "a <=", "a <= b <= c", "a + b", "a<=b"):
        with pytest.raises(GeneratorError, match="is no rule"):
            parse_rule(wrong)


NAMES = st.text("abc <>=+", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(one=NAMES, other=NAMES, strict=st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_a_rule_writes_can_be_read_again(one, other, strict):
    rule = Order(one, other, strict)
    assert parse_rule(rule.text) == rule


def test_rules_that_make_no_sense_are_refused():
    table = journeys()
    wrong = {
        "rent <= nowhere": "not a column in use",
        "rent <= start": "both numbers or dates",
        "city <= country": "both numbers or dates",
        "city + rent = spending": "not numbers",
        "spending < rent": "No real row",
    }
    table = table.with_frame(table.frame.assign(food=1, spending=table.frame["rent"] + 1))
    for rule, sentence in wrong.items():
        with pytest.raises(GeneratorError, match=sentence):
            generator("bootstrap", rules=[rule]).fit(table)


def test_real_rows_that_break_a_rule_are_told():
    table = journeys()
    frame = table.frame.copy()
    frame.loc[:11, "end"] = frame.loc[:11, "start"] - pd.Timedelta(days=1)
    made = generator("bootstrap", rules=["start <= end"]).fit(table.with_frame(frame))

    rows = made.sample(500, seed=0)

    assert made.notes_[0] == "10.0% of the real rows break the rule 'start <= end'."
    assert made.notes_[1] == f"{made.redrawn_:.1%} of the rows broke a rule and were drawn again."
    assert (rows["start"] <= rows["end"]).all()


def test_rules_that_hold_are_suggested_and_no_others():
    texts = {rule.text for rule in suggest_rules(journeys())}

    orders = {"start <= end", "rent <= spending", "food <= spending"}
    assert texts == {"rent + food = spending", *orders, "city within country"}
