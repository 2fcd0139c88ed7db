"""Independent truths for small graphs: by enumeration, never by the code under test."""

from itertools import chain, combinations, product

import networkx as nx
import numpy as np

NONE, TAIL, ARROW, CIRCLE = 0, 1, 2, 3


def random_dag(rng: np.random.Generator, p: int, density: float) -> np.ndarray:
    order = rng.permutation(p)
    dag = np.zeros((p, p), dtype=bool)
    dag[np.ix_(order, order)] = np.triu(rng.random((p, p)) < density, 1)
    return dag


def independencies(dag: np.ndarray, observed: list[int]) -> dict[tuple, bool]:
    """Every d-separation among observed nodes, keyed by (x, y, S) with positions in `observed`."""
    graph = nx.from_numpy_array(dag.astype(int), create_using=nx.DiGraph)
    out = {}
    for x, y, S in _statements(len(observed)):
        given = {observed[s] for s in S}
        out[x, y, S] = nx.is_d_separator(graph, {observed[x]}, {observed[y]}, given)
    return out


def true_cpdag(dag: np.ndarray) -> np.ndarray:
    """Marks common to all DAGs with the same d-separations, by enumeration of orientations."""
    p = len(dag)
    everything = list(range(p))
    truth = independencies(dag, everything)
    edges = [(i, j) for i, j in combinations(range(p), 2) if dag[i, j] or dag[j, i]]
    members = []
    for choice in product((False, True), repeat=len(edges)):
        other = np.zeros_like(dag)
        for (i, j), forward in zip(edges, choice, strict=True):
            other[(i, j) if forward else (j, i)] = True
        if (
            nx.is_directed_acyclic_graph(
                nx.from_numpy_array(other.astype(int), create_using=nx.DiGraph)
            )
            and independencies(other, everything) == truth
        ):
            members.append(other)
    marks = np.zeros((p, p), dtype=np.int8)
    for i, j in edges:
        forward = {bool(member[i, j]) for member in members}
        marks[i, j] = marks[j, i] = TAIL
        if forward == {True}:
            marks[i, j] = ARROW
        elif forward == {False}:
            marks[j, i] = ARROW
    return marks


def true_pag(dag: np.ndarray, observed: list[int]) -> np.ndarray:
    """Marks common to all MAGs with the same m-separations, by enumeration of marks.

    A directed edge of a MAG says ancestor, an arrowhead says no ancestor; m-separation is read off
    the DAG in which each ↔ is a hidden common cause.
    """
    p = len(observed)
    truth = independencies(dag, observed)
    edges = [
        (x, y)
        for x, y in combinations(range(p), 2)
        if not any(apart for (a, b, _), apart in truth.items() if (a, b) == (x, y))
    ]
    seen: dict[tuple[int, int], set[tuple[int, int]]] = {edge: set() for edge in edges}
    for choice in product(((TAIL, ARROW), (ARROW, TAIL), (ARROW, ARROW)), repeat=len(edges)):
        canonical = np.zeros((p + len(edges),) * 2, dtype=bool)
        for k, ((i, j), ends) in enumerate(zip(edges, choice, strict=True)):
            if ends == (TAIL, ARROW):
                canonical[i, j] = True
            elif ends == (ARROW, TAIL):
                canonical[j, i] = True
            else:
                canonical[p + k, [i, j]] = True
        if _is_ancestral(canonical, edges, choice) and (
            independencies(canonical, list(range(p))) == truth
        ):
            for edge, ends in zip(edges, choice, strict=True):
                seen[edge].add(ends)
    marks = np.zeros((p, p), dtype=np.int8)
    for (i, j), ends in seen.items():
        at_i, at_j = {e[0] for e in ends}, {e[1] for e in ends}
        marks[j, i] = at_i.pop() if len(at_i) == 1 else CIRCLE
        marks[i, j] = at_j.pop() if len(at_j) == 1 else CIRCLE
    return marks


def _is_ancestral(canonical: np.ndarray, edges: list, choice: tuple) -> bool:
    graph = nx.from_numpy_array(canonical.astype(int), create_using=nx.DiGraph)
    if not nx.is_directed_acyclic_graph(graph):
        return False
    return not any(
        ends == (ARROW, ARROW) and (nx.has_path(graph, i, j) or nx.has_path(graph, j, i))
        for (i, j), ends in zip(edges, choice, strict=True)
    )


def _statements(p: int):
    for x, y in combinations(range(p), 2):
        rest = [v for v in range(p) if v not in (x, y)]
        for S in chain.from_iterable(combinations(rest, k) for k in range(len(rest) + 1)):
            yield x, y, S
