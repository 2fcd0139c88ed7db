"""Runs as tables: one line per run, and their curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.store import Store
from causalmix_core.finetune.metrics import METRICS

FIRST_COLUMNS = (
    "table",
    "method",
    "seed",
    "model",
    "train_rows",
    "val_rows",
    "test_rows",
    "roc_auc_test",
    "accuracy_test",
    "balanced_accuracy_test",
    "pr_auc_test",
    "log_loss_test",
    "roc_auc_val",
    "stop_metric",
    "stop_value_start",
    "stop_value",
    "best_step",
    "steps",
    "seconds",
    "status",
)
"""Columns of `results.csv` that are always there; further ones follow."""

CURVE_COLUMNS = ("table", "method", "seed", "step", "split", "metric", "value")


def results(runs: Sequence[Job], *, live: bool = False) -> pd.DataFrame:
    """Return one line per run: identity, figures (missing where it is not done), status.

    A run that is not over is, for a file, an interrupted one; `live` says where it stands instead.

    Beside `FIRST_COLUMNS`: ``budget`` (labelled rows asked for), the other metrics on validation
    and domain rows, ``job`` and, for a failed run, ``error``.
    """
    lines = [_line(job, live) for job in runs]
    extra = list(dict.fromkeys(key for line in lines for key in line))
    columns = [*FIRST_COLUMNS, *(name for name in extra if name not in FIRST_COLUMNS)]
    return pd.DataFrame(lines, columns=columns)


def _line(job: Job, live: bool) -> dict[str, Any]:
    request = job.request
    line: dict[str, Any] = {
        "table": request["name"],
        "method": request["method"],
        "seed": request["seed"],
        "model": request["model"],
        "budget": request["train_rows"],
    }
    if job.state is State.DONE:
        line |= job.result["metrics"]
    status = job.state if live or job.state.is_over else State.INTERRUPTED
    return line | {"status": str(status), "error": job.error, "job": job.id}


def curves(store: Store, runs: Sequence[Job]) -> pd.DataFrame:
    """Return what runs measured: `CURVE_COLUMNS`, ``budget`` and ``job``.

    ``train`` holds the loss and learning rate of every step, and the scores of the query rows of
    the steps since the evaluation before (at step 0: a third of the training rows predicted from
    the others); ``test`` and ``domain`` may be drawn from a sample of their rows
    (`Settings.curve_rows`). Metric ``seconds`` is each step's time.
    """
    points = jobs.curves(store, [job.id for job in runs])
    identity = pd.DataFrame(
        [
            {
                "job": job.id,
                "table": job.request["name"],
                "method": job.request["method"],
                "seed": job.request["seed"],
                "budget": job.request["train_rows"],
                "order": order,
            }
            for order, job in enumerate(runs)
        ],
        columns=["job", "table", "method", "seed", "budget", "order"],
    )
    joined = points.merge(identity, on="job", how="inner", validate="many_to_one")
    joined = joined.sort_values(["order", "step", "split", "metric"], kind="stable")
    return joined[[*CURVE_COLUMNS, "budget", "job"]].reset_index(drop=True)


def write_files(store: Store, runs: Sequence[Job], out: Path) -> pd.DataFrame:
    """Write ``results.csv`` and ``curves.csv`` and return the results."""
    table = results(runs)
    several = table["budget"].nunique(dropna=False) > 1
    told = table.drop(columns=["job"] if several else ["job", "budget"])
    _write(told, out / "results.csv")
    drawn = curves(store, runs)
    # Times differ from run to run; what is written here is the same each time.
    drawn = drawn[drawn["metric"] != "seconds"]
    _write(drawn[[*CURVE_COLUMNS, *(["budget"] if several else [])]], out / "curves.csv")
    return table


def _write(frame: pd.DataFrame, path: Path) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    frame.to_csv(unfinished, index=False, lineterminator="\n")
    unfinished.replace(path)


def known_metrics(table: pd.DataFrame) -> list[str]:
    """The metrics for which a results table has test figures."""
    return [metric for metric in METRICS if f"{metric}_test" in table.columns]
