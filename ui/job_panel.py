"""Watching a background job: where it stands, how long still, and a way to stop it."""

from datetime import UTC, datetime

import streamlit as st

from causalmix_core.errors import StoreError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.workspace import Workspace
from ui.session import store
from ui.words import plain


def latest(space: Workspace, kind: str) -> Job | None:
    """The newest job of a kind; None where it is over and was about another table or target."""
    job = jobs.latest(space.store, space.project, kind)
    if job is not None and job.state.is_over and job.request.get("table") != space.table_key():
        return None
    return job


def is_busy(space: Workspace, kind: str) -> bool:
    """Whether a job of this kind waits or is running."""
    job = jobs.latest(space.store, space.project, kind)
    return job is not None and not job.state.is_over


def time_left(job: Job) -> str:
    """Say how long the job still takes, once enough of it is done to tell."""
    if job.started is None or job.fraction < 0.05:
        return ""
    spent = (datetime.now(UTC) - job.started).total_seconds()
    return f"about {in_words(spent * (1 - job.fraction) / job.fraction)} left"


def in_words(seconds: float) -> str:
    """Say a duration: ``40 s``, ``3 min``, ``5 h``, ``more than a month``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 2 * 3600:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} h"
    days = round(seconds / 86400)
    return f"{days} days" if days <= 30 else "more than a month"


def watch_job(job_id: str, doing: str) -> None:
    """Show a running job with its progress; the page runs again when the job is over."""

    @st.fragment(run_every=0.5)
    def panel() -> None:
        jobs.tend(store())
        try:
            job = jobs.job(store(), job_id)
        except StoreError:  # the project was deleted in another tab: the page says so
            st.rerun()
        if job.state.is_over:
            st.rerun()
        bar, stop = st.columns([6, 1], vertical_alignment="center")
        left = time_left(job)
        bar.progress(
            job.fraction, f"{doing}: {plain(job.sentence)}" + (f" · {left}" if left else "")
        )
        stop.button(
            "Cancel",
            key=f"cancel-{job_id}",
            width="stretch",
            on_click=jobs.cancel,  # a callback: the panel may end before it comes to the button
            args=(store(), job_id),
        )

    panel()


def outcome(job: Job | None, what: str) -> None:
    """Say how a job that is over ended, where that was not as it should be."""
    if job is None or job.state in (State.DONE, State.QUEUED, State.RUNNING):
        return
    if job.state is State.FAILED:
        st.error(f"{what} did not work: {plain(job.error)}", icon=":material/error:")
    elif job.state is State.CANCELLED:
        st.info(f"{what} was cancelled.", icon=":material/cancel:")
    else:
        st.warning(
            f"{what} was interrupted: its process ended before it was done. Start it again.",
            icon=":material/warning:",
        )
