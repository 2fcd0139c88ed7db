"""A tuned model saved, read back and asked about tables that differ from its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import causalmix_core as cm
from causalmix_core.errors import Cancelled, CheckpointError, TableError
from causalmix_core.finetune import Settings, TunedModel, ensemble
from causalmix_core.foundation import checkpoint
from causalmix_core.foundation._tabpfn import classifier
from causalmix_core.table.kinds import Kind
from tests.finetune.tiny import small_table


@pytest.fixture(scope="module")
def splits():
    return cm.split(small_table(200, 5), train_rows=90, seed=0)


@pytest.fixture(scope="module")
def model(splits, tiny: Path) -> TunedModel:
    settings = Settings(steps=6, evaluate_every=6, learning_rate=1e-2)
    return cm.finetune(*splits, method="default", model=tiny, settings=settings).model


@pytest.fixture
def saved(model: TunedModel, tmp_path: Path) -> TunedModel:
    return TunedModel.load(model.save(tmp_path / "model.safetensors"))


def test_a_saved_model_predicts_the_same(model: TunedModel, saved: TunedModel, splits):
    test = splits[2]
    expected = model.predict(test)
    pd.testing.assert_frame_equal(saved.predict(test), expected)
    assert list(expected.columns) == ["prediction", "probability_a", "probability_b"]
    assert expected[["probability_a", "probability_b"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert saved.about["metrics"]["method"] == "default"
    accuracy = float((expected["prediction"] == test.y).mean())
    assert accuracy == pytest.approx(saved.about["metrics"]["accuracy_test"])


def test_predicting_reports_the_rows_done_and_can_be_cancelled(
    model: TunedModel, splits, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ensemble, "_ROWS_PER_FORWARD", 40)
    reports: list[tuple[float, str]] = []
    told = model.predict(splits[2], lambda fraction, sentence: reports.append((fraction, sentence)))
    pd.testing.assert_frame_equal(told, model.predict(splits[2]))
    rows, passes = len(splits[2]), model.estimators
    fractions = [fraction for fraction, _ in reports]
    assert len(reports) == passes * -(-rows // 40)
    assert fractions == sorted(set(fractions))
    assert fractions[-1] == 1
    assert reports[0][1] == f"Pass 1 of {passes}: 40 of {rows} rows"

    def stop(fraction: float, sentence: str) -> None:
        raise Cancelled(sentence)

    with pytest.raises(Cancelled, match="Pass 1"):
        model.predict(splits[2], stop)


def test_a_new_file_may_have_its_columns_in_any_order_and_more_of_them(
    saved: TunedModel, splits, tmp_path: Path
):
    frame = splits[2].frame
    expected = saved.predict(splits[2])
    shuffled = frame[["noise", "colour", "label", "x", "count"]].assign(extra="?")
    file = tmp_path / "new.csv"
    shuffled.to_csv(file, index=False)
    pd.testing.assert_frame_equal(saved.predict(file), expected, rtol=1e-5)
    assert any(
        "sets it aside: the column 'extra'" in warning for warning in saved.read(file).warnings
    )
    unlabelled = tmp_path / "unlabelled.csv"
    frame.drop(columns="label").to_csv(unlabelled, index=False)
    pd.testing.assert_frame_equal(saved.predict(unlabelled), expected, rtol=1e-5)


def test_a_missing_column_or_one_of_another_kind_is_named(saved: TunedModel, splits, tmp_path):
    frame = splits[2].frame
    file = tmp_path / "new.csv"
    frame.drop(columns="colour").to_csv(file, index=False)
    with pytest.raises(TableError, match="'colour'"):
        saved.predict(file)
    frame.astype({"x": object}).assign(x="tall").to_csv(file, index=False)
    with pytest.raises(TableError, match="'x' holds 'tall'"):
        saved.predict(file)
    with pytest.raises(TableError, match="'colour'"):
        saved.predict(
            splits[2]
            .with_frame(frame)
            .__class__(
                frame.drop(columns="colour"),
                {n: k for n, k in splits[2].kinds.items() if n != "colour"},
            )
        )
    kinds = {**splits[2].kinds, "colour": Kind.NUMERIC}
    numbers = replace(splits[2], frame=frame.assign(colour=1.0), kinds=kinds)
    with pytest.raises(TableError, match="'colour' is numeric here"):
        saved.predict(numbers)


def test_added_and_reordered_columns_are_said_and_do_no_harm(saved: TunedModel, splits, tmp_path):
    frame = splits[2].frame
    plain, odd = tmp_path / "plain.csv", tmp_path / "odd.csv"
    frame.to_csv(plain, index=False)
    frame[frame.columns[::-1]].assign(ward=1).to_csv(odd, index=False)
    assert not any("order" in told for told in saved.read(plain).warnings)
    told = " ".join(saved.read(odd).warnings)
    assert "'ward'" in told
    assert "another order" in told
    pd.testing.assert_frame_equal(saved.predict(odd), saved.predict(plain))


def test_a_value_never_seen_counts_as_missing(saved: TunedModel, splits):
    frame = splits[2].frame.head(4)
    purple = splits[2].with_frame(frame.assign(colour="purple"))
    gone = splits[2].with_frame(frame.assign(colour=pd.Series([np.nan] * 4, dtype="str")))
    pd.testing.assert_frame_equal(saved.predict(purple), saved.predict(gone))


def test_the_file_is_a_tabpfn_checkpoint_too(model: TunedModel, tmp_path: Path):
    file = model.save(tmp_path / "model.safetensors")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)), np.arange(30) % 2
    fitted = classifier(file, n_estimators=1, device="cpu").fit(X, y)
    assert fitted.predict_proba(X).shape == (30, 2)
    tuned = fitted.model_.state_dict()
    assert model.weights is None or all(
        np.array_equal(tuned[name], tensor) for name, tensor in model.weights.items()
    )


def test_equal_models_are_equal_files(model: TunedModel, tmp_path: Path):
    first, second = model.save(tmp_path / "a.safetensors"), model.save(tmp_path / "b.safetensors")
    assert first.read_bytes() == second.read_bytes()


def test_context_rows_of_every_kind_survive(tiny: Path, splits, tmp_path: Path):
    days = pd.date_range("2020-01-01", periods=60, freq="37h").astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "day": pd.Series(days).where(np.arange(60) % 7 > 0),
            "gaps": pd.array([None if i % 5 == 0 else i for i in range(60)], dtype="Int64"),
            "grade": pd.Series(np.array(["low", "mid", "high"])[np.arange(60) % 3], dtype="str"),
            "yes": pd.Series(np.array(["0", "1"])[np.arange(60) // 30], dtype="str"),
        }
    )
    kinds = {
        "day": Kind.DATETIME,
        "gaps": Kind.INTEGER,
        "grade": Kind.ORDINAL,
        "yes": Kind.BINARY,
    }
    levels = {"grade": ("low", "mid", "high")}
    table = cm.Table(frame, kinds, "yes", name="all", levels=levels)
    model = TunedModel(table, None, tiny, estimators=1, seed=0)
    again = TunedModel.load(model.save(tmp_path / "m.safetensors"))
    pd.testing.assert_frame_equal(again.context.frame, table.frame)
    assert again.context.digest == table.digest
    pd.testing.assert_frame_equal(again.predict(table), model.predict(table))


def test_columns_set_aside_are_not_in_the_file(tiny: Path, tmp_path: Path):
    table = small_table(100, 4)
    frame = table.frame.assign(person=[f"secret-{i}" for i in range(100)])
    named = cm.read_table(frame, target="label")
    assert "person" in named.set_aside
    run = cm.finetune(
        *cm.split(named, train_rows=50), method="none", model=tiny, settings=Settings(steps=1)
    )
    content = run.model.save(tmp_path / "m.safetensors").read_bytes()
    assert b"secret-" not in content
    assert b"blue" in content


def _forget_levels(entries):
    entries["causalmix"]["context"]["levels"] = []


def _forget_the_target(entries):
    entries["causalmix"]["context"]["target"] = None


def _have_another_mark(entries):
    entries["causalmix"]["context"]["decimal"] = 5


def _lose_a_cell(entries):
    entries["causalmix"]["context"]["columns"]["x"].pop()


def _lose_a_class(entries):
    entries["causalmix"]["context"]["columns"]["label"][0] = None


def _have_no_members(entries):
    entries["causalmix"]["estimators"] = 0


@pytest.mark.parametrize(
    "damage",
    [
        _forget_levels,
        _forget_the_target,
        _have_another_mark,
        _lose_a_cell,
        _lose_a_class,
        _have_no_members,
    ],
)
def test_a_damaged_header_is_refused_before_anything_is_predicted(
    model: TunedModel, tmp_path: Path, damage
):
    entries = checkpoint.load(model.save(tmp_path / "model.safetensors"))
    damage(entries)
    file = checkpoint.save(entries, tmp_path / "damaged.safetensors")
    with pytest.raises(CheckpointError, match=r"damaged\.safetensors is damaged"):
        TunedModel.load(file)


@pytest.mark.parametrize("damage", [{"config": {}}, {"architecture_name": "nope"}])
def test_a_network_that_cannot_be_built_is_the_fault_of_the_file(
    model: TunedModel, splits, tmp_path: Path, damage
):
    entries = checkpoint.load(model.save(tmp_path / "model.safetensors"))
    file = checkpoint.save(entries | damage, tmp_path / "damaged.safetensors")
    with pytest.raises(CheckpointError, match=r"damaged\.safetensors"):
        TunedModel.load(file).predict(splits[2])


def test_a_model_keeps_the_decimal_mark_of_its_table(tiny: Path, tmp_path: Path):
    rows = "\n".join(f"{k}.125,{k}5;{k % 7};{'ab'[k % 2]}" for k in range(1, 60))
    table = cm.read_table(f"u;v;y\n{rows}\n".encode(), target="y", name="t.csv")
    splits = cm.split(table, train_rows=30)
    run = cm.finetune(*splits, method="none", model=tiny, settings=Settings(steps=1))
    again = TunedModel.load(run.model.save(tmp_path / "m.safetensors"))
    assert again.read(b"u;v\n1.250;3\n").frame["u"].tolist() == [1250.0]


def test_other_files_are_refused_in_words(tiny: Path, tmp_path: Path):
    with pytest.raises(CheckpointError, match="without context rows"):
        TunedModel.load(tiny)
    pickle = tmp_path / "model.ckpt"
    pickle.write_bytes(b"x")
    with pytest.raises(CheckpointError, match="pickle"):
        TunedModel.load(pickle)
    broken = tmp_path / "model.safetensors"
    broken.write_bytes(b"x" * 50)
    with pytest.raises(CheckpointError, match="damaged"):
        TunedModel.load(broken)
