"""Has the compact network learnt its own simulator? Beside usual models on fresh simulated tasks.

    python benchmarks/compact_simulated.py --out benchmarks/results

Tasks no training step sees (384 rows, half of them labelled), by columns, classes and view; the
network alone, without an ensemble, against a random forest and a logistic regression on the very
same numbers. Where the network is behind, longer training helps more than another simulator.
"""

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from compact_quality import scores
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from causalmix_core.foundation import checkpoint, digest, path
from causalmix_core.foundation._tabpfn import build_network
from causalmix_core.foundation.pretraining.batches import make
from causalmix_core.foundation.pretraining.curriculum import BatchShape

KINDS = (
    (5, 2, "codes", 1.0, "own"),
    (8, 2, "onehot", 1.0, "own"),
    (16, 2, "codes", 1.0, "own"),
    (16, 2, "ranks", 1.0, "own"),
    (12, 5, "codes", 1.0, "own"),
    (12, 5, "onehot", 1.0, "own"),
    (12, 10, "codes", 1.0, "own"),
    (12, 10, "ranks", 1.0, "own"),
    (24, 2, "ordered/axes", 1.0, "own"),
    (18, 5, "codes/axes", 1.0, "own"),
    (18, 10, "ordered/axes", 1.0, "own"),
    (9, 2, "codes", 1.0, "boards"),
    (9, 2, "ordered", 1.0, "boards"),
    (13, 2, "ordered/axes", 1.0, "boards"),
    (9, 2, "codes", 0.0, "own"),
    (18, 2, "codes", 0.0, "own"),
    (27, 2, "codes/axes", 0.0, "own"),
)
"""Columns after encoding (a third of them axes in views that have them), most classes, view (mostly
of the shipped checkpoint's members), difficulty, source; at difficulty 0 the columns are clean
numbers and nine rules of ten are linear; the columns of boards all hold the same few values, and
half of the rules count one of them."""

ROWS, CONTEXT = 384, 192
MISSING = -3.0  # what the other models get for a missing cell


def network_of(model: str) -> Any:
    """The bare network of a checkpoint."""
    kept = checkpoint.load(path(model))
    network = build_network(kept["config"])
    network.load_state_dict(kept["state_dict"])
    return network.eval()


def compare(
    model: str, tasks: int, columns: int, classes: int, view: str, difficulty: float, source: str
) -> np.ndarray:
    """Mean AUC and log loss, (3 models, 2)."""
    import torch

    network = network_of(model)
    rng = np.random.default_rng([2**31 + 1, columns, classes])
    shape = BatchShape(tasks, ROWS, CONTEXT, columns, classes, difficulty, view, source)
    X, y, context = make(rng, shape, tasks)[:3]
    with torch.inference_mode():
        logits = network(torch.from_numpy(X), torch.from_numpy(y[:context]).float())
    found = []
    for task in range(tasks):
        known = int(y[:context, task].max()) + 1
        query = np.flatnonzero(y[context:, task] >= 0)
        truth = y[context:, task][query]
        z = logits[query, task, :known].float().softmax(-1).numpy()
        table = np.nan_to_num(X[:, task], nan=MISSING)
        line = [scores(z, truth)]
        for peer in (RandomForestClassifier(300, random_state=0), LogisticRegression(max_iter=500)):
            peer.fit(table[:context], y[:context, task])
            line.append(scores(peer.predict_proba(table[context:][query]), truth))
        found.append(line)
    return np.asarray(found).mean(0)


def main() -> None:
    """Compute, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    lines = [
        "# The compact network on its own simulator\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}; checkpoint digest "
        f"{digest(path(given.model))}; {given.tasks} tasks a line. ROC-AUC (log loss).\n",
        "| columns | most classes | view | difficulty | source | network | random forest "
        "| logistic regression |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        cells = [
            f"{auc:.3f} ({loss:.3f})" for auc, loss in compare(given.model, given.tasks, *kind)
        ]
        lines.append("| " + " | ".join([*map(str, kind), *cells]) + " |")
        print(lines[-1], flush=True)
    if given.out:
        (given.out / "compact_simulated.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
