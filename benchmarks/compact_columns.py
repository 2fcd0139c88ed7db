"""How many columns should a member of the compact ensemble see? Measured on simulated wide tables.

    python benchmarks/compact_columns.py --out benchmarks/results

The five tables that settings are chosen on are narrow, so this is chosen on fresh tasks of the
simulator (256 labelled rows, 200 others): as many members as the checkpoint asks for, each with its
view and at most so many columns, their axes among them, drawn as the classifier draws them, beside
a random forest on the numbers.
"""

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from compact_quality import scores
from compact_simulated import MISSING, network_of
from sklearn.ensemble import RandomForestClassifier
from tabpfn.preprocessing.ensemble import _subsample_features_balanced

from causalmix_core.foundation import digest, path
from causalmix_core.foundation._tabpfn import count_axes
from causalmix_core.foundation.pretraining.export import (
    ESTIMATORS,
    MEMBER_VIEWS,
    TEMPERATURE,
)
from causalmix_core.foundation.pretraining.prior import Task, TaskShape, simulate
from causalmix_core.foundation.pretraining.views import AXES, encode, visible

WIDTHS, SEEN = (36, 60, 100), (50, 100, 150)
ROWS, CONTEXT = 456, 256


def columns_of_members(rng: np.random.Generator, width: int, seen: int) -> list[np.ndarray]:
    """Columns of each member, drawn by tabpfn's own rule for "balanced" members."""
    counts = [
        min(width, visible(seen, CONTEXT) if view_of(i).endswith(AXES) else seen)
        for i in range(ESTIMATORS)
    ]
    drawn = _subsample_features_balanced(counts, width, rng)
    return [np.arange(width) if columns is None else columns for columns in drawn]


def view_of(member: int) -> str:
    """The view that a member takes."""
    return MEMBER_VIEWS[member % len(MEMBER_VIEWS)]


def compare(model: str, tasks: int, width: int) -> dict[str, np.ndarray]:
    """Mean ROC-AUC and log loss by number of columns seen, and of a forest."""
    import torch

    network = network_of(model)
    rng = np.random.default_rng([2**31 + 2, width])
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(tasks):
        task = simulate(rng, TaskShape(ROWS, width, 2 if number % 2 else 4))
        classes, labels = np.unique(task.y[:CONTEXT], return_inverse=True)
        query = np.flatnonzero(np.isin(task.y[CONTEXT:], classes))
        truth = np.searchsorted(classes, task.y[CONTEXT:][query])
        for seen in SEEN:
            members = []
            for i, columns in enumerate(columns_of_members(rng, width, seen)):
                levels = tuple(task.levels[j] for j in columns)
                view = view_of(i)
                room = len(columns) + view.endswith(AXES) * count_axes(CONTEXT, len(columns))
                part = Task(task.X[:, columns], levels, task.y)
                X, y, _ = encode(rng, [part], view, CONTEXT, room)
                known = torch.from_numpy(y[:CONTEXT]).float()
                with torch.inference_mode():
                    z = network(torch.from_numpy(X), known)[query, 0, : len(classes)]
                p = (z.float() / TEMPERATURE).softmax(-1).numpy()
                # Every member numbers the classes anew.
                first = [int(np.flatnonzero(labels == c)[0]) for c in range(len(classes))]
                members.append(p[:, y[first, 0]])
            found.setdefault(str(seen), []).append(scores(np.mean(members, 0), truth))
        table = np.nan_to_num(task.X, nan=MISSING)
        forest = RandomForestClassifier(300, random_state=0).fit(table[:CONTEXT], labels)
        found.setdefault("forest", []).append(
            scores(forest.predict_proba(table[CONTEXT:][query]), truth)
        )
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def main() -> None:
    """Compute, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--tasks", type=int, default=30)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    heads = " | ".join(f"{seen} seen" for seen in SEEN)
    lines = [
        "# Columns per member of the compact ensemble\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}; checkpoint digest "
        f"{digest(path(given.model))}; {given.tasks} tasks a line, temperature {TEMPERATURE}. "
        "Columns seen are counted with their axes. ROC-AUC (log loss).\n",
        f"| columns | {heads} | random forest |",
        "|---|" + "---|" * (len(SEEN) + 1),
    ]
    for width in WIDTHS:
        found = compare(given.model, given.tasks, width)
        cells = [found[str(seen)] for seen in SEEN] + [found["forest"]]
        lines.append(
            f"| {width} | " + " | ".join(f"{auc:.3f} ({loss:.3f})" for auc, loss in cells) + " |"
        )
        print(lines[-1], flush=True)
    if given.out:
        (given.out / "compact_columns.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
