"""What the page of runs says, and gives away, while runs end one after another."""

import io

import pandas as pd
import pytest
import streamlit as st

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Workspace
from ui.panels.takeaway import takeaway
from ui.run_panel import in_line, outdated

WAITING, RUNNING, DONE, STOPPED = State.QUEUED, State.RUNNING, State.DONE, State.CANCELLED


@pytest.mark.parametrize(
    ("seen", "now", "seconds", "expected"),
    [
        ([RUNNING, WAITING], [RUNNING, WAITING], 60, False),
        ([RUNNING, WAITING], [DONE, RUNNING], 60, True),
        ([RUNNING, WAITING], [DONE, RUNNING], 1, False),
        ([DONE, RUNNING], [DONE, DONE], 1, True),
        ([DONE, RUNNING], [DONE, STOPPED], 1, True),
        ([DONE, STOPPED], [DONE, STOPPED], 60, False),
        ([DONE, STOPPED], [DONE, WAITING], 1, True),
    ],
)
def test_the_page_keeps_up_with_runs_but_gives_time_to_read(
    seen: list[State], now: list[State], seconds: float, expected: bool
) -> None:
    assert outdated(seen, now, seconds) is expected


def test_files_hold_what_runs_came_to_since_the_page_was_drawn(
    space: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {"name": "t", "method": "none", "seed": 0, "model": "compact", "train_rows": 60}
    job = jobs.start_job(store, space.project, "finetune", request, launch=False)
    files = {}
    monkeypatch.setattr(st, "download_button", lambda label, make, **_: files.update({label: make}))
    takeaway(jobs.jobs(store, space.project, "finetune"))
    jobs.cancel(store, job)
    table = pd.read_csv(io.BytesIO(files["results.csv"]()))
    assert list(table["status"]) == ["cancelled"]


def test_lines_begin_with_the_runs_that_are_going_on_and_leave_out_those_that_are_done(
    space: Workspace, store: Store
) -> None:
    request = {"name": "t", "method": "none", "model": "compact", "train_rows": 60}
    stopped, done, going, waiting = (
        jobs.start_job(store, space.project, "finetune", request | {"seed": seed}, launch=False)
        for seed in range(4)
    )
    jobs.cancel(store, stopped)
    jobs.claim(store, "a worker", done)
    with jobs.Lease(store, done, "a worker") as lease:
        lease.finish(DONE)
    jobs.claim(store, "a worker", going)
    assert in_line(jobs.jobs(store, space.project, "finetune")) == [going, waiting, stopped]
