"""A network small enough for tests, and small tables to fine-tune it on."""

from pathlib import Path

import numpy as np
import pandas as pd

from causalmix_core.foundation import checkpoint, models
from causalmix_core.foundation._tabpfn import build_network
from causalmix_core.table import Table, read_table


def tiny_model(folder: Path) -> Path:
    """Write a randomly initialised checkpoint of 20,000 weights with the compact one's settings."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = {
            "max_num_classes": 10,
            "emsize": 16,
            "nlayers": 2,
            "nhead": 2,
            "features_per_group": 2,
            "num_buckets": -1,
        }
        network = build_network(config)
        with torch.no_grad():
            for weights in network.parameters():
                # The architecture starts layers at zero; then every prediction is the same.
                if not weights.any():
                    weights.normal_(0.0, 0.1)
    shipped = checkpoint.header(models.path("compact"))
    return checkpoint.save(
        {
            "state_dict": network.state_dict(),
            "config": config,
            "architecture_name": "tabpfn_v2",
            "inference_config": shipped["inference_config"],
        },
        folder / "tiny.safetensors",
    )


def small_table(rows: int, seed: int = 0, classes: int = 2, name: str = "small") -> Table:
    """Make a mixed table whose target follows from `x` and `colour`."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    colour = rng.choice(["blue", "green", "red"], size=rows)
    score = 2 * x + (colour == "red") + rng.normal(scale=0.5, size=rows)
    label = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    frame = pd.DataFrame(
        {
            "x": x,
            "count": rng.poisson(4, size=rows),
            "colour": colour,
            "noise": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "label": np.array(["a", "b", "c", "d"])[label],
        }
    )
    return read_table(frame, target="label", name=name)
