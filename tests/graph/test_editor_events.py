"""What the drawing reports becomes edits; what it is sent holds the whole graph."""

import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from streamlit.testing.v1 import AppTest

from causalmix_core.errors import GraphError
from causalmix_core.graph import (
    AddEdge,
    History,
    Mark,
    MixedGraph,
    MoveNodes,
    RemoveEdge,
    ReverseEdge,
    SetMark,
    edge_sentence,
)
from tests.graph.graphs import graph, mixed_graphs, signs
from ui import graph_editor as editor
from ui.graph_editor import edits_from_event
from ui.graph_editor.events import Step, canvas, drawing, follow, looks_alike, placed

PAGE = Path(__file__).parents[1] / "browser" / "apps" / "graph_page.py"


def event(*edits: dict[str, Any]) -> dict[str, Any]:
    return {"rev": "1", "edits": list(edits)}


def test_each_report_of_the_drawing_becomes_its_edit() -> None:
    shown = graph("a --> b", "b o-> c", nodes="d")
    reported = event(
        {
            "edit": "add",
            "source": "c",
            "target": "d",
            "source_mark": "tail",
            "target_mark": "arrow",
        },
        {"edit": "reverse", "source": "a", "target": "b"},
        {"edit": "mark", "source": "c", "target": "b", "mark": "circle"},
        {"edit": "move", "positions": [["a", 0.25, 1]]},
        {"edit": "remove", "source": "a", "target": "b"},
    )
    assert list(edits_from_event(reported, shown)) == [
        AddEdge("c", "d"),
        ReverseEdge("a", "b"),
        SetMark("c", "b", Mark.CIRCLE),
        MoveNodes((("a", 0.25, 1.0),)),
        RemoveEdge("a", "b"),
    ]


def test_edits_handled_before_are_skipped() -> None:
    reported = event(
        {"edit": "reverse", "source": "a", "target": "b"},
        {"edit": "remove", "source": "a", "target": "b"},
    )
    assert list(edits_from_event(reported, graph("b --> a"), done=1)) == [RemoveEdge("a", "b")]
    assert list(edits_from_event(reported, graph("a --> b"), done=2)) == []


def test_what_came_before_a_refused_edit_counts() -> None:
    reported = event(
        {"edit": "reverse", "source": "a", "target": "b"},
        {"edit": "remove", "source": "a", "target": "z"},
    )
    commands = edits_from_event(reported, graph("a --> b"))
    assert next(commands) == ReverseEdge("a", "b")
    with pytest.raises(GraphError, match="'z'"):
        next(commands)


def test_undo_and_redo_are_followed() -> None:
    history = History(graph("a --> b"))
    reported = event(
        {"edit": "reverse", "source": "a", "target": "b"}, {"step": "undo"}, {"step": "redo"}
    )
    commands = list(edits_from_event(reported, history.graph))
    assert commands == [ReverseEdge("a", "b"), Step.UNDO, Step.REDO]
    for command in commands:
        history = follow(history, command)
    assert signs(history.graph) == {("a", "b", "arrow", "tail")}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        {"edits": 3},
        {"edits": ["remove"]},
        event({"step": "explode"}),
        event({"edit": "explode"}),
        event({"edit": "remove", "source": "a", "target": "z"}),
        event({"edit": "mark", "source": "a", "target": "b", "mark": "tip"}),
        event({"edit": "add", "source": "a", "target": "b"}),
        event({"edit": "move", "positions": [["a", "left", 0]]}),
        event({"edit": "move", "positions": [["a", float("nan"), 0]]}),
        event({"edit": "remove", "source": ["a"], "target": "b"}),
    ],
)
def test_whatever_else_arrives_is_refused(bad: object) -> None:
    with pytest.raises(GraphError):
        list(edits_from_event(bad, graph("a --> b")))


@given(mixed_graphs())
@settings(max_examples=30)
def test_the_drawing_gets_every_node_and_edge_free_of_nan(mixed: MixedGraph) -> None:
    data = drawing(History(mixed), canvas(mixed), rev="1", target="age")
    data = json.loads(json.dumps(data, allow_nan=False))
    assert [node["name"] for node in data["nodes"]] == list(mixed.nodes)
    assert data["target"] == "age"
    for sent, edge in zip(data["edges"], mixed.edges, strict=True):
        assert (sent["source"], sent["target"]) == (edge.source, edge.target)
        pattern = data["sentences"][f"{sent['source_mark']}-{sent['target_mark']}"]
        said = pattern.replace("{a}", edge.source).replace("{b}", edge.target)
        assert said == edge_sentence(edge)


def test_nodes_stand_where_they_were_moved_or_where_the_found_graph_has_them() -> None:
    history = History(graph("a --> b", "b --> c")).do(MoveNodes((("a", 0.9, 0.1),)))
    sheet = canvas(history.found)
    edited = history.do(RemoveEdge("a", "b"))
    assert placed(edited.graph, sheet).layout == {**sheet.places, "a": (0.9, 0.1)}
    assert placed(history.undo().graph, sheet).layout == sheet.places


def test_a_new_search_keeps_the_places_that_were_chosen() -> None:
    after = canvas(graph("b --> a", nodes="c"), {"a": (0.9, 0.1), "gone": (0.5, 0.5)}).places
    assert after["a"] == (0.9, 0.1)
    assert set(after) == set("abc")


@given(mixed_graphs(frequencies=False))
@settings(max_examples=40)
def test_no_two_boxes_touch_on_the_sheet(mixed: MixedGraph) -> None:
    long = {node: f"a rather long {node}" for node in mixed.nodes}
    named = MixedGraph(
        tuple(long.values()),
        tuple(replace(e, source=long[e.source], target=long[e.target]) for e in mixed.edges),
    )
    sheet = canvas(named)
    width, height = sheet.size
    for (one, (x, y)), (other, (u, v)) in itertools.combinations(sheet.places.items(), 2):
        beside = abs(x - u) * width >= 4.2 * (len(one) + len(other))
        assert beside or abs(y - v) * height >= 40


def test_a_drawing_is_sent_anew_only_when_something_it_shows_differs() -> None:
    found = graph("a --> b", "b o-> c")
    sheet = canvas(found)
    shown = placed(found, sheet)
    same = MixedGraph(shown.nodes, tuple(e.seen_from(e.target) for e in reversed(shown.edges)))
    assert looks_alike(placed(same, sheet), shown)
    assert not looks_alike(placed(graph("a --> b", nodes="c"), sheet), shown)
    assert not looks_alike(placed(graph("a --> b", "b --> c"), sheet), shown)
    assert not looks_alike(placed(found.with_layout({"a": (0.9, 0.9)}), sheet), shown)


def test_a_page_with_the_editor_runs_without_a_browser() -> None:
    app = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not app.exception
    assert json.loads(app.code[0].value)["edits"] == 0


def test_the_bundle_was_built_from_the_sources_beside_it() -> None:
    room = Path(editor.__file__).parent
    digest = hashlib.sha256()
    for source in sorted((room / "src").glob("*.js")):
        digest.update(source.read_bytes())
    with (room / "build" / "graph_editor.js").open(encoding="utf-8") as bundle:
        banner = [next(bundle) for _ in range(3)]
    assert digest.hexdigest() in banner[2], "run npm ci && npm run build in ui/graph_editor"
