"""Borderline-SMOTE and ADASYN: SMOTE where the classes meet. Numbers only."""

from typing import ClassVar

import numpy as np

from causalmix_core.augment import _imblearn
from causalmix_core.augment.smote import Smote
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Array
from causalmix_core.table.table import Table


class _Border(Smote):
    """What both share: they need classes, complete numbers, and a border."""

    family: ClassVar[_imblearn.Family]

    def _fit(self, table: Table, progress: Progress) -> None:
        super()._fit(table, progress)
        if self.class_column_ is None or (self.class_counts_ > 0).sum() < 2:
            raise GeneratorError(f"{self.title} needs a target with at least two classes.")
        if self.categories_:
            raise GeneratorError(
                f"{self.title} works on numbers only, and {self.categories_[0]!r} is a category."
            )
        if self.gaps_:
            raise GeneratorError(
                f"{self.title} knows no missing values, and {self.gaps_[0]!r} has some."
            )
        rng = np.random.default_rng(0)
        self.border_ = {
            code: len(self._near_border(code, 5, rng)) > 0
            for code in np.flatnonzero(self.class_counts_).tolist()
        }
        levels = self.codecs_[self.class_column_].levels
        far = [levels[code] for code, near in self.border_.items() if not near]
        if len(far) == len(self.border_):
            raise GeneratorError(f"{self.title} finds no row near the border between classes.")
        if far:
            self.notes_ = (
                f"No row of {', '.join(far)} lies near the border: plain SMOTE is used there.",
            )

    def _near_border(self, code: int, count: int, rng: np.random.Generator) -> Array:
        of_class = self.classes_ == code
        neighbours = min(self.neighbours, int(of_class.sum()) - 1)
        if neighbours < 1:
            return np.empty((0, self.matrix_.shape[1]))
        return _imblearn.oversample(
            self.family, self.matrix_, self.categorical_, of_class, count, neighbours, rng
        )

    def _rows_of_class(self, code: int, count: int, rng: np.random.Generator) -> Array:
        rows = self._near_border(code, count, rng) if self.border_[code] else np.empty((0, 0))
        return rows if len(rows) == count else super()._rows_of_class(code, count, rng)


class BorderlineSmote(_Border):
    """SMOTE from rows that have many neighbours of another class (Han et al. 2005)."""

    name = "borderline-smote"
    title = "Borderline-SMOTE"
    family = "borderline"


class Adasyn(_Border):
    """SMOTE, more of it the more neighbours are of another class (He et al. 2008)."""

    name = "adasyn"
    title = "ADASYN"
    family = "adasyn"
