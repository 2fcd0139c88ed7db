"""The structural causal model, held against known mechanisms and against dowhy."""

import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalmix_core.errors import CausalMixError, GraphError, MechanismError
from causalmix_core.graph import Edge, Mark, MixedGraph
from causalmix_core.scm import StructuralCausalModel, diagnostics_frame
from causalmix_core.table import Kind, Table

ROOT = Path(__file__).parent.parent.parent


def text(values: object) -> "pd.Series[str]":
    return pd.Series(values, dtype="str")


def linear_chain(rows: int = 800, seed: int = 0) -> Table:
    """x → y = 2x + noise(0.5) → z = yes more often where y is large."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    y = 2 * x + 0.5 * rng.normal(size=rows)
    z = np.where(rng.random(rows) < 1 / (1 + np.exp(-1.5 * y)), "yes", "no")
    kinds = {"z": Kind.BINARY, "x": Kind.NUMERIC, "y": Kind.NUMERIC}
    return Table(pd.DataFrame({"z": text(z), "x": x, "y": y}), kinds, target="z")


CHAIN = nx.DiGraph([("x", "y"), ("y", "z")])


def bidirected(*pairs: tuple[str, str]) -> list[Edge]:
    return [Edge(one, other, Mark.ARROW, Mark.ARROW) for one, other in pairs]


def test_rows_have_the_slope_and_noise_of_the_mechanism_that_made_the_table():
    rows = StructuralCausalModel().fit(linear_chain(), CHAIN).sample(20_000, seed=1)

    fit = stats.linregress(rows["x"], rows["y"])
    assert fit.slope == pytest.approx(2.0, abs=0.1)
    assert np.std(rows["y"] - fit.slope * rows["x"]) == pytest.approx(0.5, abs=0.04)
    steep = rows[rows["y"] > 1]["z"].eq("yes").mean()
    assert steep == pytest.approx(1 / (1 + np.exp(-1.5 * 2.3)), abs=0.06)


def test_columns_that_the_graph_does_not_join_are_independent():
    table = linear_chain()
    rows = StructuralCausalModel().fit(table, nx.DiGraph([("x", "y")])).sample(5_000, seed=1)

    assert abs(stats.pointbiserialr(rows["z"] == "yes", rows["y"]).statistic) < 0.05


def test_a_mixed_graph_a_digraph_and_a_list_of_one_give_the_same_rows():
    table = linear_chain(200)
    mixed = MixedGraph(("x", "y", "z"), (Edge("x", "y"), Edge("y", "z")), "dag")

    rows = [
        StructuralCausalModel().fit(table, graph).sample(50, seed=3)
        for graph in (mixed, CHAIN, [CHAIN])
    ]

    assert rows[0].equals(rows[1])
    assert rows[0].equals(rows[2])


def test_an_undirected_graph_is_completed_first():
    undirected = MixedGraph(
        ("x", "y", "z"),
        (Edge("x", "y", Mark.TAIL, Mark.TAIL), Edge("y", "z", Mark.TAIL, Mark.TAIL)),
        "cpdag",
    )

    rows = StructuralCausalModel().fit(linear_chain(), undirected).sample(3_000, seed=0)

    assert stats.pearsonr(rows["x"], rows["y"]).statistic > 0.9


def test_dowhy_itself_samples_from_the_fitted_model():
    from dowhy import gcm

    table = linear_chain()
    frame = table.frame.assign(x=table.frame["x"].where(np.arange(800) % 5 > 0))
    gappy = table.with_frame(frame)
    model = StructuralCausalModel().fit(gappy, CHAIN)

    dowhy = model.to_dowhy()
    gcm.util.general.set_random_seed(0)
    rows = gcm.draw_samples(dowhy, 5_000)
    gcm.util.general.set_random_seed(0)
    again = gcm.draw_samples(dowhy, 5_000)

    assert isinstance(dowhy, gcm.StructuralCausalModel)
    assert rows.equals(again)
    ours = model.sample(5_000, seed=0)
    assert rows["x"].isna().mean() == pytest.approx(0.2, abs=0.02)
    present = rows.dropna()
    assert stats.pearsonr(present["x"], present["y"]).statistic == pytest.approx(0.97, abs=0.01)
    assert stats.ks_2samp(rows["y"], ours["y"]).pvalue > 0.001
    assert rows["z"].eq("yes").mean() == pytest.approx(ours["z"].eq("yes").mean(), abs=0.04)


def test_dowhy_intervenes_on_the_fitted_model():
    from dowhy import gcm

    dowhy = StructuralCausalModel().fit(linear_chain(), CHAIN).to_dowhy()
    gcm.util.general.set_random_seed(0)

    rows = gcm.interventional_samples(dowhy, {"x": lambda x: 1.0}, num_samples_to_draw=2_000)

    assert rows["y"].mean() == pytest.approx(2.0, abs=0.1)


def test_an_intervention_cuts_causes_and_reaches_effects():
    model = StructuralCausalModel().fit(linear_chain(), CHAIN)

    rows = model.sample(4_000, seed=0, do={"y": 3.0})

    assert (rows["y"] == 3.0).all()
    assert rows["x"].std() == pytest.approx(1.0, abs=0.06)
    assert rows["z"].eq("yes").mean() > 0.95
    assert set(model.sample(5, do={"z": "no"})["z"]) == {"no"}
    with pytest.raises(MechanismError, match="no value 'perhaps'"):
        model.sample(5, do={"z": "perhaps"})
    with pytest.raises(MechanismError, match="'w' is not a column"):
        model.sample(5, do={"w": 1})


def test_rows_of_a_wanted_class_have_the_causes_that_lead_to_it():
    table = linear_chain(2_000)
    model = StructuralCausalModel().fit(table, CHAIN)

    wanted = model.sample(2_000, seed=0, balance={"yes": 1.0})
    free = model.sample(20_000, seed=1)

    assert set(wanted["z"]) == {"yes"}
    matching = free[free["z"] == "yes"]
    assert stats.ks_2samp(wanted["x"], matching["x"]).pvalue > 0.001
    assert stats.ks_2samp(wanted["y"], matching["y"]).pvalue > 0.001


def test_rows_of_a_class_too_rare_to_wait_for_come_all_the_same():
    rng = np.random.default_rng(0)
    rows = 1_000
    z = np.repeat(["often", "never seen twice"], [rows - 1, 1])
    x = np.append(rng.normal(size=rows - 1), 4.0)
    kinds = {"x": Kind.NUMERIC, "z": Kind.BINARY, "w": Kind.NUMERIC}
    table = Table(pd.DataFrame({"x": x, "z": text(z), "w": rng.normal(size=rows)}), kinds, "z")
    model = StructuralCausalModel().fit(table, nx.DiGraph([("x", "z"), ("z", "w")]))

    drawn = model.sample(5_000, seed=0, balance={"never seen twice": 1.0})

    assert set(drawn["z"]) == {"never seen twice"}
    assert drawn["w"].nunique() > 100


@pytest.mark.parametrize("directed", [(), (Edge("a", "y"),), (Edge("y", "a"),)])
def test_rows_of_a_rare_class_keep_the_hidden_common_cause(directed):
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=1_000)
    y = np.where(hidden > np.sort(hidden)[-10], "ill", "well")
    frame = pd.DataFrame(
        {"a": rng.normal(size=1_000), "x": hidden + 0.3 * rng.normal(size=1_000), "y": text(y)}
    )
    kinds = {"a": Kind.NUMERIC, "x": Kind.NUMERIC, "y": Kind.BINARY}
    graph = MixedGraph(("a", "x", "y"), (*directed, *bidirected(("x", "y"))), "admg")
    model = StructuralCausalModel().fit(Table(frame, kinds, target="y"), graph)

    drawn = model.sample(1_000, seed=0, balance={"ill": 0.5, "well": 0.5})

    real = frame["x"][frame["y"] == "ill"].mean()
    assert drawn["x"][drawn["y"] == "ill"].mean() == pytest.approx(real, abs=0.5)


def test_nodes_with_a_hidden_common_cause_move_together():
    rng = np.random.default_rng(0)
    rows = 1_500
    hidden = rng.normal(size=rows)
    a = rng.normal(size=rows)
    b = a + hidden + 0.5 * rng.normal(size=rows)
    c = np.where(hidden + 0.5 * rng.normal(size=rows) > 0, "up", "down")
    kinds = {"a": Kind.NUMERIC, "b": Kind.NUMERIC, "c": Kind.BINARY}
    table = Table(pd.DataFrame({"a": a, "b": b, "c": text(c)}), kinds)
    plain = MixedGraph(("a", "b", "c"), (Edge("a", "b"),), "dag")
    admg = MixedGraph(("a", "b", "c"), (Edge("a", "b"), *bidirected(("b", "c"))), "admg")

    def dependence(rows: pd.DataFrame) -> float:
        rest = rows["b"] - rows["a"]
        return float(stats.pointbiserialr(rows["c"] == "up", rest).statistic)

    model = StructuralCausalModel().fit(table, admg)
    without = StructuralCausalModel().fit(table, plain).sample(5_000, seed=0)

    assert dependence(model.sample(5_000, seed=0)) == pytest.approx(
        dependence(table.frame), abs=0.05
    )
    assert abs(dependence(without)) < 0.05
    from dowhy import gcm

    gcm.util.general.set_random_seed(0)
    drawn = gcm.draw_samples(model.to_dowhy(), 5_000)
    assert dependence(drawn) == pytest.approx(dependence(table.frame), abs=0.05)


def test_values_that_are_missing_together_stay_missing_together():
    rng = np.random.default_rng(0)
    rows = 1_000
    gone = rng.random(rows) < 0.3
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    a[gone] = b[gone] = np.nan
    frame = pd.DataFrame({"a": a, "b": b, "c": rng.normal(size=rows)})
    table = Table(frame, dict.fromkeys("abc", Kind.NUMERIC))

    drawn = StructuralCausalModel().fit(table, nx.DiGraph([("c", "b")])).sample(4_000, seed=0)

    assert drawn["a"].isna().mean() == pytest.approx(gone.mean(), abs=0.03)
    assert (drawn["a"].isna() == drawn["b"].isna()).mean() > 0.95


def test_missingness_follows_the_parent_that_decides_it():
    rng = np.random.default_rng(0)
    asked = rng.choice(["yes", "no"], size=600)
    answer = np.where(asked == "yes", rng.normal(size=600), np.nan)
    kinds = {"asked": Kind.BINARY, "answer": Kind.NUMERIC}
    table = Table(pd.DataFrame({"asked": text(asked), "answer": answer}), kinds)

    rows = StructuralCausalModel().fit(table, nx.DiGraph([("asked", "answer")])).sample(2_000)

    assert rows["answer"].isna().groupby(rows["asked"]).mean()["no"] > 0.95
    assert rows["answer"].isna().groupby(rows["asked"]).mean()["yes"] < 0.05


def test_effects_keep_their_spread_where_a_cause_is_missing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2_000)
    y = 3 * x + 0.3 * rng.normal(size=2_000)
    x[rng.random(2_000) < 0.3] = np.nan
    table = Table(pd.DataFrame({"x": x, "y": y}), dict.fromkeys("xy", Kind.NUMERIC))

    rows = StructuralCausalModel().fit(table, nx.DiGraph([("x", "y")])).sample(10_000, seed=0)

    assert rows["y"].std() == pytest.approx(y.std(), rel=0.05)
    assert rows["y"][rows["x"].isna()].std() == pytest.approx(y.std(), rel=0.1)
    present = rows.dropna()
    assert np.std(present["y"] - 3 * present["x"]) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("rows", [200, 1_000])
def test_drawn_columns_spread_as_real_ones_down_a_chain(rows):
    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        a = rng.normal(size=rows)
        b = np.sin(2 * a) + 0.5 * rng.normal(size=rows)
        c = b**2 + a + 0.7 * rng.normal(size=rows)
        d = np.exp(0.4 * c + 0.3 * rng.normal(size=rows))
        frame = pd.DataFrame({"a": a, "b": b, "c": c, "d": d})
        table = Table(frame, dict.fromkeys("abcd", Kind.NUMERIC))
        graph = nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
        drawn = StructuralCausalModel().fit(table, graph).sample(5_000, seed=seed)
        quartiles = drawn.quantile([0.25, 0.75]).diff().iloc[1]
        ratios.append(quartiles / frame.quantile([0.25, 0.75]).diff().iloc[1])
    assert pd.concat(ratios, axis=1).mean(axis=1).to_numpy() == pytest.approx(1.0, abs=0.1)


def test_skewed_positive_columns_stay_positive_and_skewed():
    rng = np.random.default_rng(0)
    x = rng.normal(size=800)
    income = np.exp(8 + 0.8 * x + 0.5 * rng.normal(size=800))
    table = Table(
        pd.DataFrame({"x": x, "income": income}), dict.fromkeys(["x", "income"], Kind.NUMERIC)
    )
    model = StructuralCausalModel().fit(table, nx.DiGraph([("x", "income")]))

    rows = model.sample(5_000, seed=0)

    assert rows["income"].min() >= income.min()
    assert stats.ks_2samp(rows["income"], income).statistic < 0.05
    assert "log scale" in model.diagnostics[1].mechanism


def test_a_share_of_zeros_is_kept():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1_000)
    gain = np.where(x + rng.normal(size=1_000) > 1, np.round(rng.gamma(2, 500, size=1_000)), 0.0)
    table = Table(
        pd.DataFrame({"x": x, "gain": gain.astype("int64")}),
        {"x": Kind.NUMERIC, "gain": Kind.INTEGER},
    )

    rows = StructuralCausalModel().fit(table, nx.DiGraph([("x", "gain")])).sample(5_000, seed=0)

    assert (rows["gain"] == 0).mean() == pytest.approx((gain == 0).mean(), abs=0.03)
    poor = rows["x"] < 0
    assert (rows["gain"][poor] == 0).mean() == pytest.approx((gain[x < 0] == 0).mean(), abs=0.05)


def test_uneven_noise_is_reproduced_and_named():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, size=1_500)
    y = x + np.exp(0.8 * x) * 0.3 * rng.normal(size=1_500)
    table = Table(pd.DataFrame({"x": x, "y": y}), dict.fromkeys("xy", Kind.NUMERIC))
    model = StructuralCausalModel().fit(table, nx.DiGraph([("x", "y")]))

    rows = model.sample(10_000, seed=0)

    rest = (rows["y"] - rows["x"]).abs()
    low, high = rest[rows["x"] < -1].median(), rest[rows["x"] > 1].median()
    real = np.abs(y - x)
    assert low == pytest.approx(np.median(real[x < -1]), rel=0.25)
    assert high == pytest.approx(np.median(real[x > 1]), rel=0.25)
    assert any("do not scatter alike" in one for one in model.diagnostics[1].warnings)


def test_trees_are_used_where_they_are_clearly_better_and_only_there():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-2, 2, size=(2, 1_500))
    steps = np.floor(2 * a) * np.sign(b) + 0.3 * rng.normal(size=1_500)
    line = a + b + 0.3 * rng.normal(size=1_500)
    frame = pd.DataFrame({"a": a, "b": b, "steps": steps, "line": line})
    table = Table(frame, dict.fromkeys(frame.columns, Kind.NUMERIC))
    edges = [(cause, effect) for cause in "ab" for effect in ("steps", "line")]

    found = {
        one.node: one for one in StructuralCausalModel().fit(table, nx.DiGraph(edges)).diagnostics
    }

    assert found["steps"].mechanism == "boosted trees"
    assert found["steps"].score > 0.9
    assert found["line"].mechanism == "linear"
    assert found["line"].sentence == "a, b → line: linear, R² 0.97, 1,500 rows"
    assert found["a"].sentence == "a: its own distribution, 1,500 rows"


def test_a_dependence_that_the_mechanism_misses_is_reported():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = np.abs(x) * 3 + 0.05 * rng.normal(size=50)  # too few rows for a curve
    table = Table(pd.DataFrame({"x": x, "y": y}), dict.fromkeys("xy", Kind.NUMERIC))

    diagnostics = StructuralCausalModel().fit(table, nx.DiGraph([("x", "y")])).diagnostics

    assert diagnostics[1].independence["x"] < 0.001
    assert "still depends on x" in " ".join(diagnostics[1].warnings)
    frame = diagnostics_frame(diagnostics)
    assert list(frame["node"]) == ["x", "y"]


def test_smoothed_roots_are_no_copies_and_empirical_ones_are():
    table = linear_chain(300)
    real = set(table.frame["x"])

    smoothed = StructuralCausalModel().fit(table, CHAIN).sample(300, seed=0)
    empirical = StructuralCausalModel(roots="empirical").fit(table, CHAIN).sample(300, seed=0)

    assert len(real & set(smoothed["x"])) < 10
    assert set(empirical["x"]) <= real
    assert stats.ks_2samp(smoothed["x"], table.frame["x"]).pvalue > 0.01


def test_each_graph_of_an_ensemble_makes_an_equal_share_of_balanced_rows():
    rng = np.random.default_rng(0)
    group = np.arange(400) % 10
    frame = pd.DataFrame({"x": group + 0.1 * rng.normal(size=400), "g": text(group)})
    table = Table(frame, {"x": Kind.NUMERIC, "g": Kind.CATEGORICAL}, target="g")
    joined, apart = nx.DiGraph([("g", "x")]), nx.DiGraph()
    apart.add_nodes_from(["x", "g"])
    model = StructuralCausalModel().fit(table, [joined] * 5 + [apart] * 5)

    rows = model.sample(40, seed=0, balance={str(level): 0.1 for level in range(10)})

    assert (rows["g"].value_counts() == 4).all()
    follows = (rows["x"] - rows["g"].astype(int)).abs() < 0.5
    # half of the rows follow their group; of the others one in ten does so by chance
    assert 20 <= follows.sum() <= 27


def test_an_ensemble_mixes_its_graphs_and_shares_their_mechanisms():
    table = linear_chain(500)
    with_edge, without = CHAIN, nx.DiGraph([("y", "z")])
    without.add_node("x")
    fitted: list[str] = []
    model = StructuralCausalModel().fit(
        table, [with_edge, without, with_edge, with_edge], lambda _, words: fitted.append(words)
    )

    rows = model.sample(8_000, seed=0)

    full = stats.pearsonr(table.frame["x"], table.frame["y"]).statistic
    assert stats.pearsonr(rows["x"], rows["y"]).statistic == pytest.approx(0.75 * full, abs=0.05)
    assert fitted.count("Learning how z is made") == 1
    weights = {(one.node, one.parents): one.weight for one in model.diagnostics}
    assert weights["y", ("x",)] == 0.75
    assert weights["y", ()] == 0.25
    assert len(model.sample(7, seed=1)) == 7


def test_an_edited_edge_refits_only_the_node_whose_causes_changed():
    table = linear_chain(400, seed=11)
    StructuralCausalModel().fit(table, CHAIN)
    fitted: list[str] = []

    StructuralCausalModel().fit(
        table,
        nx.DiGraph([("x", "y"), ("y", "z"), ("x", "z")]),
        lambda _, words: fitted.append(words),
    )

    assert fitted == ["Learning how every column is made", "Learning how z is made"]


def test_other_rows_are_never_mistaken_for_remembered_ones():
    graph = nx.DiGraph([("x", "y"), ("y", "z")])
    one = StructuralCausalModel().fit(linear_chain(100, seed=1), graph).sample(5, seed=0)
    other = StructuralCausalModel().fit(linear_chain(100, seed=2), graph).sample(5, seed=0)

    assert not one.equals(other)


def test_the_number_of_threads_changes_nothing():
    rows = []
    for threads, table in ((1, linear_chain(300, 5)), (2, linear_chain(300, 5))):
        from causalmix_core.scm import model

        model._cache.clear()
        rows.append(StructuralCausalModel(threads=threads).fit(table, CHAIN).sample(50, seed=0))

    assert rows[0].equals(rows[1])


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
from test_model import CHAIN, StructuralCausalModel, linear_chain
print(StructuralCausalModel().fit(linear_chain(), CHAIN).sample(40, seed=9).to_csv())
"""


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    script = SCRIPT.format(root=str(ROOT), here=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    here = StructuralCausalModel().fit(linear_chain(), CHAIN).sample(40, seed=9).to_csv()

    assert done.stdout == here + "\n"


def test_global_random_state_is_neither_used_nor_changed():
    table = linear_chain(100)
    np.random.seed(1)  # noqa: NPY002
    first = StructuralCausalModel().fit(table, CHAIN).sample(20, seed=0)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    second = StructuralCausalModel().fit(table, CHAIN).sample(20, seed=0)
    np.random.seed(1)  # noqa: NPY002

    assert first.equals(second)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_graphs_that_cannot_be_are_refused_with_the_name_of_the_node():
    table = linear_chain(50)

    with pytest.raises(GraphError, match=r"'w'.*not a column"):
        StructuralCausalModel().fit(table, nx.DiGraph([("w", "y")]))
    with pytest.raises(GraphError, match="cycle"):
        StructuralCausalModel().fit(table, nx.DiGraph([("x", "y"), ("y", "z"), ("z", "x")]))
    with pytest.raises(MechanismError, match="at least one"):
        StructuralCausalModel().fit(table, [])
    with pytest.raises(MechanismError, match="at least 3 rows"):
        StructuralCausalModel().fit(table.take([0, 1]), CHAIN)
    with pytest.raises(MechanismError, match="good, better or best"):
        StructuralCausalModel(quality="splendid").fit(table, CHAIN)
    with pytest.raises(MechanismError, match="Fit"):
        StructuralCausalModel().sample(3)


def test_stopping_from_the_progress_callback_stops_the_fit():
    class StopFit(Exception):
        pass

    seen: list[float] = []

    def stop(fraction: float, sentence: str) -> None:
        seen.append(fraction)
        if len(seen) == 2:
            raise StopFit

    with pytest.raises(StopFit):
        StructuralCausalModel().fit(linear_chain(90, seed=21), CHAIN, stop)
    assert len(seen) == 2


def test_progress_names_the_column_and_leaves_figures_to_the_diagnostics():
    told: list[str] = []
    table = linear_chain(90, seed=23)
    StructuralCausalModel().fit(table, CHAIN, lambda fraction, sentence: told.append(sentence))
    for name in table.columns:
        assert f"Learning how {name} is made" in told
    assert not [sentence for sentence in told if "→" in sentence or "R²" in sentence]


def test_best_tries_autogluon_or_says_that_it_is_not_there():
    from causalmix_core.scm.selection import has_autogluon

    table = linear_chain(160, seed=5)
    model = StructuralCausalModel(quality="best").fit(table, CHAIN)

    assert [note for note in model.notes_ if "AutoGluon" in note] == list(model.notes_)
    assert bool(model.notes_) != has_autogluon()
    better = StructuralCausalModel(quality="better").fit(table, CHAIN)
    assert model.diagnostics[2].score >= better.diagnostics[2].score
    assert len(model.sample(5)) == 5


def test_better_looks_harder_than_good():
    rng = np.random.default_rng(1)
    a, b, c = rng.uniform(-2, 2, size=(3, 250))
    y = np.where(a * b * c > 0, 2.0, -2.0) + 0.2 * rng.normal(size=250)
    frame = pd.DataFrame({"a": a, "b": b, "c": c, "y": y})
    table = Table(frame, dict.fromkeys("abcy", Kind.NUMERIC))
    graph = nx.DiGraph([("a", "y"), ("b", "y"), ("c", "y")])

    good = StructuralCausalModel("good").fit(table, graph).diagnostics[3]
    better = StructuralCausalModel("better").fit(table, graph).diagnostics[3]

    assert better.score > good.score
    assert better.mechanism in ("boosted trees", "random forest")


@pytest.mark.parametrize("rows", [3, 5, 8, 13])
def test_tables_of_very_few_rows_work(rows):
    table = linear_chain(rows, seed=4)

    drawn = StructuralCausalModel().fit(table, CHAIN).sample(20, seed=0)

    assert len(drawn) == 20
    assert drawn.dtypes.equals(table.frame.dtypes)


def test_columns_that_say_nothing_work():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "constant": text(["same"] * 40),
            "empty": np.full(40, np.nan),
            "flat": np.ones(40),
            "nothing": text([np.nan] * 40),
            "x": rng.normal(size=40),
        }
    )
    kinds = {
        "constant": Kind.CATEGORICAL,
        "empty": Kind.NUMERIC,
        "flat": Kind.NUMERIC,
        "nothing": Kind.CATEGORICAL,
        "x": Kind.NUMERIC,
    }
    table = Table(frame, kinds)
    graph = nx.DiGraph()
    nx.add_path(graph, frame.columns)

    rows = StructuralCausalModel().fit(table, graph).sample(30, seed=0)

    assert set(rows["constant"]) == {"same"}
    assert rows["empty"].isna().all()
    assert (rows["flat"] == 1).all()
    assert rows["nothing"].isna().all()
    assert rows.dtypes.equals(frame.dtypes)


def test_rare_levels_of_a_category_stay_alive():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1_000)
    level = rng.choice(
        [f"level {i}" for i in range(40)], size=1_000, p=np.r_[[0.6], [0.4 / 39] * 39]
    )
    table = Table(
        pd.DataFrame({"x": x, "level": text(level)}), {"x": Kind.NUMERIC, "level": Kind.CATEGORICAL}
    )

    rows = StructuralCausalModel().fit(table, nx.DiGraph([("x", "level")])).sample(5_000, seed=0)

    assert set(rows["level"]) == set(level)


def test_whatever_goes_wrong_names_the_node(monkeypatch):
    from causalmix_core.scm import assignment

    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(assignment, "assign_category", fail)
    with pytest.raises(CausalMixError, match="'z' could not be fitted"):
        StructuralCausalModel().fit(linear_chain(70, seed=31), CHAIN)


def test_residual_plots_are_in_the_columns_own_units():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    level = np.round(1_000 + 10 * x + rng.normal(size=200)).astype("int64")
    first = pd.Timestamp("2020-01-01")
    day = first + pd.to_timedelta(np.round(100 + 20 * x + rng.normal(size=200)), unit="D")
    frame = pd.DataFrame({"x": x, "level": level, "day": day.astype("datetime64[us]")})
    kinds = {"x": Kind.NUMERIC, "level": Kind.INTEGER, "day": Kind.DATETIME}
    graph = nx.DiGraph([("x", "level"), ("x", "day")])

    _, level_found, day_found = StructuralCausalModel().fit(Table(frame, kinds), graph).diagnostics

    assert level_found.predicted.mean() == pytest.approx(1_000, abs=5)
    assert 0.5 < day_found.residual.std() < 2
    as_json = level_found.to_dict()
    assert as_json["sentence"] == level_found.sentence
    assert len(as_json["residual"]) == 200


def test_a_value_that_many_rows_share_stays_as_frequent_where_its_causes_make_it():
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    paid = rng.random(300) < 1 / (1 + np.exp(-2 * x))
    bonus = np.where(paid, np.exp(5 + 0.5 * x + 0.3 * rng.normal(size=300)), 0.0)
    kinds = {"x": Kind.NUMERIC, "bonus": Kind.NUMERIC}
    table = Table(pd.DataFrame({"x": x, "bonus": bonus}), kinds)
    rows = StructuralCausalModel().fit(table, nx.DiGraph([("x", "bonus")])).sample(10_000, seed=0)

    none = rows["bonus"] == 0
    assert none.mean() == pytest.approx((bonus == 0).mean(), abs=0.04)
    assert none[rows["x"] > 1].mean() < 0.3
    assert none[rows["x"] < -1].mean() > 0.7
    # Nothing lies in the gap between no bonus and the least one.
    assert rows["bonus"][~none].min() >= bonus[paid].min()


@pytest.mark.parametrize("seed", range(6))
def test_whole_numbers_of_few_values_keep_their_shares_under_each_cause(seed):
    rng = np.random.default_rng(seed)
    pain = rng.random(120) < 0.4
    with_pain = rng.choice(4, 120, p=[0, 0.06, 0.14, 0.8])
    without = rng.choice(4, 120, p=[0.1, 0.25, 0.4, 0.25])
    level = np.where(pain, with_pain, without)
    frame = pd.DataFrame({"pain": text(np.where(pain, "yes", "no")), "level": level + 1})
    table = Table(frame, {"pain": Kind.BINARY, "level": Kind.INTEGER})
    graph = nx.DiGraph([("pain", "level")])
    rows = StructuralCausalModel().fit(table, graph).sample(5_000, seed=0)
    for given in ("yes", "no"):
        real = frame["level"][frame["pain"] == given].value_counts(normalize=True)
        drawn = rows["level"][rows["pain"] == given].value_counts(normalize=True)
        apart = real.sub(drawn, fill_value=0).abs().sum() / 2
        assert apart < 0.15, f"{given}: {apart:.2f}"
