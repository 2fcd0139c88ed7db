"""Can boosted trees tell causal rows from held-out rows, more than they can tell training rows?

    python benchmarks/scm_fidelity.py [--seeds 20] [--rows 200,1000,5000] [--bound] [--out FILE.md]

The simulated table `health` with its true graph; per seed new training and held-out rows.
The two-sample AUC sets rows against as many held-out rows; per seed it is the mean over up to four
sets of held-out and causal rows that do not overlap, which takes noise out of the measure, not out
of the fit. Shown is the mean over seeds with its 95 % interval (t), for real training rows and for
causal rows, and the ratio of variances of causal over training rows, for every column of numbers.
For comparison dowhy's own automatic assignment with in-sample noise on the same rows (`--peer`,
slow), and the table's own equations with numbers estimated from the same rows (`--bound`): what a
fit of so few rows costs even where every family is known.
"""

import argparse
import os
import sys
import warnings
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats
from scm_bound import rows_of_the_true_family
from scm_common import shape, two_sample_auc

from causalmix_core.scm import StructuralCausalModel
from causalmix_core.table import Table, examples, read_table

HELD_OUT = 5_000
SETS = 4


def table(rows: int, seed: int) -> Table:
    return read_table(examples.make_health(rows, seed), "disease", kinds=KINDS)


def told_apart(held_out: pd.DataFrame, rows: pd.DataFrame, size: int, seed: int) -> float:
    """Return the mean AUC over sets of `size` rows; where there is but one set, against each."""
    found = []
    for number in range(max(1, min(SETS, HELD_OUT // size))):
        part = slice(number * size, (number + 1) * size)
        others = rows.iloc[part] if len(rows) >= part.stop else rows
        found.append(two_sample_auc(held_out.iloc[part], others.head(size), seed))
    return float(np.mean(found))


def interval(values: list[float]) -> str:
    mean, error = np.mean(values), stats.sem(values)
    width = stats.t.ppf(0.975, len(values) - 1) * error
    return f"{mean:.3f} ± {width:.3f}"


def peer_rows(train: Table, graph: nx.DiGraph, n: int) -> pd.DataFrame:
    from dowhy import gcm

    gcm.config.disable_progress_bars()
    gcm.config.set_default_n_jobs(1)
    gcm.util.general.set_random_seed(0)
    frame = train.frame.dropna().reset_index(drop=True)  # it fits no table with missing values
    frame = frame.astype({name: object for name in frame if not train.kinds[name].is_number})
    frame = frame.astype({name: float for name in frame if train.kinds[name].is_number})
    model = gcm.StructuralCausalModel(nx.DiGraph(graph))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gcm.auto.assign_causal_mechanisms(model, frame)
        gcm.fit(model, frame)
        return gcm.draw_samples(model, n)[train.columns]


def main() -> None:
    global KINDS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", default="200,1000,5000")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--bound", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args()
    KINDS = dict(read_table(examples.make_health(2_000, 0), "disease").kinds)
    graph = nx.DiGraph(examples.true_edges("health"))
    lines = [
        "# SCM: causal rows against held-out rows, simulated table, true graph",
        "",
        f"{date.today()}, {os.cpu_count()} cores, {options.seeds} seeds; mean ± half of the 95 % "
        "interval. Variance: of causal over training rows, mean over seeds, least and greatest "
        "column.",
        "",
        "| rows | AUC, real rows | AUC, causal rows | difference | shape, real | shape, causal "
        "| variance | AUC, dowhy | difference, true families |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for rows in (int(one) for one in options.rows.split(",")):
        real, causal, bound, shapes, real_shapes, ratios, peer = [], [], [], [], [], [], []
        for seed in range(options.seeds):
            train = table(rows, 2 * seed + 1)
            held_out = table(HELD_OUT, 2 * seed + 2).frame
            drawn = StructuralCausalModel().fit(train, graph).sample(max(rows, HELD_OUT), seed=seed)
            real.append(told_apart(held_out, train.frame, rows, seed))
            causal.append(told_apart(held_out, drawn, rows, seed))
            if options.bound:
                best = rows_of_the_true_family(train.frame, max(rows, HELD_OUT), seed)
                bound.append(told_apart(held_out, best, rows, seed))
            real_shapes.append(shape(held_out, train.frame))
            shapes.append(shape(held_out, drawn.head(rows)))
            numbers = train.frame.select_dtypes("number").columns
            ratios.append((drawn[numbers].var() / train.frame[numbers].var()).astype(float))
            if options.peer:
                other = peer_rows(train, graph, rows)
                peer.append(told_apart(held_out, other, rows, seed))
        ratio = pd.concat(ratios, axis=1).mean(axis=1)
        difference = [one - other for one, other in zip(causal, real, strict=True)]
        least = [one - other for one, other in zip(bound, real, strict=False)]
        lines.append(
            f"| {rows:,} | {interval(real)} | {interval(causal)} | {interval(difference)} "
            f"| {np.mean(real_shapes):.3f} | {np.mean(shapes):.3f} "
            f"| {ratio.mean():.3f} ({ratio.min():.3f}–{ratio.max():.3f}) "
            f"| {interval(peer) if peer else ''} | {interval(least) if least else ''} |"
        )
        print(lines[-1], flush=True)
    print("\n".join(lines))
    if options.out:
        Path(options.out).write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
