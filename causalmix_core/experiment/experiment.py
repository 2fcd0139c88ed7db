"""A whole experiment into a folder: what the commands `finetune` and `benchmark` do.

The folder holds ``results.csv``, ``curves.csv``, ``models/``, ``summary.txt`` and the store of its
runs (``.store``), from which an interrupted experiment is resumed.
"""

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from causalmix_core.errors import StoreError
from causalmix_core.experiment import jobs, statistics
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.plan import Plan
from causalmix_core.experiment.results import curves, write_files
from causalmix_core.experiment.runs import launch, model_file
from causalmix_core.experiment.store import Store
from causalmix_core.foundation import models
from causalmix_core.progress import Progress, silent

STORE = ".store"

GIVEN_GRAPH = (
    "The causal methods take the given graph as it is; its structure may have been found on rows "
    "that are validation or test rows here."
)


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to.

    Attributes:
        results: one line per run.
        curves: what the runs measured.
        summary: the summary as text.
    """

    results: pd.DataFrame
    curves: pd.DataFrame
    summary: str


def run_experiment(
    plan: Plan, out: str | Path, *, resume: bool = False, progress: Progress = silent
) -> Outcome:
    """Run a plan and write its files; runs done before are not done again.

    Args:
        plan: what to run.
        out: the folder; it must be new or empty unless `resume`.
        resume: go on where an earlier, interrupted experiment in that folder stopped.
        progress: told how many runs are over; raising in it (or Ctrl-C) cancels what is running
            and leaves the files of what is done.

    Raises:
        StoreError: the folder holds something and `resume` is False.
        CheckpointError: there is no such model; the folder is not made then.
    """
    out = Path(out)
    check_folder(out, resume)
    models.path(plan.model)
    out.mkdir(parents=True, exist_ok=True)
    store = Store(out / STORE)
    known = store.list()
    project = (known[0] if known else store.create(out.resolve().name or "experiment")).id
    ids = launch(store, project, plan, workers=False)

    def watch(snapshots: list[Job]) -> None:
        over = sum(each.state.is_over for each in snapshots)
        going = [each for each in snapshots if each.state is State.RUNNING]
        share = sum(1.0 if each.state.is_over else each.fraction for each in snapshots)
        told = f"{over} of {len(snapshots)} runs"
        if going:
            first = going[0]
            told += f"; {first.request['method']}, seed {first.request['seed']}: {first.sentence}"
        elif over < len(snapshots):
            told += "; preparing rows"
        progress(share / len(snapshots), told)

    try:
        jobs.wait(store, ids, watch=watch)
    except BaseException:
        jobs.cancel_all(store, project)
        jobs.see_off(store)
        _collect(store, project, ids, plan, out)
        raise
    jobs.cancel_all(store, project)  # what an earlier experiment with other options left waiting
    jobs.see_off(store)
    return _collect(store, project, ids, plan, out)


def check_folder(out: Path, resume: bool) -> None:
    """Refuse a folder that holds something.

    Raises:
        StoreError: it does and `resume` is False, or `resume` is asked of one that is no
            experiment.
    """
    if out.is_file():
        raise StoreError(f"{out} is a file; give a folder.")
    filled = out.is_dir() and any(out.iterdir())
    if filled and not resume:
        raise StoreError(f"The folder {out} is not empty; choose a new one or add --resume.")
    if filled and resume and not (out / STORE / "store.sqlite").is_file():
        raise StoreError(f"The folder {out} holds no experiment to resume; choose a new one.")


def _collect(store: Store, project: str, ids: Sequence[str], plan: Plan, out: Path) -> Outcome:
    """Write the files of an experiment as it stands."""
    wanted = set(ids)
    runs = [job for job in jobs.jobs(store, project, "finetune") if job.id in wanted]
    table = write_files(store, runs, out)
    drawn = curves(store, runs)
    _collect_models(store, runs, plan, out / "models")
    summary = summary_text(table, drawn, notes=notes_on(runs))
    (out / "summary.txt").write_text(summary, encoding="utf-8")
    return Outcome(table, drawn, summary)


def _collect_models(store: Store, runs: Sequence[Job], plan: Plan, folder: Path) -> None:
    """Copy the models of the runs that are done; those of other runs, as of other options, go."""
    folder.mkdir(exist_ok=True)
    found = {
        model_name(job, plan): model_file(store, job) for job in runs if job.state is State.DONE
    }
    found = {name: made for name, made in found.items() if made.is_file()}
    for old in folder.glob("*.safetensors"):
        if old.name not in found:
            old.unlink()
    for name, made in found.items():
        unfinished = folder / f"{name}.part"
        shutil.copyfile(made, unfinished)
        unfinished.replace(folder / name)


def model_name(job: Job, plan: Plan) -> str:
    """Name a run's model file: METHOD-SEED, with table and budget where there are several."""
    request = job.request
    parts = [str(request["method"]), str(request["seed"])]
    if len(plan.train_rows) > 1:
        parts.insert(0, str(request["train_rows"] or "all"))
    if len(plan.sources) > 1:
        parts.insert(0, _table_names(plan)[request["name"]])
    return "-".join(parts) + ".safetensors"


def _table_names(plan: Plan) -> dict[str, str]:
    """Name every table as a file can be named; names that become alike are numbered."""
    found: dict[str, str] = {}
    for source in plan.sources:
        name = source.table.name
        plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
        numbered = (f"{plain}_{number}" for number in itertools.count(2))
        found[name] = next(n for n in itertools.chain([plain], numbered) if n not in found.values())
    return found


def notes_on(runs: Sequence[Job]) -> list[str]:
    """What is to be said of runs beside their figures."""
    given = any(run.request["source"]["graph"] is not None for run in runs)
    return [GIVEN_GRAPH] if given else []


def summary_text(
    results: pd.DataFrame,
    curves: pd.DataFrame | None = None,
    metric: str = "roc_auc",
    notes: Sequence[str] = (),
) -> str:
    """Return the summary of an experiment, with notes on its runs, as text for a terminal."""
    done = int((results["status"] == "done").sum())
    lines = [f"{done} of {len(results)} runs done."]
    for state, count in results["status"].value_counts().items():
        if state != "done":
            lines.append(f"{count} {state}.")
    for error in dict.fromkeys(results.get("error", pd.Series(dtype=str)).dropna()):
        who = results.loc[results["error"] == error, "method"].unique()
        lines.append(f"Failed ({', '.join(who)}): {error}")
    lines += _cut_budgets(results)
    if done:
        table = statistics.summarise(results, curves, metric)
        lines += ["", _HEADER, *[_summary_line(row) for row in table.to_dict("records")], ""]
        methods = [m for m in table["method"] if m != statistics.BASELINE]
        lines += _per_table(results, methods, metric)
        lines += [statistics.verdict(results, name, metric) for name in methods]
        cases = len(statistics.wide(results, metric)) if "none" in set(table["method"]) else 0
        if cases > 1 and len(table) > 1:
            difference = statistics.critical_difference(len(table), cases)
            lines.append(
                f"Average ranks over {cases} cases differ beyond chance where they are more than "
                f"{difference:.2f} apart (Nemenyi, 5 %)."
            )
        lines.append(statistics.scope(results))
    lines += [f"Note: {note}" for note in notes]
    lines += ["", _NOTES]
    return "\n".join(lines) + "\n"


def _cut_budgets(results: pd.DataFrame) -> list[str]:
    """What was asked for and is not there, for every table and budget that is too large for it."""
    if not {"budget", "train_rows", "val_rows"} <= set(results):
        return []
    used = (results["train_rows"] + results["val_rows"]).astype("float64")
    asked = results["budget"].astype("float64")
    cut = results.assign(budget=asked, used=used)[used < asked]
    most = cut.groupby(["table", "budget"], sort=False, as_index=False)["used"].max()
    lines = [
        f"{table}: {budget:.0f} labelled rows were asked for, {rows:.0f} are used."
        for table, budget, rows in zip(most["table"], most["budget"], most["used"], strict=True)
    ]
    if lines and asked.nunique() > 1:
        lines.append("Sizes that come to the same rows count once.")
    return lines


def _per_table(results: pd.DataFrame, methods: Sequence[str], metric: str) -> list[str]:
    """The mean improvement on every table, where there are several."""
    found = statistics.by_table(results, metric)
    shown = found[[name for name in methods if name in found]]
    if shown.index.get_level_values("table").nunique() < 2 or shown.empty:
        return []
    lines = ["Mean improvement % by table (and number of labelled rows, where several):"]
    several = shown.index.get_level_values("budget").nunique() > 1
    for (table, budget), row in zip(shown.index, shown.to_numpy(), strict=True):
        figures = ", ".join(
            f"{name} {round(value, 2) + 0.0:+.2f}" if value == value else f"{name} -"
            for name, value in zip(shown.columns, row, strict=True)
        )
        lines.append(f"  {table}{f', {budget} rows' if several else ''}: {figures}")
    return [*lines, ""]


_HEADER = (
    f"{'method':<18}{'runs':>5}{'improvement %':>15}{'spread':>8}{'rank':>6}"
    f"{'gap':>8}{'corr. gap':>11}{'ROC-AUC':>9}{'accuracy':>10}{'log loss':>10}{'seconds':>9}"
)

_NOTES = (
    "Improvement: (test ROC-AUC / that of none - 1) x 100 %, median over runs (over the means of\n"
    "tables, where there are several); spread: half the distance between its quartiles. Gap: the\n"
    "same on validation minus on test rows at the kept step (percentage points). Corr. gap: 1 -\n"
    "rank correlation of the validation and the test curve. A saved model holds the rows it was\n"
    "trained on: share it as you would share those."
)


def _summary_line(row: "dict[object, object]") -> str:
    def cell(name: str, width: int, digits: int, sign: str = "") -> str:
        value = float(str(row[name]))
        text = "-" if value != value else f"{value:{sign}.{digits}f}"
        return f"{text:>{width}}"

    return (
        f"{row['method']!s:<18}{row['runs']!s:>5}"
        + cell("improvement", 15, 2, "+")
        + cell("spread", 8, 2)
        + cell("rank", 6, 2)
        + cell("gap", 8, 2, "+")
        + cell("correlation_gap", 11, 2)
        + cell("roc_auc_test", 9, 4)
        + cell("accuracy_test", 10, 4)
        + cell("log_loss_test", 10, 4)
        + cell("seconds", 9, 1)
    )
