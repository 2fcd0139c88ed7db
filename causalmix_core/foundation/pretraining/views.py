"""Simulated tasks as `TabPFNClassifier` would hand them to the network.

The compact checkpoint carries its own inference settings (`export.inference_views`): the members
of the ensemble take one or several of four views of a table in turn. ``ranks``: numbers by their
quantile among the context rows, categories as shuffled codes. ``codes``: numbers robustly scaled
and squashed, categories as shuffled codes. ``onehot``: numbers as in ``codes``, categories of at
most `ONEHOT_LEVELS` levels as indicator columns, others as codes in their order. ``ordered``:
numbers as in ``codes``, categories as codes in their order, so that columns which share their
values, as those of boards and votes do, share their codes. Columns are then shuffled; scaling to
unit variance and the treatment of missing cells happen inside the network. The very same
transformers as in tabpfn are fitted here, on the context rows alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from causalmix_core.foundation._tabpfn import MAX_CLASSES
from causalmix_core.foundation.pretraining.prior import Task

ONEHOT_LEVELS = 10
VIEWS = ("ranks", "codes", "onehot", "ordered")

Floats = NDArray[np.float64]
Rng = np.random.Generator


def encode(
    rng: Rng, tasks: Sequence[Task], view: str, context: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Encode tasks of equally many rows.

    Args:
        rng: source of the shuffles.
        tasks: tasks with at most `width` columns each.
        view: one of `VIEWS`.
        context: the first so many rows are the labelled ones.
        width: columns wanted per task; missing ones are zero, as tabpfn pads.

    Returns:
        X (rows, tasks, width); y (rows, tasks), where -100 marks a query row whose class does not
        occur in the context; p (rows - context, tasks, `MAX_CLASSES`), the probabilities that the
        query rows' classes were drawn from, among the classes of the context (one for the class
        itself where the task does not know them; zero throughout where -100 stands). Classes are
        renumbered in random order.
    """
    rows = len(tasks[0].y)
    X = np.zeros((rows, len(tasks), width), dtype=np.float64)
    y = np.empty((rows, len(tasks)), dtype=np.int64)
    p = np.zeros((rows - context, len(tasks), MAX_CLASSES), dtype=np.float32)
    numeric_at: list[tuple[int, int]] = []
    numeric: list[Floats] = []
    for b, task in enumerate(tasks):
        columns: list[Floats] = []
        is_numeric: list[bool] = []
        left = task.X.shape[1]
        for j in rng.permutation(left):
            left -= 1
            cells, k = task.X[:, j], task.levels[j]
            room = width - len(columns) - left
            # tabpfn itself treats columns with fewer than four values as categories
            if k == 0 and len(np.unique(cells[:context])) < 4:
                cells, k = _codes(cells)
            if k == 0:
                columns.append(cells)
                is_numeric.append(True)
            elif view == "onehot" and 2 < k <= min(ONEHOT_LEVELS, room):
                blank = np.isnan(cells)
                parts = [(cells == level).astype(float) for level in range(k)]
                if blank.any() and k < room:
                    parts.append(blank.astype(float))
                columns += parts
                is_numeric += [False] * len(parts)
            else:
                if view in ("ranks", "codes"):
                    shuffled = np.append(rng.permutation(k).astype(float), np.nan)
                    cells = shuffled[np.where(np.isnan(cells), k, cells).astype(int)]
                columns.append(cells)
                is_numeric.append(False)
        places = rng.permutation(len(columns))
        for place, cells, number in zip(places, columns, is_numeric, strict=True):
            X[:, b, place] = cells
            if number:
                numeric_at.append((b, int(place)))
                numeric.append(cells)
        y[:, b], p[:, b] = _targets(rng, task, context)
    if numeric:
        scaled = _scale(np.stack(numeric, 1), view, context)
        for i, (b, place) in enumerate(numeric_at):
            X[:, b, place] = scaled[:, i]
    return X.astype(np.float32), y, p


def _codes(cells: Floats) -> tuple[Floats, int]:
    known = cells[~np.isnan(cells)]
    values = np.unique(known)
    code = np.searchsorted(values, cells).astype(float)
    code[np.isnan(cells)] = np.nan
    return code, len(values)


def _targets(rng: Rng, task: Task, context: int) -> tuple[NDArray[np.int64], Floats]:
    known = np.unique(task.y[:context])
    new = np.full(int(task.y.max()) + 1, -100, dtype=np.int64)
    new[known] = rng.permutation(len(known))
    y = new[task.y]
    query = y[context:]
    p = np.zeros((len(query), MAX_CLASSES))
    if task.p is None:
        p[np.flatnonzero(query >= 0), query[query >= 0]] = 1.0
    else:
        p[:, new[known]] = task.p[context:, known]
        p /= p.sum(1, keepdims=True)
        p[query < 0] = 0.0
    return y, p


def _scale(columns: Floats, view: str, context: int) -> Floats:
    from causalmix_core.foundation._tabpfn import column_transformer

    name = "quantile_uni" if view == "ranks" else "squashing_scaler_default"
    transformer = column_transformer(name, context)
    transformer.fit(columns[:context])
    return np.asarray(transformer.transform(columns), dtype=np.float64)
