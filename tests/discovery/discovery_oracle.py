"""A test that knows the truth: d-separation in a given DAG, for checking searches."""

import numpy as np

from causalmix_core.discovery.encoding import Bools, Encoded, Floats, Ints
from causalmix_core.discovery.independence import Answers, IndependenceTest


class Oracle(IndependenceTest):
    """Answers by d-separation in a DAG of which only some nodes are observed.

    p is 1 or all but 0. The variables of the test are the `observed` nodes, in their order.
    """

    label = "d-separation"

    def __init__(self, dag: Bools, observed: Ints, names: tuple[str, ...]) -> None:
        values: Floats = np.zeros((0, len(observed)))
        none = np.zeros(len(observed), dtype=bool)
        super().__init__(Encoded(names, values, none, none, np.zeros(len(observed), np.int64)))
        self.dag = dag
        self.observed = observed
        self.asked: set[tuple[int, int, tuple[int, ...]]] = set()

    def ask(self, x: Ints, y: Ints, S: Ints) -> Answers:
        apart = np.array(
            [
                self._separated(int(a), int(b), tuple(s))
                for a, b, s in zip(x, y, S.tolist(), strict=True)
            ],
            dtype=bool,
        )
        certain = np.where(apart, -1.0, 1000.0)
        T = len(x)
        return Answers(np.where(apart, 0.0, -1000.0), certain, certain, np.ones(T), np.full(T, 1))

    def resample(self, rows: Ints) -> "Oracle":
        return self

    def _separated(self, x: int, y: int, S: tuple[int, ...]) -> bool:
        self.asked.add((min(x, y), max(x, y), S))
        given = {int(self.observed[s]) for s in S}
        return int(self.observed[y]) not in _reachable(self.dag, int(self.observed[x]), given)


def _reachable(dag: Bools, start: int, given: set[int]) -> set[int]:
    """Nodes d-connected to `start` given a set (Koller & Friedman 2009, algorithm 3.1)."""
    above = set(given)
    todo = list(given)
    while todo:
        for parent in np.flatnonzero(dag[:, todo.pop()]).tolist():
            if parent not in above:
                above.add(parent)
                todo.append(parent)
    reached: set[int] = set()
    seen: set[tuple[int, bool]] = set()
    steps = [(start, True)]  # arriving from a child
    while steps:
        node, from_child = steps.pop()
        if (node, from_child) in seen:
            continue
        seen.add((node, from_child))
        if node not in given:
            reached.add(node)
        if from_child and node not in given:
            steps += [(v, True) for v in np.flatnonzero(dag[:, node]).tolist()]
            steps += [(v, False) for v in np.flatnonzero(dag[node]).tolist()]
        elif not from_child:
            if node not in given:
                steps += [(v, False) for v in np.flatnonzero(dag[node]).tolist()]
            if node in above:
                steps += [(v, True) for v in np.flatnonzero(dag[:, node]).tolist()]
    return reached - {start}
