"""Forms and panels run by themselves between two runs of a page, while another tab goes on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment import jobs
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Workspace


def left_behind(project: str) -> None:
    """A page of one form; what it was last run with is in the session once, then it is present."""
    import streamlit as st

    from causalmix_core.experiment.workspace import Workspace
    from ui.job_panel import is_busy
    from ui.panels import launching, search
    from ui.session import store

    space = Workspace(store(), project)
    development, test = space.parts()
    key = st.session_state.pop("key", space.table_key())
    if st.session_state["form"] == "Find the graph":
        busy = st.session_state.pop("busy", is_busy(space, "discover"))
        search._choices(space, development, busy, key)
    else:
        launching._form(space, development, test, key)


def watched() -> None:
    """A page that watches a job once."""
    import streamlit as st

    from ui.job_panel import watch_job

    if job := st.session_state.pop("job", None):
        watch_job(job, "Making rows")
    else:
        st.text("Begun anew")


@pytest.fixture(params=["Find the graph", "Launch"])
def form(request: pytest.FixtureRequest, space: Workspace) -> Iterator[AppTest]:
    """One of the forms as it stands in a tab; nothing goes wrong on it."""
    app = AppTest.from_function(left_behind, args=(space.project,), default_timeout=120)
    app.session_state["form"] = request.param
    app.run()
    yield app
    assert not app.exception


def start(app: AppTest) -> None:
    [button] = [each for each in app.button if each.label == app.session_state["form"]]
    button.click().run()


@pytest.mark.usefixtures("no_workers")
def test_nothing_is_begun_from_a_table_that_is_another_now(
    form: AppTest, space: Workspace, store: Store
) -> None:
    form.session_state["key"] = space.table_key()
    space.choose(replace(space.choices(), target="smoker"))
    start(form)
    assert jobs.jobs(store, space.project) == []
    start(form)
    assert jobs.jobs(store, space.project) != []


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize("form", ["Find the graph"], indirect=True)
def test_no_second_search_is_begun_beside_a_running_one(
    form: AppTest, space: Workspace, store: Store
) -> None:
    form.session_state["busy"] = False
    jobs.start_job(store, space.project, "discover", {"bootstraps": 0}, launch=False)
    start(form)
    assert len(jobs.jobs(store, space.project, "discover")) == 1
    [button] = [each for each in form.button if each.label == "Find the graph"]
    assert button.disabled


def test_a_job_whose_project_is_gone_is_watched_no_longer(space: Workspace, store: Store) -> None:
    job = jobs.start_job(store, space.project, "discover", {"bootstraps": 0}, launch=False)
    store.delete(space.project)
    app = AppTest.from_function(watched, default_timeout=120)
    app.session_state["job"] = job
    app.run()
    assert not app.exception
    assert [each.value for each in app.text] == ["Begun anew"]
