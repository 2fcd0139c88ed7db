"""Time and fidelity of fitting an SCM: ours against dowhy's automatic assignment.

    python benchmarks/scm_speed.py [--rows 10000] [--columns 50] [--edges 74] [--out FILE.md]

Both fit the same simulated rows on the same graph; each setting runs in a process of its own.
The peer is tried with one thread, with one process per core, and as it comes; its best counts.
Fidelity is measured against held-out rows.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

PEERS = {
    "dowhy good, 1 thread": ("1", {"OMP_NUM_THREADS": "1"}),
    "dowhy good, 2 processes": ("2", {"OMP_NUM_THREADS": "1"}),
    "dowhy good, as it comes": ("-1", {}),
}


def prepare(options: argparse.Namespace):
    import numpy as np
    from scm_common import random_dag, simulate

    rng = np.random.default_rng(3)
    graph = random_dag(options.columns, options.edges, rng)
    count = round(options.columns * 0.26)
    categorical = set(rng.choice(sorted(graph), count, replace=False).tolist())
    train = simulate(graph, categorical, options.rows, 1)
    test = simulate(graph, categorical, options.rows, 2)
    return graph, train, test


def score(test, rows) -> dict[str, float]:
    from scm_common import shape, trend, two_sample_auc

    return {
        "shape": shape(test, rows),
        "trend": trend(test, rows),
        "auc": two_sample_auc(test, rows),
    }


def median_time(call) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ours(options: argparse.Namespace) -> dict[str, float]:
    from causalmix_core.scm import StructuralCausalModel

    graph, train, test = prepare(options)
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401  (imports are not what is timed, here as for the peer)

    start = time.perf_counter()
    model = StructuralCausalModel(quality="good").fit(train, graph)
    fit = time.perf_counter() - start
    edited = graph.copy()
    edited.remove_edge(*next(iter(graph.edges)))
    start = time.perf_counter()
    StructuralCausalModel(quality="good").fit(train, edited)
    refit = time.perf_counter() - start
    sample = median_time(lambda: model.sample(options.rows, seed=0))
    figures = score(test.frame, model.sample(options.rows, seed=0))
    real = score(test.frame, train.frame)
    return {"fit": fit, "refit": refit, "sample": sample, **figures} | {
        f"real_{name}": value for name, value in real.items()
    }


def peer(options: argparse.Namespace) -> dict[str, float]:
    import warnings

    import networkx as nx
    from dowhy import gcm

    warnings.simplefilter("ignore")
    gcm.config.disable_progress_bars()
    gcm.config.set_default_n_jobs(int(options.jobs))
    gcm.util.general.set_random_seed(0)
    graph, train, test = prepare(options)
    frame = train.frame.astype(
        {name: object for name in train.frame if not train.kinds[name].is_number}
    )
    model = gcm.StructuralCausalModel(nx.DiGraph(graph))
    start = time.perf_counter()
    gcm.auto.assign_causal_mechanisms(model, frame, quality=gcm.auto.AssignmentQuality.GOOD)
    assigned = time.perf_counter()
    gcm.fit(model, frame)
    fitted = time.perf_counter()
    sample = median_time(lambda: gcm.draw_samples(model, options.rows))
    rows = gcm.draw_samples(model, options.rows)[train.columns]
    return {
        "fit": fitted - start,
        "assign": assigned - start,
        "sample": sample,
        **score(test.frame, rows),
    }


def run(options: argparse.Namespace, worker: str, jobs: str, setting: dict[str, str]):
    command = [sys.executable, __file__, "--worker", worker, "--jobs", jobs]
    for name in ("rows", "columns", "edges"):
        command += [f"--{name}", str(getattr(options, name))]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **setting},
            capture_output=True,
            text=True,
            check=True,
            timeout=options.limit,
        )
    except subprocess.TimeoutExpired:
        return None
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    print(worker, jobs, setting, figures, file=sys.stderr, flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--edges", type=int, default=74)
    parser.add_argument("--out")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one setting")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--worker", choices=["ours", "peer"])
    parser.add_argument("--jobs", default="1")
    options = parser.parse_args()
    if options.worker:
        print(json.dumps((ours if options.worker == "ours" else peer)(options)))
        return
    before = run(options, "ours", "0", {})
    peers = {name: run(options, "peer", *PEERS[name]) for name in options.peers}
    after = run(options, "ours", "0", {})
    mine = {name: (before[name] + after[name]) / 2 for name in before}
    late = [name for name, one in peers.items() if one is None]
    peers = {name: one for name, one in peers.items() if one is not None}
    best = min(peers.values(), key=lambda one: one["fit"])
    lines = [
        f"# SCM: assign + fit + sample, {options.rows:,} rows × {options.columns} columns, "
        f"{options.edges} edges",
        "",
        f"{date.today()}, {os.cpu_count()} cores, load average "
        f"{os.getloadavg()[2]:.1f} at the end: read the ratios. Ours ran before and after "
        "the peer; the mean is shown.",
        "",
        "| | assign + fit (s) | sample (s) | shape | trend | two-sample AUC |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in {"ours, good": mine, **peers}.items():
        lines.append(
            f"| {name} | {one['fit']:.1f} | {one['sample']:.2f} | {one['shape']:.3f} "
            f"| {one['trend']:.3f} | {one['auc']:.3f} |"
        )
    lines.append(
        f"| real training rows | | | {mine['real_shape']:.3f} | {mine['real_trend']:.3f} "
        f"| {mine['real_auc']:.3f} |"
    )
    lines += [f"| {name} | over {options.limit:.0f}, stopped | | | | |" for name in late]
    lines += [
        "",
        f"Fit {best['fit'] / mine['fit']:.1f}× faster than the peer's best setting, sampling "
        f"{best['sample'] / mine['sample']:.1f}×; refit after one edge was deleted "
        f"{mine['refit']:.2f} s.",
        "",
    ]
    print("\n".join(lines))
    if options.out:
        Path(options.out).write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
