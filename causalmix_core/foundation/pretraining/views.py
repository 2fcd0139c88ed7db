"""Simulated tasks as `TabPFNClassifier` would hand them to the network.

The compact checkpoint carries its own inference settings (`export.inference_views`): the members
of the ensemble take one or several views of a table in turn. ``ranks``: numbers by their quantile
among the context rows, categories as shuffled codes. ``codes``: numbers robustly scaled and
squashed, categories as shuffled codes. ``onehot``: numbers as in ``codes``, categories of at most
`ONEHOT_LEVELS` levels as indicator columns, others as codes in their order. ``ordered``: numbers as
in ``codes``, categories as codes in their order, so that columns which share their values, as those
of boards and votes do, share their codes. A view with `AXES` behind its name has the rows' places
along the leading singular directions of these columns as further columns: the columns are not
centred, so that the first of them is about their sum. Columns are then shuffled; scaling to unit
variance and the treatment of missing cells happen inside the network. The very same transformers as
in tabpfn are fitted here, on the context rows alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from causalmix_core.foundation._tabpfn import MAX_CLASSES
from causalmix_core.foundation.pretraining.prior import Task

ONEHOT_LEVELS = 10
AXES = "/axes"
VIEWS = ("ranks", "codes", "onehot", "ordered", "codes" + AXES, "ordered" + AXES)

Floats = NDArray[np.float64]
Rng = np.random.Generator


def encode(
    rng: Rng, tasks: Sequence[Task], view: str, context: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Encode tasks of equally many rows.

    Args:
        rng: source of the shuffles.
        tasks: tasks with at most `width` columns each, their axes included.
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
    base, axes = view.removesuffix(AXES), view.endswith(AXES)
    X = np.zeros((rows, len(tasks), width), dtype=np.float64)
    y = np.empty((rows, len(tasks)), dtype=np.int64)
    p = np.zeros((rows - context, len(tasks), MAX_CLASSES), dtype=np.float32)
    encoded = [_columns(rng, task, base, context, width) for task in tasks]
    numbers = [cells for columns in encoded for cells, is_number in columns if is_number]
    scaled = iter(_scale(np.stack(numbers, 1), base, context).T if numbers else ())
    for b, columns in enumerate(encoded):
        table = np.stack([next(scaled) if number else cells for cells, number in columns], 1)
        if axes:
            table = np.concatenate([table, _axes(table, context)], axis=1)
        X[:, b, rng.permutation(table.shape[1])] = table
        y[:, b], p[:, b] = _targets(rng, tasks[b], context)
    return X.astype(np.float32), y, p


def visible(columns: int, context: int) -> int:
    """Return how many columns have at most `columns` together with their axes."""
    from causalmix_core.foundation._tabpfn import count_axes

    fitting = (k for k in range(columns, 0, -1) if k + count_axes(context, k) <= columns)
    return next(fitting)


def _columns(
    rng: Rng, task: Task, view: str, context: int, width: int
) -> list[tuple[Floats, bool]]:
    """Columns of a task in random order, each with whether it is a number still to be scaled."""
    columns: list[tuple[Floats, bool]] = []
    left = task.X.shape[1]
    for j in rng.permutation(left):
        left -= 1
        cells, k = task.X[:, j], task.levels[j]
        room = width - len(columns) - left
        # tabpfn itself treats columns with fewer than four values as categories
        if k == 0 and len(np.unique(cells[:context])) < 4:
            cells, k = _codes(cells)
        if k == 0:
            columns.append((cells, True))
        elif view == "onehot" and 2 < k <= min(ONEHOT_LEVELS, room):
            blank = np.isnan(cells)
            columns += [((cells == level).astype(float), False) for level in range(k)]
            if blank.any() and k < room:
                columns.append((blank.astype(float), False))
        else:
            if view in ("ranks", "codes"):
                shuffled = np.append(rng.permutation(k).astype(float), np.nan)
                cells = shuffled[np.where(np.isnan(cells), k, cells).astype(int)]
            columns.append((cells, False))
    return columns


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


def _axes(table: Floats, context: int) -> Floats:
    """Axes of the columns that are not constant, which are the ones that tabpfn leaves in."""
    from causalmix_core.foundation._tabpfn import axes_transformer

    table = table[:, (table[:context] != table[0]).any(axis=0)]
    # Cells that are zero or missing have no direction: nothing to begin the search for one with.
    if table.shape[1] < 2 or not np.nan_to_num(table[:context]).any():
        return table[:, :0]
    transformer = axes_transformer(context, table.shape[1])
    transformer.fit(np.asfortranarray(table[:context]))
    return np.asarray(transformer.transform(np.asfortranarray(table)), dtype=np.float64)
