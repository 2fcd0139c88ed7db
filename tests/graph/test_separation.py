"""m-separation against the moral graph, and the implied independencies."""

import itertools

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import GraphError
from causalmix_core.graph import MixedGraph, implied_independencies, m_separated
from tests.graph.graphs import dags, graph


def separated_in_moral_graph(dag: MixedGraph, x: str, y: str, given_nodes: set[str]) -> bool:
    """Lauritzen's criterion: no path in the moral graph of the ancestors, without the given."""
    arcs = nx.DiGraph((edge.cause, edge.effect) for edge in dag.edges)
    arcs.add_nodes_from(dag.nodes)
    wanted = {x, y, *given_nodes}
    ancestral = arcs.subgraph(wanted.union(*(nx.ancestors(arcs, node) for node in wanted)))
    moral = ancestral.to_undirected()
    for node in ancestral:
        moral.add_edges_from(itertools.combinations(ancestral.predecessors(node), 2))
    moral.remove_nodes_from(given_nodes)
    return not nx.has_path(moral, x, y)


@given(dags(), st.data())
@settings(max_examples=100)
def test_separation_agrees_with_the_moral_graph(dag: MixedGraph, data: st.DataObject) -> None:
    x, y = data.draw(st.permutations(dag.nodes))[:2]
    others = [node for node in dag.nodes if node not in (x, y)]
    chosen = set(data.draw(st.lists(st.sampled_from(others), unique=True))) if others else set()
    assert m_separated(dag, x, y, chosen) == separated_in_moral_graph(dag, x, y, chosen)


@given(dags())
@settings(max_examples=60)
def test_every_open_pair_of_a_dag_has_one_implied_independence_that_holds(
    dag: MixedGraph,
) -> None:
    found = implied_independencies(dag)
    assert all(m_separated(dag, each.x, each.y, each.given) for each in found)
    open_pairs = {
        frozenset(pair)
        for pair in itertools.combinations(dag.nodes, 2)
        if dag.edge_between(*pair) is None
    }
    assert {frozenset((each.x, each.y)) for each in found} == open_pairs
    assert len(found) == len(open_pairs)


def test_a_hidden_cause_opens_and_closes_paths() -> None:
    admg = graph("a --> b", "b <-> c")
    assert m_separated(admg, "a", "c")
    assert not m_separated(admg, "a", "c", ["b"])
    assert [str(each) for each in implied_independencies(admg)] == ["a is independent of c"]


def test_a_pair_that_nothing_separates_is_left_out() -> None:
    # a and d are not joined, yet every set leaves a path open (an inducing path).
    admg = graph("a --> b", "b --> d", "b <-> d2", "d2 --> d", "a <-> b2", "b2 <-> d", "b2 --> a2")
    pairs = {frozenset((each.x, each.y)) for each in implied_independencies(admg)}
    for x, y in itertools.combinations(admg.nodes, 2):
        rest = [node for node in admg.nodes if node not in (x, y)]
        separable = any(
            m_separated(admg, x, y, chosen)
            for size in range(len(rest) + 1)
            for chosen in itertools.combinations(rest, size)
        )
        if admg.edge_between(x, y) is None:
            assert (frozenset((x, y)) in pairs) == separable


def test_large_conditions_can_be_left_out() -> None:
    chain = graph("a --> c", "b --> c", "c --> d")
    assert {len(each.given) for each in implied_independencies(chain)} == {0, 1}
    assert {str(each) for each in implied_independencies(chain, largest=0)} == {
        "a is independent of b"
    }


def test_open_graphs_and_bad_questions_are_refused() -> None:
    with pytest.raises(GraphError, match="a o→ b"):
        m_separated(graph("a o-> b"), "a", "b")
    with pytest.raises(GraphError, match="different"):
        m_separated(graph("a --> b"), "a", "b", ["a"])
    with pytest.raises(GraphError, match="'z'"):
        m_separated(graph("a --> b"), "a", "z")
