"""What knowledge forbids, and what the marks make of a graph."""

import pytest

from causalmix_core.errors import GraphError
from causalmix_core.graph import (
    Knowledge,
    MixedGraph,
    classify,
    compile_knowledge,
    directed_cycles,
    is_ancestral,
    reasons_not_dag,
    restrict,
    target_last,
    violations,
)
from tests.graph.graphs import graph


def test_tiers_forbid_every_arrow_back_and_none_within() -> None:
    tiers = Knowledge(tiers=(("a", "b"), ("c",), ("d",)))
    compiled = compile_knowledge(tiers, ("d", "c", "b", "a", "free"))
    assert set(compiled.pairs(compiled.forbidden)) == {
        ("c", "a"),
        ("c", "b"),
        ("d", "a"),
        ("d", "b"),
        ("d", "c"),
    }
    assert not compiled.required.any()


def test_a_required_edge_forbids_its_opposite() -> None:
    compiled = compile_knowledge(Knowledge(required=(("a", "b"),)), ("a", "b"))
    assert compiled.requires("a", "b")
    assert compiled.forbids("b", "a")
    assert not compiled.forbids("a", "b")


@pytest.mark.parametrize(
    ("knowledge", "message"),
    [
        (Knowledge(required=(("a", "b"),), forbidden=(("a", "b"),)), "both required and forbidden"),
        (Knowledge(required=(("a", "b"), ("b", "c"), ("c", "a"))), "cycle"),
        (Knowledge(required=(("a", "b"), ("b", "a"))), "cycle"),
        (Knowledge(required=(("a", "b"),), tiers=(("b",), ("a",))), "later tier"),
        (Knowledge(tiers=(("a",), ("a", "b"))), "two tiers"),
        (Knowledge(required=(("a", "z"),)), "'z'"),
        (Knowledge(forbidden=(("a", "a"),)), "to itself"),
    ],
)
def test_contradictions_are_named(knowledge: Knowledge, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        compile_knowledge(knowledge, ("a", "b", "c"))


def test_violations_are_told_and_open_ends_are_none() -> None:
    known = Knowledge(required=(("a", "b"),), forbidden=(("c", "a"),))
    assert violations(graph("a o-> b", "c o-o a"), known) == []
    assert violations(graph("a --- b", nodes="c"), known) == []
    assert violations(graph("b --> a", "c --> a"), known) == [
        "a → b is required, but the graph says otherwise.",
        "c → a is forbidden.",
    ]
    assert "not joined" in violations(graph(nodes="a b c"), known)[0]


def test_a_target_can_be_kept_from_causing_anything() -> None:
    known = target_last(Knowledge(forbidden=(("y", "a"),)), ("a", "b", "y"), "y")
    assert known.forbidden == (("y", "a"), ("y", "b"))
    with pytest.raises(GraphError, match="'z'"):
        target_last(Knowledge(), ("a",), "z")


def test_knowledge_can_be_restricted_to_the_columns_at_hand() -> None:
    known = Knowledge((("a", "b"), ("b", "c")), (("c", "a"),), (("a", "c"), ("b",)))
    assert restrict(known, ("a", "b")) == Knowledge((("a", "b"),), (), (("a",), ("b",)))


@pytest.mark.parametrize(
    ("edges", "graph_type"),
    [
        (["a --> b", "b --> c"], "dag"),
        (["a --> b", "b --> c", "c --> a"], "mixed"),
        (["a --> b", "b <-> c"], "admg"),
        (["a --> b", "b --> c", "c --> a", "c <-> d"], "mixed"),
        (["a --- b", "b --- c"], "cpdag"),
        (["a --> b", "c --> b", "b --> d"], "dag"),
        (["a --> b", "c --> b", "d --- e"], "cpdag"),
        (["a --> b", "b --- c"], "mixed"),  # Meek's first rule is open
        (["a --- b", "b --- c", "c --- d", "d --- a"], "mixed"),  # no DAG extends it
        (["a o-> b", "b --> c"], "pag"),
        (["a o-o b"], "pag"),
        (["a o-o b", "c --> d", "d --> e", "e --> c"], "mixed"),
        (["a o-o b", "c --> d", "c <-> d2", "d --> d2"], "mixed"),  # almost directed cycle
        (["a --- b", "b <-> c"], "mixed"),
    ],
)
def test_the_type_is_read_off_the_marks(edges: list[str], graph_type: str) -> None:
    assert classify(graph(*edges)) == graph_type


def test_the_empty_graph_is_a_dag() -> None:
    assert classify(MixedGraph(())) == "dag"
    assert reasons_not_dag(MixedGraph(())) == []


def test_what_stands_in_the_way_of_a_dag_is_said_with_names() -> None:
    reasons = reasons_not_dag(
        graph("age o-> pay", "pay <-> job", "job --- city", "x --> y", "y --> z", "z --> x")
    )
    assert reasons == [
        "age o→ pay: age may cause pay, or they share a hidden cause; decide its open ends.",
        "pay ↔ job: pay and job share a hidden cause; a DAG has no hidden causes.",
        "job — city: job and city are linked; either may cause the other; choose a direction.",
        "x → y → z → x is a cycle: reverse or remove one of its edges.",
    ]
    assert reasons_not_dag(graph("a <-> b", "a --> c"), allow_hidden=True) == []


def test_the_shortest_cycle_of_each_tangle_is_shown() -> None:
    tangled = graph(
        "a --> b", "b --> c", "c --> d", "d --> a", "c --> a", "y --> z", "z --> x", "x --> y"
    )
    assert directed_cycles(tangled) == [["a", "b", "c"], ["x", "y", "z"]]


def test_an_almost_directed_cycle_is_not_ancestral() -> None:
    assert is_ancestral(graph("a --> b", "b --> c"))
    assert not is_ancestral(graph("a --> b", "b --> c", "a <-> c"))
