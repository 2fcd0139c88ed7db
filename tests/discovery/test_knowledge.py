"""Knowledge is obeyed, beside what causal-learn 0.1.4.8 makes of the same knowledge."""

import contextlib
import io
import warnings

import networkx as nx
import numpy as np
import pytest
from causallearn.graph.GraphNode import GraphNode
from causallearn.search.ConstraintBased.FCI import fci
from causallearn.search.ConstraintBased.PC import pc
from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge
from discovery_oracle import Oracle
from discovery_tables import gaussian_table, numeric_table

from causalmix_core.discovery import discover
from causalmix_core.discovery.constraints import constrain
from causalmix_core.discovery.encoding import encode
from causalmix_core.discovery.gaussian import FisherZ
from causalmix_core.discovery.marks import ARROW, CIRCLE, TAIL
from causalmix_core.discovery.search import Settings, search
from causalmix_core.errors import GraphError
from causalmix_core.graph.knowledge import stated, target_rules
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Knowledge, MixedGraph

EXACT = Settings(("pc", "fci"), 0.05, max_degree=None, dsep_degree=None)


def exact(arcs, names, knowledge):
    dag = np.zeros((len(names), len(names)), dtype=bool)
    for cause, effect in arcs:
        dag[names.index(cause), names.index(effect)] = True
    oracle = Oracle(dag, np.arange(len(names)), names)
    return search(oracle, EXACT, constrain(knowledge, names)), oracle


def peer_settings(arcs, names, forbidden=(), required=()):
    """A d-separation oracle and background knowledge in causal-learn's form."""
    nodes = {name: GraphNode(name) for name in names}
    dag = nx.DiGraph()
    dag.add_nodes_from(range(len(names)))
    dag.add_edges_from((names.index(cause), names.index(effect)) for cause, effect in arcs)
    knowledge = BackgroundKnowledge()
    for cause, effect in forbidden:
        knowledge.add_forbidden_by_node(nodes[cause], nodes[effect])
    for cause, effect in required:
        knowledge.add_required_by_node(nodes[cause], nodes[effect])
    return {
        "independence_test_method": "d_separation",
        "true_dag": dag,
        "node_names": list(names),
        "background_knowledge": knowledge,
        "show_progress": False,
    }


def peer_graph(run, *args, **settings):
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = run(*args, **settings)
    return (found[0] if isinstance(found, tuple) else found.G).graph


def test_forbidding_an_edge_makes_no_false_collider():
    """#224: the chain x → y → z with x – z forbidden stays a chain; causal-learn: x → y ← z."""
    arcs, names = [("x", "y"), ("y", "z")], ("x", "y", "z")
    both = (("x", "z"), ("z", "x"))
    found, _ = exact(arcs, names, Knowledge(forbidden=both))
    assert found.marks["pc"][0, 1] == found.marks["pc"][2, 1] == TAIL
    assert found.marks["fci"][0, 1] == found.marks["fci"][2, 1] == CIRCLE
    peer = peer_graph(pc, np.zeros((10, 3)), **peer_settings(arcs, names, forbidden=both))
    assert peer[1, 0] == 1  # causal-learn's arrowheads at y
    assert peer[1, 2] == 1


def test_forbidding_one_direction_writes_no_tail_that_fci_has_no_right_to():
    """#266: x o→ y ← … stays open at x where causal-learn writes x → y."""
    arcs, names = [("x", "y"), ("z", "y")], ("x", "y", "z")
    forbidden = (("y", "x"),)
    found, _ = exact(arcs, names, Knowledge(forbidden=forbidden))
    assert found.marks["fci"][0, 1] == ARROW
    assert found.marks["fci"][1, 0] == CIRCLE
    settings = peer_settings(arcs, names, forbidden=forbidden)
    peer = peer_graph(fci, np.zeros((10, 3)), **settings)
    assert peer[1, 0] == 1
    assert peer[0, 1] == -1  # a tail at x


def test_a_required_edge_stays_although_the_data_deny_it():
    """#76, #116: causal-learn drops a required edge that a test removed."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 3))
    table = numeric_table(dict(zip("abc", values.T, strict=True)))
    knowledge = Knowledge(required=(("a", "b"),))
    for algorithm in ("pc", "fci", "both"):
        graph = discover(table, algorithm, bootstraps=3, knowledge=knowledge)
        (edge,) = [e for e in graph.edges if e.pair == {"a", "b"}]
        assert (edge.cause, edge.effect) == ("a", "b")
        assert edge.probability == 1.0
        assert edge.evidence["decided_by"] == "knowledge"
    nodes = [GraphNode(name) for name in "abc"]
    required = BackgroundKnowledge().add_required_by_node(nodes[0], nodes[1])
    peer = peer_graph(
        pc, values, node_names=list("abc"), background_knowledge=required, show_progress=False
    )
    assert not peer.any()


def test_decided_pairs_are_never_tested():
    """#171: causal-learn spends tests on them."""
    arcs, names = [("a", "b"), ("b", "c"), ("c", "d")], ("a", "b", "c", "d")
    knowledge = Knowledge(required=(("a", "b"),), forbidden=(("a", "d"), ("d", "a")))
    _, oracle = exact(arcs, names, knowledge)
    pairs = {(x, y) for x, y, _ in oracle.asked}
    assert (0, 1) not in pairs
    # Only the judgement of a triple a – v – d may ask for the forbidden pair; here there is none.
    assert (0, 3) not in pairs


def test_tiers_put_an_arrowhead_at_the_later_end_and_leave_the_other_mark_open():
    arcs, names = [("early", "late")], ("early", "late")
    found, _ = exact(arcs, names, Knowledge(tiers=(("early",), ("late",))))
    assert found.marks["pc"][0, 1] == ARROW
    assert found.marks["pc"][1, 0] == TAIL
    assert found.marks["fci"][0, 1] == ARROW
    assert found.marks["fci"][1, 0] == CIRCLE


def test_the_target_has_no_children_when_the_analyst_says_so():
    rng = np.random.default_rng(1)
    y = rng.normal(size=500)
    a, b = y + rng.normal(size=(2, 500))
    table = numeric_table({"y": y, "a": a, "b": b}, target="y")
    for algorithm in ("pc", "fci", "both"):
        graph = discover(table, algorithm, bootstraps=4, target_is_sink=True)
        assert graph.edges
        for edge in graph.edges:
            if "y" in edge.pair:
                assert edge.mark_at("y") is Mark.ARROW


def test_what_was_added_for_the_target_is_told_from_what_the_analyst_stated():
    rng = np.random.default_rng(1)
    table = numeric_table(dict(zip("yab", rng.normal(size=(3, 100)), strict=True)), target="y")
    known = Knowledge(forbidden=(("y", "a"), ("a", "b")))
    graph = discover(table, bootstraps=0, knowledge=known, target_is_sink=True)
    assert set(graph.knowledge.forbidden) == {*known.forbidden, ("y", "b")}
    for kept in (graph, MixedGraph.from_dict(graph.to_dict())):
        assert target_rules(kept) == (("y", "b"),)
        assert stated(kept) == known
    free = discover(table, bootstraps=0, knowledge=stated(graph))
    assert free.knowledge == known
    assert target_rules(free) == ()


def test_the_order_of_columns_changes_causal_learns_graph_and_not_ours():
    """#82: causal-learn's default rule keeps whatever collider it meets first."""
    rng = np.random.default_rng(0)
    weights = np.triu(rng.random((10, 10)) < 0.35, 1) * rng.uniform(0.3, 1.0, (10, 10))
    values = rng.normal(size=(300, 10)) @ np.linalg.inv(np.eye(10) - weights)
    different, ours_all = set(), set()
    labels = [f"n{k}" for k in range(10)]
    for _ in range(8):
        order = rng.permutation(10)
        peer = pc(values[:, order], 0.05, "fisherz", show_progress=False).G.graph
        back = np.argsort(order)
        different.add(peer[np.ix_(back, back)].tobytes())
        table = numeric_table({labels[k]: values[:, k] for k in order})
        ours_all.add(_edges(discover(table, "pc", bootstraps=0, test="fisherz")))
    assert len(different) > 1
    assert len(ours_all) == 1


def test_no_directed_cycle_comes_out_where_causal_learn_makes_one():
    """#75: on data that no DAG explains well, causal-learn's PC runs in a circle."""
    table = gaussian_table(41, p=6, n=100, density=0.6)
    with contextlib.redirect_stdout(io.StringIO()):
        peer = pc(table.frame.to_numpy(), 0.2, "fisherz", show_progress=False).G.graph
    arcs = (peer == -1) & (peer.T == 1)
    assert not nx.is_directed_acyclic_graph(nx.DiGraph(arcs.astype(int)))
    for algorithm in ("pc", "fci", "both"):
        graph = discover(table, algorithm, alpha=0.2, bootstraps=0)
        ours = nx.DiGraph((e.cause, e.effect) for e in graph.edges if e.is_directed)
        assert nx.is_directed_acyclic_graph(ours)


def _edges(graph):
    return frozenset((e.source, e.target, e.source_mark, e.target_mark) for e in graph.edges)


def test_a_limit_on_the_sets_also_holds_for_possible_dsep():
    """Causal-learn's `depth` stops at the neighbours and not at Possible-D-SEP."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(400, 8)) @ (np.eye(8) + np.triu(rng.random((8, 8)) < 0.5, 1))
    values += 0.5 * rng.normal(size=values.shape)
    table = numeric_table({f"n{k}": values[:, k] for k in range(8)})
    test = FisherZ.of(encode(table))
    found = search(test, Settings(("fci",), 0.05, max_degree=1), constrain(None, test.names))
    assert len(found.skeletons["fci"].tests) <= 2  # sets of 0 and 1 variables only
    asked = []

    from causallearn.utils.cit import CIT_Base, register_ci_test

    class Counting(CIT_Base):
        method = "counting"

        def __call__(self, x, y, given=()):
            asked.append(len(given or ()))
            place = test.names.index
            S = np.array([[place(f"n{s}") for s in given or ()]], dtype=np.int64)
            S = S.reshape(1, len(given or ()))
            answer = test.ask(np.array([place(f"n{x}")]), np.array([place(f"n{y}")]), S)
            return float(np.exp(min(answer.log_p[0], 0.0)))

    register_ci_test("counting-fisherz", Counting)
    peer_graph(fci, values, "counting-fisherz", depth=1, show_progress=False)
    assert max(asked) > 1


@pytest.mark.parametrize(
    "knowledge",
    [
        Knowledge(required=(("a", "b"),), forbidden=(("a", "b"),)),
        Knowledge(required=(("a", "b"), ("b", "a"))),
        Knowledge(required=(("a", "b"), ("b", "c"), ("c", "a"))),
        Knowledge(required=(("b", "a"),), tiers=(("a",), ("b",))),
        Knowledge(required=(("b", "c"), ("c", "a")), tiers=(("a",), ("b",))),
        Knowledge(required=(("a", "nobody"),)),
    ],
)
def test_contradictory_knowledge_is_refused_in_words(knowledge):
    rng = np.random.default_rng(0)
    table = numeric_table(dict(zip("abc", rng.normal(size=(3, 50)), strict=True)))
    with pytest.raises(GraphError):
        discover(table, bootstraps=0, knowledge=knowledge)


def test_an_edge_that_knowledge_and_acyclicity_leave_no_direction_is_taken_out():
    """Forbidding a ← b, b ← c and c ← a would close a cycle of the three edges that remain."""
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=(3, 400))
    hub = rng.normal(size=400)
    table = numeric_table({"a": hub + a, "b": hub + b, "c": hub + c})
    knowledge = Knowledge(forbidden=(("b", "a"), ("c", "b"), ("a", "c")))
    graph = discover(table, "pc", bootstraps=0, knowledge=knowledge)
    arcs = {(e.cause, e.effect) for e in graph.edges if e.is_directed}
    assert not arcs & set(knowledge.forbidden)
    assert arcs != {("a", "b"), ("b", "c"), ("c", "a")}
