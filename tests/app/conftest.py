"""Projects of their own for the headless pages, made through the same library calls."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment import jobs, runs, worker
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.graph import Edge, MixedGraph
from causalmix_core.graph.edits import History
from causalmix_core.table import RawTable, examples

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., AppTest]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store that the app uses too."""
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path / "home"))
    return Store()


@pytest.fixture
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave jobs waiting: a test does them itself, in its own process, or cancels them."""
    for module in (jobs, runs):
        monkeypatch.setattr(module, "tend", lambda store: None)


@pytest.fixture
def space(store: Store) -> Workspace:
    """A project with 200 rows of the simulated example and its target."""
    raw = examples.load_raw("health")
    small = RawTable(raw.frame.head(200).copy(), raw.settings, raw.name)
    workspace = Workspace(store, store.create("a project").id)
    workspace.put_raw(small, Choices(target="disease"))
    return workspace


@pytest.fixture
def graphed(space: Workspace) -> Workspace:
    """The same project with its true graph, one edge left open."""
    edges = tuple(Edge(cause, effect) for cause, effect in examples.true_edges("health"))
    nodes = tuple(space.table().columns)
    space.put_history(History(MixedGraph(nodes=nodes, edges=edges, graph_type="dag")))
    return space


@pytest.fixture
def open_page(store: Store) -> Open:
    """Open a page of the app as a browser tab would, with a project in the address."""

    def opened(page: str, project: str | None = None) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        if project is not None:
            app.query_params["project"] = project
        app.run()
        if page != "home":
            app.switch_page(f"pages/{page}.py").run()
        assert_sound(app)
        return app

    return opened


def assert_sound(app: AppTest) -> None:
    """No traceback and no message that something went wrong."""
    assert not app.exception
    assert not [error.value for error in app.error]


def do_job(store: Store, project: str, kind: str) -> jobs.Job:
    """Do the newest job of a kind here and now, by the worker's own code."""
    queued = jobs.latest(store, project, kind)
    assert queued is not None
    claimed = jobs.claim(store, "test", queued.id)
    if claimed is not None:
        worker.work(store, claimed, "test")
    return jobs.wait(store, [queued.id], seconds=120)[0]
