"""Why an edge is there, and why a pair is not joined: tests in a form a graph file can hold."""

import math
from typing import Any

import numpy as np

from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.skeleton import Pair, Set, Skeleton


def edge_evidence(skeleton: Skeleton, test: IndependenceTest, pair: Pair) -> dict[str, Any]:
    """Say what the whole table says of a pair: the test that decides it and the association.

    For a joined pair that is the test that came closest to taking it apart; for a pair that
    resamples join and the whole table does not, the one that separated it.
    """
    if pair in skeleton.separators:
        given: Set = skeleton.separators[pair]
    elif pair in skeleton.weakest:
        given = skeleton.weakest[pair][1]
    else:
        return {"test": test.label, "decided_by": "knowledge", **_strength(test, pair)}
    return {"test": test.label, **_in_full(test, pair, given), **_strength(test, pair)}


def separations(skeleton: Skeleton, test: IndependenceTest) -> list[dict[str, Any]]:
    """List the pairs that only a conditioning set takes apart, each with its set and p-value."""
    return [
        {"pair": [test.names[v] for v in pair], **_in_full(test, pair, given)}
        for pair, given in sorted(skeleton.separators.items())
        if given
    ]


def _in_full(test: IndependenceTest, pair: Pair, given: Set) -> dict[str, Any]:
    found = test.evidence(*pair, given)
    return {
        "given": [test.names[v] for v in given],
        "p_value": _number(np.exp(min(found.log_p, 0.0))),
        "log10_p": _number(min(found.log_p, 0.0) / math.log(10.0)),
        "statistic": _number(found.statistic),
        "dof": _number(found.dof),
        "effective_n": found.effective_n,
    }


def _strength(test: IndependenceTest, pair: Pair) -> dict[str, Any]:
    return {"strength": _number(test.evidence(*pair, ()).strength)}


def _number(value: float) -> float | None:
    """Return the value, or None where JSON could not hold it."""
    return float(value) if math.isfinite(value) else None
