"""One fine-tuning run: from three tables and a method's name to figures, curves and a model."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core import __version__
from causalmix_core.errors import RunError
from causalmix_core.finetune import checkpoint as checkpoints
from causalmix_core.finetune import loop, methods, yardstick
from causalmix_core.finetune.diagnostics import diagnose
from causalmix_core.finetune.ensemble import Ensemble
from causalmix_core.finetune.loop import Labelled, Material, OnPoints
from causalmix_core.finetune.metrics import scores
from causalmix_core.finetune.settings import Settings
from causalmix_core.finetune.tuned_model import TunedModel
from causalmix_core.foundation import checkpoint as model_files
from causalmix_core.foundation import models
from causalmix_core.foundation._tabpfn import TableEncoder, classifier
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.progress import Progress, part, silent
from causalmix_core.table.table import Table

_DEFAULTS = Settings()

TIMES = frozenset({"seconds", "cpu_seconds"})
"""Figures that differ from one run to its repetition."""


class Clock:
    """Counts seconds on the wall and of this process's computing from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> dict[str, float]:
        """Return both, under the names of the results table."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "cpu_seconds": time.process_time() - self._cpu,
        }


@dataclass(frozen=True)
class Run:
    """What a run left.

    Attributes:
        metrics: one line of the results table: sizes, every metric on every split at the kept
            step (such as ``roc_auc_test``), the stopping metric at the start and at the kept step,
            steps, seconds.
        curves: step, split, metric, value; everything measured along the way.
        model: the tuned model; that of ``none`` has the weights it started with, and a yardstick
            (``random-forest``, ``gradient-boosting``) has none.
        diagnosis: confusion matrix and calibration on the test rows; see `diagnostics`.
    """

    metrics: Mapping[str, Any]
    curves: pd.DataFrame
    model: TunedModel | None
    diagnosis: Mapping[str, Any]


def finetune(
    train: Table,
    validation: Table,
    test: Table,
    method: str = "causalmix",
    *,
    graph: Any = None,
    causal: Mapping[str, Any] | None = None,
    seed: int = 0,
    model: str | Path = "compact",
    settings: Settings = _DEFAULTS,
    domain: Table | None = None,
    synthetic: pd.DataFrame | None = None,
    group: str | None = None,
    saved: Path | None = None,
    progress: Progress = silent,
    on_points: OnPoints = loop.ignore,
) -> Run:
    """Fine-tune a foundation model on a small table.

    Args:
        train: real rows to train on; alone seen by discovery and generators.
        validation: real rows that decide when to stop.
        test: real rows that are scored and decide nothing.
        method: one of `METHODS`, such as ``none``, ``default``, ``causalmix``, ``smote``.
        graph: the causal graph; None discovers one in `train` where the method needs it.
        causal: further parameters of the causal generator, such as ``{"quality": "better"}``.
        seed: decides the draws of rows, the synthetic rows and the ensemble members.
        model: ``compact``, or a safetensors checkpoint.
        settings: everything else.
        domain: rows of another domain to be scored as well.
        synthetic: the method's synthetic rows, where they have been made already.
        group: rows with the same value in this column stay together in cross-fitted stopping.
        saved: a file for the state of the run: where it holds one, the run goes on from there
            and ends with the same figures.
        progress: told how far the run is; raising in it cancels.
        on_points: given the curves' points as they are measured.

    Raises:
        RunError: the tables cannot be used for this.
        GeneratorError, MechanismError, DiscoveryError: the synthetic rows cannot be made.
    """
    began = Clock()
    chosen = methods.method(method)
    settings = chosen.adapt(settings)
    splits = {"train": train, "validation": validation, "test": test}
    if domain is not None:
        splits["domain"] = domain
    splits = {name: _labelled(table, name) for name, table in splits.items()}
    if chosen.is_yardstick:
        return _classic(splits, method, settings, seed, began, on_points)
    file = models.path(model)
    causal = {**(causal or {}), "graph": graph}
    groups = None
    if group is not None and chosen.trains and settings.stopping.rule == "cross-fitted":
        groups = _groups([splits["train"], splits["validation"]], group)
    with _threads(settings.threads):
        made = _make_synthetic(
            chosen, splits["train"], settings, causal, seed, synthetic, part(progress, 0.0, 0.2)
        )
        key = run_key(
            splits, method, model_files.digest(file), settings, seed, made, causal, groups
        )
        stop_after, crossed = _cross_fit(
            chosen,
            splits,
            settings,
            causal,
            seed,
            file,
            groups,
            saved,
            key,
            part(progress, 0.3, 0.6),
        )
        context = _context(splits["train"], settings.max_rows, seed)
        material, encoder = _material(
            splits, context, made, settings, seed, file, causal, part(progress, 0.2, 0.3)
        )
        network = material.ensemble.network
        start = checkpoints.copy_weights(network)
        trace = loop.train(
            material,
            # How many steps there are is known by now: the last of them is kept.
            _open_ended(settings) if crossed else settings,
            seed,
            stop_after=stop_after if chosen.trains else 0,
            saved=saved,
            key=key,
            progress=part(progress, 0.6 if crossed else 0.3, 0.98),
            on_points=on_points,
        )
        kept = trace.weights
        network.load_state_dict(start if kept is None else kept)
        final, diagnosis = _final_scores(material.ensemble, encoder, splits)
    metrics = {
        **_identity(splits, method, seed, str(model), final),
        "stop_metric": settings.stopping.metric,
        "stop_rule": settings.stopping.rule,
        "stop_value_start": crossed[0] if crossed else trace.keeper.start_value,
        "stop_value": crossed[1] if crossed else trace.keeper.best_value,
        "best_step": trace.keeper.best_step,
        "steps": trace.steps,
        "synthetic_rows": 0 if made is None else len(made),
        **began.spent(),
        "status": "done",
    }
    return Run(
        metrics=metrics,
        curves=pd.DataFrame(trace.points, columns=["step", "split", "metric", "value"]),
        model=TunedModel(
            context=_bare(context),
            weights=kept,
            base=file,
            estimators=settings.estimators,
            seed=seed,
            # Without the time it took, so that equal runs leave equal files.
            about={
                "settings": settings.to_dict(),
                "metrics": {k: v for k, v in _without_nan(metrics).items() if k not in TIMES},
            },
        ),
        diagnosis=diagnosis,
    )


_SHORT = {"train": "train", "validation": "val", "test": "test", "domain": "domain"}


def _identity(
    splits: Mapping[str, Table],
    method: str,
    seed: int,
    model: str,
    final: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """The part of a results line that every kind of run has."""
    return {
        "table": splits["train"].name,
        "method": method,
        "seed": seed,
        "model": model,
        **{f"{_SHORT[split]}_rows": len(table) for split, table in splits.items()},
        **{
            f"{metric}_{_SHORT[split]}": value
            for split, found in final.items()
            for metric, value in found.items()
        },
    }


def _classic(
    splits: Mapping[str, Table],
    method: str,
    settings: Settings,
    seed: int,
    began: Clock,
    on_points: OnPoints,
) -> Run:
    """Run a yardstick: one point per curve, on the rows of the other methods' curves; no model."""
    watched = _watched_rows(splits, settings.curve_rows, seed)
    final, on_curves, diagnosis = yardstick.measure(method, splits, watched, seed)
    points = [
        loop.Point(0, split, metric, value)
        for split, found in on_curves.items()
        for metric, value in found.items()
    ]
    on_points(points)
    metrics = {
        **_identity(splits, method, seed, method, final),
        "stop_metric": None,
        "stop_rule": None,
        "stop_value_start": None,
        "stop_value": None,
        "best_step": 0,
        "steps": 0,
        "synthetic_rows": 0,
        **began.spent(),
        "status": "done",
    }
    return Run(metrics, pd.DataFrame(points, columns=list(loop.Point._fields)), None, diagnosis)


def run_key(
    splits: Mapping[str, Table],
    method: str,
    model_digest: str,
    settings: Settings,
    seed: int,
    synthetic: pd.DataFrame | None,
    causal: Mapping[str, Any],
    groups: NDArray[np.int64] | None,
) -> str:
    """Digest of everything that decides a run's figures (hex, 32 characters)."""
    made = None
    if synthetic is not None:
        made = splits["train"].with_frame(synthetic).digest
    parts = {
        "splits": {name: table.digest for name, table in splits.items()},
        "method": method,
        "model": model_digest,
        "settings": settings.to_dict(),
        "seed": seed,
        "synthetic": made,
        "causal": {**causal, "graph": _decisive(causal["graph"])},
        "groups": None if groups is None else groups.tolist(),
        "version": __version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _decisive(graph: Any) -> Any:
    """All of a graph, or of several, that decides rows, as JSON."""
    if graph is None:
        return None
    if isinstance(graph, (list, tuple)):
        return [_decisive(each) for each in graph]
    return (graph if isinstance(graph, MixedGraph) else MixedGraph.from_networkx(graph)).decisive()


def _make_synthetic(
    chosen: methods.Method,
    train: Table,
    settings: Settings,
    causal: Mapping[str, Any],
    seed: int,
    given: pd.DataFrame | None,
    progress: Progress,
) -> pd.DataFrame | None:
    if chosen.generator is None:
        return None
    if given is not None:
        return given
    size = methods.pool_size(chosen.generator, len(train), settings)
    return methods.synthetic_rows(
        chosen.generator, train, size, causal=causal, seed=seed, progress=progress
    )


def _context(train: Table, most: int, seed: int) -> Table:
    """Return the training rows to predict from: all, or about `most` of them by class shares."""
    if len(train) <= most:
        return train
    rng = np.random.default_rng([seed, 23])
    classes = [np.flatnonzero(train.y == name) for name in sorted(set(train.y))]
    chosen = [
        rng.choice(rows, max(1, most * len(rows) // len(train)), replace=False) for rows in classes
    ]
    return train.take(np.sort(np.concatenate(chosen)))


def _material(
    splits: Mapping[str, Table],
    context: Table,
    synthetic: pd.DataFrame | None,
    settings: Settings,
    seed: int,
    file: Path,
    causal: Mapping[str, Any],
    progress: Progress,
) -> tuple[Material, TableEncoder]:
    """Encode and preprocess all rows a training looks at."""
    encoder = TableEncoder.fit(context)
    ensemble = Ensemble(
        classifier(
            file, encoder, n_estimators=settings.estimators, seed=seed, device=settings.device
        ),
        encoder.transform(context.frame),
        encoder.labels(context.frame),
        bfloat16=settings.precision == "bfloat16",
    )

    def prepared(frame: pd.DataFrame) -> Labelled:
        return Labelled(ensemble.prepare(encoder.transform(frame)), encoder.labels(frame))

    train = splits["train"]
    training = Labelled(ensemble.context, ensemble.y) if train is context else prepared(train.frame)
    watched = {
        name: prepared(splits[name].frame.iloc[rows])
        for name, rows in _watched_rows(splits, settings.curve_rows, seed).items()
    }
    stop_on = None
    if settings.stopping.rule == "synthetic":
        rows = methods.synthetic_rows(
            "causal",
            train,
            settings.stopping.synthetic_rows,
            causal=causal,
            seed=seed + _OTHER_SEED,
            # Other rows than those trained on, from the same graph.
            graph_seed=seed,
            progress=progress,
        )
        stop_on = prepared(rows)
    made = None if synthetic is None else prepared(synthetic)
    return Material(ensemble, training, watched, made, stop_on), encoder


_OTHER_SEED = 1_000_003


def _watched_rows(
    splits: Mapping[str, Table], most: int, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Return the rows that the curves are drawn on, in their order: all, or `most` drawn ones.

    All validation rows are among them: they decide when to stop.
    """
    rng = np.random.default_rng([seed, 13])
    return {
        name: np.arange(len(table))
        if name == "validation" or len(table) <= most
        else np.sort(rng.choice(len(table), most, replace=False))
        for name, table in splits.items()
        if name != "train"
    }


def _cross_fit(
    chosen: methods.Method,
    splits: Mapping[str, Table],
    settings: Settings,
    causal: Mapping[str, Any],
    seed: int,
    file: Path,
    groups: NDArray[np.int64] | None,
    saved: Path | None,
    key: str,
    progress: Progress,
) -> tuple[int | None, tuple[float, float] | None]:
    """Find the number of steps that is best on average over folds of the labelled rows.

    Returns the number and the stopping metric at the start and there (higher is better); None and
    None where the rule is another one.
    """
    stopping = settings.stopping
    if stopping.rule != "cross-fitted" or not chosen.trains:
        return None, None
    pool = pd.concat([splits["train"].frame, splits["validation"].frame], ignore_index=True)
    labelled = splits["train"].with_frame(pool)
    parts = _folds(labelled.y.to_numpy(), groups, stopping.folds, seed)
    open_ended = _open_ended(settings)
    curves = []
    for i, (fitted, held_out) in enumerate(parts):
        fold = {"train": labelled.take(fitted), "validation": labelled.take(held_out)}
        progress(i / stopping.folds, f"Split {i + 1} of {stopping.folds} to find when to stop")
        inner = part(progress, i / stopping.folds, (i + 1) / stopping.folds)
        made = _make_synthetic(
            chosen, fold["train"], settings, causal, seed, None, part(inner, 0.0, 0.4)
        )
        context = _context(fold["train"], settings.max_rows, seed)
        material, _ = _material(fold, context, made, open_ended, seed, file, causal, inner)
        trace = loop.train(
            material,
            open_ended,
            seed,
            saved=None if saved is None else saved.with_name(f"{saved.name}.fold{i}"),
            key=f"{key}-{i}",
            progress=part(inner, 0.4, 1.0),
        )
        curves.append(trace.keeper.raw)
    mean = np.mean(curves, axis=0)
    best = int(np.argmax(mean))
    return trace.keeper.steps[best], (float(mean[0]), float(mean[best]))


def _folds(
    y: NDArray[Any], groups: NDArray[np.int64] | None, folds: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Part rows into folds by class shares, groups kept whole: (fitted, held out) of each.

    Raises:
        RunError: a class or a group has too few rows for so many folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    try:
        parts = list(kind(folds, shuffle=True, random_state=seed).split(y, y, groups))
    except ValueError as error:
        raise RunError(f"Cross-fitted stopping needs more rows of every class: {error}") from None
    sound = all(len(set(y[rows])) > 1 and set(y[rows]) <= set(y[rest]) for rest, rows in parts)
    if groups is not None and not sound:
        raise RunError(
            "Cross-fitted stopping needs rows of the classes on both sides of every split, and "
            "these groups are too few for that; use fewer splits or another stopping rule."
        )
    return parts


def _groups(tables: Sequence[Table], column: str) -> NDArray[np.int64]:
    """Number the groups of rows of several tables; a row of no known group is one of its own."""
    values = []
    for table in tables:
        cells = table.cells(column)
        if cells is None:
            raise RunError(
                f"Cross-fitted stopping keeps the groups of {column!r} together, but a table lacks "
                "this column; use another stopping rule."
            )
        values.append(cells)
    codes = np.asarray(pd.factorize(pd.concat(values, ignore_index=True))[0], dtype=np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def _open_ended(settings: Settings) -> Settings:
    """Return the settings without early stopping."""
    return replace(settings, stopping=replace(settings.stopping, rule="last"))


def _final_scores(
    ensemble: Ensemble, encoder: TableEncoder, splits: Mapping[str, Table]
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Score the present weights on whole splits; also diagnose the test rows."""
    rare = int(np.bincount(encoder.labels(splits["train"].frame)).argmin())
    names = [name for name in splits if name != "train"]
    queries = [ensemble.prepare(encoder.transform(splits[name].frame)) for name in names]
    labels = {name: encoder.labels(splits[name].frame) for name in names}
    predicted = dict(zip(names, ensemble.several(queries), strict=True))
    found = {name: scores(labels[name], predicted[name], rare) for name in names}
    return found, diagnose(labels["test"], predicted["test"], encoder.classes)


def _labelled(table: Table, split: str) -> Table:
    """Leave out rows without a class."""
    known = table.y.notna().to_numpy()
    if not known.any():
        raise RunError(f"The {split} rows hold no value of the target {table.target!r}.")
    return table if known.all() else table.take(np.flatnonzero(known))


def _bare(table: Table) -> Table:
    """Return the table without the columns that were set aside: a model does not need them."""
    return Table(
        table.frame,
        table.kinds,
        table.target,
        name=table.name,
        levels=table.levels,
        formats=table.formats,
        decimal=table.decimal,
    )


def _without_nan(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in values.items()
    }


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Use so many threads in torch, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
