"""Edits, undo and redo, the stored history, the difference to the found graph."""

import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import GraphError
from causalmix_core.graph import (
    AddEdge,
    Edge,
    Edit,
    History,
    Knowledge,
    Mark,
    MixedGraph,
    MoveNodes,
    PairFrequencies,
    RemoveEdge,
    ReplaceEdges,
    ReplaceGraph,
    ReverseEdge,
    SetKnowledge,
    SetMark,
    SetMarks,
    apply,
    describe,
    difference,
)
from tests.graph.graphs import NAMES, graph, knowledge_of, mixed_graphs, signs


@st.composite
def edits(draw: st.DrawFn, nodes: tuple[str, ...] = NAMES[:6]) -> Edit:
    a, b = draw(st.sampled_from(list(itertools.permutations(nodes, 2))))
    mark = st.sampled_from(list(Mark))
    unit = st.floats(0, 1)
    return draw(
        st.one_of(
            st.builds(AddEdge, st.just(a), st.just(b), mark, mark),
            st.just(RemoveEdge(a, b)),
            st.just(ReverseEdge(a, b)),
            st.builds(SetMark, st.just(a), st.just(b), mark),
            st.builds(SetMarks, st.just(a), st.just(b), mark, mark),
            st.builds(lambda x, y: MoveNodes(((a, x, y),)), unit, unit),
            st.just(ReplaceEdges((Edge(a, b, probability=0.5),), "Complete to a DAG")),
            st.builds(ReplaceGraph, mixed_graphs(), st.just("Use the graph g.json")),
            st.just(SetKnowledge(Knowledge(required=((a, b),), tiers=((a,),)))),
        )
    )


def play(found: MixedGraph, wished: list[Edit]) -> History:
    """Do all edits that the graph allows."""
    history = History(found)
    for edit in wished:
        try:
            history = history.do(edit)
        except GraphError:
            continue
    return history


@given(mixed_graphs(), st.lists(edits(), max_size=8))
@settings(max_examples=40)
def test_undo_takes_every_edit_back_and_redo_brings_it_again(
    found: MixedGraph, wished: list[Edit]
) -> None:
    history = play(found, wished)
    states = [history.graph]
    while history.can_undo:
        history = history.undo()
        states.append(history.graph)
    assert states[-1] == found
    for state in reversed(states[:-1]):
        history = history.redo()
        assert history.graph == state
    assert not history.can_redo


@given(mixed_graphs(), st.lists(edits(), max_size=6), st.integers(0, 6))
@settings(max_examples=30)
def test_a_stored_history_opens_as_it_was(
    found: MixedGraph, wished: list[Edit], steps_back: int
) -> None:
    history = play(found, wished)
    for _ in range(steps_back):
        history = history.undo()
    opened = History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))
    assert opened == history
    assert opened.graph == history.graph


def test_each_edit_does_what_it_says() -> None:
    found = graph("a --> b", "b o-> c", nodes="d")
    assert signs(apply(found, AddEdge("c", "d"))) == signs(graph("a --> b", "b o-> c", "c --> d"))
    assert signs(apply(found, RemoveEdge("c", "b"))) == signs(graph("a --> b"))
    assert signs(apply(found, ReverseEdge("a", "b"))) == signs(graph("b --> a", "b o-> c"))
    assert signs(apply(found, ReverseEdge("c", "b"))) == signs(graph("a --> b", "b <-o c"))
    assert signs(apply(found, SetMark("c", "b", Mark.CIRCLE))) == signs(graph("a --> b", "b o-o c"))
    assert signs(apply(found, SetMarks("b", "a", Mark.ARROW, Mark.ARROW))) == signs(
        graph("a <-> b", "b o-> c")
    )
    assert apply(found, MoveNodes((("d", 0.25, 1.0),))).layout == {"d": (0.25, 1.0)}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (AddEdge("a", "b"), "joined already"),
        (AddEdge("a", "z"), "'z' is not a node"),
        (RemoveEdge("a", "c"), "not joined"),
        (ReverseEdge("a", "c"), "not joined"),
        (SetMark("a", "z", Mark.TAIL), "'z' is not a node"),
        (MoveNodes((("a", float("nan"), 0.0),)), "finite"),
        (MoveNodes((("z", 0.5, 0.5),)), "'z' is not a node"),
        (SetKnowledge(Knowledge((("a", "b"),), (("a", "b"),))), "both required and forbidden"),
        (SetKnowledge(Knowledge(tiers=(("z",),))), "'z'"),
        (ReplaceGraph(graph("a --> b"), "Use the graph"), "'c' is not a node"),
        (ReplaceGraph(graph("a --> b", nodes="c z"), "Use the graph"), "'z' is not a node"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(edit: Edit, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        apply(graph("a --> b", nodes="c"), edit)


def test_an_edit_against_the_knowledge_is_refused() -> None:
    known = graph(
        "a --> b", nodes="c", knowledge=Knowledge(required=(("a", "b"),), forbidden=(("c", "a"),))
    )
    for edit in (RemoveEdge("a", "b"), ReverseEdge("a", "b"), AddEdge("c", "a")):
        with pytest.raises(GraphError, match="Change the knowledge first"):
            apply(known, edit)
    assert apply(known, AddEdge("a", "c")).edge_between("a", "c")


def test_a_decided_pair_loses_its_frequencies_and_is_sampled_as_drawn() -> None:
    pairs = (
        PairFrequencies("a", "b", {"tail-arrow": 0.5, "none": 0.5}),
        PairFrequencies("b", "c", {"tail-arrow": 0.5, "none": 0.5}),
    )
    found = graph("a --> b", "b --> c", pairs=pairs)
    edited = apply(apply(found, RemoveEdge("a", "b")), ReverseEdge("b", "c"))
    assert edited.pairs == ()
    assert all(signs(dag) == {("b", "c", "arrow", "tail")} for dag in edited.sample_dags(20))


@given(mixed_graphs(), st.data())
@settings(max_examples=30)
def test_the_graph_that_was_found_comes_back_whole(found: MixedGraph, data: st.DataObject) -> None:
    known = data.draw(knowledge_of(found.nodes))
    moved = MoveNodes(((found.nodes[0], 0.25, 0.75),))
    back = ReplaceGraph(replace(found, knowledge=Knowledge()), "Go back to the found graph")
    history = History(found).do(ReplaceEdges((), "Complete to a DAG")).do(moved)
    history = history.do(SetKnowledge(known)).do(back)
    came_back = replace(found, knowledge=known, layout={found.nodes[0]: (0.25, 0.75)})
    assert history.graph == came_back
    assert History.from_dict(json.loads(json.dumps(history.to_dict()))).graph == came_back


def test_a_graph_from_a_file_brings_its_frequencies_knowledge_and_places() -> None:
    pairs = (PairFrequencies("a", "b", {"tail-arrow": 0.2, "arrow-tail": 0.8}),)
    known = Knowledge(tiers=(("a",), ("c",)))
    away = graph("a o-o b", nodes="c", pairs=pairs, knowledge=known, layout={"a": (0.5, 0.5)})
    here = graph("c --> b", nodes="a", layout={"a": (0.0, 0.0), "b": (1.0, 1.0)})
    taken = apply(here, ReplaceGraph(MixedGraph.from_dict(away.to_dict()), "Use the graph"))
    assert taken.nodes == here.nodes
    assert (taken.edges, taken.pairs, taken.knowledge) == (away.edges, pairs, known)
    assert taken.layout == {"a": (0.5, 0.5), "b": (1.0, 1.0)}
    assert signs(taken.to_dag()) == {("a", "b", "arrow", "tail")}


def test_the_type_follows_the_edit() -> None:
    assert apply(graph("a o-> b"), SetMark("a", "b", Mark.TAIL)).graph_type == "dag"
    assert apply(graph("a --> b", "b --> c"), AddEdge("c", "a")).graph_type == "mixed"


def test_a_new_edit_forgets_what_was_undone() -> None:
    history = History(graph("a --> b", nodes="c")).do(ReverseEdge("a", "b")).undo()
    assert history.redo_label == "Reverse the edge a, b"
    history = history.do(AddEdge("b", "c"))
    assert not history.can_redo
    assert history.undo_label == "Add b → c"
    assert history.undo().undo() == history.undo()


def test_a_broken_history_is_refused() -> None:
    good = History(graph("a --> b")).do(ReverseEdge("a", "b")).to_dict()
    for broken in (
        {},
        good | {"done": 2},
        good | {"edits": [{"edit": "explode"}]},
        good | {"edits": [{"edit": "remove", "source": "a"}]},
        good | {"edits": [{"edit": "remove", "source": "a", "target": "z"}]},
        good | {"edits": [{"edit": "mark", "source": "a", "target": "b", "mark": "tip"}]},
    ):
        with pytest.raises(GraphError):
            History.from_dict(broken)


def test_the_difference_names_added_removed_and_changed_edges() -> None:
    found = graph("a --> b", "b o-> c", "c --- d", nodes="e")
    edited = graph("b <-- a", "c <-- b", "d --> e", nodes="a b c d e")
    change = difference(found, edited)
    assert [(e.source, e.target) for e in change.added] == [("d", "e")]
    assert [(e.source, e.target) for e in change.removed] == [("c", "d")]
    assert [(e.pair, before.marks, e.marks) for before, e in change.changed] == [
        (frozenset("bc"), (Mark.ARROW, Mark.CIRCLE), (Mark.ARROW, Mark.TAIL))
    ]
    assert not difference(found, found)


@given(edits())
@settings(max_examples=40)
def test_every_edit_has_words(edit: Edit) -> None:
    assert describe(edit)[0].isupper()
