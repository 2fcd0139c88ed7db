"""The page of synthetic rows: what is wished for is what is asked for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.graph import MixedGraph
from causalmix_core.graph.edits import AddEdge, History
from causalmix_core.table import RawTable

from .conftest import Open, assert_sound, do_job


def project(store: Store, frame: pd.DataFrame, target: str) -> Workspace:
    """A project of this table with a graph without edges."""
    space = Workspace(store, store.create("a project").id)
    space.put_raw(RawTable(frame.astype("str"), name="t"), Choices(target=target))
    nodes = tuple(space.table().columns)
    space.put_history(History(MixedGraph(nodes=nodes, edges=(), graph_type="dag")))
    return space


@pytest.mark.usefixtures("no_workers")
def test_equally_often_means_every_class(open_page: Open, store: Store) -> None:
    labels = np.repeat([f"class {i}" for i in range(25)], np.arange(8, 33))
    numbers = np.random.default_rng(0).normal(size=len(labels)).round(3)
    space = project(store, pd.DataFrame({"x": numbers, "y": labels}), "y")
    app = open_page("synthesize", space.project)
    [classes] = [box for box in app.selectbox if "Classes" in box.label]
    classes.select("all equally often").run()
    [make] = [button for button in app.button if button.label == "Make synthetic rows"]
    make.click().run()
    assert_sound(app)
    job = jobs.latest(store, space.project, "synthesize")
    assert job is not None
    balance = job.request["recipes"][0]["balance"]
    assert balance == pytest.approx({f"class {i}": 1 / 25 for i in range(25)})


def test_shares_of_ones_own_outlast_a_change_of_page(open_page: Open, graphed: Workspace) -> None:
    app = open_page("synthesize", graphed.project)
    [classes] = [box for box in app.selectbox if "Classes" in box.label]
    classes.select("shares of my own").run()
    app.session_state["class-shares"] = {
        "edited_rows": {0: {"share (%)": 150.0}, 1: {"share (%)": 50.0}},
        "added_rows": [],
        "deleted_rows": [],
    }
    app.run()
    for page in ("data", "synthesize"):
        app.switch_page(f"pages/{page}.py").run()
        assert_sound(app)
    assert any("add up to 200.0 %" in caption.value for caption in app.caption)
    app.run()
    assert any("add up to 200.0 %" in caption.value for caption in app.caption)


def test_whole_numbers_that_no_browser_holds_cannot_be_set_by_hand(
    open_page: Open, store: Store
) -> None:
    many = np.arange(40) % 20
    frame = pd.DataFrame(
        {"exact": 2**53 - 1 - many, "huge": 2**53 + many, "low": -(2**63) + many, "y": many % 2}
    )
    space = project(store, frame.assign(y=frame["y"].map({0: "a", 1: "b"})), "y")
    assert set(space.table().columns) == set(frame.columns)
    app = open_page("synthesize", space.project)
    assert any("huge, low cannot be set here" in caption.value for caption in app.caption)
    [column] = [box for box in app.selectbox if box.label == "Set this column"]
    assert column.options == ["nothing", "exact", "y"]
    column.select("exact").run()
    assert_sound(app)


def test_a_small_number_can_be_set_by_hand(open_page: Open, store: Store) -> None:
    doses = np.linspace(0.00001, 0.00017, 33).round(8)
    frame = pd.DataFrame({"dose": doses, "y": ["no", "yes", "no"] * 11})
    app = open_page("synthesize", project(store, frame, "y").project)
    [column] = [box for box in app.selectbox if box.label == "Set this column"]
    column.select("dose").run()
    assert_sound(app)
    [to] = [number for number in app.number_input if number.label == "to"]
    assert float(to.proto.format % to.value) == pytest.approx(to.value)
    assert 10 < (to.max - to.min) / to.step < 1000
    to.increment().run()
    assert_sound(app)


def test_fewer_than_ten_rows_are_no_fault_of_the_page(open_page: Open, store: Store) -> None:
    frame = pd.DataFrame({"x": [f"{i * i % 11}.5" for i in range(9)], "y": list("ababababa")})
    space = project(store, frame, "y")
    development, _ = space.parts()
    assert len(development) < 10
    app = open_page("synthesize", space.project)
    [labelled] = [box for box in app.number_input if box.label == "Labelled rows to learn from"]
    assert labelled.value == len(development)


def made(app: AppTest, labelled: int, methods: list[str], store: Store, space: Workspace) -> None:
    """Ask for rows of so many labelled ones on the open page, and make them."""
    app.multiselect[0].set_value(methods)
    [box] = [box for box in app.number_input if box.label == "Labelled rows to learn from"]
    box.set_value(labelled).run()
    [make] = [button for button in app.button if button.label == "Make synthetic rows"]
    make.click().run()
    job = do_job(store, space.project, "synthesize")
    assert job.state is State.DONE, job.error
    app.run()
    assert_sound(app)


def few(store: Store) -> Workspace:
    """Forty rows with a category, which Borderline-SMOTE refuses."""
    numbers = np.random.default_rng(0).normal(size=40).round(3)
    frame = pd.DataFrame({"x": numbers, "place": list("uvwx") * 10, "y": ["a", "b"] * 20})
    return project(store, frame, "y")


@pytest.mark.usefixtures("no_workers")
def test_rows_judged_on_what_the_generators_saw_are_not_called_unseen(
    open_page: Open, store: Store
) -> None:
    space = few(store)
    app = open_page("synthesize", space.project)
    made(app, 20, ["bootstrap"], store, space)
    said = " ".join(each.value for each in app.caption)
    assert "Judged on the training rows" in said
    assert "no generator saw" not in said


@pytest.mark.usefixtures("no_workers")
def test_too_few_rows_to_compare_leave_the_rows_and_say_so(open_page: Open, store: Store) -> None:
    space = few(store)
    app = open_page("synthesize", space.project)
    made(app, 12, ["bootstrap", "borderline-smote"], store, space)
    assert set(space.rows()) == {"bootstrap"}
    reasons = [each.value for each in app.caption if "were not compared" in each.value]
    assert len(reasons) == 2
    assert all("8 training rows" in reason for reason in reasons)
    assert [each.value for each in app.warning if "SMOTE" in each.value]


@pytest.mark.usefixtures("no_workers")
def test_figures_about_an_earlier_graph_say_so(open_page: Open, store: Store) -> None:
    space = few(store)
    app = open_page("synthesize", space.project)
    made(app, 24, ["bootstrap"], store, space)
    assert not app.warning
    history = space.history()
    assert history is not None
    space.put_history(history.do(AddEdge("x", "y")))
    app.run()
    assert_sound(app)
    # The rows themselves come from no graph: they are not out of date.
    [told] = [each.value for each in app.warning]
    assert told.startswith("The graph changed since these figures were computed")


@pytest.mark.usefixtures("no_workers")
def test_rows_stand_when_the_making_of_others_is_cancelled(open_page: Open, store: Store) -> None:
    space = few(store)
    app = open_page("synthesize", space.project)
    made(app, 24, ["bootstrap"], store, space)
    before = space.rows()["bootstrap"].frame
    [make] = [button for button in app.button if button.label == "Make synthetic rows"]
    make.click().run()
    jobs.cancel_all(store, space.project, "synthesize")
    app.run()
    assert_sound(app)
    assert "Making rows was cancelled." in [each.value for each in app.info]
    pd.testing.assert_frame_equal(space.rows()["bootstrap"].frame, before)


@pytest.mark.usefixtures("no_workers")
def test_what_an_earlier_job_said_is_gone_with_its_table(open_page: Open, store: Store) -> None:
    space = few(store)
    app = open_page("synthesize", space.project)
    made(app, 24, ["bootstrap", "borderline-smote"], store, space)
    assert [each.value for each in app.warning if "SMOTE" in each.value]
    history = space.history()
    assert history is not None
    space.choose(replace(space.choices(), target="place"))
    space.put_history(history)
    assert not open_page("synthesize", space.project).warning


@pytest.mark.usefixtures("no_workers")
def test_a_search_that_was_cancelled_is_told_for_its_own_table_only(
    open_page: Open, space: Workspace, store: Store
) -> None:
    app = open_page("graph", space.project)
    [find] = [button for button in app.button if button.label == "Find the graph"]
    find.click().run()
    jobs.cancel_all(store, space.project, "discover")

    def told() -> bool:
        said = [each.value for each in open_page("graph", space.project).info]
        return "The search was cancelled." in said

    assert told()
    space.choose(replace(space.choices(), target="smoker"))
    assert not told()
