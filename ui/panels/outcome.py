"""What the runs of an experiment came to."""

import json
from typing import Any

import streamlit as st

from causalmix_core.experiment import statistics
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.results import curves, results
from causalmix_core.experiment.runs import model_file
from causalmix_core.experiment.workspace import Workspace
from ui.charts import diagnosis_figure, improvement_figure
from ui.navigation import PREDICT
from ui.palette import method_label
from ui.session import store
from ui.words import plain

SUMMARY: dict[str, tuple[str, str | None, str]] = {
    "method": ("Method", None, "All on the same rows, for the same number of steps."),
    "runs": ("Runs", "%d", "Runs that are done."),
    "roc_auc_test": ("Test AUC", "%.4f", "Mean ROC-AUC on the test rows at the kept step."),
    "improvement": ("Gain %", "%+.2f", "Median normalised improvement over no fine-tuning."),
    "spread": ("± %", "%.2f", "Half the distance between the quartiles of the gain."),
    "rank": ("Rank", "%.2f", "Average rank over seeds, 1 is best."),
    "gap": (
        "Gap",
        "%+.2f",
        "Gain on the validation rows minus gain on the test rows, in percentage points: how much "
        "of what early stopping promised is not there.",
    ),
    "correlation_gap": (
        "Curve gap",
        "%.2f",
        "One minus the rank correlation of the validation and the test curve: 0 means validation "
        "puts the steps in the right order. Needs ten evaluations.",
    ),
    "accuracy_test": ("Accuracy", "%.3f", "Mean, test rows."),
    "log_loss_test": ("Log loss", "%.4f", "Mean, test rows; lower is better."),
    "seconds": ("Seconds", "%.1f", "Median time of a run."),
    "memory_mb": ("MB", "%.0f", "Median of the most memory a run used."),
}


def experiments(runs: list[Job]) -> dict[str, list[Job]]:
    """Group runs that can be compared: those that differ in method and seed only; newest first."""
    groups: dict[str, list[Job]] = {}
    for run in runs:
        same = {k: v for k, v in run.request.items() if k not in ("method", "seed", "prepared")}
        groups.setdefault(json.dumps(same, sort_keys=True), []).append(run)
    newest_first = sorted(
        groups.values(), key=lambda group: max(run.created for run in group), reverse=True
    )
    labelled = {}
    for group in newest_first:
        first = group[0]
        begun = f"{first.created.astimezone():%d %b, %H:%M:%S}"
        steps = first.request["settings"]["steps"]
        rows = first.request["train_rows"]
        labelled[f"{rows} labelled rows, {steps} steps, {len(group)} runs · begun {begun}"] = group
    return labelled


def verdicts(table: Any) -> None:
    """Say in words what came out."""
    if "none" not in set(table.loc[table["status"] == "done", "method"]):
        st.caption("Run 'No fine-tuning' too: the other methods are measured against it.")
        return
    for method in dict.fromkeys(table["method"]):
        if method != "none" and (table["status"][table["method"] == method] == "done").any():
            said = statistics.verdict(table, method).removeprefix(method).lstrip(": ")
            st.markdown(f"- **{method_label(method)}**: {plain(said)}")


def outcome(space: Workspace, runs: list[Job]) -> None:
    """What the runs that are done came to."""
    table = results(runs)
    done = table[table["status"] == "done"]
    if done.empty:
        return
    st.subheader("What came out")
    verdicts(table)
    gained = statistics.improvements(table)
    gained = gained[gained["method"] != "none"]
    if not gained.empty:
        st.plotly_chart(
            improvement_figure(gained), key="improvement", config={"displayModeBar": False}
        )
        st.caption(
            "Normalised improvement of the test ROC-AUC over the model without fine-tuning: "
            "(score / score without − 1) × 100 %. A dot per run, the bar is the median."
        )
    summary = statistics.summarise(table, curves(store(), runs))
    summary["method"] = [method_label(name) for name in summary["method"]]
    st.dataframe(
        summary,
        hide_index=True,
        column_order=list(SUMMARY),
        column_config={
            name: st.column_config.NumberColumn(title, format=form, help=text)
            if form
            else st.column_config.TextColumn(title, help=text)
            for name, (title, form, text) in SUMMARY.items()
        },
    )
    with st.expander("Every run"):
        shown = table.drop(columns=["job"], errors="ignore")
        st.dataframe(shown, hide_index=True)
        st.download_button(
            "Download results.csv",
            lambda: shown.to_csv(index=False).encode(),
            file_name="results.csv",
            mime="text/csv",
            on_click="ignore",
        )
        st.download_button(
            "Download curves.csv",
            lambda: curves(store(), runs).drop(columns=["job"]).to_csv(index=False).encode(),
            file_name="curves.csv",
            mime="text/csv",
            on_click="ignore",
        )
    one_run(runs)


def one_run(runs: list[Job]) -> None:
    """Where one run's model errs, and the model to take away."""
    st.subheader("One run from near")
    picked = st.selectbox(
        "Run",
        [run for run in runs if run.state is State.DONE],
        format_func=lambda run: (
            f"{method_label(run.request['method'])}, seed {run.request['seed']}: test AUC "
            f"{run.result['metrics']['roc_auc_test']:.3f}"
        ),
    )
    if picked is None:
        return
    diagnosis = picked.result.get("diagnosis")
    if diagnosis:
        st.plotly_chart(
            diagnosis_figure(diagnosis), key="diagnosis", config={"displayModeBar": False}
        )
        st.caption(
            "Left: test rows by true and predicted class; the darker a cell, the larger its share "
            "of the true class. Right: on the dashed line, what was said is what was; larger "
            "points stand for more rows."
        )
    if not model_file(store(), picked).is_file():
        st.caption("This method leaves no model to take away.")
        return
    st.caption(
        "The file holds the model's weights **and the training rows it predicts from: they are "
        "your data**. Share it as you would share the table."
    )
    st.download_button(
        "Download the model (.safetensors)",
        lambda: model_file(store(), picked).read_bytes(),
        file_name=f"{picked.request['method']}-{picked.request['seed']}.safetensors",
        on_click="ignore",
        icon=":material/download:",
    )
    st.page_link(PREDICT, label="Predict new rows with it", icon=":material/table_view:")
