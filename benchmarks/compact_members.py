"""Views, members, columns per member and temperature of the compact ensemble, measured.

    python benchmarks/compact_members.py ../shared/data/classification --out benchmarks/results

On the five tables that `compact_quality.py` marks as used for choosing, and on them alone: for
every view and every number of columns per member, the raw scores of many members are computed once.
Every set of views then takes its members in turn from them, and the mean over the first so many at
each softmax temperature gives ROC-AUC and log loss.
"""

import argparse
import os
import platform
import warnings
from datetime import UTC, datetime
from itertools import combinations, permutations
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from compact_quality import CHOSEN_ON, scores

import causalmix_core as cm
from causalmix_core.foundation import TableEncoder, digest, path
from causalmix_core.foundation._tabpfn import classifier
from causalmix_core.foundation.pretraining.export import inference_views
from causalmix_core.foundation.pretraining.views import VIEWS

# Of two views the first takes the odd member.
SETS = [*combinations(VIEWS, 1), *permutations(VIEWS, 2), *combinations(VIEWS, 3)]


def member_scores(
    checkpoint: str, labelled: cm.Table, rows: pd.DataFrame, y: np.ndarray, view: str,
    columns: int, members: int, seed: int,
) -> np.ndarray:  # fmt: skip
    """Raw scores (members, rows, classes) of members with one view that see so many columns."""
    encoder = TableEncoder.fit(labelled)
    (settings,) = inference_views([view])
    least = -(-encoder.width // members)
    settings["max_features_per_estimator"] = max(columns, least)
    network = classifier(
        path(checkpoint), encoder, n_estimators=members, seed=seed,
        inference_config={"PREPROCESS_TRANSFORMS": [settings]}, softmax_temperature=1.0,
    )  # fmt: skip
    network.fit(encoder.transform(labelled.frame), y)
    return np.asarray(network.predict_raw_logits(encoder.transform(rows)), dtype=float)


def in_turn(raw: dict[str, np.ndarray], views: tuple[str, ...], members: int) -> np.ndarray:
    """Scores of an ensemble whose members take the views in turn."""
    return np.stack([raw[views[i % len(views)]][i // len(views)] for i in range(members)])


def main() -> None:
    """Compute, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of CSV files, last column the target")
    parser.add_argument("--model", default="compact", help="checkpoint")
    parser.add_argument("--rows", default="128,512")
    parser.add_argument("--seeds", default="10,11")
    parser.add_argument("--columns", default="100")
    parser.add_argument("--members", default="2,3")
    parser.add_argument("--temperatures", default="0.4,0.5,0.6,0.7,0.8,0.9,1.0")
    parser.add_argument("--test-rows", type=int, default=300)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    counts = [int(m) for m in given.members.split(",")]
    temperatures = [float(t) for t in given.temperatures.split(",")]
    found = []
    for name in CHOSEN_ON:
        source = given.data / f"{name}.csv"
        target = source.open().readline().strip().split(",")[-1].strip('"')
        table = cm.read_table(source, target=target, kinds={target: cm.Kind.CATEGORICAL})
        for rows in map(int, given.rows.split(",")):
            for seed in map(int, given.seeds.split(",")):
                train, validation, test = cm.split(table, train_rows=rows, seed=seed)
                labelled = train.with_frame(
                    pd.concat([train.frame, validation.frame], ignore_index=True)
                )
                test = test.take(
                    np.random.default_rng(seed).permutation(len(test))[: given.test_rows]
                )
                classes = sorted(labelled.y.astype(str).unique())
                code = {value: i for i, value in enumerate(classes)}
                y = labelled.y.astype(str).map(code).to_numpy(dtype=int)
                truth = test.y.astype(str).map(code).to_numpy(dtype=float)
                known = ~np.isnan(truth)
                for columns in map(int, given.columns.split(",")):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        raw = {
                            view: member_scores(
                                given.model, labelled, test.frame, y, view, columns,
                                max(counts), seed,
                            )[:, :, : len(classes)]
                            for view in VIEWS
                        }  # fmt: skip
                    for views in SETS:
                        for members in counts:
                            z = in_turn(raw, views, members)
                            for temperature in temperatures:
                                e = np.exp((z - z.max(2, keepdims=True)) / temperature)
                                p = (e / e.sum(2, keepdims=True)).mean(0)
                                auc, loss = scores(p[known], truth[known].astype(int))
                                found.append(
                                    (
                                        name, rows, seed, columns, " + ".join(views), members,
                                        temperature, auc, loss,
                                    )
                                )  # fmt: skip
        print(name, flush=True)
    names = ["table", "rows", "seed", "columns", "views", "members", "temperature"]
    frame = pd.DataFrame(found, columns=[*names, "auc", "log_loss"])
    kinds = ["columns", "members", "views"]
    wide = frame.groupby([*kinds, "temperature"])[["auc", "log_loss"]].mean()
    best = wide.reset_index().sort_values("log_loss").groupby(kinds).head(1)
    lines = [
        "# Members of the compact ensemble\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores; checkpoint "
        f"digest {digest(path(given.model))}; tables {', '.join(CHOSEN_ON)}; labelled rows "
        f"{given.rows}, seeds {given.seeds}, {given.test_rows} test rows. For every row the "
        "temperature with the least log loss.\n",
        "| columns per member | members | views in turn | temperature | ROC-AUC | log loss |",
        "|---|---|---|---|---|---|",
    ]
    for _, r in best.sort_values([*kinds[:2], "auc"]).iterrows():
        lines.append(
            f"| {r['columns']:.0f} | {r.members:.0f} | {r.views} | {r.temperature:.1f} "
            f"| {r.auc:.4f} | {r.log_loss:.4f} |"
        )
    text = "\n".join(lines)
    print(text)
    by_table = frame[frame.members == min(counts)].groupby(["views", "table"]).auc.mean()
    print(by_table.unstack().round(3))
    if given.out:
        (given.out / "compact_members.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
