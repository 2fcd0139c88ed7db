"""Generators that only recombine real values: the ceiling, the floor, and one in between."""

import numpy as np

from causalmix_core.augment.base import Counts, Generator, class_rows
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Columns
from causalmix_core.table.table import Table


class Bootstrap(Generator):
    """Draw real rows with replacement: nothing looks more real, and nothing is new."""

    name = "bootstrap"
    title = "Bootstrap (copies)"

    def _fit(self, table: Table, progress: Progress) -> None:
        """Nothing to learn."""

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        rows = class_rows(self.classes_, counts, rng)
        return {name: values[rows] for name, values in self.columns_.items()}


class Independent(Generator):
    """Draw every column on its own: each looks real, and nothing hangs together."""

    name = "independent"
    title = "Independent columns"

    def _fit(self, table: Table, progress: Progress) -> None:
        """Nothing to learn."""

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        drawn = {
            name: values[rng.integers(len(values), size=n)]
            for name, values in self.columns_.items()
        }
        if self.class_column_ is not None:
            drawn[self.class_column_] = np.repeat(np.arange(len(counts)), counts).astype(float)
        return drawn


class TableAugment(Generator):
    """Draw real rows, and exchange some of their features for those of other rows.

    Each new row keeps its target and a random share of its features; the rest come, column by
    column, from any row.

    Args:
        least: smallest share of features that a row keeps.
    """

    name = "tableaugment"
    title = "TableAugment"

    def __init__(self, least: float = 0.5) -> None:
        self.least = least

    def _fit(self, table: Table, progress: Progress) -> None:
        if not 0 <= self.least <= 1:
            raise GeneratorError("The least share of features to keep lies between 0 and 1.")
        if len(table.features) < 2:
            raise GeneratorError("TableAugment needs at least two features to exchange some.")

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        rows = class_rows(self.classes_, counts, rng)
        kept = rng.uniform(self.least, 1.0, size=n)
        drawn = {}
        for name, values in self.columns_.items():
            if name == self.table_.target:
                drawn[name] = values[rows]
                continue
            other = rng.integers(len(values), size=n)
            drawn[name] = values[np.where(rng.random(n) < kept, rows, other)]
        return drawn
