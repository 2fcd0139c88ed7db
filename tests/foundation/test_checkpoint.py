"""Checkpoints as safetensors in tabpfn's format."""

from pathlib import Path

import numpy as np
import pytest
import torch

from causalmix_core.errors import CheckpointError
from causalmix_core.foundation import checkpoint, classifier, path


def test_saving_what_was_loaded_gives_the_same_bytes(tmp_path: Path) -> None:
    first = checkpoint.save(checkpoint.load(path()), tmp_path / "a.safetensors")
    second = checkpoint.save(checkpoint.load(first), tmp_path / "b.safetensors")
    assert first.read_bytes() == second.read_bytes()
    assert checkpoint.digest(first) == checkpoint.digest(path())


def test_the_digest_changes_with_one_weight_and_not_with_the_file(tmp_path: Path) -> None:
    kept = checkpoint.load(path())
    kept["causalmix"] = {"name": "another name"}
    assert checkpoint.digest(checkpoint.save(kept, tmp_path / "a.safetensors")) == (
        checkpoint.digest(path())
    )
    name = next(iter(kept["state_dict"]))
    kept["state_dict"][name] = kept["state_dict"][name].clone()
    kept["state_dict"][name].view(-1)[0] += 1e-3
    changed = checkpoint.save(kept, tmp_path / "c.safetensors")
    assert checkpoint.digest(changed) != checkpoint.digest(path())


def test_the_unmodified_classifier_predicts_with_it_and_repeats_itself() -> None:
    from tabpfn import TabPFNClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4))
    y = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
    kept = []
    for _ in range(2):
        model = TabPFNClassifier(
            model_path=str(path()), device="cpu", random_state=3,
            inference_precision=torch.float32,
        )  # fmt: skip
        kept.append(model.fit(X[:100], y[:100]).predict_proba(X[100:]))
    assert np.array_equal(kept[0], kept[1])
    assert (kept[0].argmax(1) == (y[100:] == "yes")).mean() > 0.8
    np.testing.assert_allclose(kept[0].sum(1), 1.0, atol=1e-5)


def test_files_that_are_no_checkpoints_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    noise = tmp_path / "noise.safetensors"
    noise.write_bytes(b"\x00" * 100)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(noise)
    deep = tmp_path / "deep.safetensors"
    save_file({"a": np.zeros(3)}, str(deep), metadata={"config": "[" * 100_000})
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(deep)
    bare = tmp_path / "bare.safetensors"
    save_file({"a": np.zeros(3)}, str(bare))
    with pytest.raises(CheckpointError, match="no tabpfn checkpoint"):
        checkpoint.load(bare)
    text = tmp_path / "table.csv"
    text.write_text("a,b")
    with pytest.raises(CheckpointError, match=r"\.safetensors"):
        classifier(text)
