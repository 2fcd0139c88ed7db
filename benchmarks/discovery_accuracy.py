"""How close to the truth: our default against causal-learn's orientation rules and pgmpy's PC.

    python benchmarks/discovery_accuracy.py NETWORKS [--rows 500 1000 …] [--repeats R] [--out F]
    python benchmarks/discovery_accuracy.py --mixed [--models M] [--out F]

The first compares on samples of discrete networks (G², alpha .05; SHD on the CPDAG, one per wrong
pair). The second compares, on simulated mixed tables, the mixed test with cutting numbers into
bins (G²) and with reading categories as numbers (Fisher-Z).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from discovery_common import (
    NETWORKS,
    Pattern,
    categories,
    causal_learn_pc,
    codes,
    cpdag_of,
    mixed_model,
    network,
    pattern_of,
    pgmpy_pc,
    random_dag,
    shd,
    skeleton_f1,
    spread,
    varying,
    write,
)

from causalmix_core.discovery import discover
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

ALPHA = 0.05
RULES = {"sepset": (0, 2), "max-p": (1, -1), "definite max-p": (2, -1), "sepset, stronger": (0, 3)}


def compare_networks(folder: Path, rows: list[int], repeats: int, out: Path | None) -> None:
    records = []
    for n in rows:
        for name in NETWORKS:
            for repeat in range(repeats if n < 10000 else 1):
                frame, truth = network(folder, name, n, repeat)
                for method, found in candidates(frame):
                    records.append(
                        {
                            "rows": n,
                            "network": name,
                            "repeat": repeat,
                            "method": method,
                            "f1": skeleton_f1(truth, found),
                            "shd": shd(truth, found),
                        }
                    )
                print(f"{name} {n} {repeat}", flush=True)
    scores = pd.DataFrame(records)
    per_network = scores.groupby(["rows", "method", "network"], sort=False).mean(numeric_only=True)
    mean = per_network.groupby(["rows", "method"], sort=False).mean()
    table = mean[["f1", "shd"]].reset_index().rename(columns={"f1": "skeleton F1", "shd": "SHD"})
    for name in NETWORKS:
        table[name] = [per_network.loc[(r, m, name), "shd"] for r, m in mean.index]
    write(
        out,
        "Accuracy of PC on five networks (mean over networks; last columns: SHD per network)",
        table.round(3),
        f"G², alpha {ALPHA}, {repeats} samples per size (one at 10,000). Ours is the default.",
    )


def candidates(frame: pd.DataFrame) -> list[tuple[str, Pattern]]:
    names = list(frame.columns)
    kept = varying(frame)
    place = [names.index(column) for column in kept]
    ours = discover(categories(frame), "pc", alpha=ALPHA, bootstraps=0)
    found = [("ours", pattern_of(ours, names))]
    for label, (rule, priority) in RULES.items():
        peer = causal_learn_pc(codes(frame[kept]), "gsq", ALPHA, rule, priority)
        found.append((f"causal-learn {label}", spread(peer, place, len(names))))
    found.append(("pgmpy", spread(pgmpy_pc(frame[kept], ALPHA), place, len(names))))
    return found


def compare_mixed(models: int, out: Path | None) -> None:
    records = []
    for seed in range(models):
        rng = np.random.default_rng([5, seed])
        dag = random_dag(rng, 12, 2.5)
        n = int(rng.choice([300, 1000, 3000]))
        table = mixed_model(rng, dag, n)
        truth = cpdag_of(dag)
        for method, prepared in (
            ("mixed test", table),
            ("numbers cut into 3 bins", binned(table)),
            ("categories read as numbers", as_numbers(table)),
        ):
            found = pattern_of(discover(prepared, "pc", bootstraps=0), table.columns)
            records.append(
                {
                    "rows": n,
                    "test": method,
                    "f1": skeleton_f1(truth, found),
                    "shd": shd(truth, found),
                }
            )
    scores = pd.DataFrame(records)
    mean = (
        scores.groupby(["rows", "test"], sort=False)
        .mean()
        .sort_index(level=0, sort_remaining=False)
    )
    table_ = mean.reset_index().rename(columns={"f1": "skeleton F1", "shd": "SHD"})
    write(
        out,
        "The mixed test against its makeshifts on simulated mixed tables",
        table_.round(3),
        f"{models} random models of 12 columns, half of them categories; PC, alpha {ALPHA}.",
    )


def binned(table: Table) -> Table:
    frame = table.frame.copy()
    for name, kind in table.kinds.items():
        if kind is Kind.NUMERIC:
            cut = np.digitize(frame[name], np.quantile(frame[name], [1 / 3, 2 / 3]))
            frame[name] = pd.Series([f"b{k}" for k in cut], dtype="str")
    return categories(frame)


def as_numbers(table: Table) -> Table:
    frame = table.frame.copy()
    for name, kind in table.kinds.items():
        if kind is Kind.CATEGORICAL:
            frame[name] = pd.factorize(frame[name], sort=True)[0].astype(float)
    return Table(frame, dict.fromkeys(frame.columns, Kind.NUMERIC))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path, nargs="?")
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 1000, 5000, 10000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--models", type=int, default=60)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.mixed:
        compare_mixed(arguments.models, arguments.out)
    elif arguments.networks:
        compare_networks(arguments.networks, arguments.rows, arguments.repeats, arguments.out)
    else:
        parser.error("name the folder of networks, or --mixed")
