"""Every page headless: what a user sees and does there, without a browser."""

import json
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Recipe, Workspace
from causalmix_core.graph import reasons_not_dag
from ui.panels.columns import editor_key, take_kinds

from .conftest import Open, assert_sound, do_job

PAGES = ["home", "data", "graph", "synthesize", "finetune", "predict"]


def press(app: AppTest, label: str) -> AppTest:
    """Press the button of this label and run the page."""
    [button] = [each for each in app.button if each.label == label]
    button.click()
    return app.run()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_without_a_project_and_says_what_to_do(page: str, open_page: Open) -> None:
    app = open_page(page)
    assert app.title
    assert app.get("file_uploader") or app.info or app.selectbox


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_a_table_and_a_graph(
    page: str, open_page: Open, graphed: Workspace
) -> None:
    assert open_page(page, graphed.project).title


@pytest.mark.parametrize("page", PAGES)
def test_every_page_begins_with_its_title(page: str, open_page: Open, graphed: Workspace) -> None:
    assert open_page(page, graphed.project).main[0].type == "title"


def test_an_example_becomes_a_project_that_the_address_carries(
    open_page: Open, store: Store
) -> None:
    app = open_page("home")
    [example] = [button for button in app.button if button.key == "example-wine"]
    example.click()
    app.run()
    assert_sound(app)
    [project] = store.list()
    assert app.query_params["project"] in (project.id, [project.id])
    assert Workspace(store, project.id).table().target == "cultivar"


def test_a_bad_file_is_refused_in_one_sentence_and_the_table_stays(
    open_page: Open, space: Workspace
) -> None:
    app = open_page("data", space.project)
    before = space.table_key()
    app.file_uploader[0].upload("broken.csv", b"a,b\n1,2\n3\n")
    app.run()
    assert not app.exception
    assert [len(error.value.split("\n")) for error in app.error] == [1]
    assert space.table_key() == before


def test_a_project_that_is_gone_leads_back_to_the_projects(open_page: Open) -> None:
    app = open_page("data", "thereisnone")
    assert app.get("file_uploader")


def test_choosing_a_target_sets_test_rows_aside(open_page: Open, space: Workspace) -> None:
    app = open_page("data", space.project)
    [target] = [box for box in app.selectbox if box.label == "Target column"]
    target.select("smoker")
    app.run()
    assert_sound(app)
    development, test = space.parts()
    assert space.choices().target == "smoker"
    assert len(development) + len(test) == len(space.table())
    assert {metric.value for metric in app.metric} == {str(len(development)), str(len(test))}


def test_a_numeric_target_is_offered_in_bins(open_page: Open, space: Workspace) -> None:
    app = open_page("data", space.project)
    [target] = [box for box in app.selectbox if box.label == "Target column"]
    target.select("cholesterol")
    app.run()
    app.get("button_group")[0].set_value(3)
    app.run()
    assert_sound(app)
    assert len(space.choices().bins) == 2
    assert space.table().y.nunique() == 3


def test_changing_a_kind_sets_the_column_aside(open_page: Open, space: Workspace) -> None:
    app = open_page("data", space.project)
    # A headless page runs no callback of a table, so the choice is made by the call it makes.
    space.choose(replace(space.choices(), kinds={"region": "identifier"}))
    app.run()
    assert_sound(app)
    assert "region" not in space.table().columns


def test_a_refused_kind_is_told_and_stands_in_the_way_of_no_later_one(
    open_page: Open, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = space.raw().columns
    state: dict[str, Any] = {}

    def choose(column: str, kind: str) -> None:
        """Leave the choice where the table's widget leaves it, and call what it calls."""
        key = editor_key(space)
        edited = state.setdefault(key, {"edited_rows": {}})["edited_rows"]
        edited[columns.index(column)] = {"kind": kind}
        take_kinds(space, key, columns)

    with monkeypatch.context() as bare:
        bare.setattr(st, "session_state", state)
        choose("region", "numeric: a measure with decimals")
        assert "region" in state["kinds-error"]
        assert not space.choices().kinds
        choose("smoker", "identifier: set aside")
    assert space.choices().kinds == {"smoker": "identifier"}
    app = open_page("data", space.project)
    app.session_state["kinds-error"] = state["kinds-error"]
    app.run()
    [message] = [error.value for error in app.error]
    assert "Nothing was changed" in message


def test_a_kind_chosen_after_another_tab_chose_joins_its_choice(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = space.raw().columns
    key = editor_key(space)
    space.choose(replace(space.choices(), kinds={"smoker": "identifier"}))
    edited = {columns.index("region"): {"kind": "identifier: set aside"}}
    monkeypatch.setattr(st, "session_state", {key: {"edited_rows": edited}})
    take_kinds(space, key, columns)
    assert space.choices().kinds == {"smoker": "identifier", "region": "identifier"}


@pytest.mark.parametrize("kind", ["categorical", "ordinal"])
def test_a_target_that_becomes_a_category_leaves_its_bins(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    kinds = {"doctor_visits": "integer"}
    space.choose(Choices(target="doctor_visits", kinds=kinds, bins=(1.5, 3.5)))
    columns = space.raw().columns
    key = editor_key(space)

    def choose(wanted: str) -> None:
        edited = {columns.index("doctor_visits"): {"kind": wanted}}
        monkeypatch.setattr(st, "session_state", {key: {"edited_rows": edited}})
        take_kinds(space, key, columns)

    choose("numeric: a measure with decimals")
    assert space.choices().bins == (1.5, 3.5)
    choose(f"{kind}: any words")
    assert space.choices().bins == ()
    assert space.table().kinds["doctor_visits"] == kind


def test_the_values_of_an_ordinal_column_are_put_in_order(
    open_page: Open, space: Workspace
) -> None:
    space.choose(replace(space.choices(), kinds={"region": "ordinal"}))
    names = space.table().levels["region"]
    app = open_page("data", space.project)
    [order] = app.text_area
    assert order.value.splitlines() == list(names) == sorted(names)
    order.set_value("\n".join(reversed(names)))
    app.run()
    assert_sound(app)
    assert space.table().levels["region"] == names[::-1]
    app.text_area[0].set_value(names[0])
    app.run()
    assert "Nothing was changed" in app.error[0].value
    assert space.table().levels["region"] == names[::-1]


@pytest.mark.usefixtures("no_workers")
def test_a_search_runs_as_a_job_and_its_graph_is_shown(
    open_page: Open, space: Workspace, store: Store
) -> None:
    app = open_page("graph", space.project)
    [resamples] = [number for number in app.number_input if number.label == "Resamples"]
    resamples.set_value(5)
    press(app, "Find the graph")
    assert_sound(app)
    # What was asked for is still to be seen, and cannot be asked for twice.
    assert [number.value for number in app.number_input if number.label == "Resamples"] == [5]
    assert [button.disabled for button in app.button if button.label == "Find the graph"] == [True]
    done = do_job(store, space.project, "discover")
    assert done.state is State.DONE, done.error
    app.run()
    assert_sound(app)
    assert [number.value for number in app.number_input if number.label == "Resamples"] == [5]
    history = space.history()
    assert history is not None
    assert history.graph.provenance["bootstraps"] == 5


def test_before_a_search_its_time_and_what_was_found_in_the_columns_is_said(
    open_page: Open, space: Workspace
) -> None:
    raw = space.raw()
    frame = raw.frame.assign(copied=raw.frame["smoker"].map({"no": "n", "yes": "y"}).astype("str"))
    space.put_raw(replace(raw, frame=frame), Choices(target="disease"))
    app = open_page("graph", space.project)
    said = " ".join(caption.value for caption in app.caption)
    assert "Expected time" in said
    assert "says the same as" in said
    [draws] = [box for box in app.selectbox if box.label == "Rows of a resample"]
    draws.select("half").run()
    [sink] = [box for box in app.checkbox if "causes nothing else" in box.label]
    sink.check().run()
    press(app, "Find the graph")
    job = jobs.latest(space.store, space.project, "discover")
    assert job is not None
    assert job.request["draws"] == "half"
    assert job.request["target_is_sink"]


@pytest.mark.usefixtures("no_workers")
def test_a_new_search_keeps_nodes_where_the_analyst_put_them(
    graphed: Workspace, store: Store
) -> None:
    from causalmix_core.graph.edits import MoveNodes

    history = graphed.history()
    assert history is not None
    graphed.put_history(history.do(MoveNodes((("age", 0.25, 0.75),))))
    jobs.start_job(store, graphed.project, "discover", {"bootstraps": 0})
    done = do_job(store, graphed.project, "discover")
    assert done.state is State.DONE, done.error
    graph = graphed.graph()
    assert graph is not None
    assert graph.layout == {"age": (0.25, 0.75)}


def test_completing_to_a_dag_gives_reasons_and_can_be_undone(
    open_page: Open, graphed: Workspace
) -> None:
    from causalmix_core.graph import Mark
    from causalmix_core.graph.edits import SetMarks

    history = graphed.history()
    assert history is not None
    graphed.put_history(history.do(SetMarks("age", "education", Mark.CIRCLE, Mark.CIRCLE)))
    app = open_page("graph", graphed.project)
    press(app, "Complete to a DAG")
    assert_sound(app)
    graph = graphed.graph()
    assert graph is not None
    assert not reasons_not_dag(graph)
    title = "What the completion decided, and why"
    reloaded = open_page("graph", graphed.project)
    [decided] = [each for each in reloaded.expander if each.label == title]
    assert "age → education" in decided.text[0].value or "education → age" in decided.text[0].value
    press(app, "Undo")
    assert title not in [each.label for each in app.expander]
    undone = graphed.graph()
    assert undone is not None
    assert reasons_not_dag(undone)


def test_an_edge_is_added_from_the_form_below_the_drawing(
    open_page: Open, graphed: Workspace
) -> None:
    app = open_page("graph", graphed.project)
    boxes = {box.label: box for box in app.selectbox}
    boxes["From"].select("sex")
    boxes["To"].select("disease")
    press(app, "Add the edge")
    assert_sound(app)
    graph = graphed.graph()
    assert graph is not None
    edge = graph.edge_between("sex", "disease")
    assert edge is not None
    assert (edge.cause, edge.effect) == ("sex", "disease")


@pytest.mark.usefixtures("no_workers")
def test_rows_are_made_compared_and_marked_stale_when_the_graph_changes(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    app = open_page("synthesize", graphed.project)
    [rows] = [n for n in app.number_input if n.label == "Synthetic rows per generator"]
    rows.set_value(60)
    press(app, "Make synthetic rows")
    assert_sound(app)
    done = do_job(store, graphed.project, "synthesize")
    assert done.state is State.DONE, done.error
    app.run()
    assert_sound(app)
    made = graphed.rows()
    assert set(made) == {"causal", "mixup", "smote"}
    assert {len(each.frame) for each in made.values()} == {60}
    assert not [w.value for w in app.warning if "Out of date" in w.value]
    package = "Download training rows, graph and commands"
    assert package in [button.proto.label for button in app.get("download_button")]

    history = graphed.history()
    assert history is not None
    from causalmix_core.graph.edits import RemoveEdge

    graphed.put_history(history.do(RemoveEdge("age", "education")))
    app.run()
    [stale] = [w.value for w in app.warning if "Out of date" in w.value]
    assert "Causal model" in stale
    assert "Mixup" not in stale
    # The graph that the package would hold is not the one the rows were made from.
    assert package not in [button.proto.label for button in app.get("download_button")]
    assert any("no longer here" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("no_workers")
def test_runs_are_launched_measured_and_summed_up(
    open_page: Open, graphed: Workspace, store: Store
) -> None:

    app = open_page("finetune", graphed.project)
    app.multiselect[0].set_value(["none", "default"])
    numbers = {number.label: number for number in app.number_input}
    assert any("30 runs: 5 × 6" in caption.value for caption in app.caption)
    numbers["Seeds"].set_value(1)
    numbers["Training steps at most"].set_value(2)
    numbers["Labelled rows"].set_value(60)
    numbers["Steps between evaluations"].set_value(1)
    [column] = [box for box in app.selectbox if box.label == "Column"]
    [value] = [box for box in app.text_input if box.label == "Value"]
    column.set_value("region")
    value.set_value("the moon")
    [launch] = [button for button in app.button if button.label == "Launch"]
    launch.click().run()
    assert "0 of" in app.error[0].value
    assert "the moon" in app.error[0].value
    assert jobs.jobs(store, graphed.project, "finetune") == []
    region = graphed.table().frame["region"].mode()[0]
    development, _ = graphed.parts()
    left = int((development.frame["region"] != region).sum())
    [value] = [box for box in app.text_input if box.label == "Value"]
    value.set_value(region)
    [labelled] = [box for box in app.number_input if box.label == "Labelled rows"]
    labelled.set_value(left + 1)
    press(app, "Launch")
    assert f"without the domain, {left} rows are left" in app.error[0].value
    assert jobs.jobs(store, graphed.project, "finetune") == []
    [labelled] = [box for box in app.number_input if box.label == "Labelled rows"]
    labelled.set_value(60)
    press(app, "Launch")
    assert_sound(app)
    queued = jobs.jobs(store, graphed.project, "finetune")
    assert [job.request["method"] for job in queued] == ["none", "default"]
    from causalmix_core.experiment import worker

    for job in queued:
        claimed = jobs.claim(store, "test", job.id)
        assert claimed is not None
        worker.work(store, claimed, "test")
    ended = jobs.jobs(store, graphed.project, "finetune")
    assert [job.state for job in ended] == [State.DONE, State.DONE], [job.error for job in ended]
    app.run()
    assert_sound(app)
    assert "What came out" in [heading.value for heading in app.subheader]
    # One seed has no spread, few evaluations have no curve gap: a dash says so, not "None".
    assert {table.proto.placeholder for table in app.dataframe} == {"–"}
    assert any("Held-out domain: region" in text.value for text in app.markdown)
    assert f"experiment.repeat {store.home} {ended[1].id}" in app.code[0].value
    predict = open_page("predict", graphed.project)
    [models] = [box for box in predict.selectbox if "Tuned model" in box.label]
    assert len(models.options) == 2
    assert models.value.request["method"] == "default"
    assert any("Columns it needs" == each.label for each in predict.expander)
    frame = graphed.table().frame.head(5).drop(columns="disease")
    [new_rows] = [each for each in predict.file_uploader if "New rows" in each.label]
    new_rows.upload("new.csv", frame.to_csv(index=False).encode())
    predict.run()
    assert_sound(predict)
    assert any("5 rows predicted" in heading.value for heading in predict.subheader)
    assert not any("predicts" in label for label in models.options)
    graphed.choose(replace(graphed.choices(), target="region"))
    [models] = [
        box for box in open_page("predict", graphed.project).selectbox if "Tuned model" in box.label
    ]
    assert all(label.startswith("predicts disease: ") for label in models.options)


@pytest.mark.usefixtures("no_workers")
def test_stopped_runs_are_counted_resumed_together_and_not_compared_unlike(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    from causalmix_core.experiment import worker
    from causalmix_core.experiment.plan import Plan, Source
    from causalmix_core.experiment.runs import launch
    from causalmix_core.finetune import Settings

    development, test = graphed.parts()
    plan = Plan(
        sources=(Source(development, test=test, graph=graphed.graph()),),
        methods=("none", "default"),
        seeds=tuple(range(5)),
        train_rows=(60,),
        settings=Settings(steps=2, evaluate_every=1),
    )
    ids = launch(store, graphed.project, plan, workers=False)
    jobs.cancel_all(store, graphed.project)
    app = open_page("finetune", graphed.project)
    said = [caption.value for caption in app.caption]
    assert "Nothing was measured: no run got that far." in said
    assert not [each for each in said if "first points" in each]
    [bar] = app.get("progress")
    assert (bar.proto.text, bar.proto.value) == ("0 of 10 runs done, 10 cancelled", 0)
    press(app, "Resume all")
    waiting = jobs.jobs(store, graphed.project, "finetune")
    assert {job.state for job in waiting} == {State.QUEUED}

    # No fine-tuning with two seeds, real rows only with one of them.
    for job in (ids[0], ids[1], ids[2]):
        claimed = jobs.claim(store, "test", job)
        assert claimed is not None
        worker.work(store, claimed, "test")
    for job in ids[3:8]:
        jobs.cancel(store, job)
    app = open_page("finetune", graphed.project)
    [overall] = [bar for bar in app.get("progress") if "runs done" in bar.proto.text]
    assert overall.proto.text == "3 of 10 runs done, 5 cancelled"
    assert overall.proto.value == 30
    labels = [button.label for button in app.button]
    assert "Cancel all" in labels
    assert "Resume all" in labels
    assert any("gains compare the same seeds" in caption.value for caption in app.caption)


def test_recipes_keep_what_decides_their_bytes(graphed: Workspace) -> None:
    recipe = Recipe("causal", 10, settings={"quality": "good"})
    training, _ = graphed.drawn(None, 0)
    digest = graphed.inputs_of(recipe, training)
    assert digest == graphed.inputs_of(recipe, training)
    assert digest != graphed.inputs_of(Recipe("mixup", 10), training)
    assert json.loads(json.dumps(digest)) == digest


def test_a_column_named_like_an_image_is_shown_as_text(open_page: Open, store: Store) -> None:
    import pandas as pd

    from causalmix_core.experiment.workspace import Choices
    from causalmix_core.table import RawTable

    evil = "![x](https://example.org/x.png)"
    frame = pd.DataFrame({evil: ["1", "oops", "3", "4"] * 10, "b": ["u", "v"] * 20})
    space = Workspace(store, store.create("evil").id)
    space.put_raw(RawTable(frame.astype("str"), name="evil"), Choices())
    app = open_page("data", space.project)
    app.session_state["data-error"] = f"Column {evil!r} holds 'oops'."
    app.run()
    [message] = [error.value for error in app.error]
    assert "![x](" not in message
    assert "\\!\\[x\\]\\(" in message


@pytest.mark.usefixtures("no_workers")
def test_wishes_about_rows_are_kept_and_told(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    app = open_page("synthesize", graphed.project)
    app.multiselect[0].set_value(["causal", "bootstrap"])
    app.run()
    boxes = {box.label: box for box in app.selectbox}
    boxes["Classes of the synthetic rows"].select("only ill")
    boxes["Set this column"].select("smoker")
    app.run()
    assert any("class shares fix disease" in warning.value for warning in app.warning)
    [to] = [box for box in app.selectbox if box.label == "to"]
    to.select("no")
    [own] = [area for area in app.text_area if "Rules of your own" in area.label]
    own.set_value("doctor_visits <= nowhere").run()
    assert any("not a column in use" in error.value for error in app.error)
    [own] = [area for area in app.text_area if "Rules of your own" in area.label]
    own.set_value("doctor_visits <= age").run()
    press(app, "Make synthetic rows")
    assert_sound(app)
    [make] = [button for button in app.button if button.label == "Make synthetic rows"]
    assert make.disabled
    assert app.multiselect[0].value == ["causal", "bootstrap"]
    assert [box.value for box in app.selectbox if box.label == "Set this column"] == ["smoker"]

    done = do_job(store, graphed.project, "synthesize")
    assert done.state is State.DONE, done.error
    made = graphed.rows()
    assert set(made["causal"].frame["smoker"]) == {"no"}
    assert set(made["bootstrap"].frame["smoker"]) == {"no", "yes"}
    for rows in made.values():
        assert set(rows.frame["disease"]) == {"ill"}
        assert (rows.frame["doctor_visits"] <= rows.frame["age"]).all()
    app.run()
    assert_sound(app)
    assert any("smoker was set to no" in caption.value for caption in app.caption)
    assert any("not meant to match the real ones" in caption.value for caption in app.caption)
    [column] = [box for box in app.selectbox if box.label == "Look at one column"]
    assert "bmi from exercise_hours" in column.options


def test_class_shares_are_told_what_they_become_and_the_real_ones_are_no_others(
    open_page: Open, graphed: Workspace
) -> None:
    from ui.panels.wishes import asks_for_others

    app = open_page("synthesize", graphed.project)
    [classes] = [box for box in app.selectbox if "Classes" in box.label]
    classes.select("shares of my own").run()
    assert not [caption for caption in app.caption if "add up to" in caption.value]
    app.session_state["class-shares"] = {
        "edited_rows": {0: {"share (%)": 150.0}, 1: {"share (%)": 50.0}},
        "added_rows": [],
        "deleted_rows": [],
    }
    app.run()
    [told] = [caption.value for caption in app.caption if "add up to" in caption.value]
    assert "add up to 200.0 %" in told
    assert "75.0 %, " in told

    table = graphed.table()
    real = table.frame["disease"].value_counts(normalize=True)
    rounded = {str(level): round(share, 3) for level, share in real.items()}
    assert not asks_for_others(rounded, table)
    assert not asks_for_others(None, table)
    assert asks_for_others(dict.fromkeys(rounded, 0.5), table)
    assert asks_for_others({str(real.index[0]): 1.0}, table)


def test_an_open_graph_asks_how_many_graphs_to_mix(open_page: Open, graphed: Workspace) -> None:
    from causalmix_core.graph import Edge, Mark, MixedGraph
    from causalmix_core.graph.edits import History

    nodes = tuple(graphed.table().columns)
    closed = open_page("synthesize", graphed.project)
    assert not [box for box in closed.number_input if "mixture" in box.label]
    edges = (Edge("age", "education", Mark.CIRCLE, Mark.CIRCLE), Edge("education", "income"))
    graphed.put_history(History(MixedGraph(nodes=nodes, edges=edges, graph_type="pag")))
    app = open_page("synthesize", graphed.project)
    assert [box.value for box in app.number_input if "mixture" in box.label] == [10]


def test_what_was_chosen_in_a_form_outlasts_a_change_of_page(
    open_page: Open, graphed: Workspace
) -> None:
    def seeds(app: AppTest) -> Any:
        return next(box for box in app.number_input if box.label == "Seeds")

    def methods(app: AppTest) -> Any:
        return next(box for box in app.multiselect if box.label == "Methods to compare")

    app = open_page("finetune", graphed.project)
    seeds(app).set_value(3)
    methods(app).set_value(["none", "smote"])
    app.run()
    for page in ("data", "synthesize", "finetune"):
        app.switch_page(f"pages/{page}.py").run()
        assert_sound(app)
    assert seeds(app).value == 3
    assert methods(app).value == ["none", "smote"]

    # Other choices about the table begin a fresh form.
    graphed.choose(replace(graphed.choices(), target="smoker"))
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/finetune.py").run()
    assert_sound(app)
    assert seeds(app).value == 6


def _launched(space: Workspace, **changes: Any) -> list[str]:
    """Queue runs of the project's table, target and graph, as the page's button does."""
    from causalmix_core.experiment.plan import Plan, Source
    from causalmix_core.experiment.runs import launch
    from causalmix_core.finetune import Settings

    development, test = space.parts()
    options: dict[str, Any] = {
        "sources": (Source(development, test=test, graph=space.graph()),),
        "methods": ("none", "default"),
        "seeds": (0,),
        "train_rows": (60,),
        "settings": Settings(steps=2, evaluate_every=1),
        **changes,
    }
    return launch(space.store, space.project, Plan(**options), workers=False)


def _ended(store: Store, ids: list[str], **figures: Any) -> None:
    """Record runs as done, with figures that stand for those of a training."""
    metrics = dict.fromkeys(
        ("roc_auc_test", "roc_auc_val", "accuracy_test", "log_loss_test", "seconds"), 0.5
    )
    for job_id in ids:
        assert jobs.claim(store, "test", job_id) is not None
        with jobs.Lease(store, job_id, "test") as lease:
            lease.finish(State.DONE, result={"metrics": {**metrics, "best_step": 1, **figures}})


@pytest.mark.usefixtures("no_workers")
def test_runs_whose_test_rows_have_no_auc_are_shown_with_a_dash(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    _ended(store, _launched(graphed, seeds=(0, 1)), roc_auc_test=None)
    app = open_page("finetune", graphed.project)
    assert "What came out" in [heading.value for heading in app.subheader]
    [run] = [box for box in app.selectbox if box.label == "Run"]
    assert all(option.endswith("test AUC –") for option in run.options)


@pytest.mark.usefixtures("no_workers")
def test_resume_all_takes_runs_that_failed_but_none_whose_rows_cannot_be_made(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    [run] = _launched(graphed, methods=("smote",))
    before = jobs.latest(store, graphed.project, "prepare")
    assert before is not None

    def prepared(state: State, **said: Any) -> None:
        assert jobs.claim(store, "test", before.id) is not None
        with jobs.Lease(store, before.id, "test") as lease:
            lease.finish(state, **said)

    prepared(State.FAILED, error="Not enough memory.")
    assert jobs.claim(store, "test", run) is None
    app = open_page("finetune", graphed.project)
    assert "failed: Not enough memory." in [text.value for text in app.text]
    press(app, "Resume all")
    assert jobs.job(store, run).state is State.QUEUED
    prepared(State.DONE, result={"refused": {"smote": "Too few rows."}, "graph": None})
    assert jobs.claim(store, "test", run) is not None
    with jobs.Lease(store, run, "test") as lease:
        lease.finish(State.FAILED, error="Too few rows.")
    app = open_page("finetune", graphed.project)
    assert "Resume all" not in [button.label for button in app.button]


def _experiments(app: AppTest) -> list[str]:
    [box] = [box for box in app.selectbox if box.label == "Experiment"]
    return list(box.options)


@pytest.mark.usefixtures("no_workers")
def test_runs_launched_again_are_the_ones_that_are_shown(
    open_page: Open, graphed: Workspace, store: Store
) -> None:

    def launch(app: AppTest, labelled: int) -> None:
        [box] = [box for box in app.number_input if box.label == "Labelled rows"]
        box.set_value(labelled).run()
        press(app, "Launch")
        assert_sound(app)

    app = open_page("finetune", graphed.project)
    app.multiselect[0].set_value(["none", "default"])
    [seeds] = [box for box in app.number_input if box.label == "Seeds"]
    seeds.set_value(1)
    launch(app, 60)
    first = [job.id for job in jobs.jobs(store, graphed.project, "finetune")]
    _ended(store, first[:1])
    launch(app, 50)
    [box] = [box for box in app.selectbox if box.label == "Experiment"]
    assert "50 labelled rows" in box.value
    assert not app.info
    launch(app, 60)
    [box] = [box for box in app.selectbox if box.label == "Experiment"]
    assert "60 labelled rows" in box.value
    assert ["1 of these 2 runs" in each.value for each in app.info] == [True]
    assert len(jobs.jobs(store, graphed.project, "finetune")) == 4


def test_more_classes_than_a_model_knows_are_told_before_anything_is_made(
    open_page: Open, space: Workspace, store: Store
) -> None:
    raw = space.raw()
    classes = [f"class {k % 12}" for k in range(len(raw.frame))]
    space.put_raw(replace(raw, frame=raw.frame.assign(many=classes)), Choices(target="many"))
    app = open_page("data", space.project)
    assert ["12 classes" in each.value for each in app.warning].count(True) == 1
    app = open_page("finetune", space.project)
    press(app, "Launch")
    [error] = [each.value for each in app.error]
    assert "12 classes" in error
    assert jobs.jobs(store, space.project) == []


@pytest.mark.usefixtures("no_workers")
def test_runs_of_an_earlier_graph_or_target_are_marked_and_come_last(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    from causalmix_core.graph.edits import History, RemoveEdge

    _launched(graphed, methods=("none", "causalmix"))
    history = graphed.history()
    assert history is not None
    assert not open_page("finetune", graphed.project).warning
    graphed.put_history(history.do(RemoveEdge("age", "education")))
    # A single experiment has no list to choose from: the warning alone tells.
    [warning] = open_page("finetune", graphed.project).warning
    assert "The graph has been edited since" in warning.value

    _launched(graphed, methods=("none", "causalmix"))
    _launched(graphed, methods=("none", "default"), seeds=(1,), model="compact", train_rows=(50,))
    app = open_page("finetune", graphed.project)
    assert not app.warning
    labels = _experiments(app)
    assert [label.startswith("Runs with an earlier graph") for label in labels] == [
        False,
        False,
        True,
    ]

    graphed.choose(replace(graphed.choices(), target="smoker"))
    app = open_page("finetune", graphed.project)
    [warning] = app.warning
    assert "Runs on an earlier table or target" in warning.value
    graphed.put_history(History(history.found))
    _launched(graphed)
    app = open_page("finetune", graphed.project)
    assert not app.warning
    first, *others = _experiments(app)
    assert "target: smoker" in first
    assert len(others) == 3
    assert all(each.startswith("Runs on an earlier table or target") for each in others)
    assert all("target: disease" in each for each in others)
    [box] = [box for box in app.selectbox if box.label == "Experiment"]
    box.select(others[0])
    app.run()
    assert len(app.warning) == 1


@pytest.mark.usefixtures("no_workers")
def test_an_edited_graph_says_nothing_against_runs_that_use_none(
    open_page: Open, graphed: Workspace
) -> None:
    from causalmix_core.graph.edits import RemoveEdge

    _launched(graphed, methods=("none", "default"))
    history = graphed.history()
    assert history is not None
    graphed.put_history(history.do(RemoveEdge("age", "education")))
    assert not open_page("finetune", graphed.project).warning


@pytest.mark.usefixtures("no_workers")
def test_cancel_all_leaves_the_runs_of_other_experiments(
    open_page: Open, graphed: Workspace, store: Store
) -> None:
    hidden = _launched(graphed, methods=("none", "smote"))
    shown = _launched(graphed, methods=("none", "smote"), train_rows=(50,))
    press(open_page("finetune", graphed.project), "Cancel all")
    cancelled = {
        job.id for job in jobs.jobs(store, graphed.project) if job.state is State.CANCELLED
    }
    prepared = jobs.job(store, shown[1]).request["prepared"]
    assert cancelled == {*shown, prepared}
    assert {jobs.job(store, each).state for each in hidden} == {State.QUEUED}


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize(
    ("target", "said"),
    [(None, "Choose the column"), ("bmi", "is a number")],
    ids=["none", "number"],
)
def test_runs_go_on_to_be_seen_where_the_target_is_no_class(
    target: str | None,
    said: str,
    open_page: Open,
    graphed: Workspace,
    store: Store,
) -> None:
    ids = _launched(graphed, seeds=(0, 1))
    _ended(store, ids[:1])
    graphed.choose(replace(graphed.choices(), target=target))
    app = open_page("finetune", graphed.project)
    assert [each.value for each in app.info if said in each.value]
    assert "Launch" not in [button.label for button in app.button]
    assert "What came out" in [heading.value for heading in app.subheader]
    press(app, "Cancel all")
    assert {jobs.job(store, each).state for each in ids[1:]} == {State.CANCELLED}


@pytest.mark.usefixtures("no_workers")
def test_every_run_says_where_it_stands(open_page: Open, graphed: Workspace, store: Store) -> None:
    first, second, *_ = _launched(graphed, seeds=(0, 1))
    _ended(store, [first])
    assert jobs.claim(store, "test", second) is not None
    app = open_page("finetune", graphed.project)
    [runs] = [table.value for table in app.dataframe if "status" in table.value]
    assert runs["status"].tolist() == ["done", "running", "queued", "queued"]


def test_a_table_of_very_few_rows_can_be_chosen_for_a_launch(
    open_page: Open, space: Workspace
) -> None:
    from causalmix_core.table import RawTable

    raw = space.raw()
    few = RawTable(raw.frame.head(15).copy(), raw.settings, raw.name)
    space.put_raw(few, Choices(target="disease"))
    development, _ = space.parts()
    assert len(development) < 10
    app = open_page("finetune", space.project)
    [labelled] = [box for box in app.number_input if box.label == "Labelled rows"]
    assert labelled.value == labelled.min == labelled.max == len(development)
