"""Rows as points: numbers standardised, categories as codes; for generators that walk on them."""

from abc import abstractmethod

import numpy as np

from causalmix_core.augment.base import Counts, Generator, class_rows
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Array, Columns
from causalmix_core.table.table import Table


class MatrixGenerator(Generator):
    """Makes the points of one class at a time.

    Numbers are standardised, missing ones stand at the median. Which numbers are missing in a new
    row is taken from a real row of its class.
    """

    def _fit(self, table: Table, progress: Progress) -> None:
        self.numbers_, self.categories_, self.gaps_ = [], [], []
        for name, codec in self.codecs_.items():
            if name == self.class_column_ or codec.is_constant:
                continue
            values = self.columns_[name]
            if codec.is_category:
                self.categories_.append(name)
            elif np.isnan(values).all():
                continue
            else:
                self.numbers_.append(name)
                if codec.missing:
                    self.gaps_.append(name)
        if not self.numbers_ and not self.categories_:
            raise GeneratorError(
                f"{self.title} needs at least one column beside the target that varies."
            )
        self.middle_, self.scale_ = {}, {}
        blocks: list[Array] = []
        for name in self.numbers_:
            values = self.columns_[name]
            self.middle_[name] = float(np.nanmedian(values))
            self.scale_[name] = float(np.nanstd(values)) or 1.0
            filled = np.where(np.isnan(values), self.middle_[name], values)
            blocks.append((filled - self.middle_[name]) / self.scale_[name])
        blocks += [self.columns_[name] for name in self.categories_]
        self.matrix_ = np.column_stack(blocks)
        self.categorical_ = np.arange(self.matrix_.shape[1]) >= len(self.numbers_)

    @abstractmethod
    def _rows_of_class(self, code: int, count: int, rng: np.random.Generator) -> Array:
        """Return (count, columns) new points of a class."""

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        parts, labels = [], []
        for code, count in enumerate(counts):
            if not count:
                continue
            parts.append(self._rows_of_class(code, int(count), rng))
            labels.append(np.full(count, code, dtype=np.float64))
        width = self.matrix_.shape[1]
        matrix = np.vstack(parts) if parts else np.empty((0, width))
        label = np.concatenate(labels) if labels else np.empty(0)
        return self._columns(matrix, label, class_rows(self.classes_, counts, rng))

    def _columns(self, matrix: Array, labels: Array, donors: Counts) -> Columns:
        rows = len(matrix)
        columns: dict[str, Array] = {}
        for place, name in enumerate(self.numbers_):
            columns[name] = matrix[:, place] * self.scale_[name] + self.middle_[name]
        start = len(self.numbers_)
        for place, name in enumerate(self.categories_, start):
            columns[name] = np.rint(matrix[:, place])
        for name in self.gaps_:
            columns[name] = np.where(np.isnan(self.columns_[name][donors]), np.nan, columns[name])
        for name, codec in self.codecs_.items():
            if name == self.class_column_:
                columns[name] = labels
            elif name not in columns:
                empty = not codec.is_category and codec.missing
                columns[name] = np.full(rows, np.nan if empty else 0.0)
        return columns
