"""The training loop: one run of one method on one split of a table."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from causalmix_core.errors import RunError
from causalmix_core.finetune import checkpoint as checkpoints
from causalmix_core.finetune.adamw import AdamW
from causalmix_core.finetune.ensemble import Attempt, Ensemble, Prepared
from causalmix_core.finetune.metrics import scores
from causalmix_core.finetune.mixing import Draw, Rows, draw
from causalmix_core.finetune.settings import Mixing, Settings
from causalmix_core.finetune.stopping import Keeper
from causalmix_core.progress import Progress, silent

if TYPE_CHECKING:
    import torch

Codes = NDArray[np.int64]


class Point(NamedTuple):
    """One measured value of a curve."""

    step: int
    split: str
    metric: str
    value: float


OnPoints = Callable[[Sequence[Point]], None]
"""Called with new points as soon as they are measured; raising in it cancels the run."""


def ignore(points: Sequence[Point]) -> None:
    """Do nothing with new points."""


@dataclass(frozen=True)
class Labelled:
    """Prepared rows with their class codes."""

    rows: Prepared
    y: Codes

    def __len__(self) -> int:
        return len(self.y)

    def take(self, positions: Codes) -> "Labelled":
        """Return these rows."""
        return Labelled(self.rows.take(positions), self.y[positions])

    def join(self, other: "Labelled") -> "Labelled":
        """Return these rows followed by others."""
        return Labelled(self.rows.join(other.rows), np.concatenate([self.y, other.y]))


@dataclass(frozen=True)
class Material:
    """Everything a run looks at.

    Attributes:
        ensemble: the model; its context are the rows it predicts from.
        training: the real training rows, of which every step draws some.
        watched: the splits that are scored along the way: ``validation``, ``test``, ``domain``.
        synthetic: the method's rows, or None.
        stop_on: the rows the stopping rule looks at, if they are none of `watched`.
    """

    ensemble: Ensemble
    training: Labelled
    watched: Mapping[str, Labelled]
    synthetic: Labelled | None = None
    stop_on: Labelled | None = None


@dataclass
class Trace:
    """What a training left behind.

    Attributes:
        keeper: the stopping metric's history.
        points: the curves.
        steps: gradient steps done.
        weights: the kept step's weights, on the CPU; None means the weights at the start.
    """

    keeper: Keeper
    points: list[Point] = field(default_factory=list)
    steps: int = 0
    weights: "dict[str, torch.Tensor] | None" = None


def train(
    material: Material,
    settings: Settings,
    seed: int,
    *,
    stop_after: int | None = None,
    saved: Path | None = None,
    key: str = "",
    progress: Progress = silent,
    on_points: OnPoints = ignore,
) -> Trace:
    """Train the ensemble's network; its weights are those of the last step afterwards.

    Args:
        material: model and rows.
        settings: how.
        seed: decides which rows each step draws.
        stop_after: end after so many steps (the learning-rate schedule stays as it is).
        saved: a file to which the state is written at every evaluation. Where it exists already
            and carries `key`, training goes on from it and ends as it would have ended.
        key: identifies the run in `saved`.
        progress: told about every step.
        on_points: given new points of the curves.

    Raises:
        RunError: the stopping metric is not defined on the validation rows, or the loss is no
            longer a number.
    """
    ensemble = material.ensemble
    network = ensemble.network
    network.requires_grad_(True)
    optimizer = AdamW(list(network.parameters()), settings.weight_decay)
    rng = np.random.default_rng([seed, 7])
    trace = Trace(keeper=Keeper(settings.stopping))
    last = settings.steps if stop_after is None else min(stop_after, settings.steps)
    rare = int(np.bincount(material.training.y).argmin())
    attempts: list[Attempt] = []

    def measured(points: list[Point]) -> None:
        trace.points.extend(points)
        on_points(points)

    def evaluate() -> None:
        found = _evaluate(material, rare)
        if attempts:
            y = np.concatenate([attempt.y for attempt in attempts])
            found["train"] = scores(
                y, np.concatenate([attempt.probabilities for attempt in attempts]), rare
            )
            attempts.clear()
        stopped_on = found["stop" if material.stop_on is not None else "validation"]
        best = trace.keeper.add(trace.steps, stopped_on[settings.stopping.metric])
        if best:
            trace.weights = checkpoints.copy_weights(network) if trace.steps else None
        measured(
            [
                Point(trace.steps, split, metric, value)
                for split, values in found.items()
                for metric, value in values.items()
            ]
        )
        if saved is not None:
            checkpoints.save(saved, key, network, optimizer, rng, trace)

    resumed = saved is not None and checkpoints.load(saved, key, network, optimizer, rng, trace)
    if resumed:
        on_points(trace.points)
    else:
        progress(0.0, "Scoring the model as it is")
        attempts += _held_out(material, settings.max_rows, seed)
        evaluate()
    while trace.steps < last and not trace.keeper.exhausted:
        began = time.perf_counter()
        step = trace.steps + 1
        rate = settings.rate(step)
        loss = _gradients(material, settings, optimizer, rng, step, attempts)
        optimizer.step(rate, settings.clip)
        trace.steps = step
        measured(
            [
                Point(step, "train", "loss", loss),
                Point(step, "train", "learning_rate", rate),
                Point(step, "train", "seconds", time.perf_counter() - began),
            ]
        )
        progress(step / last, f"Step {step} of {last}, training loss {loss:.3f}")
        if step % settings.evaluate_every == 0 or step == last:
            evaluate()
    return trace


def _evaluate(material: Material, rare: int) -> dict[str, dict[str, float]]:
    """Score every watched split with the present weights."""
    watched = dict(material.watched)
    if material.stop_on is not None:
        watched["stop"] = material.stop_on
    predicted = material.ensemble.several([each.rows for each in watched.values()])
    return {
        split: scores(each.y, probabilities, rare)
        for (split, each), probabilities in zip(watched.items(), predicted, strict=True)
    }


def _held_out(material: Material, max_rows: int, seed: int) -> list[Attempt]:
    """Predict a third of the training rows from the others: the training scores of step 0.

    Later ones come from the query rows of the steps themselves. Predicting training rows from a
    context that holds them would only show that they are there.
    """
    import torch

    real = material.training
    fixed = draw(
        real.y,
        0,
        Mixing(),
        query_share=1 / 3,
        max_rows=max_rows,
        done=0.0,
        rng=np.random.default_rng([seed, 11]),
    )
    context, query = real.take(fixed.context.real), real.take(fixed.query.real)
    with torch.no_grad():
        return list(material.ensemble.attempts(context.rows, context.y, query.rows, query.y))


def _gradients(
    material: Material,
    settings: Settings,
    optimizer: AdamW,
    rng: np.random.Generator,
    step: int,
    attempts: list[Attempt],
) -> float:
    """Compute the gradients of one step and return its loss; adds to `attempts`."""
    import torch

    ensemble, real, synthetic = material.ensemble, material.training, material.synthetic
    in_turns = settings.members == "turns"
    total = 0.0
    weight = 1.0 / (settings.splits_per_step * (1 if in_turns else len(ensemble)))
    optimizer.forget_gradients()
    for i in range(settings.splits_per_step):
        turn = ((step - 1) * settings.splits_per_step + i) % len(ensemble)
        split = draw(
            real.y,
            0 if synthetic is None else len(synthetic),
            settings.mixing,
            query_share=settings.query_share,
            max_rows=settings.max_rows,
            done=(step - 1) / settings.steps,
            rng=rng,
        )
        context, query = _rows(real, synthetic, split)
        # One backward pass per member keeps the memory of one forward pass only.
        members = [turn] if in_turns else None
        for attempt in ensemble.attempts(context.rows, context.y, query.rows, query.y, members):
            torch.autograd.backward(attempt.loss * weight)
            total += float(attempt.loss.detach()) * weight
            attempts.append(replace(attempt, loss=attempt.loss.detach()))
    if not np.isfinite(total):
        raise RunError("The training loss is no longer a number; use a lower learning rate.")
    return total


def _rows(real: Labelled, synthetic: Labelled | None, split: Draw) -> tuple[Labelled, Labelled]:
    def gather(rows: Rows) -> Labelled:
        own = real.take(rows.real)
        if synthetic is None or not len(rows.synthetic):
            return own
        return own.join(synthetic.take(rows.synthetic))

    return gather(split.context), gather(split.query)
