"""How fast: whole searches against causal-learn, resampling, and growth with the columns.

    python benchmarks/discovery_speed.py NETWORKS_FOLDER [--repeats R] [--out F] [--part P …]

Every timing starts from rows that no search has seen. Ours goes from a new `Table` (numbers as
floats, categories as text) over its digest, encoding and screening to the graph with the evidence
of its edges; causal-learn's from the same data frame over the codes it needs to its graph. Both
ran once on another table before. Processor seconds are compared (the machine may be shared): the
medians of the repeats, and the median of their ratios with the smallest and the largest.
"""

import argparse
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from discovery_common import (
    categories,
    causal_learn_fci,
    causal_learn_pc,
    codes,
    linear_gaussian,
    mixed_model,
    network,
    numbers,
    random_dag,
    timed,
    varying,
    write,
)
from joblib.externals.loky import get_reusable_executor

from causalmix_core.discovery import discover, estimate_seconds

COLUMNS = (20, 50, 100, 150, 200)


def gaussian(p: int, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([p, n, seed])
    return linear_gaussian(rng, random_dag(rng, p, 3.0), n)


def against_causal_learn(folder: Path, repeats: int, out: Path | None) -> None:
    records = []
    warm_up(folder)
    for algorithm in ("pc", "fci"):
        for p in (50, 100):
            ours, theirs = [], []
            for seed in range(repeats):
                values = gaussian(p, 2000, seed)
                ours.append(timed(lambda v=values, a=algorithm: own(numbers(v), a, 0.01))[1])
                theirs.append(timed(lambda v=values, a=algorithm: peer(v, a, "fisherz", 0.01))[1])
            records.append(line(f"{algorithm}: Fisher-Z, {p} columns × 2,000 rows", ours, theirs))
        for name in ("child", "insurance", "alarm"):
            frame, _ = network(folder, name, 10000)
            frame = frame[varying(frame)]
            ours, theirs = [], []
            for _ in range(repeats):
                ours.append(timed(lambda f=frame, a=algorithm: own(categories(f), a, 0.05))[1])
                theirs.append(timed(lambda f=frame, a=algorithm: peer(codes(f), a, "gsq", 0.05))[1])
            records.append(line(f"{algorithm}: G², {name}, 10,000 rows", ours, theirs))
    write(
        out,
        "Whole searches beside causal-learn (processor seconds, medians)",
        pd.DataFrame(records),
        f"{repeats} repeats, each from a new table; Gaussian tables differ between repeats. Ours "
        "from the table to the graph with its evidence (digest, encoding, screening and search), "
        "causal-learn 0.1.4.8 from the same frame to its graph (coding and search). Alpha 0.01 "
        "for Fisher-Z, 0.05 for G²; ratios are the median of the repeats, smallest and largest "
        "in brackets.",
    )


def warm_up(folder: Path) -> None:
    """Import and initialise what both sides need, on a table that is not timed."""
    frame, _ = network(folder, "asia", 1000)
    frame = frame[varying(frame)]
    for algorithm in ("pc", "fci"):
        own(categories(frame), algorithm, 0.05)
        peer(codes(frame), algorithm, "gsq", 0.05)
        own(numbers(gaussian(5, 200, 0)), algorithm, 0.01)
        peer(gaussian(5, 200, 0), algorithm, "fisherz", 0.01)


def own(table, algorithm: str, alpha: float) -> None:
    discover(table, algorithm, alpha=alpha, bootstraps=0)


def peer(values: np.ndarray, algorithm: str, test: str, alpha: float) -> None:
    if algorithm == "pc":
        causal_learn_pc(values, test, alpha, 0, 2)
    else:
        causal_learn_fci(values, test, alpha)


def line(label: str, ours: list[float], theirs: list[float]) -> dict[str, object]:
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    return {
        "search": label,
        "ours": round(median(ours), 3),
        "causal-learn": round(median(theirs), 2),
        "times faster": f"{median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
    }


def resampling(repeats: int, out: Path | None) -> None:
    records = []
    for seed in range(repeats):
        rng = np.random.default_rng([20, seed])
        table = mixed_model(rng, random_dag(rng, 20, 2.5), 2000)
        estimate = estimate_seconds(table, bootstraps=50, workers=2)
        _, cpu = timed(lambda t=table: discover(t, bootstraps=50, workers=1))
        get_reusable_executor(max_workers=2).shutdown()  # the start of processes is timed too
        wall, _ = timed(lambda t=table: discover(t, bootstraps=50, workers=2))
        records.append(
            {
                "table": seed,
                "wall seconds, two workers": round(wall, 1),
                "processor seconds, one worker": round(cpu, 1),
                "estimated beforehand, two workers": round(estimate, 1),
            }
        )
    write(
        out,
        "50 bootstraps of PC and FCI on 20 mixed columns × 2,000 rows",
        pd.DataFrame(records),
        "Wall seconds of the whole call, the start of both worker processes included; on a machine "
        "that is doing other work they tell of that work too, and the processor seconds tell more.",
    )


def growth(out: Path | None) -> None:
    records = []
    for p in COLUMNS:
        values = gaussian(p, 2000, 0)
        for algorithm in ("pc", "fci"):
            graph = discover(numbers(values), algorithm, alpha=0.01, bootstraps=0)
            cpu = median(
                timed(lambda v=values, a=algorithm: own(numbers(v), a, 0.01))[1] for _ in range(3)
            )
            records.append(
                {
                    "columns": p,
                    "algorithm": algorithm,
                    "processor seconds": round(cpu, 3),
                    "tests": sum(graph.provenance["tests"]),
                    "edges": len(graph.edges),
                }
            )
            print(records[-1], flush=True)
    table = pd.DataFrame(records)
    write(
        out,
        "Growth from 20 to 200 columns (Fisher-Z, 2,000 rows, average degree 3)",
        table,
        "Medians of three. The plot beside this file is drawn from the CSV.",
    )
    if out is not None:
        plot(table, out.with_suffix(".svg"))


def plot(table: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for algorithm, rows in table.groupby("algorithm"):
        axes.plot(rows["columns"], rows["processor seconds"], marker="o", label=algorithm)
    axes.set(xlabel="columns", ylabel="processor seconds", xscale="log", yscale="log")
    axes.legend()
    figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--part",
        choices=["peers", "resampling", "growth"],
        nargs="+",
        default=["peers", "resampling", "growth"],
    )
    arguments = parser.parse_args()
    name = arguments.out
    if "peers" in arguments.part:
        against_causal_learn(arguments.networks, arguments.repeats, name)
    if "resampling" in arguments.part:
        resampling(arguments.repeats, name and name.with_name(f"{name.name}_resampling"))
    if "growth" in arguments.part:
        growth(name and name.with_name(f"{name.name}_growth"))
