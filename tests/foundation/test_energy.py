"""Energies from any checkpoint that the classifier can load."""

from pathlib import Path

import numpy as np
import pytest
import torch

from causalmix_core.errors import CheckpointError
from causalmix_core.foundation import checkpoint
from causalmix_core.foundation._tabpfn import build_network, inference_settings
from causalmix_core.foundation.energy import ClassEnergy

SIZE = {"max_num_classes": 10, "num_buckets": 10, "emsize": 24, "nlayers": 2, "nhead": 2}


def save(file: Path, seed: int, architecture: str, name: str, **more: object) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_network(SIZE, architecture)
        with torch.no_grad():
            for weights in network.parameters():
                if not weights.any():
                    weights.normal_(0.0, 0.1)
    kept = {"architecture_name": name, "config": SIZE | more, "state_dict": network.state_dict()}
    checkpoint.save(kept | {"inference_config": inference_settings()}, file)
    return network.eval()


def energies(file: Path) -> np.ndarray:
    rng = np.random.default_rng(0)
    return ClassEnergy(rng.normal(size=(20, 3)), 5.0, rng, file)(rng.normal(size=(6, 3)))


def by_hand(network: torch.nn.Module) -> np.ndarray:
    """The same energies from the network's plain forward pass, one row at a time."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 3))
    first, second = rng.choice([-1.0, 1.0], size=3), np.array([1.0, -1.0, 1.0])
    corners = 5.0 * np.array([first, -first, first * second, -first * second])
    labels = torch.tensor([0.0] * 20 + [1.0] * 4)
    out = []
    for x in rng.normal(size=(6, 3)):
        table = torch.tensor(np.vstack([rows, corners, x]), dtype=torch.float32)
        with torch.no_grad():
            logits = network(table[:, None], labels)[0, 0, :2].double().numpy()
        out.append(-np.log(np.exp(logits).sum()))
    return np.array(out)


def test_the_name_and_settings_of_released_files_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "released.safetensors"
    network = save(file, 0, "tabpfn_v2_5", "base", an_older_setting=1)
    np.testing.assert_allclose(energies(file), by_hand(network), atol=1e-4)


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    for seed in (0, 1):
        network = save(file, seed, "tabpfn_v2", "tabpfn_v2")
        np.testing.assert_allclose(energies(file), by_hand(network), atol=1e-4)


def test_a_network_that_tabpfn_does_not_know_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "other.safetensors", 0, "tabpfn_v2", "something_else")
    with pytest.raises(CheckpointError, match="cannot read other"):
        energies(tmp_path / "other.safetensors")
