"""Model files: tabpfn's checkpoint as safetensors, which can carry numbers but no code.

The tensors are the network's; the header holds, JSON-encoded, ``architecture_name``, ``config``
and ``inference_config`` as tabpfn reads them. Further header entries are free; ours are kept in
``causalmix`` (a dictionary), which tabpfn ignores.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from causalmix_core.errors import CheckpointError

PICKLES = (".ckpt", ".pth", ".pt", ".pkl", ".pickle", ".bin", ".joblib", ".tabpfn_fit")


def check_file(path: str | Path) -> Path:
    """Return the path of a model file that is there and cannot run code.

    Raises:
        CheckpointError: it does not exist, or is not a safetensors file.
    """
    file = Path(path)
    if file.suffix.lower() in PICKLES:
        raise CheckpointError(
            f"{file.name} is a pickle: reading one can run any program hidden in it, so it is "
            "refused. Convert it to .safetensors where it was made and give that file."
        )
    if file.suffix.lower() != ".safetensors":
        raise CheckpointError(f"{file.name} is no model file: give one that ends in .safetensors.")
    if not file.is_file():
        raise CheckpointError(f"There is no model file {file}.")
    return file


def header(path: str | Path) -> dict[str, Any]:
    """Read everything but the tensors.

    Raises:
        CheckpointError: the file cannot be used.
    """
    from safetensors import SafetensorError, safe_open

    file = check_file(path)
    try:
        with safe_open(str(file), framework="np") as opened:
            entries = opened.metadata() or {}
        return {key: json.loads(value) for key, value in entries.items()}
    except (SafetensorError, json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"{file.name} is damaged or no tabpfn checkpoint: {error}") from None


def load(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint: its header plus ``state_dict`` (torch tensors on the CPU).

    Raises:
        CheckpointError: the file cannot be used.
    """
    from safetensors.torch import load_file

    entries = header(path)
    if not isinstance(entries.get("config"), dict):
        raise CheckpointError(
            f"{Path(path).name} names no network settings: it is no tabpfn checkpoint."
        )
    return entries | {"state_dict": load_file(str(path))}


def save(checkpoint: dict[str, Any], path: str | Path) -> Path:
    """Write a checkpoint (what `load` returns) in tabpfn's format, in one move.

    The same tensors and settings give the same bytes.
    """
    from safetensors.torch import save as to_bytes

    file = Path(path)
    if file.suffix != ".safetensors":
        raise CheckpointError(f"{file.name}: the name of a model file ends in .safetensors.")
    file.parent.mkdir(parents=True, exist_ok=True)
    entries = {
        key: json.dumps(value, sort_keys=True)
        for key, value in sorted(checkpoint.items())
        if key != "state_dict"
    }
    tensors = {
        key: value.detach().cpu().contiguous() for key, value in checkpoint["state_dict"].items()
    }
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(_ordered(to_bytes(tensors, metadata=entries)))
    os.replace(partial, file)
    return file


def _ordered(file: bytes) -> bytes:
    """Rewrite a safetensors header in a fixed order; the library's own order varies by run."""
    start = 8 + int.from_bytes(file[:8], "little")
    entries = json.loads(file[8:start])
    notes = {"__metadata__": dict(sorted(entries.pop("__metadata__", {}).items()))}
    tensors = dict(sorted(entries.items(), key=lambda item: item[1]["data_offsets"]))
    text = json.dumps(notes | tensors, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + file[start:]


def digest(path: str | Path) -> str:
    """Content digest of the network (hex, 32 characters): tensors and settings, not file layout."""
    checkpoint = load(path)
    sha = hashlib.sha256()
    settings = {k: checkpoint.get(k) for k in ("architecture_name", "config", "inference_config")}
    sha.update(json.dumps(settings, sort_keys=True).encode())
    for key, value in sorted(checkpoint["state_dict"].items()):
        sha.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        sha.update(value.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:32]
