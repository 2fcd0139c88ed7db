"""Which noise describes what is left of a number once its causes are known."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.columns import Array, ColumnCodec, Columns
from causalmix_core.scm.features import ParentFeatures
from causalmix_core.scm.mechanism import Link
from causalmix_core.scm.noise import Local, Noise, fit_additive, fit_local, fit_scaled
from causalmix_core.scm.regression import Fit, LinearRegression, fit_linear
from causalmix_core.scm.selection import choose_rows, clearly_better, make_folds

FEW_VALUES = 12
_QUANTILES = np.arange(1, 10) / 10
_MOST_ROWS = 4_000
_HEAP = 0.1
_UNFORESEEN = 0.01  # chance of a value that the noise says cannot be


@dataclass(frozen=True)
class Rest:
    """What is left of a node's values once its parents are known, and which noise describes it."""

    codec: ColumnCodec
    inputs: Columns
    features: ParentFeatures
    y: Array
    z: Array
    fit: Fit
    link: Link

    @cached_property
    def matrix(self) -> Array:
        return self.features(self.inputs)

    @cached_property
    def half(self) -> NDArray[np.int64]:
        """Number the half of each row, -1 where it decides nothing."""
        rows = len(self.y)
        half = make_folds(rows, 2)
        half[choose_rows(rows, rows)[_MOST_ROWS:]] = -1
        return half

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        return np.unique(self.y, return_counts=True)[1]

    @property
    def smooth(self) -> bool:
        return len(self.counts) / len(self.y) > 0.5

    @property
    def heaped(self) -> bool:
        return len(self.counts) > FEW_VALUES and self.counts.max() / len(self.y) > _HEAP

    def fitted(self, form: str, part: NDArray[np.bool_]) -> Noise:
        f, z = self.fit.held_out[part], self.z[part]
        if form == "additive":
            return fit_additive(f, z, self.codec.step if self.link.log_shift is None else None)
        if form == "scaled":
            matrix = self.matrix[part]
            floor = 0.01 * float(np.std(self.z - self.fit.held_out))
            scale = fit_linear(self.features, matrix, np.log(np.abs(z - f) + floor)).model
            assert isinstance(scale, LinearRegression)
            return fit_scaled(f, z, matrix, scale)
        if form == "matched":
            smooth = self.smooth and not self.heaped
            return fit_local(self.fit.order[part], self.y[part], levels=True, smooth=smooth)
        return fit_local(self.fit.order[part], z - f, levels=False, smooth=self.smooth)

    def forms(self) -> list[str]:
        """Return the forms of noise worth a try, the one to beat first."""
        rows = len(self.y)
        if rows >= 40 and self.heaped:
            # a value that many rows share, such as no bonus, would be lost in any added noise
            return ["matched"]
        forms = ["additive"]
        if rows >= 100:
            forms.append("local")
            if self.matrix.shape[1] <= rows / 10:
                forms.append("scaled")
        if rows >= 40 and not self.smooth and len(self.counts) > FEW_VALUES:
            forms.append("matched")
        return forms

    def choose(self) -> str:
        """Choose the form by its score on the other half of the rows (pinball loss)."""
        forms = self.forms()
        best, least = forms[0], np.empty(0)
        for form in forms if len(forms) > 1 else ():
            loss = self.pinball(form)
            if not len(least) or clearly_better(loss, least, share=0.002):
                best, least = form, loss
        return best

    def pinball(self, form: str) -> Array:
        loss = np.zeros(len(self.y))
        for side in (0, 1):
            noise, test = self.fitted(form, self.half == 1 - side), self.half == side
            part = {name: values[test] for name, values in self.inputs.items()}
            for level in _QUANTILES:
                at = np.full(int(test.sum()), level)
                guess = noise.quantile(self.fit.order[test], part, at)
                guess = guess if takes_over(noise) else self.link.backward(guess)
                error = self.y[test] - np.clip(guess, self.codec.low, self.codec.high)
                loss[test] += np.maximum(level * error, (level - 1) * error)
        return loss[self.half >= 0]

    def log_loss(self, form: str) -> float:
        """Return the mean log loss, on the other half, of values as cells of the column's grid."""
        chance = np.zeros(len(self.y))
        half_step = (self.codec.step or 0.0) / 2
        for side in (0, 1):
            noise, test = self.fitted(form, self.half == 1 - side), self.half == side
            part = {name: values[test] for name, values in self.inputs.items()}
            f, y = self.fit.held_out[test], self.y[test]
            below = noise.rank(f, part, self.link.forward(y - half_step))
            above = noise.rank(f, part, self.link.forward(y + half_step))
            below[y <= self.codec.low] = 0.0
            above[y >= self.codec.high] = 1.0
            chance[test] = above - below
        chance = (1 - _UNFORESEEN) * chance[self.half >= 0] + _UNFORESEEN / len(self.counts)
        return float(-np.log(chance).mean())


def takes_over(noise: Noise) -> bool:
    return isinstance(noise, Local) and noise.levels
