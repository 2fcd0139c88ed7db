"""Every table: discover, complete to a DAG, fit, sample. No step by hand, no exception.

    python benchmarks/scm_tables.py DIR [--train-rows 200] [--rows 1000] [--splits 3] [--out F.md]

DIR holds CSV files whose last column is the target. Of each, `train_rows` labelled rows are drawn
(at most 60 % of the table), and two thirds of them train, as everywhere in the product. The times
are those of one core, as the machine gave it.
"""

import argparse
import sys
import time
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from scm_common import two_sample_auc

import causalmix_core as cm


def one_split(table: cm.Table, options: argparse.Namespace, seed: int):
    """Return rows, columns, edges and AUCs, and the seconds of each step, for one split."""
    train_rows = min(options.train_rows, int(0.6 * len(table)))
    train, _, test = cm.split(table, train_rows=train_rows, seed=seed)
    times = [time.perf_counter()]
    graph = cm.discover(train, seed=0)
    times.append(time.perf_counter())
    dag = graph.to_dag()
    times.append(time.perf_counter())
    model = cm.StructuralCausalModel().fit(train, dag)
    times.append(time.perf_counter())
    rows = model.sample(options.rows, seed=0)
    times.append(time.perf_counter())
    assert rows.dtypes.equals(train.frame.dtypes)
    assert len(rows) == options.rows
    size = min(len(train), len(test))
    held_out = test.frame.head(size)
    sets = {
        "real": train.frame,
        "causal": rows.head(size),
        "smote": cm.generator("smote").fit(train).sample(size, seed=0),
        "independent": cm.generator("independent").fit(train).sample(size, seed=0),
    }
    aucs = [two_sample_auc(held_out, one) for one in sets.values()]
    spent = [stop - start for start, stop in pairwise(times)]
    return [len(train), len(table.columns), len(dag.edges), *aucs], spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--train-rows", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--splits", type=int, default=3, help="figures are means over them")
    parser.add_argument("--out")
    options = parser.parse_args()
    lines = [
        f"# Discover → DAG → fit → sample {options.rows:,} rows, every table",
        "",
        f"{date.today()}, 2 cores shared with other work. {options.train_rows} labelled rows (at "
        "most 60 % of a table), two thirds of them training rows. AUC: boosted trees telling "
        "causal, SMOTE and independent rows from held-out rows; real training rows are the floor. "
        f"Means over {options.splits} splits.",
        "",
        "| table | rows | columns | edges | discover (s) | to DAG (s) | fit (s) | sample (s) "
        "| AUC real | AUC causal | AUC SMOTE | AUC independent |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for path in sorted(Path(options.folder).glob("*.csv")):
        header = path.open(encoding="utf-8").readline().strip().split(",")
        table = cm.read_table(path, header[-1])
        runs = [one_split(table, options, seed) for seed in range(options.splits)]
        figures, spent = (
            [mean(values) for values in zip(*part, strict=True)] for part in zip(*runs, strict=True)
        )
        cells = [path.stem, *(f"{one:.0f}" for one in figures[:3])]
        cells += [f"{one:.2f}" for one in [*spent, *figures[3:]]]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    if options.out:
        Path(options.out).write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
