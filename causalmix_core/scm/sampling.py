"""Rows from fitted mechanisms: causes first, also for wanted classes only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array, gap_key, pick
from causalmix_core.scm.mechanism import Classified, Mechanism
from causalmix_core.scm.seeding import generator_for
from causalmix_core.scm.structure import Structure

Rows = NDArray[np.int64]

_CANDIDATES_PER_ROW = 4
_FEWEST_CANDIDATES = 2_000
_MOST_CANDIDATES = 100_000
_ROUNDS = 3


@dataclass
class _Draft:
    """Rows on their way: the nodes made so far, and the training rows whose noise nodes share."""

    columns: dict[str, Array] = field(default_factory=dict)
    donors: dict[str, Rows] = field(default_factory=dict)
    gaps: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def take(self, rows: Rows) -> "_Draft":
        return _Draft(
            {name: values[rows] for name, values in self.columns.items()},
            {name: values[rows] for name, values in self.donors.items()},
            self.gaps[rows],
        )


@dataclass(frozen=True)
class Sampler:
    """Draws rows of one graph.

    Attributes:
        rows: number of training rows.
        settled: nodes that are set to a code, whatever their causes say (interventions).
    """

    structure: Structure
    mechanisms: Mapping[str, Mechanism]
    rows: int
    settled: Mapping[str, float] = field(default_factory=dict)

    def draw(self, n: int, seed: int, *use: object) -> dict[str, Array]:
        """Return `n` encoded rows."""
        draft = self._begin(n, seed, *use)
        self._continue(draft, self.mechanisms, n, seed, *use)
        return _masked(draft.columns)

    def draw_class(
        self, target: str, code: int, n: int, seed: int, *use: object
    ) -> dict[str, Array]:
        """Return `n` encoded rows whose `target` has this code.

        Candidates for the target's causes are drawn, and those kept that lead to the class. Where
        a class is too rare for that, causes, and noise that the target shares, are resampled by
        how probable they make it (Rubin 1988), so that no class takes forever. Then the target's
        effects follow.
        """
        order = nx.DiGraph(self.structure.edges)
        order.add_node(target)
        before = [*nx.ancestors(order, target), target]
        upstream = [node for node in self.mechanisms if node in set(before)]
        kept: list[_Draft] = []
        tried: list[_Draft] = []
        missing = n
        for round_ in range(_ROUNDS):
            if not missing:
                break
            count = int(
                np.clip(missing * _CANDIDATES_PER_ROW, _FEWEST_CANDIDATES, _MOST_CANDIDATES)
            )
            words = (*use, "class", code, "round", round_)
            draft = self._begin(count, seed, *words)
            self._continue(draft, upstream, count, seed, *words)
            found = np.flatnonzero(draft.columns[target] == code)[:missing]
            kept.append(draft.take(found))
            tried.append(draft)
            missing -= len(found)
        if missing:
            kept.append(self._weighted(tried, target, code, missing, seed, *use))
        draft = _join(kept)
        downstream = [node for node in self.mechanisms if node not in draft.columns]
        self._continue(draft, downstream, n, seed, *use, "class", code)
        return _masked(draft.columns)

    def _weighted(
        self, tried: list[_Draft], target: str, code: int, n: int, seed: int, *use: object
    ) -> _Draft:
        draft = _join(tried)
        candidates = len(draft.columns[target])
        weights = self._chances(draft, target, code)
        if not weights.sum() > 0:
            weights = np.ones(candidates)
        rng = generator_for(seed, *use, "class", code, "weighted")
        climbing = np.cumsum(weights) / weights.sum()
        points = (np.arange(n) + rng.random()) / n
        chosen = draft.take(np.minimum(np.searchsorted(climbing, points), candidates - 1))
        chosen.columns[target] = np.full(n, float(code))
        return chosen

    def _chances(self, draft: _Draft, target: str, code: int) -> Array:
        """Return how probable the class is given each row's causes and shared noise."""
        mechanism, count = self.mechanisms[target], len(draft.columns[target])
        if not isinstance(mechanism.value, Classified) or target in self.settled:
            return np.ones(count)
        parents = pick(draft.columns, mechanism.parents)
        donors = draft.donors.get(target)
        if donors is not None:
            low, high = mechanism.value.interval(parents, np.full(count, float(code)))
            shares = mechanism.value_levels.shares(donors, low, high)
            if shares.any():
                return shares
        return np.broadcast_to(mechanism.value.probabilities(parents)[:, code], count).copy()

    def _begin(self, n: int, seed: int, *use: object) -> _Draft:
        donors = {
            node: generator_for(seed, *use, "district", *district).integers(self.rows, size=n)
            for district in self.structure.districts
            for node in district
        }
        return _Draft({}, donors, generator_for(seed, *use, "gaps").integers(self.rows, size=n))

    def _continue(
        self, draft: _Draft, nodes: Iterable[str], n: int, seed: int, *use: object
    ) -> None:
        for node in nodes:
            if node in self.settled:
                draft.columns[node] = np.full(n, self.settled[node])
                continue
            mechanism = self.mechanisms[node]
            rng = generator_for(seed, *use, "node", node)
            u, v = rng.random(n), rng.random(n)
            donors = draft.donors.get(node)
            if donors is not None:
                u = mechanism.value_levels.draw(donors, u)
            if mechanism.absence_levels is not None:
                # whose values are missing together stay missing together
                v = mechanism.absence_levels.draw(draft.gaps if donors is None else donors, v)
            draft.columns[node], gone = mechanism.draw(draft.columns, u, v)
            if gone is not None:
                draft.columns[gap_key(node)] = gone


def _masked(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Take away the values of the rows where a number is missing."""
    names = [name for name in columns if gap_key(name) not in columns]
    hidden = {
        name: np.where(columns[gap_key(name)] > 0, np.nan, columns[name])
        for name in columns
        if gap_key(name) in columns
    }
    return {name: columns[name] for name in names if not name.startswith("\0")} | hidden


def _join(drafts: list[_Draft]) -> _Draft:
    first = drafts[0]
    return _Draft(
        {name: np.concatenate([one.columns[name] for one in drafts]) for name in first.columns},
        {name: np.concatenate([one.donors[name] for one in drafts]) for name in first.donors},
        np.concatenate([one.gaps for one in drafts]),
    )
