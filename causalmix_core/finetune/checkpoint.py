"""The state of a training in the middle: written at every evaluation, read to go on.

One safetensors file: weights, the optimizer's moments, the best weights so far; history and the
state of the random generator as JSON in its header. A file is complete or absent, never half
written.
"""

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_core.errors import RunError
from causalmix_core.finetune.adamw import AdamW

if TYPE_CHECKING:
    import numpy as np
    import torch

    from causalmix_core.finetune.loop import Trace

FORMAT = "causalmix-training/1"


def copy_weights(network: "torch.nn.Module") -> "dict[str, torch.Tensor]":
    """Return the network's weights on the CPU, on their own."""
    return {
        name: tensor.detach().to("cpu", copy=True) for name, tensor in network.state_dict().items()
    }


def save(
    path: Path,
    key: str,
    network: "torch.nn.Module",
    optimizer: AdamW,
    rng: "np.random.Generator",
    trace: "Trace",
) -> None:
    """Write the state of a training."""
    from safetensors.torch import save_file

    tensors = {f"now.{name}": tensor for name, tensor in copy_weights(network).items()}
    for name, tensor in (trace.weights or {}).items():
        tensors[f"best.{name}"] = tensor
    for i, (first, second) in enumerate(zip(optimizer.first, optimizer.second, strict=True)):
        tensors[f"first.{i}"] = first.to("cpu", copy=True)
        tensors[f"second.{i}"] = second.to("cpu", copy=True)
    header = {
        "format": FORMAT,
        "key": key,
        "step": trace.steps,
        "count": optimizer.count,
        "history": {"steps": trace.keeper.steps, "raw": [_number(v) for v in trace.keeper.raw]},
        "points": [[p.step, p.split, p.metric, _number(p.value)] for p in trace.points],
        "rng": rng.bit_generator.state,
    }
    unfinished = path.with_name(f"{path.name}.part")
    save_file(tensors, unfinished, metadata={"causalmix": json.dumps(header)})
    os.replace(unfinished, path)


def load(
    path: Path,
    key: str,
    network: "torch.nn.Module",
    optimizer: AdamW,
    rng: "np.random.Generator",
    trace: "Trace",
) -> bool:
    """Put a training back into the state that was written; return whether there was one.

    A file of another run (another key) is left alone and not used.

    Raises:
        RunError: the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    from causalmix_core.finetune.loop import Point

    if not path.is_file():
        return False
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = json.loads((file.metadata() or {})["causalmix"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise RunError(
            f"The saved state {path.name} is damaged ({error}); delete it to start this run again."
        ) from error
    if header.get("format") != FORMAT or header.get("key") != key:
        return False
    network.load_state_dict(_part(tensors, "now."))
    for i, (first, second) in enumerate(zip(optimizer.first, optimizer.second, strict=True)):
        first.copy_(tensors[f"first.{i}"])
        second.copy_(tensors[f"second.{i}"])
    optimizer.count = int(header["count"])
    rng.bit_generator.state = header["rng"]
    trace.steps = int(header["step"])
    trace.weights = _part(tensors, "best.") or None
    trace.keeper.steps = [int(step) for step in header["history"]["steps"]]
    trace.keeper.raw = [-math.inf if v is None else v for v in header["history"]["raw"]]
    trace.points = [
        Point(step, split, metric, math.nan if value is None else value)
        for step, split, metric, value in header["points"]
    ]
    return True


def _part(tensors: "dict[str, torch.Tensor]", prefix: str) -> "dict[str, torch.Tensor]":
    size = len(prefix)
    return {name[size:]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
