"""What every generator promises, on every sort of table."""

import hashlib
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_core.augment import GENERATORS, Generator, generator
from causalmix_core.errors import GeneratorError
from causalmix_core.table import Kind, Table

sys.path.insert(0, str(Path(__file__).parent))
from tables import TABLES

# Which generators do not apply where, and a word of the sentence that says so.
REFUSALS = {
    ("borderline-smote", "categorical"): "numbers only",
    ("borderline-smote", "mixed"): "numbers only",
    ("borderline-smote", "missing"): "numbers only",
    ("borderline-smote", "rare class"): "numbers only",
    ("borderline-smote", "one column"): "beside the target",
    ("borderline-smote", "sixty columns"): "numbers only",
    ("borderline-smote", "no target"): "two classes",
    ("adasyn", "categorical"): "numbers only",
    ("adasyn", "mixed"): "numbers only",
    ("adasyn", "missing"): "numbers only",
    ("adasyn", "rare class"): "numbers only",
    ("adasyn", "one column"): "beside the target",
    ("adasyn", "sixty columns"): "numbers only",
    ("adasyn", "no target"): "two classes",
    ("smote", "one column"): "beside the target",
    ("tabebm", "categorical"): "none beside the target",
    ("tabebm", "one column"): "beside the target",
    ("tabebm", "no target"): "target with classes",
    ("tableaugment", "one column"): "two features",
}


def make(name: str, table: Table) -> Generator:
    """A generator with settings that suit a small table; `causal` gets a chain as its graph."""
    if name == "causal":
        return generator(name, graph=chain(table))
    if name == "tabebm":
        return generator(name, steps=2)
    return generator(name)


def chain(table: Table) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(table.columns)
    nx.add_path(graph, table.columns[:12])
    return graph


def digest(rows: pd.DataFrame) -> str:
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


@pytest.mark.parametrize("sort", TABLES)
@pytest.mark.parametrize("name", GENERATORS)
def test_rows_are_of_the_right_kinds_and_count_or_the_refusal_says_why(name, sort):
    table = TABLES[sort]()
    before = table.frame.copy(deep=True)
    if (name, sort) in REFUSALS:
        with pytest.raises(GeneratorError, match=REFUSALS[name, sort]):
            make(name, table).fit(table)
        return

    made = make(name, table).fit(table)
    rows = made.sample(37, seed=5)

    assert len(rows) == 37
    assert list(rows.index) == list(range(37))
    assert list(rows.columns) == table.columns
    assert rows.dtypes.equals(table.frame.dtypes)
    assert rows.equals(made.sample(37, seed=5))
    assert (
        len(table.frame) < 2 or len(table.columns) < 2 or not rows.equals(made.sample(37, seed=6))
    )
    assert made.sample(0, seed=5).dtypes.equals(table.frame.dtypes)
    pd.testing.assert_frame_equal(table.frame, before)
    for column, kind in table.kinds.items():
        real, drawn = table.frame[column], rows[column]
        if not real.isna().any():
            assert not drawn.isna().any(), column
        if kind.is_category:
            assert set(drawn.dropna()) <= set(real.dropna()), column
        else:
            assert drawn.dropna().between(real.min(), real.max()).all(), column


@pytest.mark.parametrize("name", GENERATORS)
def test_whole_numbers_cents_and_days_stay_what_they_are(name):
    whole, dates = TABLES["integers"](), TABLES["datetimes"]()

    rows = make(name, whole).fit(whole).sample(200, seed=1)
    days = make(name, dates).fit(dates).sample(200, seed=1)

    assert rows["huge"].dtype == "int64"
    assert rows["huge"].min() >= 4_000_000_000_000
    assert np.array_equal(rows["cents"].round(2), rows["cents"])
    assert (days["start"] == days["start"].dt.normalize()).all()
    assert (days["moment"] == days["moment"].dt.floor("s")).all()


@pytest.mark.parametrize("name", GENERATORS)
def test_classes_keep_their_shares_and_take_the_wanted_ones(name):
    table = TABLES["numeric"]()

    made = make(name, table).fit(table)
    kept = made.sample(1000, seed=0)["y"].value_counts(normalize=True)
    wanted = made.sample(200, seed=0, balance={"yes": 0.9, "no": 0.1})["y"].value_counts()
    single = made.sample(50, seed=0, balance={"no": 1.0})["y"]

    assert kept["yes"] == pytest.approx((table.y == "yes").mean(), abs=0.06)
    assert wanted.to_dict() == {"yes": 180, "no": 20}
    assert set(single) == {"no"}


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"borderline-smote", "adasyn"}))
def test_a_class_of_one_row_can_be_asked_for(name):
    table = TABLES["rare class"]()

    rows = make(name, table).fit(table).sample(40, seed=0, balance={"once": 0.5, "often": 0.5})

    assert rows["y"].value_counts().to_dict() == {"once": 20, "often": 20}


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"borderline-smote", "adasyn"}))
def test_missing_values_come_back_about_as_often(name):
    table = TABLES["missing"]()

    rows = make(name, table).fit(table).sample(2000, seed=0)

    shares = rows.isna().mean() - table.frame.isna().mean()
    assert shares.abs().max() < 0.15
    assert (rows[["a", "b", "c", "d"]].isna().mean() > 0.02).all()


def test_a_balance_that_cannot_be_is_refused():
    table = TABLES["numeric"]()
    made = generator("bootstrap").fit(table)

    with pytest.raises(GeneratorError, match="no class 'maybe'"):
        made.sample(10, balance={"maybe": 1.0})
    with pytest.raises(GeneratorError, match="positive"):
        made.sample(10, balance={"yes": 0.0})
    with pytest.raises(GeneratorError, match="target column"):
        generator("bootstrap").fit(TABLES["no target"]()).sample(10, balance={"yes": 1.0})


@pytest.mark.parametrize("name", GENERATORS)
def test_resampling_gives_the_real_rows_and_fills_the_classes_up(name):
    table = TABLES["numeric"]()
    X, y = table.X, table.y
    made = make(name, table)

    new_X, new_y = made.fit_resample(X, y)

    assert new_X.head(len(X)).equals(X)
    assert new_y.head(len(y)).equals(y)
    assert new_X.dtypes.equals(X.dtypes)
    assert new_y.name == "y"
    assert new_y.value_counts().nunique() == 1


def test_resampling_keeps_values_and_names_that_are_no_text():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            0: rng.normal(size=200),
            1: rng.integers(0, 50, size=200),
            2: rng.random(200) < 0.3,
            3: pd.Series(rng.choice([True, False, None], size=200), dtype="boolean"),
            " five ": pd.Categorical(rng.choice([5, 50], size=200, p=[0.8, 0.2])),
            "either": pd.Series(rng.choice([True, "none"], size=200), dtype=object),
        }
    )
    y = pd.Series(rng.random(200) < 0.8, name="well")

    new_X, new_y = generator("bootstrap").fit_resample(X, y)

    filled, ill = new_X.iloc[len(X) :], X[~y]
    assert new_X.columns.equals(X.columns)
    assert new_X.dtypes.equals(X.dtypes)
    assert len(filled) == y.sum() - (~y).sum()
    assert not new_y[len(X) :].any()
    assert new_y.dtype == bool
    for column in X:
        assert set(filled[column].dropna()) <= set(ill[column].dropna()), column
        assert filled[column].isna().mean() == pytest.approx(ill[column].isna().mean(), abs=0.2)
    for column in (2, 3):
        assert filled[column].mean() == pytest.approx(ill[column].mean(), abs=0.2), column


def test_resampling_refuses_a_feature_with_the_name_of_the_target():
    X = pd.DataFrame({"a": range(20), "target": range(20)})
    with pytest.raises(GeneratorError, match="'target' as well"):
        generator("bootstrap").fit_resample(X, pd.Series([0, 1] * 10))


def test_parameters_can_be_read_and_wrong_ones_are_refused():
    assert generator("mixup", alpha=0.5).get_params() == {"alpha": 0.5, "variant": "classic"}
    with pytest.raises(GeneratorError, match="no generator 'gan'"):
        generator("gan")
    with pytest.raises(GeneratorError, match="mixup"):
        generator("mixup", beta=1)


def test_sampling_needs_a_fit_and_a_count():
    with pytest.raises(GeneratorError, match="Fit"):
        generator("bootstrap").sample(3)
    with pytest.raises(GeneratorError, match="negative"):
        generator("bootstrap").fit(TABLES["numeric"]()).sample(-1)
    empty = TABLES["numeric"]().take([])
    with pytest.raises(GeneratorError, match="no rows"):
        generator("bootstrap").fit(empty)


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
from test_contract import GENERATORS, REFUSALS, TABLES, digest, make
for name in GENERATORS:
    for sort in TABLES:
        if (name, sort) not in REFUSALS:
            table = TABLES[sort]()
            rows = make(name, table).fit(table).sample(20, seed=3)
            print(name, sort, digest(rows), sep="|")
"""


@pytest.fixture(scope="module")
def elsewhere() -> dict[tuple[str, str], str]:
    """Digests of every generator's rows of every sort of table, from another process."""
    here = Path(__file__).parent
    script = SCRIPT.format(root=str(here.parent.parent), here=str(here))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    lines = (line.split("|") for line in done.stdout.splitlines())
    return {(name, sort): digest for name, sort, digest in lines}


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_gives_the_same_bytes_in_another_process(name, elsewhere):
    sorts = [sort for sort in TABLES if (name, sort) not in REFUSALS]
    assert {sort for other, sort in elsewhere if other == name} == set(sorts)
    for sort in sorts:
        table = TABLES[sort]()
        rows = make(name, table).fit(table).sample(20, seed=3)
        assert digest(rows) == elsewhere[name, sort], sort


class StopFit(Exception):
    pass


@pytest.mark.parametrize("name", ["causal", "arf"])
def test_the_caller_can_stop_a_fit(name):

    def stop(fraction: float, sentence: str) -> None:
        assert 0.0 <= fraction <= 1.0
        assert sentence
        raise StopFit

    table = TABLES["numeric"]()
    with pytest.raises(StopFit):
        make(name, table).fit(table, stop)


def test_kinds_of_the_example_tables_cover_all_kinds_a_frame_can_hold():
    seen = {kind for make_table in TABLES.values() for kind in make_table().kinds.values()}
    assert seen == {kind for kind in Kind if kind.is_number or kind.is_category}
