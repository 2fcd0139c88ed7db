"""Adversarial random forest: rows drawn from the leaves of a forest that cannot tell them apart."""

import warnings
from typing import Any

import numpy as np

from causalmix_core.augment.base import Counts, Generator, class_rows
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Array, Columns
from causalmix_core.scm.numeric_nodes import is_smooth
from causalmix_core.table.table import Table


class AdversarialForest(Generator):
    """Adversarial random forest (Watson, Blesch, Kapar, Wright 2023).

    A forest learns to tell real rows from rows whose columns were drawn independently; then from
    rows drawn independently within its leaves; and so on until it cannot. Then the columns are
    about independent within each leaf, and new rows are drawn there: a leaf by the share of real
    rows in it, every column from the leaf's real values, numbers between two observed ones.

    Args:
        trees: number of trees.
        leaf: fewest rows in a leaf.
        rounds: most forests to grow.
        tolerance: how far above one half the out-of-bag accuracy may stay.
    """

    name = "arf"
    title = "Adversarial random forest"

    def __init__(
        self, trees: int = 30, leaf: int = 5, rounds: int = 10, tolerance: float = 0.02
    ) -> None:
        self.trees = trees
        self.leaf = leaf
        self.rounds = rounds
        self.tolerance = tolerance

    def _fit(self, table: Table, progress: Progress) -> None:
        if len(table) < 2 * self.leaf:
            raise GeneratorError(
                f"An adversarial forest needs at least {2 * self.leaf} rows to split any leaf."
            )
        self.names_ = list(self.codecs_)
        self.values_ = np.column_stack([self.columns_[name] for name in self.names_])
        self.smooth_ = {
            name: np.sort(present)
            for name, codec in self.codecs_.items()
            if not codec.is_category
            and len(present := self.columns_[name][~np.isnan(self.columns_[name])])
            and is_smooth(present, codec)
        }
        real = self._matrix(self.values_)
        rng = np.random.default_rng(0)
        rows, width = self.values_.shape
        other = self.values_[rng.integers(rows, size=(rows, width)), np.arange(width)]
        for round_ in range(self.rounds):
            progress(round_ / self.rounds, f"Forest {round_ + 1}: can it tell rows apart?")
            forest = self._grow(real, self._matrix(other), round_)
            self._remember(forest.apply(real))
            if forest.oob_score_ <= 0.5 + self.tolerance:
                break
            other = self._from_leaves(np.arange(rows), rng)
        self.accuracy_ = float(forest.oob_score_)
        if self.accuracy_ > 0.6:
            self.notes_ = (
                f"The forest still tells {self.accuracy_:.0%} of rows apart; more rows would help.",
            )

    def _grow(self, real: Array, other: Array, seed: int) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            self.trees, min_samples_leaf=self.leaf, oob_score=True, random_state=seed
        )
        label = np.repeat([1, 0], [len(real), len(other)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=UserWarning)  # a row may be in every bag
            return forest.fit(np.vstack([real, other]), label)

    def _matrix(self, values: Array) -> Array:
        """Return features for the forest: missing numbers below all others."""
        lowest = np.nanmin(np.where(np.isnan(self.values_), np.inf, self.values_), axis=0)
        lowest = np.where(np.isfinite(lowest), lowest, 0.0)
        return np.where(np.isnan(values), lowest - 1.0, values)

    def _remember(self, leaves: Any) -> None:
        """Keep, per tree, the real rows in order of their leaves, and where each leaf starts."""
        self.order_ = np.argsort(leaves, axis=0, kind="stable")
        ordered = np.take_along_axis(leaves, self.order_, axis=0)
        self.start_ = np.empty_like(self.order_)
        self.size_ = np.empty_like(self.order_)
        for tree in range(leaves.shape[1]):
            column = ordered[:, tree]
            first = np.searchsorted(column, leaves[:, tree], side="left")
            self.start_[:, tree] = first
            self.size_[:, tree] = np.searchsorted(column, leaves[:, tree], side="right") - first

    def _from_leaves(self, seeds: Counts, rng: np.random.Generator) -> Array:
        """Draw a row from the leaf, in a random tree, of each of these real rows."""
        tree = rng.integers(self.order_.shape[1], size=len(seeds))
        start, size = self.start_[seeds, tree], self.size_[seeds, tree]
        shape = len(seeds), len(self.names_)
        place = start[:, None] + np.floor(rng.random(shape) * size[:, None]).astype(np.int64)
        members = self.order_[place, tree[:, None]]
        drawn: Array = self.values_[members, np.arange(shape[1])]
        return drawn

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        seeds = class_rows(self.classes_, counts, rng)
        drawn = self._from_leaves(seeds, rng)
        columns = {name: drawn[:, place] for place, name in enumerate(self.names_)}
        if self.class_column_ is not None:
            columns[self.class_column_] = self.columns_[self.class_column_][seeds]
        for name, ordered in self.smooth_.items():
            columns[name] = _between_neighbours(columns[name], ordered, rng)
        return columns


def _between_neighbours(values: Array, ordered: Array, rng: np.random.Generator) -> Array:
    """Move observed values by up to half the way to their neighbours in the column."""
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    place = low + rng.random(len(values)) * np.maximum(high - low, 1)
    moved = np.interp(place, np.arange(len(ordered)) + 0.5, ordered)
    return np.where(np.isnan(values), np.nan, moved)
