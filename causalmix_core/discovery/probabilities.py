"""From the graphs of many resamples to one probability per pair, direction and mark."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.marks import ARROW, CIRCLE, MARK, NONE, TAIL, Marks, make_ancestral
from causalmix_core.graph.marks import HIDDEN_SHARE
from causalmix_core.graph.mixed_graph import PairFrequencies


@dataclass(frozen=True)
class DirectionProbabilities:
    """What the resamples say of a pair: forward, backward and bidirected add up to adjacent."""

    adjacent: float
    forward: float
    backward: float
    bidirected: float


def direction_probabilities(
    frequencies: PairFrequencies | Mapping[str, float],
) -> DirectionProbabilities:
    """Turn the frequencies of mark pairs into P(source → target) and P(target → source).

    Rule: → counts for its direction, ↔ for neither. A circle is open: o→ counts three quarters
    for → and one quarter for ↔ (a hidden common cause is possible but the rarer reading); o–o
    and the undirected – count half for each direction. `sample_dags` draws by the same rule.
    """
    shares = frequencies.frequencies if isinstance(frequencies, PairFrequencies) else frequencies
    forward = backward = both = 0.0
    for key, share in shares.items():
        if key == "none":
            continue
        source, target = key.split("-")
        if source == "arrow" and target == "arrow":
            both += share
        elif target == "arrow":
            forward += share if source == "tail" else share * (1.0 - HIDDEN_SHARE)
            both += 0.0 if source == "tail" else share * HIDDEN_SHARE
        elif source == "arrow":
            backward += share if target == "tail" else share * (1.0 - HIDDEN_SHARE)
            both += 0.0 if target == "tail" else share * HIDDEN_SHARE
        else:
            forward += share / 2
            backward += share / 2
    adjacent = min(forward + backward + both, 1.0)  # sums of shares may round above 1
    return DirectionProbabilities(adjacent, forward, backward, both)


Counts = dict[tuple[int, int], Counter[tuple[int, int]]]
"""For every pair i < j joined at least once: how often with which marks (at i, at j)."""


def count_marks(graphs: Iterable[tuple[str, Marks]]) -> tuple[Counts, int]:
    """Count marks per pair over (algorithm, marks); PC's undirected edges count as o–o."""
    counts: Counts = {}
    total = 0
    for algorithm, marks in graphs:
        total += 1
        for i, j in np.argwhere(np.triu(marks != NONE, 1)).tolist():
            ends = int(marks[j, i]), int(marks[i, j])
            if algorithm == "pc" and ends == (TAIL, TAIL):
                ends = (CIRCLE, CIRCLE)
            counts.setdefault((i, j), Counter())[ends] += 1
    return counts, total


def shares_of(seen: Counter[tuple[int, int]], total: int) -> dict[str, float]:
    """State a pair's counts as shares of all graphs, marks in a fixed order."""
    shares = {f"{MARK[a].value}-{MARK[b].value}": seen[a, b] / total for a, b in sorted(seen)}
    if rest := total - sum(seen.values()):
        shares["none"] = rest / total
    return shares


def frequencies_of(
    counts: Counts, total: int, names: tuple[str, ...]
) -> tuple[PairFrequencies, ...]:
    """State the counts of all pairs as shares, pairs in the order of their names."""
    return tuple(
        PairFrequencies(names[i], names[j], shares_of(seen, total))
        for (i, j), seen in sorted(counts.items())
    )


def consensus(counts: Counts, total: int, constraints: Constraints, threshold: float) -> Marks:
    """Join pairs that are adjacent in at least `threshold` of the graphs, each with its most
    frequent marks; equally frequent ones yield to the more cautious (more circles).

    What would make a directed cycle is opened (`make_ancestral`).
    """
    p = len(constraints.required)
    marks = np.zeros((p, p), dtype=np.int8)
    for (i, j), seen in counts.items():
        if sum(seen.values()) < threshold * total - 1e-9:
            continue
        ends = max(seen, key=lambda e: (seen[e], e.count(CIRCLE), e.count(ARROW), e))
        marks[j, i], marks[i, j] = ends
    return make_ancestral(marks, constraints)
