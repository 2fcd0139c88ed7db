"""TabEBM: rows that walk to where a foundation model finds them likely for their class."""

import numpy as np

from causalmix_core.augment.matrix import MatrixGenerator
from causalmix_core.errors import CheckpointError, GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Array
from causalmix_core.table.table import Table


class TabEBM(MatrixGenerator):
    """Class-wise energies of a foundation model, sampled by Langevin steps (Margeloiu et al. 2024).

    A walk begins at a real row of the class, next to it, and goes down the energy with a little
    noise. Only numbers walk; the categories stay those of the real row. Nothing is trained: the
    network reads the class's rows as its context.

    Args:
        steps: Langevin steps.
        step: their length, in standard deviations per unit of slope.
        noise: of every step, in standard deviations.
        start: distance from the real row at which a walk begins.
        corner: distance of the surrogate points from the middle.
        model: a listed model, or a checkpoint.
        device: where the network runs; "cpu" gives the same rows everywhere.
    """

    name = "tabebm"
    title = "TabEBM"
    largest_pool = 400  # a row costs about a tenth of a second

    def __init__(
        self,
        steps: int = 200,
        step: float = 0.1,
        noise: float = 0.01,
        start: float = 0.01,
        corner: float = 5.0,
        model: str = "compact",
        device: str = "cpu",
    ) -> None:
        self.steps = steps
        self.step = step
        self.noise = noise
        self.start = start
        self.corner = corner
        self.model = model
        self.device = device

    def _fit(self, table: Table, progress: Progress) -> None:
        if self.steps < 1 or min(self.step, self.noise, self.start) < 0 or self.corner <= 0:
            raise GeneratorError("TabEBM needs at least one step, and no negative lengths.")
        if self.class_column_ is None:
            raise GeneratorError("TabEBM needs a target with classes: each has its own energy.")
        super()._fit(table, progress)
        if not self.numbers_:
            raise GeneratorError("TabEBM moves numbers, and this table has none beside the target.")
        from causalmix_core.foundation.energy import ClassEnergy

        centre, size = self.matrix_.mean(axis=0), self.matrix_.std(axis=0)
        self.centre_, self.size_ = centre, np.where(size > 0, size, 1.0)
        self.standard_ = (self.matrix_ - self.centre_) / self.size_
        rng = np.random.default_rng(0)
        self.energies_: dict[int, ClassEnergy] = {}
        present = np.flatnonzero(self.class_counts_).tolist()
        levels = self.codecs_[self.class_column_].levels
        for done, code in enumerate(present):
            shown = levels[code] if code < len(levels) else "(missing)"
            progress(done / len(present), f"The network reads the rows of class {shown}")
            rows = self.standard_[self.classes_ == code]
            try:
                self.energies_[code] = ClassEnergy(rows, self.corner, rng, self.model, self.device)
            except CheckpointError as error:
                raise GeneratorError(f"TabEBM has no model to ask: {error}") from None
        if self.categories_:
            self.notes_ = (
                "Only numbers were moved; the categories of each row are those of the real row "
                "that it began at.",
            )

    def _rows_of_class(self, code: int, count: int, rng: np.random.Generator) -> Array:
        rows = rng.choice(np.flatnonzero(self.classes_ == code), size=count)
        moving = ~self.categorical_
        x = self.standard_[rows].copy()
        x[:, moving] += self.start * rng.standard_normal((count, int(moving.sum())))
        for done in range(self.steps):
            self._tell(done / self.steps, f"Walking, step {done + 1} of {self.steps}")
            slope = self.energies_[code].slope(x)[:, moving]
            noise = self.noise * rng.standard_normal(slope.shape)
            x[:, moving] += noise - self.step * slope
        made: Array = x * self.size_ + self.centre_
        return made
