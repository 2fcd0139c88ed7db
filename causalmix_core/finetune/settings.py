"""How to fine-tune: every choice that changes a result, with its default.

The paper behind the method (Bühler, Purucker, Hutter 2026, arXiv 2601.04110) does not publish
these values; each default is this project's own choice (see docs/ARCHITECTURE.md).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil, cos, isfinite, pi
from typing import Any, Literal

from causalmix_core.errors import RunError

StopMetric = Literal["roc_auc", "log_loss"]
StopRule = Literal["validation", "smoothed", "synthetic", "cross-fitted", "last"]


@dataclass(frozen=True)
class Mixing:
    """Where synthetic rows go in a training step; its size is the same for every method.

    Attributes:
        share: the share of rows that are synthetic, in the part or parts named by `into`.
        into: ``context``, ``query`` or ``both``.
        fresh: True draws other synthetic rows for every step, False reuses one fixed set as large
            as the training rows.
        schedule: ``constant``, or ``fading``: the share falls linearly to 0 at the last step.
    """

    share: float = 0.5
    into: Literal["context", "query", "both"] = "both"
    fresh: bool = True
    schedule: Literal["constant", "fading"] = "constant"

    def __post_init__(self) -> None:
        _within("The synthetic share", self.share, 0.0, 1.0)
        _one_of("into", self.into, ("context", "query", "both"))
        _one_of("schedule", self.schedule, ("constant", "fading"))


@dataclass(frozen=True)
class Stopping:
    """Which step's weights are kept.

    Attributes:
        metric: ``log_loss`` or ``roc_auc``.
        rule: ``validation``: the best evaluation on the validation rows; ``smoothed``: the same on
            a running mean over `window` evaluations; ``synthetic``: on rows sampled from the
            causal model; ``cross-fitted``: the number of steps that is best on average
            over `folds` splits of the labelled rows; ``last``: no early stopping.
        patience: stop after so many evaluations without a better one; 0 never stops early.
        window: evaluations in the running mean of ``smoothed``.
        folds: splits of ``cross-fitted``.
        synthetic_rows: how many rows ``synthetic`` samples to judge by.

    The un-tuned model (step 0) is always a candidate, except with ``last``, and no step is kept
    that is worse than it on the rows judged by: the validation rows, the sampled rows for
    ``synthetic``, and on average the folds' held-out rows for ``cross-fitted``.
    """

    metric: StopMetric = "log_loss"
    rule: StopRule = "validation"
    patience: int = 6
    window: int = 3
    folds: int = 3
    synthetic_rows: int = 1_000

    def __post_init__(self) -> None:
        _one_of("The stopping metric", self.metric, ("roc_auc", "log_loss"))
        rules = ("validation", "smoothed", "synthetic", "cross-fitted", "last")
        _one_of("The stopping rule", self.rule, rules)
        _at_least("patience", self.patience, 0)
        _at_least("window", self.window, 1)
        _at_least("folds", self.folds, 2)
        _at_least("synthetic_rows", self.synthetic_rows, 20)


@dataclass(frozen=True)
class Settings:
    """All settings of a fine-tuning run but its data, method, model and seed.

    Attributes:
        steps: gradient steps at most.
        evaluate_every: steps between two evaluations.
        learning_rate: AdamW's, at the top of the schedule.
        warmup: share of the steps over which the rate rises to `learning_rate`.
        schedule: ``cosine`` (falls to 0 at the last step) or ``constant`` after the warm-up.
        weight_decay: AdamW's.
        clip: largest gradient norm.
        splits_per_step: random context/query splits whose losses make one step.
        query_share: share of a split's rows that are predicted; the others are context.
        max_rows: rows of a split, and of the context at prediction time, at most; where there are
            more training rows every step draws others, and the context is a fixed sample.
        estimators: ensemble members, the same in training, evaluation and prediction.
        members: ``turns``: each split is seen by one ensemble member, in turns; ``all``: by every
            one, at that many times the cost.
        curve_rows: test rows in the curves; the final figures use all test rows.
        threads: threads of one run; several runs at a time want 1 each.
        precision: of the matrix products in training steps: ``float32``, or ``bfloat16``, which is
            faster on processors that have it (a fifth of a step on Zen 4) and slower elsewhere; the
            loss stays the same within noise. Scores and predictions are always float32.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto``.
        mixing: where synthetic rows go.
        stopping: which step's weights are kept.
    """

    steps: int = 30
    evaluate_every: int = 3
    learning_rate: float = 2e-4
    warmup: float = 0.1
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: float = 0.0
    clip: float = 1.0
    splits_per_step: int = 1
    query_share: float = 0.3
    max_rows: int = 1024
    estimators: int = 4
    members: Literal["turns", "all"] = "turns"
    curve_rows: int = 300
    threads: int = 1
    precision: Literal["float32", "bfloat16"] = "float32"
    device: str = "cpu"
    mixing: Mixing = field(default_factory=Mixing)
    stopping: Stopping = field(default_factory=Stopping)

    def __post_init__(self) -> None:
        for name in ("steps", "evaluate_every", "splits_per_step", "estimators", "threads"):
            _at_least(name, getattr(self, name), 1)
        _at_least("max_rows", self.max_rows, 10)
        _at_least("curve_rows", self.curve_rows, 10)
        _one_of("schedule", self.schedule, ("cosine", "constant"))
        _one_of("members", self.members, ("turns", "all"))
        _one_of("precision", self.precision, ("float32", "bfloat16"))
        _within("query_share", self.query_share, 0.05, 0.95)
        _within("warmup", self.warmup, 0.0, 1.0)
        if not (isfinite(self.learning_rate) and self.learning_rate > 0):
            raise RunError("The learning rate must be a number above 0.")
        if not (isfinite(self.clip) and self.clip > 0):
            raise RunError("clip must be a number above 0.")
        if not (isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise RunError("weight_decay must be a number from 0 up.")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Settings":
        """Read what `to_dict` wrote; what is missing keeps its default.

        Raises:
            RunError: a name or a value is unknown.
        """
        known = dict(values)
        try:
            mixing = Mixing(**known.pop("mixing", {}))
            stopping = Stopping(**known.pop("stopping", {}))
            return cls(**known, mixing=mixing, stopping=stopping)
        except TypeError as error:
            raise RunError(f"These fine-tuning settings cannot be read: {error}.") from None

    def rate(self, step: int) -> float:
        """Learning rate of a step (1, 2, …): linear warm-up, then the schedule."""
        rising = ceil(self.warmup * self.steps)
        if step <= rising:
            return self.learning_rate * step / rising
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - rising - 1) / max(self.steps - rising, 1)
        return self.learning_rate * 0.5 * (1 + cos(pi * done))


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RunError(f"{name} must lie between {low:g} and {high:g}, not {value:g}.")


def _at_least(name: str, value: int, low: int) -> None:
    if not isinstance(value, int) or value < low:
        raise RunError(f"{name} must be a whole number from {low} up, not {value!r}.")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RunError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
