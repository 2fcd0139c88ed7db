"""Give a network more layers in the middle of its training without changing what it computes.

A layer of tabpfn_v2 ends in a normalisation without weights, so one whose last matrices are zero
hands on what it is given. A new layer starts as such a copy of the layer before it: its other
matrices already ask sensible questions, whose answers it has to learn to use. The gain over
starting anew is that of Chen et al., *Net2Net* (2016), and Du et al., *Stacking your transformers*
(2024).
"""

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

LAYER = re.compile(r"\.blocks\.(\d+)\.")
LAST = ("out_projection.weight", "mlp.2.weight")
"""Matrices whose result is added to the input of an attention or of the feed-forward part."""


def count_layers(names: Iterable[str]) -> int:
    """Return how many layers the tensors of these names, as a training state has them, make up."""
    return 1 + max((int(found[1]) for name in names if (found := LAYER.search(name))), default=-1)


def deepen(tensors: dict[str, Any], after: Sequence[int]) -> dict[str, Any]:
    """Return the tensors of a training state with a layer more after each of the layers `after`.

    Args:
        tensors: as `train.State.tensors` names them.
        after: layers, counted from 0, in ascending order.

    Raises:
        ValueError: a layer of `after` is not there or comes twice.
    """
    import torch

    layers = count_layers(tensors)
    if sorted(set(after)) != list(after) or not all(0 <= i < layers for i in after):
        raise ValueError(f"Layers to copy: ascending numbers from 0 to {layers - 1}, not {after}.")
    out: dict[str, Any] = {}
    for key, value in tensors.items():
        found = LAYER.search(key)
        if not found:
            out[key] = value
            continue
        layer = int(found[1])
        place = layer + sum(i < layer for i in after)
        out[LAYER.sub(f".blocks.{place}.", key)] = value
        if layer in after:
            fresh = key.startswith("optimiser") or key.endswith(LAST)
            copied = torch.zeros_like(value) if fresh else value.clone()
            out[LAYER.sub(f".blocks.{place + 1}.", key)] = copied
    return out


def main(arguments: list[str] | None = None) -> None:
    """Deepen a state from the command line."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(prog="causalmix_core.foundation.pretraining.deepen")
    parser.add_argument("state", type=Path, help="state.safetensors of a training")
    parser.add_argument("out", type=Path, help="state to write")
    parser.add_argument("--after", required=True, help="layers to copy, such as 2,3,4")
    given = parser.parse_args(arguments)
    with safe_open(str(given.state), framework="pt", device="cpu") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        header = file.metadata()
    deeper = deepen(tensors, [int(i) for i in given.after.split(",")])
    if "network" in header:
        network = json.loads(header["network"]) | {"nlayers": count_layers(deeper)}
        header["network"] = json.dumps(network)
    save_file(deeper, str(given.out), metadata=header)


if __name__ == "__main__":
    main()
