"""Which step's weights to keep."""

import math

import numpy as np

from causalmix_core.errors import RunError
from causalmix_core.finetune.metrics import HIGHER_IS_BETTER
from causalmix_core.finetune.settings import Stopping


class Keeper:
    """Follows the stopping metric and says which evaluation is the best so far.

    The first evaluation added is the start (step 0), a candidate like every other one unless the
    rule is ``last``. Values are kept so that higher is better.
    """

    def __init__(self, stopping: Stopping) -> None:
        self.stopping = stopping
        self._sign = 1.0 if HIGHER_IS_BETTER[stopping.metric] else -1.0
        self.steps: list[int] = []
        self.raw: list[float] = []

    def add(self, step: int, score: float) -> bool:
        """Add an evaluation; return whether it is the best so far.

        Raises:
            RunError: the very first score is not a number.
        """
        if not self.steps and not math.isfinite(score):
            raise RunError(
                "The validation rows cannot be scored: they need at least two rows of two classes."
            )
        self.steps.append(step)
        self.raw.append(self._sign * score if math.isfinite(score) else -math.inf)
        return self.best == len(self.steps) - 1

    @property
    def values(self) -> list[float]:
        """The value of every evaluation under the rule, higher is better."""
        if self.stopping.rule != "smoothed":
            return self.raw
        window = self.stopping.window
        return [
            float(np.mean(self.raw[max(0, i - window + 1) : i + 1])) for i in range(len(self.raw))
        ]

    @property
    def best(self) -> int:
        """Position of the evaluation to keep; the earliest of equals.

        Unless the rule is ``last``, only evaluations that are themselves at least as good as the
        start come into question: a running mean alone would let worse ones through.
        """
        if self.stopping.rule == "last":
            return len(self.raw) - 1
        sound = np.asarray(self.raw) >= self.raw[0]
        return int(np.argmax(np.where(sound, self.values, -np.inf)))

    @property
    def best_step(self) -> int:
        """The step to keep."""
        return self.steps[self.best]

    @property
    def start_value(self) -> float:
        """The un-tuned model's value."""
        return self.values[0]

    @property
    def best_value(self) -> float:
        """The kept step's value."""
        return self.values[self.best]

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        if self.stopping.rule == "last" or not self.stopping.patience:
            return False
        return len(self.steps) - 1 - self.best >= self.stopping.patience
