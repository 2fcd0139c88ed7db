"""Choosing and fitting the mechanism of one node: linear first, trees only where clearly better."""

from collections.abc import Mapping, Sequence

import numpy as np

from causalmix_core.scm.category_nodes import assign_absence, assign_category
from causalmix_core.scm.columns import ColumnCodec, Columns
from causalmix_core.scm.diagnostics import NodeDiagnostics
from causalmix_core.scm.mechanism import Levels, Mechanism, Roots
from causalmix_core.scm.numeric_nodes import assign_number
from causalmix_core.scm.selection import EFFORTS


def assign(
    node: str,
    parents: Sequence[str],
    columns: Columns,
    codecs: Mapping[str, ColumnCodec],
    *,
    quality: str = "good",
    roots: Roots = "smoothed",
) -> Mechanism:
    """Choose and fit the mechanism of `node` given its parents.

    Args:
        columns: the training rows, encoded.
    """
    codec, y = codecs[node], columns[node]
    parents = tuple(sorted(parents))
    inputs = {name: columns[name] for name in parents}
    known = [codecs[name] for name in parents if not codecs[name].is_constant]
    if codec.is_category:
        category, findings = assign_category(codec.codes, inputs, known, y, EFFORTS[quality])
        levels = Levels(*category.interval(inputs, y))
        about = NodeDiagnostics.of(node, parents, findings)
        return Mechanism(node, codec, parents, category, None, about, np.sort(y), levels, None)
    present = ~np.isnan(y)
    seen = {name: values[present] for name, values in inputs.items()}
    number, findings = assign_number(codec, seen, known, y[present], EFFORTS[quality], roots)
    low, high = np.full(len(y), np.nan), np.full(len(y), np.nan)
    if present.any():
        low[present], high[present] = number.interval(seen, y[present])
    absence, absence_levels = None, None
    if not present.all():
        gone = (~present).astype(np.float64)
        absence = assign_absence(inputs, known, gone.astype(np.int64))
        absence_levels = Levels(*absence.interval(inputs, gone))
    about = NodeDiagnostics.of(node, parents, findings, missing=float(1 - present.mean()))
    levels = Levels(low, high)
    observed = np.sort(y[present])
    return Mechanism(node, codec, parents, number, absence, about, observed, levels, absence_levels)
