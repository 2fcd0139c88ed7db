"""A run from end to end on a tiny network: comparable, repeatable, free of leaks, resumable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import causalmix_core as cm
from causalmix_core.errors import Cancelled, RunError, TableError
from causalmix_core.finetune import METHODS, Mixing, Settings, Stopping
from causalmix_core.finetune import run as run_module
from causalmix_core.finetune.run import TIMES, finetune
from causalmix_core.foundation import checkpoint
from causalmix_core.foundation._tabpfn import TableEncoder, build_network, classifier
from tests.finetune.tiny import small_table

QUICK = Settings(
    steps=8,
    evaluate_every=2,
    learning_rate=1e-2,
    curve_rows=30,
    stopping=Stopping(patience=0),
)


@pytest.fixture(scope="module")
def splits():
    return cm.split(small_table(200, 5), train_rows=90, seed=0)


def _run(splits, tiny: Path, method: str = "default", **options):
    options = {"settings": QUICK, "model": tiny, **options}
    return finetune(*splits, method, **options)


def _figures(run) -> dict:
    return {name: value for name, value in run.metrics.items() if name not in TIMES}


def _curve(run, split: str, metric: str) -> pd.Series:
    points = run.curves[(run.curves["split"] == split) & (run.curves["metric"] == metric)]
    return points.set_index("step")["value"]


def _deterministic(curves: pd.DataFrame) -> pd.DataFrame:
    return curves[curves["metric"] != "seconds"].reset_index(drop=True)


def test_the_module_is_the_verb(splits, tiny: Path):
    run = cm.finetune(*splits, method="none", seed=0, model=tiny, settings=QUICK)
    assert run.metrics["method"] == "none"
    assert cm.finetune.METHODS["none"].trains is False


def test_none_is_the_model_as_it_is(splits, tiny: Path):
    run = _run(splits, tiny, "none")
    assert run.metrics["steps"] == run.metrics["best_step"] == 0
    assert set(run.curves["step"]) == {0}
    encoder = TableEncoder.fit(splits[0])
    theirs = classifier(tiny, encoder, n_estimators=QUICK.estimators, seed=0, device="cpu")
    theirs.fit(encoder.transform(splits[0].frame), encoder.labels(splits[0].frame))
    expected = theirs.predict_proba(encoder.transform(splits[2].frame))
    assert run.diagnosis["classes"] == ["a", "b"]
    right = np.trace(run.diagnosis["confusion"]) / np.sum(run.diagnosis["confusion"])
    assert right == pytest.approx(run.metrics["accuracy_test"])
    found = run.model.predict(splits[2])[["probability_a", "probability_b"]].to_numpy()
    assert found == pytest.approx(expected, abs=1e-6)
    assert run.model.weights is None


def test_training_lowers_the_loss_and_is_measured_at_every_step(splits, tiny: Path):
    run = _run(splits, tiny, settings=replace(QUICK, steps=30, evaluate_every=10))
    losses = _curve(run, "train", "loss")
    assert list(losses.index) == list(range(1, 31))
    assert losses.iloc[-8:].mean() < losses.iloc[:8].mean()
    for split in ("train", "validation", "test"):
        for metric in ("roc_auc", "accuracy", "log_loss", "balanced_accuracy", "pr_auc"):
            assert list(_curve(run, split, metric).index) == [0, 10, 20, 30]
    assert run.metrics["stop_value"] >= run.metrics["stop_value_start"]


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_the_kept_step_is_the_best_on_validation_and_its_figures_are_reported(
    splits, tiny: Path, metric: str
):
    run = _run(splits, tiny, settings=replace(QUICK, stopping=Stopping(metric, patience=0)))
    curve = _curve(run, "validation", metric)
    best = curve.idxmax() if metric == "roc_auc" else curve.idxmin()
    assert run.metrics["best_step"] == best
    assert run.metrics[f"{metric}_val"] == pytest.approx(curve[best], abs=1e-6)
    sign = 1 if metric == "roc_auc" else -1
    assert run.metrics["stop_value"] == pytest.approx(sign * curve[best], abs=1e-6)
    assert run.metrics["stop_value_start"] == pytest.approx(sign * curve[0], abs=1e-6)


def test_methods_start_alike_and_take_equally_many_steps(splits, tiny: Path):
    runs = {method: _run(splits, tiny, method) for method in ("none", "default", "smote", "mixup")}
    start = runs["none"].curves.set_index(["split", "metric"])["value"]
    for method, run in runs.items():
        at_zero = run.curves[run.curves["step"] == 0].set_index(["split", "metric"])["value"]
        pd.testing.assert_series_equal(at_zero, start)
        assert run.metrics["steps"] == (0 if method == "none" else QUICK.steps)
    assert runs["smote"].metrics["synthetic_rows"] > 0
    losses = {method: tuple(_curve(run, "train", "loss")) for method, run in runs.items()}
    assert len({losses[method] for method in ("default", "smote", "mixup")}) == 3


def test_causalmix_finds_a_graph_in_the_training_rows_or_takes_the_one_given(splits, tiny: Path):
    settings = replace(QUICK, steps=2)
    graph = cm.discover(splits[0], seed=0, bootstraps=5)
    given = _run(splits, tiny, "causalmix", graph=graph, settings=settings)
    alone = _run(splits, tiny, "causal-only", graph=graph, settings=settings)
    assert given.metrics["synthetic_rows"] == alone.metrics["synthetic_rows"] > 0
    assert tuple(_curve(given, "train", "loss")) != tuple(_curve(alone, "train", "loss"))


def test_the_same_seed_gives_the_same_run_and_another_another(splits, tiny: Path):
    first, second = _run(splits, tiny, "smote", seed=3), _run(splits, tiny, "smote", seed=3)
    assert _figures(first) == _figures(second)
    pd.testing.assert_frame_equal(_deterministic(first.curves), _deterministic(second.curves))
    other = _run(splits, tiny, "smote", seed=4)
    assert tuple(_curve(other, "train", "loss")) != tuple(_curve(first, "train", "loss"))


def test_threads_and_random_state_of_the_caller_are_left_alone(splits, tiny: Path):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_num_threads(), torch.random.get_rng_state(), np.random.get_state()  # noqa: NPY002
    _run(splits, tiny, "smote", settings=replace(QUICK, steps=1))
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])
    assert np.array_equal(np.random.get_state()[1], before[2][1])  # noqa: NPY002


def _garbage(table, seed: int = 0):
    """Return other rows of the same kinds: huge numbers, one category, turned labels."""
    rng = np.random.default_rng(seed)
    frame = table.frame.copy()
    for column in frame.columns.drop("label"):
        if table.kinds[column].is_number:
            huge = np.round(rng.normal(size=len(frame)) * 1e6)
            frame[column] = pd.Series(huge, frame.index).astype(frame[column].dtype)
        else:
            frame[column] = frame[column].iloc[0]
    frame["label"] = rng.permutation(frame["label"].to_numpy())
    return table.with_frame(frame)


@pytest.fixture(scope="module")
def numbers():
    """Numbers alone, which every generator takes."""
    table = small_table(200, 9)
    frame = table.frame.drop(columns=["colour", "noise"])
    return cm.split(cm.read_table(frame, target="label", name="numbers"), train_rows=60, seed=0)


# As few synthetic rows as there are training rows: TabEBM takes long over each.
LEAN = replace(QUICK, mixing=Mixing(fresh=False))


@pytest.mark.parametrize("method", list(METHODS))
def test_garbage_in_the_test_rows_changes_nothing_but_test_figures(numbers, tiny: Path, method):
    train, validation, test = numbers
    clean = _run(numbers, tiny, method, settings=LEAN)
    dirty = _run((train, validation, _garbage(test)), tiny, method, settings=LEAN)
    assert clean.metrics["log_loss_test"] != dirty.metrics["log_loss_test"]
    curves = [_deterministic(run.curves[run.curves["split"] != "test"]) for run in (clean, dirty)]
    pd.testing.assert_frame_equal(*curves, check_exact=True)
    same = {name for name in clean.metrics if not name.endswith("_test") and name not in TIMES}
    assert {n: clean.metrics[n] for n in same} == {n: dirty.metrics[n] for n in same}
    if clean.model is not None and clean.model.weights is not None:
        for name, tensor in clean.model.weights.items():
            assert torch.equal(tensor, dirty.model.weights[name])


@pytest.mark.parametrize("method", list(METHODS))
def test_garbage_in_the_validation_rows_changes_no_training_step(numbers, tiny: Path, method):
    train, validation, test = numbers
    # Without early stopping the last step is kept, whatever the validation rows say.
    settings = replace(LEAN, stopping=Stopping(rule="last", patience=0))
    clean = _run(numbers, tiny, method, settings=settings)
    dirty = _run((train, _garbage(validation), test), tiny, method, settings=settings)
    assert clean.metrics["log_loss_val"] != dirty.metrics["log_loss_val"]
    curves = [
        _deterministic(run.curves[run.curves["split"] != "validation"]) for run in (clean, dirty)
    ]
    pd.testing.assert_frame_equal(*curves, check_exact=True)
    for metric in ("roc_auc_test", "log_loss_test"):
        assert clean.metrics[metric] == dirty.metrics[metric]


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(splits, tiny: Path, tmp_path: Path):
    whole = _run(splits, tiny, "smote")
    saved = tmp_path / "state.safetensors"

    def stop_at(fraction: float, sentence: str) -> None:
        if "Step 5" in sentence:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        _run(splits, tiny, "smote", saved=saved, progress=stop_at)
    steps = []
    resumed = _run(
        splits,
        tiny,
        "smote",
        saved=saved,
        progress=lambda fraction, sentence: steps.append(sentence),
    )
    assert not any("Step 4 " in sentence for sentence in steps)
    assert any("Step 5 " in sentence for sentence in steps)
    assert _figures(resumed) == _figures(whole)
    pd.testing.assert_frame_equal(_deterministic(resumed.curves), _deterministic(whole.curves))


def test_a_state_of_another_run_is_not_used(splits, tiny: Path, tmp_path: Path):
    saved = tmp_path / "state.safetensors"
    _run(splits, tiny, seed=1, saved=saved)
    assert _figures(_run(splits, tiny, seed=2, saved=saved)) == _figures(_run(splits, tiny, seed=2))


def test_a_damaged_state_is_named(splits, tiny: Path, tmp_path: Path):
    saved = tmp_path / "state.safetensors"
    saved.write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"state\.safetensors is damaged"):
        _run(splits, tiny, saved=saved)


@pytest.mark.parametrize("rule", ["smoothed", "synthetic", "cross-fitted", "last"])
def test_every_stopping_rule_runs_and_keeps_its_promise(splits, tiny: Path, rule: str):
    graph = cm.MixedGraph(nodes=tuple(splits[0].columns), graph_type="dag")
    stopping = Stopping(rule=rule, folds=2, patience=0)
    run = _run(splits, tiny, graph=graph, settings=replace(QUICK, steps=4, stopping=stopping))
    if rule == "last":
        assert run.metrics["best_step"] == 4
    elif rule == "cross-fitted":
        assert run.metrics["best_step"] == run.metrics["steps"] == run.curves["step"].max()
        assert run.metrics["stop_value"] >= run.metrics["stop_value_start"]
    else:
        assert run.metrics["stop_value"] >= run.metrics["stop_value_start"]
    if rule == "synthetic":
        assert "stop" in set(run.curves["split"])


def test_rows_to_judge_by_come_from_the_graph_of_the_rows_to_train_on(splits, tiny: Path):
    stopping = Stopping(rule="synthetic", synthetic_rows=50, patience=0)
    settings = replace(QUICK, steps=2, stopping=stopping)
    told: list[str] = []
    found = cm.generator("causal", graph_seed=3).fit(splits[0]).graph_
    searched = _run(
        splits, tiny, seed=3, settings=settings, progress=lambda _, sentence: told.append(sentence)
    )
    given = _run(splits, tiny, seed=3, settings=settings, graph=found)
    assert _figures(searched) == _figures(given)
    # The search is told of, so that it can be cancelled.
    assert told[0] != "Scoring the model as it is"


def test_a_state_judged_by_rows_of_another_graph_or_quality_is_not_used(
    splits, tiny: Path, tmp_path
):
    stopping = Stopping(rule="synthetic", synthetic_rows=50, patience=0)
    settings = replace(QUICK, steps=2, stopping=stopping)
    names = tuple(splits[0].columns)
    empty = cm.MixedGraph(nodes=names, graph_type="dag")
    edge = cm.MixedGraph(nodes=names, edges=(cm.Edge("x", "label"),), graph_type="dag")
    saved = tmp_path / "state.safetensors"
    _run(splits, tiny, settings=settings, graph=empty, saved=saved)
    for ways in ({"graph": edge}, {"graph": empty, "causal": {"roots": "empirical"}}):
        fresh = _run(splits, tiny, settings=settings, **ways)
        resumed = _run(splits, tiny, settings=settings, **ways, saved=saved)
        assert resumed.metrics["stop_value_start"] == fresh.metrics["stop_value_start"]
        assert _curve(resumed, "stop", "log_loss").tolist() == (
            _curve(fresh, "stop", "log_loss").tolist()
        )


def test_what_is_asked_of_the_causal_model_holds_wherever_one_is_fitted(
    splits, tiny: Path, monkeypatch
):
    from causalmix_core.augment.causal import Causal

    asked, fit = [], Causal._fit

    def spy(self, *arguments):
        asked.append(self.roots)
        fit(self, *arguments)

    monkeypatch.setattr(Causal, "_fit", spy)
    graph = cm.MixedGraph(nodes=tuple(splits[0].columns), graph_type="dag")
    for rule, times in (("synthetic", 2), ("cross-fitted", 3)):
        asked.clear()
        stopping = Stopping(rule=rule, folds=2, synthetic_rows=50, patience=0)
        settings = replace(QUICK, steps=2, stopping=stopping)
        causal = {"roots": "empirical"}
        _run(splits, tiny, "causalmix", graph=graph, settings=settings, causal=causal)
        assert asked == ["empirical"] * times


@pytest.mark.parametrize("aside", [False, True])
def test_cross_fitted_stopping_parts_no_group(tiny: Path, monkeypatch, aside: bool):
    table = small_table(150, 4)
    house = np.array([f"house {i % 12}" for i in range(150)], dtype=object)
    house[:3] = np.nan
    frame = table.frame.assign(house=house)
    kinds = {"house": "identifier" if aside else "categorical"}
    grouped = cm.read_table(frame, target="label", kinds=kinds)
    parts = cm.split(grouped, train_rows=60, seed=0, group="house")
    folds, real = [], run_module._folds

    def spy(y, groups, *rest):
        found = real(y, groups, *rest)
        folds.extend((groups[fitted], groups[held_out]) for fitted, held_out in found)
        return found

    monkeypatch.setattr(run_module, "_folds", spy)
    stopping = Stopping(rule="cross-fitted", folds=2, patience=0)
    settings = replace(QUICK, steps=4, stopping=stopping)
    run = _run(parts, tiny, settings=settings, group="house")
    assert run.metrics["stop_value"] >= run.metrics["stop_value_start"]
    assert len(folds) == 2
    for fitted, held_out in folds:
        assert len(fitted)
        assert len(held_out)
        assert not set(fitted) & set(held_out)
    with pytest.raises(RunError, match="a table lacks this column"):
        _run(parts, tiny, settings=settings, group="street")


def test_groups_that_cannot_be_parted_into_folds_are_refused_in_words():
    from causalmix_core.finetune.run import _folds

    y = np.repeat(["a", "b"], 20)
    with pytest.raises(RunError, match="groups are too few"):
        _folds(y, np.repeat([0, 1], 20), 2, 0)


def test_blanks_of_a_group_column_set_aside_are_groups_of_their_own():
    from causalmix_core.finetune.run import _groups

    file = b"shop,x,y\ns1,1,a\n,2,b\nNA,3,a\ns1,4,b\ns2,5,a\n"
    table = cm.read_table(file, target="y", kinds={"shop": "identifier"}, name="t.csv")
    codes = _groups([table, table], "shop")
    assert codes[0] == codes[3] == codes[5]
    assert len(set(codes)) == 2 + 4


def test_a_domain_is_scored_beside_the_test_rows(splits, tiny: Path):
    domain = small_table(40, 77)
    run = _run(splits, tiny, domain=domain)
    assert run.metrics["domain_rows"] == 40
    assert 0 <= run.metrics["roc_auc_domain"] <= 1
    assert list(_curve(run, "domain", "roc_auc").index) == [0, 2, 4, 6, 8]
    without = _run(splits, tiny)
    assert _curve(run, "train", "loss").tolist() == _curve(without, "train", "loss").tolist()


def test_four_classes_work_too(tiny: Path):
    parts = cm.split(small_table(240, 3, classes=4), train_rows=120, seed=0)
    run = _run(parts, tiny, "smote")
    assert run.model.classes == ("a", "b", "c", "d")
    assert 0 <= run.metrics["roc_auc_test"] <= 1


@pytest.fixture(scope="module")
def meaningless():
    """Numbers alone, which every generator takes, under permuted labels."""
    table = small_table(600, 9)
    rng = np.random.default_rng(0)
    frame = table.frame.drop(columns=["colour", "noise"]).assign(
        more=rng.normal(size=600), label=rng.permutation(table.frame["label"].to_numpy())
    )
    shuffled = cm.read_table(frame, target="label", name="meaningless")
    return cm.split(shuffled, train_rows=120, seed=0)


@pytest.mark.parametrize("method", list(METHODS))
def test_labels_that_mean_nothing_teach_nothing(meaningless, tiny: Path, method: str):
    run = _run(meaningless, tiny, method, settings=replace(QUICK, steps=6))
    # 480 test rows: three standard errors of an AUC are about 0.08.
    assert abs(run.metrics["roc_auc_test"] - 0.5) < 0.08
    if METHODS[method].generator is not None:
        assert run.metrics["synthetic_rows"] > 0


def test_rows_without_a_class_are_left_out(splits, tiny: Path):
    train, validation, test = splits
    frame = pd.concat([train.frame, train.frame.iloc[:5].assign(label=np.nan)])
    holed = train.with_frame(frame.astype({"label": "str"}))
    assert _figures(_run((holed, validation, test), tiny)) == _figures(_run(splits, tiny))


def test_what_cannot_be_fine_tuned_is_refused_in_words(splits, tiny: Path):
    train, validation, test = splits
    with pytest.raises(RunError, match="no method 'magic'"):
        _run(splits, tiny, "magic")
    one_class = validation.take(np.flatnonzero(validation.y == "a"))
    roc = replace(QUICK, stopping=Stopping("roc_auc"))
    with pytest.raises(RunError, match="validation rows cannot be scored"):
        _run((train, one_class, test), tiny, settings=roc)
    only_a = train.take(np.flatnonzero(train.y == "a"))
    with pytest.raises(TableError, match="label"):
        _run((only_a, validation, test), tiny)


def test_a_fixed_set_of_synthetic_rows_is_as_large_as_the_training_rows(splits, tiny: Path):
    fixed = replace(QUICK, mixing=Mixing(fresh=False))
    assert _run(splits, tiny, "mixup", settings=fixed).metrics["synthetic_rows"] == len(splits[0])


def test_both_ways_of_training_the_members_learn(splits, tiny: Path):
    steps = replace(QUICK, steps=24, evaluate_every=12)
    turns = _run(splits, tiny, settings=replace(steps, members="turns"))
    everyone = _run(splits, tiny, settings=replace(steps, members="all"))
    for run in (turns, everyone):
        losses = _curve(run, "train", "loss")
        assert losses.iloc[-8:].mean() < losses.iloc[:8].mean()
    assert tuple(_curve(turns, "train", "loss")) != tuple(_curve(everyone, "train", "loss"))


@pytest.mark.parametrize("name", ["random-forest", "gradient-boosting"])
def test_yardsticks_see_the_same_rows_and_learn_what_is_there(splits, tiny: Path, name: str):
    run = _run(splits, tiny, name)
    assert run.model is None
    assert run.metrics["test_rows"] == len(splits[2])
    assert run.metrics["roc_auc_test"] > 0.85
    assert _figures(run) == _figures(_run(splits, tiny, name))
    # Its level in the curves is that on the rows of the other methods' curves.
    positions = run_module._watched_rows(
        {"train": splits[0], "validation": splits[1], "test": splits[2]}, 30, 0
    )
    sample = splits[2].take(positions["test"])
    alone = finetune(splits[0], splits[1], sample, name, settings=QUICK)
    assert _curve(run, "test", "roc_auc")[0] == alone.metrics["roc_auc_test"]
    assert len(sample) == 30 < len(splits[2])
    assert _curve(run, "validation", "roc_auc")[0] == run.metrics["roc_auc_val"]


@pytest.mark.parametrize("towns", [255, 256])
def test_gradient_boosting_takes_a_column_of_many_categories(towns: int):
    table = small_table(900, 6)
    town = [f"town {row % towns}" for row in range(900)]
    frame = table.frame.assign(town=town)
    many = cm.read_table(frame, target="label", kinds={"town": "categorical"})
    parts = [many.take(np.arange(*rows)) for rows in ((0, 600), (600, 750), (750, 900))]
    run = finetune(*parts, "gradient-boosting", settings=QUICK)
    assert run.metrics["roc_auc_test"] > 0.85


def test_of_many_training_rows_every_step_draws_some_and_the_context_is_a_sample(tiny: Path):
    parts = cm.split(small_table(400, 8), train_rows=240, seed=0)
    run = _run(parts, tiny, settings=replace(QUICK, max_rows=50))
    assert run.metrics["train_rows"] == 160
    assert 48 <= len(run.model.context) <= 50
    share = float((run.model.context.y == "a").mean())
    assert share == pytest.approx(float((parts[0].y == "a").mean()), abs=0.03)
    predicted = run.model.predict(parts[2])["prediction"]
    accuracy = float((predicted == parts[2].y).mean())
    assert accuracy == pytest.approx(run.metrics["accuracy_test"])


V3 = {
    "embed_dim": 16,
    "nlayers": 2,
    "dist_embed_num_blocks": 1,
    "dist_embed_num_heads": 2,
    "dist_embed_num_inducing_points": 8,
    "feat_agg_num_blocks": 1,
    "feat_agg_num_heads": 2,
    "feat_agg_num_cls_tokens": 2,
}
NEWER = {
    "tabpfn_v2_5": {"emsize": 24, "nlayers": 2, "nhead": 2, "num_thinking_rows": 4},
    "tabpfn_v2_6": {"emsize": 24, "nlayers": 2, "nhead": 2, "num_thinking_rows": 4},
    "tabpfn_v3": V3,
    "tabpfn_v3_5": V3,
}


@pytest.mark.parametrize("architecture", list(NEWER))
def test_newer_architectures_are_fine_tuned_too(splits, tiny: Path, tmp_path: Path, architecture):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = {"max_num_classes": 10, "num_buckets": 10, **NEWER[architecture]}
        network = build_network(config, architecture)
    settings = checkpoint.header(tiny)["inference_config"]
    stored = {"state_dict": network.state_dict(), "config": config}
    stored |= {"architecture_name": architecture, "inference_config": settings}
    file = checkpoint.save(stored, tmp_path / "newer.safetensors")
    last = replace(QUICK, steps=3, evaluate_every=3, stopping=Stopping(rule="last"))
    run = _run(splits, file, settings=last)
    assert run.metrics["best_step"] == 3
    assert np.isfinite(_curve(run, "train", "loss")).all()
    assert run.model.predict(splits[2])["prediction"].isin(["a", "b"]).all()


def test_bfloat16_steps_end_at_the_same_loss(splits, tiny: Path):
    steps = replace(QUICK, steps=20, evaluate_every=20, learning_rate=3e-3)
    exact = _run(splits, tiny, settings=steps)
    halved = _run(splits, tiny, settings=replace(steps, precision="bfloat16"))
    again = _run(splits, tiny, settings=replace(steps, precision="bfloat16"))
    assert _figures(halved) == _figures(again)
    ends = [_curve(run, "train", "loss").iloc[-5:].mean() for run in (exact, halved)]
    assert ends[0] != ends[1]
    assert ends[1] == pytest.approx(ends[0], abs=0.02)
