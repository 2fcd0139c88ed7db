"""Turn a training state into the checkpoint that `TabPFNClassifier` loads."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from causalmix_core.foundation import checkpoint
from causalmix_core.foundation._tabpfn import inference_settings
from causalmix_core.foundation.pretraining.deepen import count_layers
from causalmix_core.foundation.pretraining.train import NETWORK
from causalmix_core.foundation.pretraining.views import AXES, ONEHOT_LEVELS

# Chosen by benchmarks/compact_members.py on the five tables that are there for choosing, and, the
# columns per member, by benchmarks/compact_columns.py on wide simulated tables. A fourth member
# would help a little, but predict in about two seconds (benchmarks/compact_speed.py).
ESTIMATORS = 3
MEMBER_VIEWS = ("ordered/axes", "codes")
COLUMNS_PER_MEMBER = 100
TEMPERATURE = 0.7


def inference_views(names: Sequence[str] = MEMBER_VIEWS) -> list[dict[str, Any]]:
    """Return tabpfn's settings for views of `views.VIEWS`; members take them in turn."""
    common = {
        "append_original": False,
        "max_features_per_estimator": COLUMNS_PER_MEMBER,
        "max_onehot_cardinality": None,
        "differentiable": False,
    }
    ranks = common | {"name": "quantile_uni", "categorical_name": "ordinal_shuffled"}
    codes = ranks | {"name": "squashing_scaler_default"}
    onehot = codes | {"categorical_name": "onehot", "max_onehot_cardinality": ONEHOT_LEVELS}
    ordered = codes | {"categorical_name": "ordinal"}
    known = {"ranks": ranks, "codes": codes, "onehot": onehot, "ordered": ordered}
    return [
        known[name.removesuffix(AXES)]
        | {"global_transformer_name": "svd" if name.endswith(AXES) else None}
        for name in names
    ]


def compact_inference_settings() -> dict[str, Any]:
    """Return the inference settings stored in the compact checkpoint; they match `views`."""
    return inference_settings(
        PREPROCESS_TRANSFORMS=inference_views(),
        FEATURE_SUBSAMPLING_METHOD="balanced",
        FINGERPRINT_FEATURE=False,
        MIN_NUMBER_SAMPLES_FOR_CATEGORICAL_INFERENCE=0,
        MAX_NUMBER_OF_FEATURES=500,
        MAX_NUMBER_OF_SAMPLES=10_000,
        SOFTMAX_TEMPERATURE=TEMPERATURE,
        N_ESTIMATORS=ESTIMATORS,
    )


def export(state: Path, out: Path, averaged: bool = True) -> Path:
    """Write the (averaged) weights of a training state as a checkpoint.

    The network is the one that the state tells of, or, of states that do not, the present one with
    as many layers as the state has.
    """
    from safetensors import safe_open

    start = "average." if averaged else "network."
    with safe_open(str(state), framework="pt", device="cpu") as file:
        kept = {
            key[len(start) :]: file.get_tensor(key) for key in file.keys() if key.startswith(start)
        }
        header = file.metadata()
        layers = count_layers(file.keys())
    network = json.loads(header["network"]) if "network" in header else NETWORK
    return checkpoint.save(
        {
            "architecture_name": "tabpfn_v2",
            "config": network | {"nlayers": layers},
            "inference_config": compact_inference_settings(),
            "causalmix": {"name": "compact", "step": int(header["step"]), "licence": "Apache-2.0"},
            "state_dict": kept,
        },
        out,
    )


def main(arguments: list[str] | None = None) -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(prog="causalmix_core.foundation.pretraining.export")
    parser.add_argument("state", type=Path, help="state.safetensors of a training")
    parser.add_argument("out", type=Path, help="checkpoint to write")
    parser.add_argument("--last", action="store_true", help="the last weights, not their average")
    given = parser.parse_args(arguments)
    print(export(given.state, given.out, averaged=not given.last))


if __name__ == "__main__":
    main()
