"""The graph page's table of edges: refused changes and names that look like markup."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.graph import Edge, Knowledge, Mark, MixedGraph, PairFrequencies
from causalmix_core.graph.edits import History, RemoveEdge, SetKnowledge
from causalmix_core.graph.graph_file import knowledge_from_dict, knowledge_to_dict, to_json
from causalmix_core.table import RawTable
from ui.panels.edges import editor_key, take_edits, undecided
from ui.panels.edits import Desk
from ui.panels.knowledge import editor_keys
from ui.words import plain

from .conftest import Open, assert_sound, do_job


def graph_of(space: Workspace) -> MixedGraph:
    """The project's graph, which is there."""
    graph = space.graph()
    assert graph is not None
    return graph


def test_a_refused_edge_stands_in_the_way_of_no_later_one(
    graphed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = graphed.history()
    assert history is not None
    first, second = history.graph.edges[:2]
    forbidden = Knowledge(forbidden=((first.effect, first.cause),))
    graphed.put_history(history.do(SetKnowledge(forbidden)))
    desk = Desk(graphed)
    state: dict[str, Any] = {}

    def choose(edge: Edge, sign: str) -> None:
        """Leave the choice where the table's widget leaves it, and call what it calls."""
        known = desk.read()
        assert known is not None
        key = editor_key(desk)
        edited = state.setdefault(key, {"edited_rows": {}})["edited_rows"]
        edited[known.graph.edges.index(edge)] = {"edge": sign}
        take_edits(desk, key, known.graph)

    monkeypatch.setattr(st, "session_state", state)
    choose(first, "←" if first.source == first.cause else "→")
    assert desk.said()
    choose(second, "remove")
    assert desk.said() is None
    graph = graph_of(graphed)
    assert graph.edges == tuple(edge for edge in history.graph.edges if edge != second)


def test_what_undo_would_take_back_is_shown_as_text(open_page: Open, store: Store) -> None:
    evil = "![x](https://example.org/x.png)"
    frame = pd.DataFrame({evil: ["1", "2", "3", "4"] * 10, "b": ["u", "v"] * 20})
    space = Workspace(store, store.create("evil").id)
    space.put_raw(RawTable(frame.astype("str"), name="evil"), Choices())
    graph = MixedGraph(nodes=(evil, "b"), edges=(Edge(evil, "b"),), graph_type="dag")
    history = History(graph).do(RemoveEdge(evil, "b"))
    for name, done in {"undo": history, "redo": history.undo()}.items():
        space.put_history(done)
        app = open_page("graph", space.project)
        [button] = [each for each in app.button if each.key == name]
        assert "example" in button.help
        assert "![x](" not in button.help


@pytest.fixture
def found(graphed: Workspace) -> MixedGraph:
    """One open edge, which the resamples turn against the order of the names."""
    nodes = tuple(graphed.table().columns)
    one, other = sorted(nodes)[:2]
    pairs = (PairFrequencies(other, one, {"tail-arrow": 0.8, "arrow-tail": 0.2}),)
    return MixedGraph(nodes, (Edge(one, other, Mark.CIRCLE, Mark.CIRCLE, 1.0),), pairs=pairs)


def press(app: AppTest, label: str) -> None:
    [button] = [each for each in app.button if each.label == label]
    button.click().run()


def test_going_back_brings_the_shares_that_decide_a_completion(
    open_page: Open, graphed: Workspace, found: MixedGraph
) -> None:
    found = replace(found, provenance={"algorithm": "both"})
    graphed.put_history(History(found))
    app = open_page("graph", graphed.project)
    press(app, "Complete to a DAG")
    press(app, "Back to what was found")
    assert graphed.graph() == found
    [reset] = [each for each in app.button if each.label == "Back to what was found"]
    assert reset.disabled
    press(app, "Complete to a DAG")
    [decided] = graphed.completion()
    assert decided.endswith("seen more often in the resamples (80% against 20%)")
    graph = graph_of(graphed)
    assert graph.edges[0].cause == found.pairs[0].source


def test_the_file_with_everything_brings_everything_back(
    open_page: Open, graphed: Workspace, found: MixedGraph
) -> None:
    nodes = found.nodes
    known = Knowledge(tiers=((nodes[0],), (nodes[2],)))
    taken = replace(found, knowledge=known, layout={nodes[0]: (0.25, 0.75)})
    app = open_page("graph", graphed.project)
    app.file_uploader[0].upload("graph.json", to_json(taken).encode()).run()
    press(app, "Use this graph")
    assert_sound(app)
    assert graphed.graph() == taken
    press(app, "Undo")
    history = graphed.history()
    assert history is not None
    assert history.graph == history.found


def test_nothing_is_said_of_a_search_where_the_graph_was_drawn(
    open_page: Open, space: Workspace
) -> None:
    app = open_page("graph", space.project)
    press(app, "Or draw the graph by hand, from nothing")
    assert_sound(app)
    labels = {button.label for button in app.button}
    assert {"Find the graph", "Back to the start"} <= labels
    assert not {"Search again", "Back to what was found"} & labels
    said = [each.value for each in (*app.caption, *open_page("finetune", space.project).caption)]
    assert any(each.startswith("No search was run") for each in said)
    assert any("use your graph as it is. Where rows were looked at" in each for each in said)
    for untrue in ("The search ran", "as it was found", "structure was found"):
        assert not any(untrue in each for each in said)


def test_cycles_and_open_directions_are_each_told_for_what_they_are() -> None:
    nodes = ("a", "b", "c", "d")
    cycle = (Edge("a", "b"), Edge("b", "c"), Edge("c", "a"))
    half = Edge("c", "d", Mark.CIRCLE, Mark.ARROW)
    chance, turned = "decide open directions by chance", "every cycle will be turned or left out"
    for edges, expected in {
        cycle: (False, True),
        (half,): (True, False),
        (*cycle, half): (True, True),
    }.items():
        said = undecided(MixedGraph(nodes, edges))
        assert (chance in said, turned in said) == expected


def test_a_form_of_what_is_known_shows_what_is_in_force(
    open_page: Open, graphed: Workspace
) -> None:
    app = open_page("graph", graphed.project)
    graph = graph_of(graphed)
    first, second = graph.nodes[:2]
    _, tiers = editor_keys(graph)
    app.session_state[tiers] = {
        "edited_rows": {0: {"tier": 1}, 1: {"tier": 2}},
        "added_rows": [],
        "deleted_rows": [],
    }
    press(app, "Keep this knowledge")
    assert graph_of(graphed).knowledge == Knowledge(tiers=((first,), (second,)))
    press(app, "Undo")
    press(app, "Keep this knowledge")
    assert_sound(app)
    assert graph_of(graphed).knowledge == Knowledge()


def test_what_is_not_kept_yet_outlasts_a_change_of_edges(
    open_page: Open, graphed: Workspace
) -> None:
    app = open_page("graph", graphed.project)
    history = graphed.history()
    assert history is not None
    pairs, _ = editor_keys(history.graph)
    cause, effect = history.graph.nodes[:2]
    app.session_state[pairs] = {
        "edited_rows": {},
        "added_rows": [{"cause": cause, "rule": "does not cause", "effect": effect}],
        "deleted_rows": [],
    }
    app.run()
    edge = next(each for each in history.graph.edges if each.pair != {cause, effect})
    graphed.put_history(history.do(RemoveEdge(edge.source, edge.target)))
    app.run()
    press(app, "Keep this knowledge")
    assert_sound(app)
    assert graph_of(graphed).knowledge == Knowledge(forbidden=((cause, effect),))


@pytest.mark.usefixtures("no_workers")
def test_the_box_about_the_target_can_be_unticked(
    open_page: Open, space: Workspace, store: Store
) -> None:
    known = Knowledge(forbidden=(("disease", "age"), ("bmi", "age")))
    request = {"bootstraps": 0, "target_is_sink": True, "knowledge": knowledge_to_dict(known)}
    jobs.start_job(store, space.project, "discover", request, launch=False)
    done = do_job(store, space.project, "discover")
    assert done.state is State.DONE, done.error
    found = space.graph()
    assert found is not None
    cause = next(node for node in found.neighbours("disease") if node != "age")
    box = "“The target, disease, causes nothing else in the table”"
    app = open_page("graph", space.project)
    assert any(box in caption.value for caption in app.caption)
    app.selectbox("why-one").select("disease")
    app.selectbox("why-other").select(cause).run()
    told = f"{box} ruled out disease → {plain(cause)}"
    assert any(told in line.value for line in app.markdown)
    press(app, "Search again")
    job = jobs.latest(store, space.project, "discover")
    assert job is not None
    assert not job.request["target_is_sink"]
    assert knowledge_from_dict(job.request["knowledge"]) == known
