"""The list of models, their files and licences."""

from pathlib import Path

import pytest
import torch

from causalmix_core import foundation
from causalmix_core.errors import CheckpointError
from causalmix_core.foundation import checkpoint
from causalmix_core.foundation._tabpfn import build_network, inference_settings

TINY = {"max_num_classes": 10, "num_buckets": -1, "emsize": 8, "nlayers": 1, "nhead": 2}


def tiny() -> dict[str, object]:
    torch.manual_seed(0)
    return {
        "architecture_name": "tabpfn_v2",
        "config": TINY,
        "inference_config": inference_settings(),
        "state_dict": build_network(TINY).state_dict(),
    }


def test_the_compact_model_is_the_default_and_is_there() -> None:
    assert foundation.MODELS[0].name == foundation.DEFAULT == "compact"
    file = foundation.path("compact")
    assert file.is_file()
    assert file.suffix == ".safetensors"
    assert file.stat().st_size < 15e6


def test_every_model_states_a_licence_and_limits() -> None:
    for known in foundation.MODELS:
        assert known.licence.endswith(".")
        assert known.rows >= 1000
        assert known.columns >= 100
        assert known.classes == 10
    assert [m.name for m in foundation.MODELS if m.shipped] == ["compact"]
    assert all(m.confirm for m in foundation.MODELS if "non-commercial" in m.licence)


def test_the_compact_model_says_that_it_is_not_tabpfns_release() -> None:
    assert "not TabPFN's released" in foundation.model("compact").description
    assert checkpoint.header(foundation.path())["causalmix"]["licence"] == "Apache-2.0"


@pytest.mark.parametrize("name", ["nonsense", "tabpfn-v2.6", "table.csv"])
def test_an_unknown_name_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(CheckpointError, match="compact, tabpfn-v2"):
        foundation.path(name)


def test_a_model_that_is_not_downloaded_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"download\('tabpfn-v2'\)"):
        foundation.path("tabpfn-v2")
    assert not foundation.is_available("tabpfn-v2")


@pytest.mark.parametrize("ending", [".ckpt", ".pth", ".pt", ".pkl"])
def test_a_pickle_is_refused_with_the_reason(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"model{ending}"
    file.write_bytes(b"anything")
    with pytest.raises(CheckpointError, match="run any program"):
        foundation.path(file)


def test_a_local_safetensors_file_is_taken(tmp_path: Path) -> None:
    file = checkpoint.save(tiny(), tmp_path / "own.safetensors")
    assert foundation.path(file) == file
    with pytest.raises(CheckpointError, match="no model file"):
        foundation.path(tmp_path / "absent.safetensors")


def test_a_licence_has_to_be_accepted_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path))

    def fetch(version: str, folder: Path) -> Path:
        raise AssertionError("nothing may be fetched")

    with pytest.raises(CheckpointError, match="non-commercial"):
        foundation.download("tabpfn-v3.5", fetch=fetch)


def test_an_official_pickle_is_converted_without_running_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path))
    made = tiny()

    def fetch(version: str, folder: Path) -> Path:
        assert version == "v2"
        file = folder / "official.ckpt"
        # the first official files hold weights and settings only
        torch.save({"state_dict": made["state_dict"], "config": made["config"]}, file)
        return file

    file = foundation.download("tabpfn-v2", fetch=fetch)
    assert foundation.path("tabpfn-v2") == file
    kept = checkpoint.load(file)
    assert kept["inference_config"]["MAX_NUMBER_OF_CLASSES"] == 10
    for key, value in made["state_dict"].items():  # type: ignore[attr-defined]
        assert torch.equal(kept["state_dict"][key], value)


def test_a_downloaded_pickle_with_code_in_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path))
    trace = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (trace,))

    def fetch(version: str, folder: Path) -> Path:
        file = folder / "official.ckpt"
        torch.save({"state_dict": {}, "config": Trap()}, file)
        return file

    with pytest.raises(CheckpointError, match="more than numbers"):
        foundation.download("tabpfn-v2", fetch=fetch)
    assert not trace.exists()


def test_a_download_that_broke_off_is_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path))
    for share in (0.0, 0.6):

        def fetch(version: str, folder: Path, share: float = share) -> Path:
            file = folder / "official.ckpt"
            torch.save({"state_dict": tiny()["state_dict"], "config": TINY}, file)
            whole = file.read_bytes()
            file.write_bytes(whole[: int(share * len(whole))])
            return file

        with pytest.raises(CheckpointError, match="damaged"):
            foundation.download("tabpfn-v2", fetch=fetch)
    assert not foundation.is_available("tabpfn-v2")


def test_the_cpu_is_always_there_and_absent_devices_are_named() -> None:
    assert foundation.choose_device("cpu") == "cpu"
    assert foundation.choose_device("auto") in ("cpu", "cuda", "mps")
    with pytest.raises(CheckpointError, match="cuda:99"):
        foundation.choose_device("cuda:99")
