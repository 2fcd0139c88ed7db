"""How fast the compact model loads and predicts, and how much memory it takes.

    python benchmarks/compact_speed.py --out benchmarks/results

512 labelled and 512 test rows of 20 columns, in a fresh process per line; the logistic regression
and the random forest beside it are the usual yardsticks. Run it on an idle machine.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

LINES = ("compact float32", "compact auto", "logistic regression", "random forest")


def measure(line: str) -> dict[str, float]:
    """Load, fit and predict once in this process; seconds, and peak memory in MB."""
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.normal(size=(1024, 20))
    y = (X[:, 0] * X[:, 1] + X[:, 2] + rng.normal(size=1024) > 0).astype(int)
    if line.startswith("compact"):
        import torch  # noqa: F401
        from tabpfn import TabPFNClassifier  # noqa: F401

        from causalmix_core.foundation import load

        started = time.perf_counter()
        model = load("compact", device="cpu", precision=line.split()[1])
        model.get_inference_config()  # reads the file and builds the network
    else:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression

        started = time.perf_counter()
        model = LogisticRegression() if "log" in line else RandomForestClassifier(300, n_jobs=2)
    loaded = time.perf_counter()
    model.fit(X[:512], y[:512])
    fitted = time.perf_counter()
    p = model.predict_proba(X[512:])[:, 1]
    done = time.perf_counter()
    from sklearn.metrics import roc_auc_score

    return {
        "load": loaded - started,
        "fit": fitted - loaded,
        "predict": done - fitted,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "auc": float(roc_auc_score(y[512:], p)),
    }


def main() -> None:
    """Measure every line in its own process and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=None, help="folder for compact_speed.md")
    parser.add_argument("--line", default=None, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    if given.line:
        print(json.dumps(measure(given.line)))
        return
    rows = []
    for line in LINES:
        kept = []
        for _ in range(given.repeats):
            command = [sys.executable, __file__, "--line", line]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            kept.append(json.loads(done.stdout.splitlines()[-1]))
        best = {key: min(k[key] for k in kept) for key in kept[0]}
        rows.append(
            f"| {line} | {best['load']:.2f} | {best['fit']:.2f} | {best['predict']:.2f} | "
            f"{best['peak']:.0f} | {best['auc']:.3f} |"
        )
        print(rows[-1], flush=True)
    load = ", ".join(f"{v:.1f}" for v in os.getloadavg())
    text = (
        f"# Speed of the compact model\n\n{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
        f"{os.cpu_count()} cores, load average {load}; best of {given.repeats} fresh processes, "
        "512 labelled and 512 test rows of 20 columns, imports not counted.\n\n"
        "| model | load s | fit s | predict s | peak memory MB | AUC |\n|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
    if given.out:
        (given.out / "compact_speed.md").write_text(text)


if __name__ == "__main__":
    main()
