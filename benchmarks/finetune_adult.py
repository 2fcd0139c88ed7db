"""The whole comparison on one table in one command, with the time it took.

    python benchmarks/finetune_adult.py adult.csv --out FOLDER [--report FILE]

500 labelled rows of the table, 5 seeds, every built-in method (those whose generator does not apply
to the table fail with the reason, at no cost); prints the summary, wall time and each method's
computing, and leaves `results.csv`, `curves.csv` and the curves as `curves.html` in FOLDER.
"""

import argparse
import os
import platform
import sys
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SPLITS = ("validation", "test")

PANELS = [
    ("train", "loss"),
    *((split, metric) for metric in ("roc_auc", "accuracy", "log_loss") for split in SPLITS),
]


def main() -> None:
    """Run the comparison and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--target", default="income")
    parser.add_argument("--out", required=True)
    parser.add_argument("--train-rows", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--methods", help="such as none,default,causalmix; else every one")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--report", help="write the report here as Markdown")
    options = parser.parse_args()

    import causalmix_core as cm
    from causalmix_core.experiment.experiment import run_experiment
    from causalmix_core.experiment.plan import Plan, Source
    from causalmix_core.finetune import METHODS
    from ui.charts import curve_figure

    began = time.perf_counter()
    table = cm.read_table(options.table, target=options.target)
    plan = Plan(
        (Source(table),),
        tuple(options.methods.split(",")) if options.methods else tuple(METHODS),
        tuple(range(options.seeds)),
        (options.train_rows,),
        model=options.model,
    )
    outcome = run_experiment(plan, options.out, resume=options.resume)
    results = outcome.results
    done = results[results["status"] == "done"]
    kept = {(run.method, int(run.seed)): int(run.best_step) for run in done.itertuples()}
    figure = curve_figure(outcome.curves, PANELS, kept)
    figure.write_html(Path(options.out) / "curves.html", include_plotlyjs=True)
    minutes = (time.perf_counter() - began) / 60
    seconds = done.groupby("method", sort=False)["cpu_seconds"].median()
    text = "\n".join(
        [
            f"# {table.name}, {options.train_rows} labelled rows, {date.today():%d %B %Y}",
            "",
            f"{len(results)} runs ({len(plan.methods)} methods, {options.seeds} seeds) in "
            f"{minutes:.1f} minutes on {os.cpu_count()} cores ({platform.machine()}), load "
            f"average {os.getloadavg()[2]:.1f} at the end; the runs computed for "
            f"{results['cpu_seconds'].sum() / 60:.1f} core minutes.",
            "",
            "Core seconds of a run (median): "
            + ", ".join(f"{method} {value:.0f}" for method, value in seconds.items())
            + ".",
            "",
            "```",
            outcome.summary.rstrip(),
            "```",
            "",
        ]
    )
    print(text)
    if options.report:
        Path(options.report).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
