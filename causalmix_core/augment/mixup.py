"""Mixup for tables: a new row is a weighted mean of two real ones (Zhang et al. 2018)."""

from typing import Literal

import numpy as np

from causalmix_core.augment.base import Counts, Generator, class_rows
from causalmix_core.errors import GeneratorError
from causalmix_core.progress import Progress
from causalmix_core.scm.columns import Columns
from causalmix_core.table.table import Table

Variant = Literal["classic", "same-class", "variance-preserving"]


class Mixup(Generator):
    """Mix pairs of rows: numbers by weight, categories by chance, the class of the heavier row.

    Args:
        alpha: the weight is drawn from Beta(alpha, alpha).
        variant: "classic" mixes any two rows; "same-class" two rows of one class;
            "variance-preserving" divides by the length of the weights, so that numbers keep
            their variance instead of moving towards the mean.
    """

    name = "mixup"
    title = "Mixup"

    def __init__(self, alpha: float = 0.2, variant: Variant = "classic") -> None:
        self.alpha = alpha
        self.variant = variant

    def _fit(self, table: Table, progress: Progress) -> None:
        if self.variant not in ("classic", "same-class", "variance-preserving"):
            raise GeneratorError(
                f"Mixup comes as classic, same-class or variance-preserving, not {self.variant!r}."
            )
        if not self.alpha > 0:
            raise GeneratorError("Mixup needs a positive alpha.")
        if len(table) < 2:
            raise GeneratorError("Mixup needs at least two rows to mix.")

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        assert counts is not None
        first = class_rows(self.classes_, counts, rng)
        if self.variant == "same-class":
            second = class_rows(self.classes_, counts, rng)
        else:
            second = rng.integers(len(self.classes_), size=n)
        weight = rng.beta(self.alpha, self.alpha, size=n)
        weight = np.maximum(weight, 1 - weight)
        size = np.ones(n)
        if self.variant == "variance-preserving":
            size = np.sqrt(weight**2 + (1 - weight) ** 2)
        mixed = {}
        for name, codec in self.codecs_.items():
            one, other = self.columns_[name][first], self.columns_[name][second]
            if name == self.class_column_:
                mixed[name] = one
            elif codec.is_category:
                mixed[name] = np.where(rng.random(n) < weight, one, other)
            else:
                other = np.where(np.isnan(other), one, other)
                present = self.columns_[name][~np.isnan(self.columns_[name])]
                middle = float(present.mean()) if len(present) else 0.0
                both = weight * (one - middle) + (1 - weight) * (other - middle)
                mixed[name] = middle + both / size
        return mixed
