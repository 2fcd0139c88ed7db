"""Which real and synthetic rows make up a training step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causalmix_core.finetune.settings import Mixing

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Positions among the real training rows and among the synthetic rows."""

    real: Codes
    synthetic: Codes


@dataclass(frozen=True)
class Draw:
    """One context/query split of a training step."""

    context: Rows
    query: Rows


def draw(
    y: Codes,
    synthetic: int,
    mixing: Mixing,
    *,
    query_share: float,
    max_rows: int,
    done: float,
    rng: np.random.Generator,
) -> Draw:
    """Draw a context/query split.

    A split has as many rows as there are real training rows (at most `max_rows`), whatever the
    method, so that a step costs the same for all. Synthetic rows take the place of real ones.

    Args:
        y: class codes of the real training rows.
        synthetic: how many synthetic rows there are; 0 draws real rows only.
        mixing: the policy.
        query_share: share of the rows that are predicted.
        max_rows: largest size of the split.
        done: how much of the run is over, in [0, 1], for a fading share.
        rng: source of the draw.
    """
    rows = min(len(y), max_rows)
    queried = min(max(round(query_share * rows), 1), rows - 1)
    share = mixing.share * (1 - done) if mixing.schedule == "fading" else mixing.share
    into_context = share if mixing.into in ("context", "both") else 0.0
    into_query = share if mixing.into in ("query", "both") else 0.0
    context_synthetic = round(into_context * (rows - queried)) if synthetic else 0
    query_synthetic = round(into_query * queried) if synthetic else 0
    wanted = context_synthetic + query_synthetic
    # A small fixed pool may hold fewer rows than a step asks for.
    picked = rng.choice(synthetic, wanted, replace=wanted > synthetic) if wanted else _NONE
    context_real, query_real = _split(
        y, rows - queried - context_synthetic, queried - query_synthetic, rng
    )
    return Draw(
        Rows(context_real, picked[:context_synthetic]),
        Rows(query_real, picked[context_synthetic:]),
    )


_NONE: Codes = np.empty(0, dtype=np.int64)


def _split(y: Codes, first: int, second: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Draw two disjoint sets of rows, each with about the class shares of all rows.

    Where the first set has room, it holds every class that the second holds.
    """
    if first + second == 0:
        return _NONE, _NONE
    chosen = _stratified(y, first + second, rng)
    inside = _stratified(y[chosen], second, rng)
    query = chosen[inside]
    context = np.delete(chosen, inside)
    if first:
        context, query = _cover(y, context, query)
    return np.sort(context), np.sort(query)


def _stratified(y: Codes, size: int, rng: np.random.Generator) -> Codes:
    """Draw rows so that every class has its share, up to one row."""
    # Each row's place in a random order of its class, spread over [0, 1): the first rows by
    # place hold every class in proportion.
    place = np.empty(len(y))
    for code in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == code))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable")[:size]


def _cover(y: Codes, context: Codes, query: Codes) -> tuple[Codes, Codes]:
    """Swap rows so that classes found in the query only are in the context instead."""
    context, query = context.copy(), query.copy()
    for code in np.setdiff1d(y[query], y[context]):
        counts = np.bincount(y[context])
        giver = int(np.flatnonzero(y[query] == code)[0])
        taker = int(np.flatnonzero(y[context] == counts.argmax())[0])
        context[taker], query[giver] = query[giver], context[taker]
    return context, query
