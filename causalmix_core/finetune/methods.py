"""Ways to fine-tune: what each name stands for, and the synthetic rows it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from causalmix_core.augment import GENERATORS, generator
from causalmix_core.errors import RunError
from causalmix_core.finetune.settings import Settings
from causalmix_core.progress import Progress, part, silent
from causalmix_core.table.table import Table

MOST_SYNTHETIC = 4_000
"""Largest pool of synthetic rows that a run draws from."""

FIT_SHARE = 0.5
"""Where a generator's progress stands once it is fitted and before it samples."""


@dataclass(frozen=True)
class Method:
    """A way to fine-tune.

    Attributes:
        name: what the command line calls it.
        title: what people call it.
        generator: where its synthetic rows come from, or None.
        trains: whether any gradient step is done.
        only_synthetic: whether training steps hold synthetic rows alone.
        is_yardstick: a classic model on the same rows instead of the foundation model.
    """

    name: str
    title: str
    generator: str | None = None
    trains: bool = True
    only_synthetic: bool = False
    is_yardstick: bool = False

    def adapt(self, settings: Settings) -> Settings:
        """Return the settings as this method uses them."""
        if not self.only_synthetic:
            return settings
        mixing = replace(settings.mixing, share=1.0, into="both", schedule="constant")
        return replace(settings, mixing=mixing)


def _methods() -> dict[str, Method]:
    known = [
        Method("none", "No fine-tuning", trains=False),
        Method("default", "Real rows only"),
        Method("causalmix", "Real + causal rows", "causal"),
        Method("causal-only", "Causal rows only", "causal", only_synthetic=True),
    ]
    others = [
        Method(name, f"Real + {kind.title} rows", name)
        for name, kind in GENERATORS.items()
        if name != "causal"
    ]
    classic = [
        Method("random-forest", "Random forest", trains=False, is_yardstick=True),
        Method("gradient-boosting", "Gradient boosting", trains=False, is_yardstick=True),
    ]
    return {method.name: method for method in (*known, *others, *classic)}


METHODS = _methods()
"""All methods by name, in the order in which they are shown."""


def method(name: str) -> Method:
    """Return a method by its name.

    Raises:
        RunError: there is none of that name.
    """
    if name not in METHODS:
        raise RunError(f"There is no method {name!r}; choose from {', '.join(METHODS)}.")
    return METHODS[name]


def pool_size(name: str, train_rows: int, settings: Settings) -> int:
    """How many rows of a generator a run draws from: one set, or as many as its steps can use."""
    if not settings.mixing.fresh:
        size = train_rows
    else:
        rows = min(train_rows, settings.max_rows) * settings.splits_per_step * settings.steps
        size = max(train_rows, min(rows, MOST_SYNTHETIC))
    return min(size, GENERATORS[name].largest_pool or size)


def synthetic_rows(
    name: str,
    train: Table,
    rows: int,
    *,
    causal: Mapping[str, Any],
    seed: int = 0,
    graph_seed: int | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Fit a generator on the training rows and sample from it.

    Args:
        name: the generator.
        train: the training rows of the run, and only those.
        rows: how many to sample.
        causal: parameters of the causal generator; without a graph it discovers one in `train`.
        seed: of the sample.
        graph_seed: of a discovery; None takes `seed`.
        progress: told how far fit and sample are.
    """
    params: dict[str, Any] = {}
    if name == "causal":
        params = {"graph_seed": seed if graph_seed is None else graph_seed, **causal}
    maker = generator(name, **params).fit(train, progress=part(progress, 0.0, FIT_SHARE))
    return maker.sample(rows, seed=seed, progress=part(progress, FIT_SHARE, 1.0))
