"""The searches against the truth: enumeration with a d-separation oracle, and a plain skeleton."""

from itertools import combinations

import numpy as np
import pytest
from discovery_oracle import Oracle
from discovery_tables import gaussian_table
from discovery_truth import CIRCLE, independencies, random_dag, true_cpdag, true_pag

from causalmix_core.discovery.constraints import constrain
from causalmix_core.discovery.encoding import encode
from causalmix_core.discovery.gaussian import FisherZ
from causalmix_core.discovery.search import Settings, search
from causalmix_core.discovery.skeleton import find_skeleton

EXACT = Settings(("pc", "fci"), 0.05, max_degree=None, dsep_degree=None)


def names(p):
    return tuple(f"v{k}" for k in range(p))


def searched(dag, observed):
    labels = names(len(observed))
    oracle = Oracle(dag, np.array(observed), labels)
    return search(oracle, EXACT, constrain(None, labels)).marks


def test_the_oracle_agrees_with_networkx():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        dag = random_dag(rng, 5, 0.4)
        oracle = Oracle(dag, np.arange(5), names(5))
        for (x, y, S), apart in independencies(dag, list(range(5))).items():
            given = np.array([S], dtype=np.int64).reshape(1, len(S))
            assert (oracle.ask(np.array([x]), np.array([y]), given).log_p[0] == 0.0) == apart


@pytest.mark.parametrize("seed", range(25))
def test_pc_finds_the_equivalence_class_when_the_tests_are_right(seed):
    rng = np.random.default_rng(seed)
    dag = random_dag(rng, 5, rng.uniform(0.3, 0.7))
    assert (searched(dag, list(range(5)))["pc"] == true_cpdag(dag)).all()


@pytest.mark.parametrize("seed", range(40))
def test_fci_finds_the_pag_when_the_tests_are_right_and_causes_are_hidden(seed):
    rng = np.random.default_rng([1, seed])
    hidden = int(rng.integers(1, 3))
    dag = random_dag(rng, 4 + hidden, rng.uniform(0.25, 0.6))
    observed = sorted(rng.permutation(4 + hidden)[hidden:].tolist())
    assert (searched(dag, observed)["fci"] == true_pag(dag, observed)).all()


@pytest.mark.parametrize("seed", range(30))
def test_fci_never_claims_what_is_false_in_larger_graphs(seed):
    rng = np.random.default_rng([2, seed])
    dag = random_dag(rng, 10, 0.3)
    observed = sorted(rng.permutation(10)[3:].tolist())
    ancestor = np.linalg.matrix_power(dag.astype(int) + np.eye(10, dtype=int), 10) > 0
    marks = searched(dag, observed)["fci"]
    for i, j in np.argwhere(marks != 0):
        if marks[i, j] != CIRCLE:  # the mark at j: an arrowhead denies that j causes i
            is_tail = marks[i, j] == 1
            assert bool(ancestor[observed[j], observed[i]]) == is_tail


def plain_skeleton(test, alpha, p):
    """PC-stable as the paper states it: no batches, no early stop, no order of candidates."""
    adjacent = ~np.eye(p, dtype=bool)
    depth = 0
    while (adjacent.sum(axis=1) - 1 >= depth).any():
        frozen = adjacent.copy()
        for x, y in combinations(range(p), 2):
            if not frozen[x, y]:
                continue
            sets = set()
            for end, other in ((x, y), (y, x)):
                around = [v for v in np.flatnonzero(frozen[end]).tolist() if v != other]
                sets |= set(combinations(around, depth))
            for S in sets:
                given = np.array([S], dtype=np.int64).reshape(1, depth)
                if test.ask(np.array([x]), np.array([y]), given).log_p[0] > np.log(alpha):
                    adjacent[x, y] = adjacent[y, x] = False
        depth += 1
    return adjacent


@pytest.mark.parametrize("seed", range(15))
def test_batches_find_the_skeleton_of_the_plain_algorithm(seed):
    test = FisherZ.of(encode(gaussian_table(seed, p=8, density=0.45)))
    ours = find_skeleton(test, 0.05, constrain(None, test.names)).adjacent
    assert (ours == plain_skeleton(test, 0.05, 8)).all()


def test_every_removed_pair_has_a_separating_set_and_every_edge_none():
    test = FisherZ.of(encode(gaussian_table(3, p=8, density=0.45)))
    found = find_skeleton(test, 0.05, constrain(None, test.names))
    for x, y in combinations(range(8), 2):
        assert found.adjacent[x, y] == ((x, y) not in found.separators)
    for (x, y), S in found.separators.items():
        assert test.ask_one(x, y, S).log_p > np.log(0.05)
    for (x, y), (log_p, S) in found.weakest.items():
        if found.adjacent[x, y]:
            assert test.ask_one(x, y, S).log_p == pytest.approx(log_p)
            assert log_p <= np.log(0.05)


def test_a_limit_on_the_sets_leaves_edges_in_and_says_so():
    chain = np.zeros((4, 4), dtype=bool)
    chain[0, [1, 2]] = chain[1, 3] = chain[2, 3] = True  # 0 and 3 need {1, 2}
    oracle = Oracle(chain, np.arange(4), names(4))
    limited = find_skeleton(oracle, 0.05, constrain(None, names(4)), max_degree=1)
    assert limited.adjacent[0, 3]
    assert limited.limit_reached
    full = find_skeleton(oracle, 0.05, constrain(None, names(4)))
    assert not full.adjacent[0, 3]
    assert full.separators[0, 3] == (1, 2)


def test_a_child_of_a_determined_column_keeps_its_parent():
    """either = left or right; child depends on either: causal-learn leaves child alone."""
    from causallearn.search.ConstraintBased.PC import pc
    from discovery_tables import category_table

    from causalmix_core.discovery.g_squared import GSquared

    rng = np.random.default_rng(2)
    left, right = (rng.random((2, 3000)) < [[0.3], [0.4]]).astype(int)
    either = left | right
    child = np.where(rng.random(3000) < 0.9, either, 1 - either)
    columns = {"child": child, "either": either, "left": left, "right": right}
    test = GSquared(encode(category_table(columns)))
    found = find_skeleton(test, 0.05, constrain(None, test.names))
    edges = {(test.names[i], test.names[j]) for i, j in np.argwhere(np.triu(found.adjacent))}
    assert edges == {("child", "either"), ("either", "left"), ("either", "right")}
    peer = pc(np.column_stack(list(columns.values())), 0.05, "gsq", show_progress=False).G.graph
    assert not peer[0].any()


def test_pc_and_fci_share_their_tests():
    """On the same rows, FCI after PC asks only what PC did not: the sets of Possible-D-SEP."""

    class Counted(FisherZ):
        def ask(self, x, y, S):
            for a, b, given in zip(x.tolist(), y.tolist(), S.tolist(), strict=True):
                asked.append((a, b, tuple(sorted(given))))
            return super().ask(x, y, S)

    data = encode(gaussian_table(5, p=9, n=200, density=0.5))
    counts = {}
    for algorithms in (("pc",), ("fci",), ("pc", "fci")):
        asked = []
        constraints = constrain(None, data.names)
        search(Counted.of(data), Settings(algorithms, 0.2), constraints)
        counts[algorithms] = len(asked)
    assert counts["pc",] < counts["fci",] == counts["pc", "fci"]
