"""Results as MLflow runs, where MLflow is installed; CausalMix itself does without it."""

import importlib.util
import math
import os
import time
from pathlib import Path
from typing import Any

import pandas as pd

from causalmix_core.errors import RunError, StoreError

_METRICS_PER_CALL = 1_000
_PARAMETERS = (
    "table",
    "method",
    "seed",
    "model",
    "budget",
    "train_rows",
    "val_rows",
    "test_rows",
    "domain_rows",
    "synthetic_rows",
    "stop_metric",
    "stop_rule",
)
_STATES = {"done": "FINISHED", "failed": "FAILED"}


def is_installed() -> bool:
    """Whether MLflow can be imported here."""
    return importlib.util.find_spec("mlflow") is not None


def export_folder(
    folder: str | Path, tracking: str | None = None, experiment: str = "causalmix"
) -> int:
    """Log the runs of a folder that `finetune` or `benchmark` wrote; return how many.

    Raises:
        StoreError: the folder holds no results.
        RunError: MLflow is not installed or does not take them.
    """
    files = [Path(folder) / name for name in ("results.csv", "curves.csv")]
    for file in files:
        if not file.is_file():
            raise StoreError(f"There is no {file.name} in {folder}; give a folder of results.")
    results, curves = (pd.read_csv(file) for file in files)
    return export(results, curves, tracking, experiment)


def export(
    results: pd.DataFrame,
    curves: pd.DataFrame,
    tracking: str | None = None,
    experiment: str = "causalmix",
) -> int:
    """Log one MLflow run per line of results, with its curves; return how many.

    Args:
        results: as in ``results.csv``; what decides a run becomes parameters, figures become
            metrics under their own names.
        curves: as in ``curves.csv``; logged as SPLIT_METRIC with their steps.
        tracking: MLflow's tracking address or folder; None leaves it to MLflow's own settings.
        experiment: its name in MLflow; made where there is none.

    Raises:
        RunError: MLflow is not installed or does not take them.
    """
    if not is_installed():
        raise RunError("MLflow is not installed here: `pip install mlflow`, then export again.")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(tracking_uri=tracking)
        known = client.get_experiment_by_name(experiment)
        number = known.experiment_id if known else client.create_experiment(experiment)
        for line in results.to_dict("records"):
            _log(client, number, {str(k): v for k, v in line.items()}, curves)
    except MlflowException as error:
        raise RunError(f"MLflow did not take the runs: {error}") from error
    return len(results)


def _log(client: Any, experiment: str, line: dict[str, Any], curves: pd.DataFrame) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    run = client.create_run(experiment, run_name=f"{line['method']}-{line['seed']}")
    parameters = [
        Param(name, str(line[name])) for name in _PARAMETERS if not _is_missing(line.get(name))
    ]
    figures = {name: value for name, value in line.items() if name not in _PARAMETERS}
    metrics = [
        Metric(name, float(value), now, 0)
        for name, value in figures.items()
        if isinstance(value, int | float) and not _is_missing(value)
    ]
    mine = curves
    for name in ("table", "method", "seed", "budget"):
        if name in curves and name in line and not _is_missing(line[name]):
            mine = mine[mine[name] == line[name]]
    metrics += [
        Metric(f"{split}_{metric}", value, now, step)
        for split, metric, value, step in zip(
            mine["split"],
            mine["metric"],
            mine["value"].astype(float).tolist(),
            mine["step"].astype(int).tolist(),
            strict=True,
        )
        if math.isfinite(value)
    ]
    client.log_batch(run.info.run_id, params=parameters)
    for start in range(0, len(metrics), _METRICS_PER_CALL):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + _METRICS_PER_CALL])
    if not _is_missing(line.get("error")):
        client.set_tag(run.info.run_id, "error", str(line["error"]))
    client.set_terminated(run.info.run_id, _STATES.get(str(line["status"]), "KILLED"))


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))
