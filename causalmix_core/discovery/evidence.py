"""Why an edge is there, and why a pair is not joined: tests in a form a graph file can hold."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.skeleton import Pair, Set, Skeleton


def edge_evidence(
    skeleton: Skeleton, test: IndependenceTest, pairs: list[Pair]
) -> dict[Pair, dict[str, Any]]:
    """Say what the whole table says of pairs: the test that decides each and its association.

    For a joined pair that is the test that came closest to taking it apart; for a pair that
    resamples join and the whole table does not, the one that separated it.
    """
    deciding = {
        pair: skeleton.separators.get(pair, skeleton.weakest.get(pair, (0.0, None))[1])
        for pair in pairs
    }
    tests = _in_full(test, {pair: given for pair, given in deciding.items() if given is not None})
    marginal = _in_full(test, dict.fromkeys(pairs, ()))
    return {
        pair: {
            "test": test.label,
            **tests.get(pair, {"decided_by": _without_a_test(marginal[pair])}),
            "strength": marginal[pair]["strength"],
            "separated": pair in skeleton.separators,
        }
        for pair in pairs
    }


def _without_a_test(marginal: Mapping[str, Any]) -> str:
    """Say why no test decided: the analyst knew, or there were too few rows for any."""
    return "rows" if marginal["p_value"] is None else "knowledge"


def separations(skeleton: Skeleton, names: Sequence[str]) -> list[dict[str, Any]]:
    """List the pairs that only a conditioning set takes apart, each with its set and p-value."""
    return [
        {
            "pair": [names[v] for v in pair],
            "given": [names[v] for v in given],
            "p_value": _number(math.exp(min(skeleton.separating[pair], 0.0))),
        }
        for pair, given in sorted(skeleton.separators.items())
        if given
    ]


def joined(skeleton: Skeleton, names: Sequence[str]) -> list[list[str]]:
    """List the pairs that nothing took apart on all rows."""
    pairs = np.argwhere(np.triu(skeleton.adjacent, 1)).tolist()
    return [[names[x], names[y]] for x, y in pairs]


def _in_full(test: IndependenceTest, asked: Mapping[Pair, Set]) -> dict[Pair, dict[str, Any]]:
    out: dict[Pair, dict[str, Any]] = {}
    for size in sorted({len(S) for S in asked.values()}):
        pairs = [pair for pair, S in asked.items() if len(S) == size]
        ends = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
        S = np.array([asked[pair] for pair in pairs], dtype=np.int64).reshape(len(pairs), size)
        answers = test.ask(ends[:, 0], ends[:, 1], S)
        strength = answers.strength
        for k, pair in enumerate(pairs):
            log_p = min(float(answers.log_p[k]), 0.0)
            out[pair] = {
                "given": [test.names[v] for v in asked[pair]],
                "p_value": _number(math.exp(log_p)),
                "log10_p": _number(log_p / math.log(10.0)),
                "statistic": _number(answers.statistic[k]),
                "dof": _number(answers.dof[k]),
                "effective_n": int(answers.effective_n[k]),
                "strength": _number(strength[k]),
            }
    return {pair: out[pair] for pair in asked}


def _number(value: float) -> float | None:
    """Return the value, or None where JSON could not hold it."""
    return float(value) if math.isfinite(value) else None
