"""Positions of nodes, and what edges say."""

import itertools

import pytest
from hypothesis import given, settings

from causalmix_core.graph import Edge, Mark, MixedGraph, edge_sentence, edge_sign, positions
from tests.graph.graphs import graph, mixed_graphs


@given(mixed_graphs(frequencies=False))
@settings(max_examples=80)
def test_every_node_has_its_own_place_in_the_square(mixed: MixedGraph) -> None:
    places = positions(mixed)
    assert list(places) == list(mixed.nodes)
    assert all(0.0 <= x <= 1.0 and 0.0 <= y <= 1.0 for x, y in places.values())
    for one, other in itertools.combinations(places.values(), 2):
        assert abs(one[0] - other[0]) > 0.02 or abs(one[1] - other[1]) > 0.02


@given(mixed_graphs(frequencies=False))
@settings(max_examples=40)
def test_the_same_graph_is_drawn_the_same_whatever_its_order(mixed: MixedGraph) -> None:
    turned = MixedGraph(
        tuple(reversed(mixed.nodes)), tuple(e.seen_from(e.target) for e in reversed(mixed.edges))
    )
    assert positions(turned) == positions(mixed)


def test_causes_stand_left_of_their_effects() -> None:
    places = positions(graph("a --> b", "b --> c", "a --> c", "d --> c"))
    assert places["a"][0] < places["b"][0] < places["c"][0]
    assert places["d"][0] < places["c"][0]
    # The long edge a → c passes beside b, not through it.
    middle = (places["a"][1] + places["c"][1]) / 2
    assert abs(middle - places["b"][1]) > 0.02


def test_a_tree_is_drawn_without_crossings() -> None:
    tree = graph("r --> a", "r --> b", "a --> c", "a --> e", "b --> d", "b --> f")
    places = positions(tree)
    halves = [{places[n][1] < places["r"][1] for n in side} for side in ("ace", "bdf")]
    assert sorted(map(sorted, halves)) == [[False], [True]]


def test_placed_nodes_stay_and_new_ones_keep_clear_of_them() -> None:
    whole = graph("a --> b", "b --> c")
    fresh = positions(whole)
    assert positions(whole.with_layout({"a": (0.9, 0.9), "b": fresh["c"]}))["a"] == (0.9, 0.9)
    partly = positions(whole.with_layout({"a": (0.9, 0.9), "b": fresh["c"]}))
    assert partly["b"] == fresh["c"]
    assert partly["c"] != partly["b"]
    everything = dict.fromkeys("abc", (0.5, 0.5))
    assert positions(whole.with_layout(everything)) == everything


def test_small_and_empty_graphs_have_positions() -> None:
    assert positions(MixedGraph(())) == {}
    assert positions(MixedGraph(("a",))) == {"a": (0.5, 0.5)}
    assert len(set(positions(MixedGraph(("a", "b", "c"))).values())) == 3


@pytest.mark.parametrize(
    ("source_mark", "target_mark", "sign", "sentence"),
    [
        ("tail", "arrow", "→", "age causes pay"),
        ("arrow", "tail", "←", "pay causes age"),
        ("arrow", "arrow", "↔", "age and pay share a hidden cause"),
        ("circle", "arrow", "o→", "age may cause pay, or they share a hidden cause"),
        ("arrow", "circle", "←o", "pay may cause age, or they share a hidden cause"),
        (
            "circle",
            "circle",
            "o–o",
            "age and pay are linked; either may cause the other, or they share a hidden cause",
        ),
        ("tail", "tail", "—", "age and pay are linked; either may cause the other"),
        ("tail", "circle", "–o", "age causes pay, or the rows were selected by both"),
        ("circle", "tail", "o–", "pay causes age, or the rows were selected by both"),
    ],
)
def test_every_pair_of_marks_is_said_in_words(
    source_mark: str, target_mark: str, sign: str, sentence: str
) -> None:
    edge = Edge("age", "pay", Mark(source_mark), Mark(target_mark))
    assert edge_sign(edge) == f"age {sign} pay"
    assert edge_sentence(edge) == sentence


def test_braces_in_names_stay_as_they_are() -> None:
    assert edge_sentence(Edge("{b}", "{a}")) == "{b} causes {a}"
