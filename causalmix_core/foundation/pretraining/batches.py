"""Batches of encoded tasks, each a function of (seed, step, rank) alone, so any run can resume."""

import multiprocessing
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from causalmix_core.foundation.pretraining import curriculum
from causalmix_core.foundation.pretraining.curriculum import BatchShape
from causalmix_core.foundation.pretraining.prior import Task, TaskShape, simulate
from causalmix_core.foundation.pretraining.views import AXES, encode, visible


class Batch(NamedTuple):
    """Encoded tasks of one shape; the arrays as `views.encode` returns them.

    `seed` draws the random embeddings that tell the columns apart. A network that always sees the
    same ones learns to use the columns it met first and stays blind to all others.
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    context: int
    p: NDArray[np.float32]
    seed: int = 0


def batch(seed: int, step: int, rank: int, ranks: int, tokens: int = curriculum.TOKENS) -> Batch:
    """Make the tasks of one rank at one step."""
    shape = curriculum.draw(np.random.default_rng([seed, step]), step, ranks, tokens)
    rng = np.random.default_rng([seed, step, rank + 1])
    return make(rng, shape, shape.tasks // ranks)


def make(rng: np.random.Generator, shape: BatchShape, count: int) -> Batch:
    """Make `count` encoded tasks of a shape."""
    tasks = _tabicl(rng, shape, count) if shape.source == "tabicl" else _own(rng, shape, count)
    X, y, p = encode(rng, tasks, shape.view, shape.context, shape.columns)
    return Batch(X, y, shape.context, p, int(rng.integers(2**31)))


def _classes(rng: np.random.Generator, most: int) -> int:
    return 2 if most <= 2 or rng.random() < 0.45 else int(rng.integers(2, most + 1))


def _visible(rng: np.random.Generator, shape: BatchShape) -> int:
    """Number of columns before encoding; indicator columns and axes need room."""
    if shape.view == "onehot" and shape.columns > 3:
        fewest = max(1, shape.columns // 5)
        return round(float(np.exp(rng.uniform(np.log(fewest), np.log(shape.columns)))))
    if shape.view.endswith(AXES):
        return visible(shape.columns, shape.context)
    return shape.columns


def _own(rng: np.random.Generator, shape: BatchShape, count: int) -> list[Task]:
    tasks = []
    for _ in range(count):
        columns = _visible(rng, shape)
        tasks.append(
            simulate(
                rng,
                TaskShape(shape.rows, columns, _classes(rng, shape.classes), shape.difficulty),
                boards=shape.source == "boards",
            )
        )
    return tasks


def _tabicl(rng: np.random.Generator, shape: BatchShape, count: int) -> list[Task]:
    """Draw tasks from TabICL's prior; columns with few values count as categories."""
    import warnings

    import torch
    from tabicl.prior import PriorDataset

    columns = _visible(rng, shape)
    state = torch.random.get_rng_state()
    numpy_state = np.random.get_state()  # noqa: NPY002  (tabicl draws from the global state)
    import random

    python_state = random.getstate()
    seed = int(rng.integers(0, 2**31))
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prior = PriorDataset(
                batch_size=count, batch_size_per_gp=min(4, count), min_features=columns,
                max_features=columns, max_classes=max(2, shape.classes), max_seq_len=shape.rows,
                min_train_size=shape.context, max_train_size=shape.context + 1,
                prior_type="mix_scm", n_jobs=1, device="cpu",
            )  # fmt: skip
            X, y, d, _, _ = next(iter(prior))
    finally:
        torch.random.set_rng_state(state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
    tasks = []
    for b in range(count):
        table = X[b].numpy().astype(float)[:, : int(d[b])]
        label = np.unique(y[b].numpy().astype(int), return_inverse=True)[1]
        if label.max() == 0 or not np.isfinite(table).all():
            tasks.append(simulate(rng, TaskShape(shape.rows, columns, 2, shape.difficulty)))
            continue
        levels = []
        for j in range(table.shape[1]):
            values, code = np.unique(table[:, j], return_inverse=True)
            few = len(values) <= 10 and rng.random() < 0.8
            if few:
                table[:, j] = code
            levels.append(len(values) if few else 0)
        tasks.append(Task(table, tuple(levels), label.astype(np.int64)))
    return tasks


def _produce(queue: Any, seed: int, start: int, rank: int, ranks: int, tokens: int) -> None:
    import signal

    import torch
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    step = start
    with threadpool_limits(1):
        while True:
            queue.put((step, batch(seed, step, rank, ranks, tokens)))
            step += 1


def stream(seed: int, start: int, rank: int, ranks: int, tokens: int) -> Iterator[Batch]:
    """Yield batches from step `start` on, made ahead of time by a producer process."""
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue(maxsize=6)
    producer = context.Process(
        target=_produce, args=(queue, seed, start, rank, ranks, tokens), daemon=True
    )
    producer.start()
    try:
        while True:
            yield queue.get(timeout=600)[1]
    finally:
        producer.terminate()
        producer.join()
