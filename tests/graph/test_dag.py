"""Completion to a DAG, sampling of DAGs, CPDAGs."""

import itertools
from collections import Counter
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from causalmix_core.discovery import direction_probabilities
from causalmix_core.errors import GraphError
from causalmix_core.graph import (
    Edge,
    EquivalenceClass,
    Knowledge,
    Mark,
    MixedGraph,
    PairFrequencies,
    complete,
    consistent_extension,
    equivalence,
    is_cpdag,
    m_separated,
    meek_closure,
    reasons_not_dag,
    to_cpdag,
    unshielded_colliders,
    violations,
)
from causalmix_core.graph.marks import HIDDEN_SHARE
from tests.discovery.discovery_truth import independencies, random_dag, true_pag
from tests.graph.graphs import cpdags, dags, graph, mixed_graphs, signs


def arcs(graph: MixedGraph) -> nx.DiGraph:
    part = nx.DiGraph((edge.cause, edge.effect) for edge in graph.edges if edge.is_directed)
    part.add_nodes_from(graph.nodes)
    return part


def members_of_class(cpdag: MixedGraph) -> set[frozenset[tuple[str, str]]]:
    """All DAGs with the skeleton and colliders of the CPDAG, by trying every orientation."""
    pairs = [tuple(sorted(edge.pair)) for edge in cpdag.edges]
    members = set()
    for turns in itertools.product((False, True), repeat=len(pairs)):
        chosen = [(b, a) if turn else (a, b) for (a, b), turn in zip(pairs, turns, strict=True)]
        candidate = MixedGraph(cpdag.nodes, tuple(Edge(*pair) for pair in chosen))
        same = unshielded_colliders(candidate) == unshielded_colliders(cpdag)
        if same and nx.is_directed_acyclic_graph(arcs(candidate)):
            members.add(frozenset(chosen))
    return members


@given(cpdags())
@settings(max_examples=60)
def test_a_completed_cpdag_is_a_member_of_its_class(cpdag: MixedGraph) -> None:
    completion = complete(cpdag)
    assert completion.keeps_independencies
    assert completion.graph.graph_type == "dag"
    assert signs(to_cpdag(completion.graph)) == signs(cpdag)


@given(dags())
@settings(max_examples=60)
def test_a_dag_is_complete_as_it_is(dag: MixedGraph) -> None:
    completion = complete(dag)
    assert completion.graph == dag
    assert not completion.reasons


@given(dags(most=5))
@settings(max_examples=40)
def test_the_cpdag_directs_what_all_members_of_the_class_share(dag: MixedGraph) -> None:
    cpdag = to_cpdag(dag)
    shared = frozenset.intersection(*members_of_class(dag))
    assert {(e.cause, e.effect) for e in cpdag.edges if e.is_directed} == shared


@given(mixed_graphs())
@settings(max_examples=80)
def test_any_graph_completes_to_an_acyclic_graph_that_obeys_its_knowledge(
    given_graph: MixedGraph,
) -> None:
    completion = complete(given_graph)
    dag = completion.graph
    assert reasons_not_dag(dag, allow_hidden=True) == []
    assert violations(dag, given_graph.knowledge) == []
    kept = {edge.pair for edge in dag.edges}
    found = {edge.pair for edge in given_graph.edges}
    required = {frozenset(pair) for pair in given_graph.knowledge.required}
    dropped = {frozenset(pair) for pair in completion.dropped}
    assert kept == (found | required) - dropped
    if not given_graph.knowledge:
        assert not dropped


@given(mixed_graphs())
@settings(max_examples=60)
def test_every_changed_edge_has_a_reason(given_graph: MixedGraph) -> None:
    completion = complete(given_graph)
    changed = {
        edge.pair
        for edge in completion.graph.edges
        if (before := given_graph.edge_between(edge.source, edge.target)) is None
        or before.seen_from(edge.source).marks != edge.marks
    }
    assert {frozenset(pair) for pair in completion.reasons} == changed
    assert all(completion.reasons.values())


@given(mixed_graphs(frequencies=False))
@settings(max_examples=60)
def test_bidirected_edges_stay_unless_knowledge_requires_a_direction(
    given_graph: MixedGraph,
) -> None:
    dag = given_graph.to_dag()
    required = {frozenset(pair) for pair in given_graph.knowledge.required}
    for edge in given_graph.edges:
        if edge.is_bidirected and edge.pair not in required:
            kept = dag.edge_between(edge.source, edge.target)
            assert kept is not None
            assert kept.is_bidirected


@given(mixed_graphs(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_nodes_edges_and_pairs_never_matters(
    given_graph: MixedGraph, shuffler: "np.random.Generator"
) -> None:
    def shuffled(items: tuple[object, ...]) -> tuple[object, ...]:
        items_list = list(items)
        shuffler.shuffle(items_list)
        return tuple(items_list)

    other = MixedGraph(
        nodes=shuffled(given_graph.nodes),  # type: ignore[arg-type]
        edges=tuple(edge.seen_from(edge.target) for edge in shuffled(given_graph.edges)),  # type: ignore[attr-defined]
        pairs=tuple(pair.seen_from(pair.target) for pair in shuffled(given_graph.pairs)),  # type: ignore[attr-defined]
        knowledge=given_graph.knowledge,
    )
    assert other.to_dag().digest == given_graph.to_dag().digest
    ours, theirs = given_graph.sample_dags(3, seed=5), other.sample_dags(3, seed=5)
    assert [dag.digest for dag in ours] == [dag.digest for dag in theirs]


@given(mixed_graphs(), st.integers(0, 2**32 - 1))
@settings(max_examples=80)
def test_sampled_dags_are_acyclic_obey_knowledge_and_repeat(
    given_graph: MixedGraph, seed: int
) -> None:
    drawn = given_graph.sample_dags(4, seed=seed)
    assert len(drawn) == 4
    for dag in drawn:
        assert reasons_not_dag(dag, allow_hidden=True) == []
        assert violations(dag, given_graph.knowledge) == []
    assert drawn == given_graph.sample_dags(4, seed=seed)


@given(cpdags())
@settings(max_examples=40)
def test_dags_sampled_from_a_cpdag_are_members_of_its_class(cpdag: MixedGraph) -> None:
    for dag in cpdag.sample_dags(5, seed=1):
        assert signs(to_cpdag(dag)) == signs(cpdag)


@given(dags(most=5))
@settings(max_examples=40)
def test_a_class_has_as_many_dags_as_there_are(dag: MixedGraph) -> None:
    assert EquivalenceClass(to_cpdag(dag)).size == len(members_of_class(dag))


def test_classes_of_known_size_are_counted() -> None:
    def whole(edges: "list[tuple[int, int]]") -> int:
        names = [(f"v{a:02d}", f"v{b:02d}") for a, b in edges]
        nodes = tuple(sorted({name for pair in names for name in pair}))
        open_edges = tuple(Edge(a, b, Mark.TAIL, Mark.TAIL) for a, b in names)
        return EquivalenceClass(MixedGraph(nodes, open_edges)).size

    # A tree has one DAG per choice of its root, a clique of 12 one per order.
    assert whole([(node // 2, node) for node in range(2, 40)]) == 39
    assert whole(list(itertools.combinations(range(12), 2))) == 479001600


def test_a_graph_that_is_no_cpdag_stands_for_no_class() -> None:
    with pytest.raises(GraphError, match="Only a CPDAG"):
        EquivalenceClass(graph("a --> b", "b --- c"))
    assert not is_cpdag(graph("a o-o b"))


@pytest.mark.parametrize("edge", ["---", "o-o"])
def test_the_dags_of_a_class_are_sampled_equally_often(edge: str) -> None:
    # A triangle with a tail: 4 nodes, 8 DAGs, of which a random walk would favour some.
    cpdag = graph(*(f"{a} {edge} {b}" for a, b in ("ab", "bc", "ac", "cd")))
    drawn = Counter(
        frozenset((each.cause, each.effect) for each in dag.edges)
        for dag in cpdag.sample_dags(4000, seed=0)
    )
    assert set(drawn) == members_of_class(cpdag)
    expected = 4000 / len(drawn)
    statistic = sum((seen - expected) ** 2 / expected for seen in drawn.values())
    assert statistic < chi2.ppf(0.999, len(drawn) - 1)


def test_a_class_too_tangled_to_count_is_still_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equivalence, "_MOST_ROOTS", 2)
    cpdag = graph("a --- b", "b --- c", "a --- c", "c --- d")
    with pytest.raises(equivalence.TooManyPartsError):
        EquivalenceClass(cpdag).size  # noqa: B018
    drawn = {
        frozenset((each.cause, each.effect) for each in dag.edges)
        for dag in cpdag.sample_dags(200, seed=0)
    }
    assert drawn == members_of_class(cpdag)


def test_sampling_within_a_class_obeys_knowledge() -> None:
    known = Knowledge(tiers=(("c",), ("a", "b")))
    cpdag = graph("a --- b", "b --- c", "a --- c", knowledge=known)
    drawn = {frozenset((e.cause, e.effect) for e in dag.edges) for dag in cpdag.sample_dags(60)}
    assert drawn == {
        frozenset({("c", "a"), ("c", "b"), ("a", "b")}),
        frozenset({("c", "a"), ("c", "b"), ("b", "a")}),
    }


def test_equal_support_is_a_tie_whatever_the_last_digit_of_its_sum() -> None:
    shares = {"tail-arrow": 0.3, "arrow-tail": 0.1, "arrow-circle": 0.2, "none": 0.4}
    assert shares["arrow-tail"] + shares["arrow-circle"] > shares["tail-arrow"]
    done = complete(graph("a --- b", pairs=(PairFrequencies("a", "b", shares),)))
    [edge] = done.graph.edges
    assert edge.cause == "a"
    [why] = done.reasons.values()
    assert "equally well" in why


def test_pairs_are_sampled_at_their_frequencies() -> None:
    pairs = (
        PairFrequencies("a", "b", {"tail-arrow": 0.5, "arrow-tail": 0.2, "none": 0.3}),
        PairFrequencies("c", "b", {"circle-circle": 0.1, "none": 0.9}),
    )
    resampled = graph("a --> b", "d --> c", pairs=pairs)
    drawn = resampled.sample_dags(2000, seed=3)
    between = Counter(
        "none" if edge is None else f"{edge.cause}{edge.effect}"
        for edge in (dag.edge_between("a", "b") for dag in drawn)
    )
    # Three standard deviations of a share over 2000 draws are at most 0.034.
    assert between["ab"] / 2000 == pytest.approx(0.5, abs=0.034)
    assert between["ba"] / 2000 == pytest.approx(0.2, abs=0.034)
    seldom = sum(dag.edge_between("b", "c") is not None for dag in drawn) / 2000
    assert seldom == pytest.approx(0.1, abs=0.034)
    # An edge without frequencies is the analyst's own: it is always there.
    assert all(dag.edge_between("c", "d").is_directed for dag in drawn)  # type: ignore[union-attr]


def test_an_edge_that_no_resample_found_is_in_no_sample() -> None:
    pair = PairFrequencies("a", "b", {"tail-arrow": 0.5, "none": 0.5})
    seen, unseen = graph("a --> b", "b --> c").edges
    edges = (replace(seen, probability=0.5), replace(unseen, probability=0.0))
    for pairs in ((pair,), ()):
        found = MixedGraph(("a", "b", "c"), edges, pairs=pairs)
        assert all(dag.edge_between("b", "c") is None for dag in found.sample_dags(20, seed=0))


def test_open_marks_are_sampled_as_often_as_their_probabilities_say() -> None:
    shares = {"circle-arrow": 0.4, "circle-circle": 0.2, "tail-tail": 0.1, "tail-arrow": 0.2}
    pair = PairFrequencies("a", "b", {**shares, "none": 0.1})
    drawn = graph("a o-> b", pairs=(pair,)).sample_dags(4000, seed=1)
    seen = Counter(
        "none" if edge is None else "hidden" if edge.is_bidirected else edge.cause
        for edge in (dag.edge_between("a", "b") for dag in drawn)
    )
    stated = direction_probabilities(pair)
    # Three standard deviations of a share over 4000 draws are at most 0.024.
    assert seen["a"] / 4000 == pytest.approx(stated.forward, abs=0.024)
    assert seen["b"] / 4000 == pytest.approx(stated.backward, abs=0.024)
    assert seen["hidden"] / 4000 == pytest.approx(stated.bidirected, abs=0.024)
    assert stated.bidirected == pytest.approx(0.1)


def test_an_open_arrow_of_the_analyst_is_sampled_both_ways() -> None:
    drawn = graph("a o-> b").sample_dags(4000, seed=2)
    hidden = sum(dag.edges[0].is_bidirected for dag in drawn) / 4000
    assert hidden == pytest.approx(HIDDEN_SHARE, abs=0.021)


def test_sampling_a_negative_number_is_refused() -> None:
    with pytest.raises(GraphError, match="-1 DAGs"):
        graph("a --> b").sample_dags(-1)


def test_an_undirected_square_has_no_extension_and_the_completion_says_what_it_cost() -> None:
    square = graph("a --- b", "b --- c", "c --- d", "d --- a")
    assert consistent_extension(square) is None
    completion = complete(square)
    assert reasons_not_dag(completion.graph) == []
    assert len(completion.colliders_added) == 1
    assert not completion.keeps_independencies


def test_a_directed_cycle_is_broken_at_its_least_certain_edge() -> None:
    edges = (
        Edge("a", "b", probability=0.9),
        Edge("b", "c", probability=0.6),
        Edge("c", "a", probability=0.8),
    )
    completion = complete(MixedGraph(("a", "b", "c"), edges))
    assert [*completion.reasons] == [("c", "b")]
    assert "cycle" in completion.reasons["c", "b"]


def test_a_cycle_through_an_open_end_leaves_a_hidden_cause_instead_of_turning() -> None:
    dag = graph("a --> b", "b o-> c", "c --> a").to_dag()
    assert signs(dag) == {
        ("a", "b", "tail", "arrow"),
        ("b", "c", "arrow", "arrow"),
        ("a", "c", "arrow", "tail"),
    }


def test_frequencies_decide_where_the_marks_leave_a_choice() -> None:
    pairs = (PairFrequencies("a", "b", {"arrow-tail": 0.6, "circle-circle": 0.4}),)
    completion = complete(graph("a o-o b", pairs=pairs))
    assert signs(completion.graph) == {("a", "b", "arrow", "tail")}
    assert "60%" in completion.reasons["b", "a"]


def test_no_collider_is_made_where_a_chain_was_found() -> None:
    # b — c with a → b: b ← c would make b a collider that the search ruled out.
    chain = graph("a --> b", "b --- c")
    assert signs(chain.to_dag()) == signs(graph("a --> b", "b --> c"))
    hidden = graph("a <-> b", "b o-o c")
    assert signs(hidden.to_dag()) == signs(graph("a <-> b", "b --> c"))


def test_forbidden_open_edges_become_hidden_causes_and_forbidden_tails_are_dropped() -> None:
    both = Knowledge(forbidden=(("a", "b"), ("b", "a")))
    assert signs(graph("a o-o b", knowledge=both).to_dag()) == signs(graph("a <-> b"))
    completion = complete(graph("a --- b", knowledge=both))
    assert completion.graph.edges == ()
    assert "both directions" in completion.dropped["a", "b"]


def test_a_missing_required_edge_is_added() -> None:
    known = Knowledge(required=(("b", "a"),))
    completion = complete(graph(nodes="a b", knowledge=known))
    assert signs(completion.graph) == {("a", "b", "arrow", "tail")}
    assert "required" in completion.reasons["b", "a"]


@pytest.mark.parametrize(
    ("rule", "drawn", "forced"),
    [
        ("R1", ("c --> a", "a --- b"), ("a", "b")),
        ("R2", ("a --> c", "c --> b", "a --- b"), ("a", "b")),
        ("R3", ("a --- c", "a --- d", "c --> b", "d --> b", "a --- b"), ("a", "b")),
        ("R4", ("a --- d", "d --> c", "c --> b", "a --- c", "a --- b"), ("a", "b")),
    ],
)
def test_meeks_rules_fire_as_in_the_textbook(
    rule: str, drawn: tuple[str, ...], forced: tuple[str, str]
) -> None:
    assert forced in meek_closure(graph(*drawn)), rule


@given(cpdags())
@settings(max_examples=40)
def test_dor_and_tarsi_agree_with_the_completion(cpdag: MixedGraph) -> None:
    extension = consistent_extension(cpdag)
    assert extension is not None
    assert signs(to_cpdag(extension)) == signs(cpdag)


@given(mixed_graphs(frequencies=False))
@settings(max_examples=60)
def test_dor_and_tarsi_find_an_extension_exactly_when_there_is_one(
    given_graph: MixedGraph,
) -> None:
    edges = [e for e in given_graph.edges if e.is_directed or e.is_undirected]
    pdag = MixedGraph(given_graph.nodes, tuple(edges))
    directed = {(e.cause, e.effect) for e in edges if e.is_directed}
    exists = any(directed <= member for member in members_of_class(pdag))
    assert (consistent_extension(pdag) is not None) == exists
    if exists:
        assert complete(pdag).keeps_independencies


def test_a_cpdag_is_refused_for_a_graph_with_a_cycle() -> None:
    with pytest.raises(GraphError, match="Only a DAG"):
        to_cpdag(graph("a --> b", "b --> c", "c --> a"))


@pytest.mark.parametrize("seed", range(12))
def test_a_completed_pag_says_the_same_of_independence_as_the_truth_behind_it(seed: int) -> None:
    # Four of seven variables are seen; the PAG comes from enumeration, not from a search.
    rng = np.random.default_rng(seed)
    dag = random_dag(rng, 7, 0.35)
    observed = sorted(rng.permutation(7)[:4].tolist())
    marks = true_pag(dag, observed)
    names = ("d", "b", "c", "a")
    ends = {1: Mark.TAIL, 2: Mark.ARROW, 3: Mark.CIRCLE}
    pag = MixedGraph(
        names,
        tuple(
            Edge(names[i], names[j], ends[int(marks[j, i])], ends[int(marks[i, j])])
            for i, j in itertools.combinations(range(4), 2)
            if marks[i, j]
        ),
    )
    completed = pag.to_dag()
    for (x, y, chosen), independent in independencies(dag, observed).items():
        given_names = [names[node] for node in chosen]
        assert m_separated(completed, names[x], names[y], given_names) == independent
