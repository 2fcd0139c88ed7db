"""Watching fine-tuning runs: curves as they grow, where each run stands, cancel and resume."""

import time
from collections import Counter

import pandas as pd
import streamlit as st

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.results import curves
from causalmix_core.experiment.runs import refusal
from ui.charts import curve_figure, multiples_figure
from ui.job_panel import time_left
from ui.palette import learns, method_label
from ui.session import store
from ui.words import NO_FIGURE, plain

PANELS: dict[str, tuple[str, str]] = {
    "Training loss": ("train", "loss"),
    "AUC, validation": ("validation", "roc_auc"),
    "AUC, test": ("test", "roc_auc"),
    "Accuracy, validation": ("validation", "accuracy"),
    "Accuracy, test": ("test", "accuracy"),
    "Log loss, validation": ("validation", "log_loss"),
    "Log loss, test": ("test", "log_loss"),
    "PR-AUC, test": ("test", "pr_auc"),
    "Recall of the rare class, test": ("test", "recall_rare"),
    "AUC, training": ("train", "roc_auc"),
    "AUC, domain": ("domain", "roc_auc"),
    "Accuracy, domain": ("domain", "accuracy"),
    "Learning rate": ("train", "learning_rate"),
    "Seconds per step": ("train", "seconds"),
}
FIRST_PANELS = list(PANELS)[:5]
LAYOUTS = ["Together", "A panel per method", "A panel per run"]
MANY_RUNS = 15
"""From more trained runs than this on, every method gets a panel of its own at first."""
STATE_WORDS = {
    State.QUEUED: "waiting",
    State.RUNNING: "running",
    State.DONE: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.INTERRUPTED: "interrupted",
}
MOST_LINES = 8
SECONDS_TO_READ = 10.0
"""For so long the page stays as it is while runs end one after another."""


def runs_of(project: str, ids: list[str]) -> list[Job]:
    """The runs of an experiment, in the order they were asked for."""
    found = {job.id: job for job in jobs.jobs(store(), project, "finetune")}
    return [found[job_id] for job_id in ids if job_id in found]


def watch_runs(project: str, ids: list[str]) -> None:
    """Draw the curves of runs, live while any of them is going on."""
    at_first = runs_of(project, ids)
    seen = [run.state for run in at_first]
    listed = in_line(at_first)
    begun = time.monotonic()
    over = all(state.is_over for state in seen)
    # A run that was stopped may be resumed in another tab: look now and then.
    every = 1.0 if not over else 4.0 if set(seen) != {State.DONE} else None

    @st.fragment(run_every=every)
    def panel() -> None:
        jobs.tend(store())
        runs = runs_of(project, ids)
        states = [run.state for run in runs]
        if outdated(seen, states, time.monotonic() - begun):
            st.rerun()
        _overall(project, runs)
        points = curves(store(), runs)
        if points.empty and over:
            st.caption("Nothing was measured: no run got that far.")
        elif points.empty:
            st.caption("The first points appear as soon as a run has measured something.")
        else:
            _charts(points, runs)
        by_id = {run.id: run for run in runs}
        _each([by_id[each] for each in listed if each in by_id])

    panel()


def outdated(seen: list[State], now: list[State], seconds: float) -> bool:
    """Whether what the page says of runs has fallen behind: `seconds` ago they stood as `seen`.

    All that are over are told at once, one more that is done only after a while: a page that
    changes all the time cannot be read.
    """
    if all(state.is_over for state in seen):
        return now != seen
    if all(state.is_over for state in now):
        return True
    return now.count(State.DONE) != seen.count(State.DONE) and seconds >= SECONDS_TO_READ


def _charts(points: pd.DataFrame, runs: list[Job]) -> None:
    """Draw the curves in the layout that was asked for."""
    kept = _kept(runs)
    trained = sum(learns(run.request["method"]) for run in runs)
    most = runs[0].request["settings"]["curve_rows"]
    layout = st.segmented_control(
        "Layout",
        LAYOUTS,
        default=LAYOUTS[0] if trained <= MANY_RUNS else LAYOUTS[1],
        key="curve-layout",
        required=True,
        wrap=True,
        label_visibility="collapsed",
    )
    smoothing = float(st.session_state.get("smoothing", 0.0))
    if layout in LAYOUTS[1:]:
        names = [name for name, curve in PANELS.items() if _has(points, *curve)]
        start = names.index("AUC, validation") if "AUC, validation" in names else 0
        name = st.selectbox("Curve", names, index=start, key="curve-shown", width=320)
        per_run = layout == LAYOUTS[2]
        figure = multiples_figure(points, PANELS[name], kept, smoothing, per_run)
    else:
        wanted = st.pills(
            "Curves",
            [
                name
                for name, (split, _) in PANELS.items()
                if split != "domain" or _has(points, split)
            ],
            selection_mode="multi",
            default=FIRST_PANELS,
            key="curve-panels",
            wrap=True,
            label_visibility="collapsed",
        )
        if not wanted:
            return
        figure = curve_figure(points, [PANELS[name] for name in wanted], kept, smoothing)
    st.plotly_chart(figure, key="curves")
    st.caption(
        "One colour per method. With several seeds: thin lines are runs, the thick one their mean "
        "over n runs as far as half of them got, the band the middle half of them. The grey dashed "
        "line is the model without fine-tuning. A small upright mark (with one seed a dotted line) "
        "shows the step that early stopping kept. Drag over a stretch to zoom in, double-click to "
        f"zoom out. Test and domain curves are drawn on {most} of the rows at most, the same for "
        "all methods of a seed; the results below use all rows."
    )
    with st.expander("Smoothing, and the numbers"):
        st.slider("Smoothing", 0.0, 0.9, 0.0, 0.1, key="smoothing", help="0 draws as measured.")
        st.dataframe(
            points.drop(columns=["job"]), hide_index=True, height=260, placeholder=NO_FIGURE
        )


def _has(points: pd.DataFrame, split: str, metric: str | None = None) -> bool:
    found = points["split"] == split
    return bool((found if metric is None else found & (points["metric"] == metric)).any())


def _kept(runs: list[Job]) -> dict[tuple[str, int], int]:
    return {
        (run.request["method"], run.request["seed"]): int(run.result["metrics"]["best_step"])
        for run in runs
        if run.state is State.DONE
    }


def standing(runs: list[Job]) -> str:
    """Say how many runs are done, and how many were stopped and why."""
    count = Counter(run.state for run in runs)
    stopped = (State.CANCELLED, State.INTERRUPTED, State.FAILED)
    told = [f"{count[state]} {STATE_WORDS[state]}" for state in stopped if count[state]]
    return ", ".join([f"{count[State.DONE]} of {len(runs)} runs done", *told])


def _overall(project: str, runs: list[Job]) -> None:
    going = [run for run in runs if not run.state.is_over]
    prepared = {job.id: job for job in jobs.jobs(store(), project, "prepare")}
    waylaid = [
        run
        for run in runs
        if run.state.is_over
        and run.state is not State.DONE
        and not refusal(run, prepared.get(run.request.get("prepared", "")))
    ]
    if not going and not waylaid:
        return
    done = sum(run.state is State.DONE for run in runs)
    share = (done + sum(run.fraction for run in going)) / len(runs)
    awaited = {run.request.get("prepared") for run in going}
    ahead = [job for job in prepared.values() if job.id in awaited and job.state is State.RUNNING]
    bar, *buttons = st.columns(
        [6, *[1.3] * (bool(going) + bool(waylaid))], vertical_alignment="center"
    )
    bar.progress(
        share,
        f"Preparing rows: {plain(ahead[0].sentence)}" if going and ahead else standing(runs),
    )
    # Callbacks, because the panel may run the page again before it comes to a button.
    if going:
        buttons[0].button(
            "Cancel all",
            key="cancel-all",
            width="stretch",
            on_click=jobs.cancel_together,
            args=(store(), [run.id for run in going]),
        )
    if waylaid:
        buttons[-1].button(
            "Resume all", key="resume-all", width="stretch", on_click=_resume_all, args=(waylaid,)
        )


def _resume_all(runs: list[Job]) -> None:
    for run in runs:
        jobs.resume(store(), run.id, launch=False)
    jobs.tend(store())


def in_line(runs: list[Job]) -> list[str]:
    """Runs that are not done, those that are going on first."""
    order = (State.RUNNING, State.QUEUED)
    open_ones = [run for run in runs if run.state is not State.DONE]
    open_ones.sort(key=lambda run: order.index(run.state) if run.state in order else len(order))
    return [run.id for run in open_ones]


def _each(shown: list[Job]) -> None:
    """One line per run that was not done when the page was run, with the button that fits.

    The lines stay where they are as runs end, or the next one would move under the reader's hand.
    """
    going = sum(not run.state.is_over for run in shown)
    stopped = sum(run.state.is_over and run.state is not State.DONE for run in shown)
    if not going and not stopped:
        return
    # A title that stays the same: with another one the list would close under the reader's hand.
    with st.expander("Runs that are not done: cancel or resume", expanded=True):
        told = [f"{going} going on or waiting"] if going else []
        told += [f"{stopped} stopped"] if stopped else []
        st.caption(", ".join(told))
        all_of_them = len(shown) > MOST_LINES and st.toggle(
            f"Show all {len(shown)}", key="all-runs"
        )
        for run in shown if all_of_them else shown[:MOST_LINES]:
            name, bar, button = st.columns([2, 4, 1], vertical_alignment="center")
            method = method_label(run.request["method"])
            name.text(f"{method}, seed {run.request['seed']}")
            if run.state is State.DONE:
                bar.text(STATE_WORDS[run.state])
                continue
            if run.state.is_over:
                bar.text(f"{STATE_WORDS[run.state]}" + (f": {run.error}" if run.error else ""))
                label, act = "Resume", jobs.resume
            else:
                left = time_left(run)
                bar.progress(run.fraction, plain(run.sentence) + (f" · {left}" if left else ""))
                label, act = "Cancel", jobs.cancel
            button.button(
                label,
                key=f"{label.lower()}-{run.id}",
                width="stretch",
                on_click=act,
                args=(store(), run.id),
            )
