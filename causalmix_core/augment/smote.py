"""SMOTE for tables: a new row lies between a real one and a neighbour of its class."""

import numpy as np

from causalmix_core.augment import _imblearn
from causalmix_core.augment.matrix import MatrixGenerator
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Array
from causalmix_core.table.table import Table

_JITTER = 0.1  # of a column's standard deviation, for a class of one row


class Smote(MatrixGenerator):
    """SMOTE, SMOTENC or SMOTEN, as the columns demand (Chawla et al. 2002).

    Args:
        neighbours: rows of the class to choose from; fewer where the class has fewer.
    """

    name = "smote"
    title = "SMOTE"

    def __init__(self, neighbours: int = 5) -> None:
        self.neighbours = neighbours

    def _fit(self, table: Table, progress: Progress) -> None:
        if self.neighbours < 1:
            raise GeneratorError(f"{self.title} needs at least one neighbour.")
        super()._fit(table, progress)

    def _rows_of_class(self, code: int, count: int, rng: np.random.Generator) -> Array:
        of_class = self.classes_ == code
        neighbours = min(self.neighbours, int(of_class.sum()) - 1)
        if neighbours < 1:
            alone = np.repeat(self.matrix_[of_class], count, axis=0)
            noise = _JITTER * rng.standard_normal(alone.shape)
            return alone + np.where(self.categorical_, 0.0, noise)
        return _imblearn.oversample(
            "smote", self.matrix_, self.categorical_, of_class, count, neighbours, rng
        )
