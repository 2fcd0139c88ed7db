"""A figure, how far chance may have moved it, and when there is none."""

from dataclasses import dataclass

import numpy as np

from causalmix_core.fidelity.samples import Floats


class NotApplicable(Exception):
    """This figure cannot be had for these rows; the message says why, for people."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard deviation over resamples of the rows."""

    value: float
    deviation: float

    @classmethod
    def of(cls, value: float, resampled: Floats) -> "Estimate":
        """Return the figure with the spread of its bootstrap resamples.

        Only the spread is taken from them: distances grow when rows are drawn twice, so
        percentiles of the resamples would lie beside the figure.
        """
        return cls(float(value), float(np.std(resampled, ddof=1)) if len(resampled) > 1 else 0.0)

    def interval(self, low: float, high: float) -> tuple[float, float]:
        """Return the 95 % interval, value ± 1.96 deviations, within the figure's bounds."""
        reach = 1.96 * self.deviation
        return max(low, self.value - reach), min(high, self.value + reach)


def share_deviation(count: float, total: int) -> float:
    """Return a share's standard deviation, not 0 for none or all (Agresti & Coull, 1998)."""
    share = (count + 2) / (total + 4)
    return float(np.sqrt(share * (1 - share) / (total + 4)))


def bootstrap_weights(rows: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return (draws, rows): how often each row is drawn in each resample."""
    return rng.multinomial(rows, np.full(rows, 1 / rows), size=draws).astype("float64")
