"""Fine-tuning in a real browser: watch, cancel, come back, resume, save a model, predict."""

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.finetune import TunedModel
from causalmix_core.table import RawTable, examples
from tests.browser.hands import choose, fetch, number

LONG = 300_000  # milliseconds; a run on a busy machine


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A project with a small table and its target."""
    store = Store(tmp_path / "home")
    raw = examples.load_raw("health")
    small = RawTable(raw.frame.head(260).copy(), raw.settings, raw.name)
    workspace = Workspace(store, store.create("a project").id)
    workspace.put_raw(small, Choices(target="disease"))
    return workspace


def test_six_runs_are_watched_cancelled_resumed_and_used(
    page: Page,
    app_server: Callable[..., str],
    space: Workspace,
    tmp_path: Path,
    screenshots: Path,
) -> None:
    home = str(space.store.home)
    # One worker: runs come one after the other, so that some wait while one is going on.
    address = app_server("app.py", CAUSALMIX_HOME=home, CAUSALMIX_WORKERS="1")
    page.goto(f"{address}/finetune?project={space.project}")

    # Launch six runs: three methods, two seeds.
    for method in ("Real + causal rows", "Real + Mixup rows"):
        page.get_by_role("button", name=f"Remove {method}").click()
    number(page, "Seeds", 2)
    number(page, "Labelled rows", 60)
    number(page, "Training steps at most", 200)  # long enough to be cancelled
    page.get_by_text("More choices").click()
    number(page, "Steps between evaluations", 5)
    number(page, "Ensemble members", 1)
    number(page, "Patience", 0)
    page.get_by_role("button", name="Launch").click()

    # The curves grow.
    plot = page.locator(".js-plotly-plot").first
    expect(plot).to_be_visible(timeout=LONG)
    few = wait_for_points(page, 20)
    wait_for_points(page, few + 10)

    # Cancel the run that is going on, and the last of those that wait.
    expect(page.get_by_text("going on or waiting")).to_be_visible()
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.first.click()
    expect(page.get_by_role("button", name="Resume", exact=True)).to_have_count(1, timeout=LONG)
    cancel.last.click()
    resume = page.get_by_role("button", name="Resume", exact=True)
    expect(resume).to_have_count(2, timeout=LONG)
    page.screenshot(path=screenshots / "runs-cancelled.png", full_page=True)

    # A refresh loses nothing.
    page.reload()
    expect(resume).to_have_count(2, timeout=LONG)
    expect(plot).to_be_visible(timeout=LONG)
    seen = wait_for_points(page, few)
    assert seen >= few

    # A second tab shows the same, and resumes one of the two.
    second = page.context.new_page()
    second.set_default_timeout(60_000)
    second.goto(page.url)
    expect(second.locator(".js-plotly-plot").first).to_be_visible(timeout=LONG)
    again = second.get_by_role("button", name="Resume", exact=True)
    expect(again).to_have_count(2, timeout=LONG)
    stopped = runs(space, State.CANCELLED)
    assert len(stopped) == 2, told(space)
    again.first.click()
    expect(again).to_have_count(1, timeout=LONG)
    left = runs(space, State.CANCELLED)
    assert len(left) == 1, told(space)
    assert left < stopped, told(space)
    # Over in both tabs: one run stays cancelled.
    for tab in (second, page):
        expect(tab.get_by_role("button", name="Cancel", exact=True)).to_have_count(0, timeout=LONG)
        expect(tab.get_by_role("heading", name="What came out")).to_be_visible(timeout=LONG)
        expect(tab.get_by_role("button", name="Resume", exact=True)).to_have_count(1, timeout=LONG)
    assert runs(space, State.CANCELLED) == left, told(space)
    assert len(runs(space, State.DONE)) == 5, told(space)
    second.close()
    page.screenshot(path=screenshots / "runs-done.png", full_page=True)

    # Save a model.
    choose(page, "Run", "Real + SMOTE rows, seed 0")
    file = tmp_path / "tuned.safetensors"
    file.write_bytes(fetch(page, page.get_by_role("button", name="Download the model")))
    assert "disease" == TunedModel.load(file).context.target

    # Predict a file with its columns in another order and one more than the model knows.
    page.get_by_test_id("stSidebarNav").get_by_text("5 · Predict").click()
    page.get_by_test_id("stFileUploader").filter(has_text="model file").locator(
        "input"
    ).set_input_files(file)
    # Only then the rows: Streamlit loses an upload that is begun in the instant a page is run anew.
    expect(page.get_by_text("The model is the file tuned.safetensors")).to_be_visible(timeout=LONG)
    rows = space.raw().frame.drop(columns="disease").tail(20)
    rows = rows[rows.columns[::-1]].assign(ward="north")
    new = tmp_path / "new rows.csv"
    rows.to_csv(new, index=False)
    page.get_by_test_id("stFileUploader").filter(has_text="New rows").locator(
        "input"
    ).set_input_files(new)
    expect(page.get_by_role("heading", name="20 rows predicted")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("ward").first).to_be_visible()
    predictions = fetch(page, page.get_by_role("button", name="Download the predictions"))
    found = pd.read_csv(io.BytesIO(predictions))
    assert len(found) == 20
    wanted = TunedModel.load(file).predict(rows)
    assert list(found["prediction"]) == list(wanted["prediction"])


def runs(space: Workspace, state: State) -> set[str]:
    """The runs that are in a state."""
    found = jobs.jobs(space.store, space.project, "finetune")
    return {job.id for job in found if job.state is state}


def told(space: Workspace) -> str:
    """How every run stands, for a test that failed."""
    return "\n".join(
        f"{job.id} {job.state} {job.sentence!r} {job.error} {job.started} {job.finished}"
        for job in jobs.jobs(space.store, space.project, "finetune")
    )


def points(page: Page) -> int:
    """How many points the figure of the curves holds."""
    count: int = page.evaluate(
        "() => (document.querySelector('.js-plotly-plot')?.calcdata ?? [])"
        ".reduce((sum, trace) => sum + trace.length, 0)"
    )
    return count


def wait_for_points(page: Page, least: int) -> int:
    for _ in range(LONG // 250):
        if (found := points(page)) >= least:
            return found
        page.wait_for_timeout(250)
    pytest.fail(f"{points(page)} points are drawn, not {least}")
