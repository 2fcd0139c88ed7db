"""What each generator is for, held against what is known of its rows."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalmix_core.augment import generator
from causalmix_core.errors import CausalMixError, GeneratorError
from causalmix_core.graph import Edge, Mark, MixedGraph, PairFrequencies
from causalmix_core.table import Kind, Table


def correlated(rows: int = 400, seed: int = 0) -> Table:
    """Two correlated numbers, a category that follows them, a target."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=rows)
    b = 0.8 * a + 0.6 * rng.normal(size=rows)
    c = np.where(a + 0.5 * rng.normal(size=rows) > 0, "high", "low")
    y = np.where(b + rng.normal(size=rows) > 0.8, "ill", "well")
    frame = pd.DataFrame(
        {"a": a, "b": b, "c": pd.Series(c, dtype="str"), "y": pd.Series(y, dtype="str")}
    )
    kinds = {"a": Kind.NUMERIC, "b": Kind.NUMERIC, "c": Kind.BINARY, "y": Kind.BINARY}
    return Table(frame, kinds, target="y")


def correlation(rows: pd.DataFrame) -> float:
    return float(stats.pearsonr(rows["a"], rows["b"]).statistic)


@pytest.mark.parametrize("name", ["arf", "gaussian-copula", "smote", "mixup", "bootstrap"])
def test_dependence_between_columns_is_kept(name):
    table = correlated()
    rows = generator(name).fit(table).sample(3_000, seed=0)

    assert correlation(rows) == pytest.approx(correlation(table.frame), abs=0.12)
    high = rows.groupby("c")["a"].mean()
    real = table.frame.groupby("c")["a"].mean()
    assert high["high"] - high["low"] == pytest.approx(real["high"] - real["low"], abs=0.35)
    ill = rows.groupby("y")["b"].mean()
    assert ill["ill"] - ill["well"] > 0.5


def test_independent_columns_keep_their_marginals_and_nothing_else():
    table = correlated()
    rows = generator("independent").fit(table).sample(3_000, seed=0)

    assert abs(correlation(rows)) < 0.06
    assert stats.ks_2samp(rows["a"], table.frame["a"]).statistic < 0.05


def test_bootstrap_rows_are_real_rows():
    table = correlated()
    rows = generator("bootstrap").fit(table).sample(100, seed=0)

    assert len(rows.merge(table.frame.drop_duplicates(), how="inner")) == 100


def test_tableaugment_keeps_at_least_the_wanted_share_of_features():
    table = correlated()
    kept = generator("tableaugment", least=1.0).fit(table).sample(200, seed=0)
    mixed = generator("tableaugment", least=0.0).fit(table).sample(2_000, seed=0)

    assert len(kept.merge(table.frame.drop_duplicates(), how="inner")) == 200
    assert 0.1 < correlation(mixed) < 0.6


@pytest.mark.parametrize(("alpha", "factor"), [(0.2, 1.2 / 1.4), (1.0, 2 / 3)])
def test_mixup_shrinks_the_variance_as_theory_says(alpha, factor):
    table = correlated(2_000)

    classic = generator("mixup", alpha=alpha).fit(table).sample(20_000, seed=0)
    kept = (
        generator("mixup", alpha=alpha, variant="variance-preserving")
        .fit(table)
        .sample(20_000, seed=0)
    )

    real = table.frame["a"].var()
    assert classic["a"].var() / real == pytest.approx(factor, abs=0.04)
    assert kept["a"].var() / real == pytest.approx(1.0, abs=0.05)


def test_same_class_mixup_never_leaves_its_class():
    rng = np.random.default_rng(0)
    x = np.r_[rng.uniform(0, 1, 50), rng.uniform(10, 11, 50)]
    y = np.repeat(["left", "right"], 50)
    frame = pd.DataFrame({"x": x, "y": pd.Series(y, dtype="str")})
    table = Table(frame, {"x": Kind.NUMERIC, "y": Kind.BINARY}, target="y")

    same = generator("mixup", alpha=1.0, variant="same-class").fit(table).sample(500, seed=0)
    classic = generator("mixup", alpha=1.0).fit(table).sample(500, seed=0)

    assert not same["x"].between(1.01, 9.99).any()
    assert classic["x"].between(1.01, 9.99).any()
    assert (same["x"].gt(5) == same["y"].eq("right")).all()


def test_smote_rows_lie_between_real_rows_of_their_class():
    rng = np.random.default_rng(0)
    points = np.r_[rng.uniform(0, 1, (30, 2)), rng.uniform(5, 6, (30, 2))]
    y = np.repeat(["near", "far"], 30)
    frame = pd.DataFrame(
        {"p": points[:, 0], "q": points[:, 1] * 1_000, "y": pd.Series(y, dtype="str")}
    )
    kinds = {"p": Kind.NUMERIC, "q": Kind.NUMERIC, "y": Kind.BINARY}
    rows = generator("smote").fit(Table(frame, kinds, target="y")).sample(300, seed=0)

    assert (rows["p"].gt(3) == rows["y"].eq("far")).all()
    assert (rows["q"].gt(3_000) == rows["y"].eq("far")).all()
    assert not rows["p"].between(1.01, 4.99).any()


def test_smote_rounds_whole_numbers_and_does_not_cut_them_off():
    rng = np.random.default_rng(0)
    count = rng.integers(0, 40, size=400)
    y = np.where(rng.random(400) < 0.5, "yes", "no")
    frame = pd.DataFrame({"count": count, "y": pd.Series(y, dtype="str")})
    table = Table(frame, {"count": Kind.INTEGER, "y": Kind.BINARY}, target="y")

    rows = generator("smote", neighbours=40).fit(table).sample(20_000, seed=0)

    assert rows["count"].dtype == "int64"
    # cut off instead of rounded, the mean would be lower by about a half
    assert rows["count"].mean() == pytest.approx(count.mean(), abs=0.2)


@pytest.mark.parametrize("name", ["borderline-smote", "adasyn"])
def test_border_methods_prefer_rows_near_the_other_class(name):
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(0, 1, 300), rng.normal(2, 1, 100)]
    y = np.repeat(["many", "few"], [300, 100])
    frame = pd.DataFrame({"x": x, "z": rng.normal(size=400), "y": pd.Series(y, dtype="str")})
    kinds = {"x": Kind.NUMERIC, "z": Kind.NUMERIC, "y": Kind.BINARY}
    table = Table(frame, kinds, target="y")

    few = {
        method: generator(method).fit(table).sample(600, seed=0, balance={"few": 1.0})["x"].mean()
        for method in (name, "smote")
    }

    assert few[name] < few["smote"] - 0.2


def test_border_methods_say_when_there_is_no_border():
    frame = pd.DataFrame({"x": np.r_[np.arange(20.0), np.arange(1_000.0, 1_020.0)]}).assign(
        y=pd.Series(["a"] * 20 + ["b"] * 20, dtype="str")
    )
    table = Table(frame, {"x": Kind.NUMERIC, "y": Kind.BINARY}, target="y")

    for name in ("borderline-smote", "adasyn"):
        with pytest.raises(GeneratorError, match="no row near the border"):
            generator(name).fit(table)


def test_the_copula_draws_other_columns_given_the_class():
    table = correlated(2_000)
    made = generator("gaussian-copula").fit(table)

    ill = made.sample(3_000, seed=0, balance={"ill": 1.0})["b"]
    free = made.sample(20_000, seed=1)

    assert stats.ks_2samp(ill, free[free["y"] == "ill"]["b"]).statistic < 0.04


@pytest.mark.parametrize("gone", [0.0, 0.3, 0.7])
def test_the_copula_keeps_the_correlation_of_columns_that_are_missing_together(gone):
    rng = np.random.default_rng(0)
    a = rng.normal(size=3_000)
    frame = pd.DataFrame({"a": a, "b": 0.4 * a + 0.9 * rng.normal(size=3_000)})
    frame.loc[rng.random(3_000) < gone, ["a", "b"]] = np.nan
    table = Table(frame, dict.fromkeys("ab", Kind.NUMERIC))

    rows = generator("gaussian-copula").fit(table).sample(20_000, seed=0)

    assert rows["a"].corr(rows["b"]) == pytest.approx(frame["a"].corr(frame["b"]), abs=0.06)


def test_the_forest_learns_what_a_correlation_cannot_say():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 600)
    ring = np.c_[np.cos(angle), np.sin(angle)] + 0.05 * rng.normal(size=(600, 2))
    table = Table(pd.DataFrame(ring, columns=["a", "b"]), {"a": Kind.NUMERIC, "b": Kind.NUMERIC})

    radius = {
        name: np.hypot(rows["a"], rows["b"])
        for name in ("arf", "gaussian-copula")
        for rows in [generator(name).fit(table).sample(1_000, seed=0)]
    }

    assert (radius["arf"] < 0.6).mean() < 0.1
    assert (radius["gaussian-copula"] < 0.6).mean() > 0.1


def test_forest_rows_are_no_copies():
    table = correlated()
    rows = generator("arf").fit(table).sample(400, seed=0)

    assert len(rows.merge(table.frame, on=["a", "b"], how="inner")) == 0


def test_the_causal_generator_discovers_a_graph_where_none_is_given():
    table = correlated(300)
    made = generator("causal", discovery={"bootstraps": 2}).fit(table)

    assert isinstance(made.graph_, MixedGraph)
    assert set(made.graph_.nodes) == set(table.columns)
    assert made.graph_.edges
    assert correlation(made.sample(2_000, seed=0)) > 0.5
    again = generator("causal", discovery={"bootstraps": 2}).fit(table)
    assert again.sample(20, seed=0).equals(made.sample(20, seed=0))


def test_open_edges_become_an_ensemble_and_a_dag_stays_one():
    table = correlated(300)
    open_edge = MixedGraph(
        ("a", "b", "c", "y"),
        (Edge("a", "b", Mark.TAIL, Mark.TAIL), Edge("b", "y")),
        "mixed",
        pairs=(
            PairFrequencies("a", "b", {"tail-arrow": 0.5, "arrow-tail": 0.5}),
            PairFrequencies("b", "y", {"tail-arrow": 1.0}),
        ),
    )
    dag = MixedGraph(("a", "b", "c", "y"), (Edge("a", "b"), Edge("b", "y")), "dag")

    mixture = generator("causal", graph=open_edge, dags=12).fit(table).scm_
    single = generator("causal", graph=dag, dags=12).fit(table).scm_

    assert len(mixture.structures_) == 12
    assert {structure.parents["b"] for structure in mixture.structures_} == {("a",), ()}
    assert len(single.structures_) == 1


def test_a_numeric_target_is_one_more_column():
    table = correlated()
    frame, kinds = table.frame[["a", "c", "b"]], {"a": "numeric", "c": "binary", "b": "numeric"}
    regression = Table(frame, {name: Kind(kind) for name, kind in kinds.items()}, target="b")

    for name, settings in {
        "causal": {"graph": nx.DiGraph([("a", "b"), ("a", "c")])},
        "smote": {},
        "mixup": {},
    }.items():
        rows = generator(name, **settings).fit(regression).sample(1_500, seed=0)
        assert correlation(rows) == pytest.approx(correlation(frame), abs=0.1), name


def test_settings_out_of_range_are_refused():
    table = correlated(50)
    for name, settings in {
        "mixup": {"alpha": 0.0},
        "smote": {"neighbours": 0},
        "tableaugment": {"least": 1.5},
        "arf": {"leaf": 40},
        "causal": {
            "dags": 0,
            "graph": MixedGraph(("a", "b"), (Edge("a", "b", Mark.TAIL, Mark.TAIL),), "cpdag"),
        },
    }.items():
        with pytest.raises(GeneratorError):
            generator(name, **settings).fit(table)
    with pytest.raises(GeneratorError, match="classic, same-class or variance-preserving"):
        generator("mixup", variant="manifold").fit(table)


def two_clouds(rows: int = 60) -> Table:
    rng = np.random.default_rng(0)
    half = rows // 2
    points = np.r_[rng.normal(-1, 0.4, (half, 2)), rng.normal(1, 0.4, (half, 2))]
    kinds = {"p": Kind.NUMERIC, "q": Kind.NUMERIC, "side": Kind.BINARY, "y": Kind.BINARY}
    frame = pd.DataFrame(
        {
            "p": points[:, 0],
            "q": 50 + 10 * points[:, 1],
            "side": pd.Series(np.resize(["east", "west"], rows), dtype="str"),
            "y": pd.Series(np.repeat(["low", "high"], half), dtype="str"),
        }
    )
    return Table(frame, kinds, target="y")


def test_the_energy_of_a_row_is_low_near_its_class_and_high_towards_the_corners():
    from causalmix_core.foundation.energy import ClassEnergy

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 3))
    energy = ClassEnergy(rows, 5.0, rng)

    near = rng.normal(size=(20, 3))
    far = 5 * near / np.linalg.norm(near, axis=1, keepdims=True)
    x = rng.normal(size=(4, 3))
    slope = energy.slope(x)
    for column in range(3):
        nudge = 0.01 * np.eye(3)[column]
        change = (energy(x + nudge) - energy(x - nudge)) / 0.02
        assert slope[:, column] == pytest.approx(change, abs=0.02)
    assert energy(near).mean() < energy(far).mean()


def test_tabebm_walks_down_the_energy_of_its_class_and_moves_numbers_only():
    table = two_clouds()
    still = generator("tabebm", steps=1, step=0.0, noise=0.0, start=1.0).fit(table)
    walked = generator("tabebm", steps=15, noise=0.0, start=1.0).fit(table)

    one_class = {"low": 1.0}  # whose walks begin at the same rows, however long they are
    before, after = (made.sample(30, seed=0, balance=one_class) for made in (still, walked))

    def energy(rows):
        total = 0.0
        for code, level in enumerate(("high", "low")):
            part = rows[rows["y"] == level]
            columns = [
                (part["p"] - still.middle_["p"]) / still.scale_["p"],
                (part["q"] - still.middle_["q"]) / still.scale_["q"],
                (part["side"] == "west").astype(float),
            ]
            x = (np.column_stack(columns) - still.centre_) / still.size_
            total += still.energies_[code](x).sum()
        return total

    assert energy(after) < energy(before)
    assert before["side"].value_counts().equals(after["side"].value_counts())
    assert "Only numbers were moved" in walked.notes_[0]


def test_tabebm_names_a_model_that_is_not_there(tmp_path):
    with pytest.raises(GeneratorError, match="no model to ask"):
        generator("tabebm", model=str(tmp_path / "none.safetensors")).fit(two_clouds())


def test_the_causal_generator_sets_columns_by_hand_and_says_so():
    table = correlated(300)
    graph = nx.DiGraph([("a", "b"), ("b", "y")])
    made = generator("causal", graph=graph, do={"a": 1.0}).fit(table)

    rows = made.sample(500, seed=0)

    assert (rows["a"] == 1.0).all()
    assert rows["b"].mean() > table.frame["b"].mean() + 0.3
    assert "a was set to 1.0" in made.notes_[0]
    far = generator("causal", graph=graph, do={"a": 1e6})
    with pytest.raises(CausalMixError, match="lies between"):
        far.fit(table)
    ill = generator("causal", graph=graph, do={"y": "ill"}).fit(table)
    assert set(ill.sample(20, seed=0)["y"]) == {"ill"}
    with pytest.raises(GeneratorError, match="set to one value"):
        ill.sample(20, seed=0, balance={"well": 1.0})


def test_one_graph_is_the_open_graphs_own_completion():
    table = correlated(200)
    graph = MixedGraph(
        ("a", "b", "c", "y"), (Edge("a", "b", Mark.CIRCLE, Mark.CIRCLE), Edge("b", "y")), "pag"
    )

    one = generator("causal", graph=graph, dags=1).fit(table)
    own = generator("causal", graph=graph.to_dag()).fit(table)

    assert one.sample(30, seed=0).equals(own.sample(30, seed=0))
