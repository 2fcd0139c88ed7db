"""Pre-training: the same seed gives the same run, and tasks look as they will in use."""

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tabpfn.architectures import tabpfn_v2

from causalmix_core.errors import CheckpointError
from causalmix_core.foundation import checkpoint, classifier, path
from causalmix_core.foundation._tabpfn import build_network
from causalmix_core.foundation.pretraining import batches, curriculum, precision, prior, train
from causalmix_core.foundation.pretraining import deepen as deepening
from causalmix_core.foundation.pretraining.deepen import deepen
from causalmix_core.foundation.pretraining.export import (
    compact_inference_settings,
    export,
    inference_views,
)
from causalmix_core.foundation.pretraining.prior import Task, TaskShape, simulate
from causalmix_core.foundation.pretraining.views import AXES, VIEWS, encode


# hypothesis looks into every loaded module, tabpfn's deprecated alias among them
@pytest.mark.filterwarnings("ignore:Importing from 'tabpfn.model.loading':DeprecationWarning")
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(30, 120),
    columns=st.integers(1, 30),
    classes=st.integers(2, 10),
    difficulty=st.floats(0, 1),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_simulated_tasks_are_proper_tables(
    seed: int, rows: int, columns: int, classes: int, difficulty: float
) -> None:
    shape = TaskShape(rows, columns, classes, difficulty)
    task = simulate(np.random.default_rng(seed), shape)
    again = simulate(np.random.default_rng(seed), shape)
    np.testing.assert_array_equal(task.X, again.X)
    assert task.X.shape == (rows, columns)
    assert not np.isinf(task.X).any()
    k = int(task.y.max()) + 1
    assert 2 <= k <= classes
    assert set(task.y) == set(range(k))
    for j, levels in enumerate(task.levels):
        if levels:
            cells = task.X[~np.isnan(task.X[:, j]), j]
            assert set(cells) <= set(map(float, range(levels)))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_withheld_cell_stands_for_a_value_of_its_own_or_another_column(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, 4, size=(100, 5)).astype(float)
    table = whole.copy()
    prior._withhold(rng, table, [4] * 5)
    for j in range(5):
        blank = np.isnan(table[:, j])
        np.testing.assert_array_equal(table[~blank, j], whole[~blank, j])
        assert any(
            not set(whole[blank, source]) & set(whole[~blank, source]) for source in range(5)
        )


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_tally_counts_a_value_alike_in_whichever_column_it_stands(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.sort(rng.normal(size=4))
    every = np.tile(values[:, None], (1, 6))
    plain = np.full((6, 6), values[0])
    changed = np.where(np.eye(6, dtype=bool), values[2], plain)
    scores = prior._tally(rng, np.vstack([every, plain, changed]), 2)
    effects = np.abs(scores[10:] - scores[4:10])
    np.testing.assert_allclose(effects, np.broadcast_to(effects[:1], effects.shape), atol=1e-9)


def test_a_batch_depends_on_its_seed_step_and_rank_alone() -> None:
    first = batches.batch(3, 1200, 0, 2, tokens=4000)
    again = batches.batch(3, 1200, 0, 2, tokens=4000)
    other = batches.batch(3, 1200, 1, 2, tokens=4000)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].shape == other[0].shape
    assert first[2] == other[2]
    assert not np.array_equal(first[1], other[1])


def test_query_rows_of_unknown_classes_are_left_out_of_the_loss() -> None:
    task = Task(np.arange(8.0)[:, None], (0,), np.array([2, 0, 2, 0, 1, 2, 0, 1]))
    _, y, p = encode(np.random.default_rng(0), [task], "ranks", context=4, width=1)
    assert p[:, 0].sum(1).tolist() == [0.0, 1.0, 1.0, 0.0]
    assert p[:, 0].argmax(1)[1:3].tolist() == y[5:7, 0].tolist()
    assert (y[:, 0] == -100).tolist() == [False] * 4 + [True, False, False, True]
    assert set(y[:4, 0]) == {0, 1}


def test_classes_are_drawn_from_the_probabilities_that_the_network_is_taught() -> None:
    rng = np.random.default_rng(5)
    drawn, meant, spread = 0.0, 0.0, 0.0
    for classes in (2, 2, 2, 5, 5, 10) * 10:
        task = simulate(rng, TaskShape(100, 6, classes))
        assert task.p is not None
        chosen = task.p[np.arange(100), task.y]
        np.testing.assert_allclose(task.p.sum(1), 1.0)
        drawn += float(chosen.sum())
        meant += float((task.p**2).sum())
        spread += float((task.p**3).sum() - (task.p**2).sum(1) @ (task.p**2).sum(1))
    assert abs(drawn - meant) < 4 * np.sqrt(spread)


def test_the_curriculum_widens_and_keeps_small_tasks() -> None:
    before, after = curriculum.limits(0), curriculum.limits(12_000)
    assert (before.columns, before.classes) == (9, 2)
    assert after.columns > 40
    assert after.rows > 400
    assert after.classes == 10
    drawn = [curriculum.draw(np.random.default_rng([0, s]), 12_000, 2) for s in range(200)]
    assert min(d.columns for d in drawn) <= 3
    assert max(d.columns for d in drawn) > 30
    assert all(d.tasks % 2 == 0 and 0 < d.context < d.rows for d in drawn)


@pytest.mark.parametrize("view", VIEWS)
def test_the_network_is_trained_on_what_the_classifier_feeds_it(view: str) -> None:
    rng = np.random.default_rng(1)
    rows, context = 90, 60
    numeric = np.exp(rng.normal(size=(rows, 2)))
    codes = rng.integers(0, 4, size=(rows, 2)).astype(float)
    X = np.column_stack([numeric[:, 0], codes[:, 0], numeric[:, 1], codes[:, 1]])
    for column in (0, 1):
        X[rng.random(rows) < 0.2, column] = np.nan
    y = (codes[:, 0] > 1).astype(int)

    settings = {"PREPROCESS_TRANSFORMS": inference_views([view])}
    model = classifier(path(), n_estimators=1, device="cpu", inference_config=settings)
    model.set_params(categorical_features_indices=[1, 3])
    model.fit(X[:context], y[:context])
    fed: list[np.ndarray] = []
    handle = model.model_.register_forward_pre_hook(
        lambda module, given, named: fed.append(given[0].numpy()), with_kwargs=True
    )
    model.predict_proba(X[context:])
    handle.remove()
    used = fed[0][:, 0]

    task = Task(X, (0, 4, 0, 4), y.astype(np.int64))
    ours = encode(rng, [task], view, context, width=used.shape[1])[0][:, 0]
    assert len(fed) == 1
    wide = {"onehot": 11}.get(view, 6 if view.endswith(AXES) else 4)
    assert used.shape == ours.shape == (rows, wide)

    def without_axes(columns: np.ndarray) -> np.ndarray:
        """The four columns from which the other two follow as their axes."""
        for kept in combinations(range(6), 4):
            table = columns[:, kept]
            table = np.where(np.isnan(table), np.nanmean(table[:context], axis=0), table)
            table = table / table[:context].std(0)
            directions = np.linalg.svd(table[:context], full_matrices=False)[2][:2]
            axes = np.abs(table @ directions.T)
            rest = np.abs(np.delete(columns, kept, axis=1))
            if any(np.allclose(axes[:, order], rest, atol=1e-4) for order in ([0, 1], [1, 0])):
                return columns[:, kept]
        raise AssertionError("No two columns are the axes of the others.")

    if view.endswith(AXES):
        used, ours = without_axes(used), without_axes(ours)

    def canonical(columns: np.ndarray) -> list[tuple[float, ...]]:
        """Columns in a fixed order; codes by which rows share a value, as they are shuffled."""
        out = []
        for column in columns.T:
            # where cells are missing, tabpfn shuffles one code more and leaves one out
            known = set(column[~np.isnan(column)])
            shuffled = (
                not view.startswith("ordered")
                and len(known) == 4
                and known <= {0.0, 1.0, 2.0, 3.0, 4.0}
            )
            if shuffled:
                first = {v: i for i, v in reversed(list(enumerate(column))) if not np.isnan(v)}
                column = np.array([first.get(v, np.nan) for v in column])
            out.append(tuple(np.where(np.isnan(column), -9.0, np.round(column, 4)).tolist()))
        return sorted(out)

    assert canonical(used) == canonical(ours)


def test_a_fast_step_computes_what_the_network_itself_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(  # put back afterwards: `prepare` replaces it for good
        tabpfn_v2, "scaled_dot_product_attention", tabpfn_v2.scaled_dot_product_attention
    )
    given = batches.batch(3, 5_000, 0, 16)
    labels = torch.from_numpy(given.y[: given.context]).float()
    shipped = checkpoint.load(path())

    def network_of(fast: bool) -> Any:
        network = build_network(shipped["config"])
        network.load_state_dict(shipped["state_dict"])
        network.train()
        if fast:
            precision.prepare(network)
        network.seed = given.seed
        return network

    def outcome(fast: bool) -> tuple[torch.Tensor, list[torch.Tensor]]:
        network = network_of(fast)
        logits = precision.forward(network, given.X, labels, bfloat16=False)
        logits.square().mean().backward()
        return logits.detach(), [p.grad for p in network.parameters() if p.grad is not None]

    fast, own = outcome(True), outcome(False)
    torch.testing.assert_close(fast[0], own[0], rtol=1e-4, atol=1e-4)
    assert len(fast[1]) == len(own[1])
    for ours, theirs in zip(fast[1], own[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    # every step tells the columns apart in another way
    network = network_of(True)
    with torch.no_grad():
        losses = [float(train.loss_of(network, given._replace(seed=seed))) for seed in (1, 1, 2)]
    assert losses[0] == losses[1]
    assert abs(losses[0] - losses[2]) > 1e-4


def test_a_deeper_network_begins_by_computing_what_it_did_before() -> None:
    shipped = checkpoint.load(path())
    weights = shipped["state_dict"]
    state = {f"network.{key}": value for key, value in weights.items()}
    state["optimiser0.blocks.1.mlp.2.weight.momentum_buffer"] = torch.ones(2, 2)
    layers = shipped["config"]["nlayers"]
    grown = deepen(state, [1, layers - 1])
    assert not grown["optimiser0.blocks.2.mlp.2.weight.momentum_buffer"].any()
    assert grown["optimiser0.blocks.1.mlp.2.weight.momentum_buffer"].all()
    before = build_network(shipped["config"])
    before.load_state_dict(weights)
    after = build_network(shipped["config"] | {"nlayers": layers + 2})
    after.load_state_dict({k[8:]: v for k, v in grown.items() if k.startswith("network.")})
    X, y = torch.randn(60, 2, 7), torch.randint(0, 3, (40, 2)).float()
    with torch.no_grad():
        torch.testing.assert_close(after(X, y), before(X, y), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="ascending"):
        deepen(state, [1, 1])
    with pytest.raises(ValueError, match="ascending"):
        deepen(state, [layers])


def test_the_shipped_file_carries_the_present_inference_settings() -> None:
    present = json.loads(json.dumps(compact_inference_settings()))
    assert checkpoint.header(path())["inference_config"] == present


def loads_into_its_own_network(file: Path) -> dict[str, object]:
    kept = checkpoint.load(file)
    build_network(kept["config"]).load_state_dict(kept["state_dict"])
    return dict(kept["config"])


def test_the_kept_state_can_be_exported_whatever_the_present_depth(tmp_path: Path) -> None:
    last = Path(train.__file__).parent / "state" / "last.safetensors"
    loads_into_its_own_network(export(last, tmp_path / "a.safetensors"))


def test_a_state_tells_its_network_and_one_of_another_depth_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = train.NETWORK | {"emsize": 16, "nlayers": 2}
    monkeypatch.setattr(train, "NETWORK", small)
    settings = train.Settings(out=tmp_path)
    train.State(settings).save(tmp_path / "state.safetensors", settings)
    again = train.State(settings)
    again.load(tmp_path / "state.safetensors")
    deepening.main([str(tmp_path / "state.safetensors"), str(tmp_path / "deeper"), "--after", "1"])
    with pytest.raises(CheckpointError, match=r"3 layers and the network 2.*deepen"):
        again.load(tmp_path / "deeper")
    for name, layers in (("state.safetensors", 2), ("deeper", 3)):
        config = loads_into_its_own_network(export(tmp_path / name, tmp_path / "b.safetensors"))
        assert config == small | {"nlayers": layers}


def run(out: Path, steps: int, *more: str) -> None:
    command = [
        sys.executable, "-m", "causalmix_core.foundation.pretraining", "--out", str(out),
        "--steps", str(steps), "--tokens", "1500", "--ranks", "1", *more,
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=300)


@pytest.mark.slow
def test_two_runs_agree_and_an_interrupted_one_goes_on_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    from safetensors.torch import load_file

    run(tmp_path / "whole", 4)
    run(tmp_path / "parts", 2)
    run(tmp_path / "parts", 4)
    whole = load_file(tmp_path / "whole" / "state.safetensors")
    parts = load_file(tmp_path / "parts" / "state.safetensors")
    assert whole.keys() == parts.keys()
    for key, value in whole.items():
        assert torch.equal(value, parts[key]), key
    assert any(key.startswith("optimiser0") for key in whole)
