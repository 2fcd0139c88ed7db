"""What an analyst should know about a table before anything is done with it, in sentences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from causalmix_core.table.columns import RawColumn
from causalmix_core.table.dates import could_be_swapped
from causalmix_core.table.kinds import Kind
from causalmix_core.table.words import list_names

MANY_COLUMNS = 100
MANY_CATEGORIES = 50
FEW_ROWS = 3
BEYOND_CHANCE = 100.0


def remarks_on_column(column: RawColumn, kind: Kind) -> list[str]:
    """Return what there is to say about how one column was read."""
    remarks = []
    if column.odd_missing and kind.is_number:
        remarks.append(
            f"Column {column.name!r}: {list_names(column.odd_missing, 'value')} counted as missing."
        )
    if column.unit and kind in (Kind.NUMERIC, Kind.INTEGER):
        remarks.append(f"Column {column.name!r}: {column.unit!r} is taken off the numbers.")
    if kind is Kind.DATETIME and could_be_swapped(column.date_formats):
        remarks.append(
            f"Column {column.name!r}: day and month could be swapped; they are read as month first."
        )
    if column.other_decimal is not None:
        remarks.append(
            f"Column {column.name!r} would hold numbers if {column.other_decimal!r} were the "
            f"file's decimal mark, which was read as {column.decimal!r}: state it, or they stay "
            "texts."
        )
    elif kind.is_category and len(column.values) > MANY_CATEGORIES:
        remarks.append(
            f"Column {column.name!r} has {len(column.values)} categories; rare ones teach nothing."
        )
    return remarks


def remarks_on_table(
    frame: pd.DataFrame, kinds: Mapping[str, Kind], target: str | None
) -> list[str]:
    """Return what there is to say about the columns in use taken together."""
    return [
        *_on_width(frame),
        *_on_missing(frame),
        *_on_repeats(frame, kinds),
        *_on_equivalence(frame),
        *(_on_target(frame, kinds, target) if target is not None else ()),
    ]


def _on_width(frame: pd.DataFrame) -> list[str]:
    columns = len(frame.columns)
    if columns <= MANY_COLUMNS:
        return []
    return [
        f"{columns} columns make {columns * (columns - 1) // 2:,} pairs to test: finding a graph "
        "and fitting mechanisms will be slow; set aside the columns you do not need."
    ]


def _on_missing(frame: pd.DataFrame) -> list[str]:
    shares = frame.isna().mean()
    mostly = [str(name) for name in shares.index[shares > 0.5]]
    return [f"More than half of the values are missing in {list_names(mostly)}."] if mostly else []


def _on_repeats(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> list[str]:
    if not any(kind.is_number for kind in kinds.values()):
        return []  # rows of a few categories repeat by chance
    count = int(frame.duplicated().sum())
    if not count:
        return []
    # Rows of a few whole numbers repeat by chance too; dependence makes that likelier than here.
    decimal = any(kind is Kind.NUMERIC for kind in kinds.values())
    if not decimal and count < BEYOND_CHANCE * _repeats_by_chance(frame):
        return []
    rows = "1 row repeats" if count == 1 else f"{count:,} rows repeat"
    return [f"{rows} an earlier one in full; the same row may be learnt from and tested on."]


def _repeats_by_chance(frame: pd.DataFrame) -> float:
    """How many pairs of rows would be alike if the columns had nothing to do with each other."""
    alike = 1.0
    for name in frame.columns:
        shares = frame[name].value_counts(normalize=True, dropna=False).to_numpy(dtype=float)
        alike *= float((shares**2).sum())
    return len(frame) * (len(frame) - 1) / 2 * alike


def _on_equivalence(frame: pd.DataFrame) -> list[str]:
    """Columns that are one another's renaming share their codes by first appearance."""
    alike: dict[bytes, list[str]] = {}
    for name in frame.columns:
        codes, values = pd.factorize(frame[name])
        # Values that hardly ever repeat settle anything, and mean nothing by it.
        if 1 < len(values) <= len(frame) / 2:
            alike.setdefault(codes.tobytes(), []).append(str(name))
    return [
        f"Each of {list_names(names)} settles the others: no search can tell them apart, "
        "so set all but one aside."
        for names in alike.values()
        if len(names) > 1
    ]


def _on_target(frame: pd.DataFrame, kinds: Mapping[str, Kind], target: str) -> list[str]:
    if not kinds[target].is_category:
        return [
            f"The target {target!r} is a number: only classes can be predicted, "
            "so put it into bins first (--bins 3 on the command line)."
        ]
    remarks = []
    counts = frame[target].value_counts()
    few = [str(label) for label, count in counts.items() if count < FEW_ROWS]
    if few:
        remarks.append(
            f"Fewer than {FEW_ROWS} rows of the target {target!r} hold "
            f"{list_names(few, 'class', 'classes')}: hardly to be learnt or tested."
        )
    settling = [str(name) for name in frame.columns if _settles(frame[name], frame[target])]
    settling = [name for name in settling if name != target]
    if settling:
        remarks.append(
            f"The target {target!r} is settled by {list_names(settling)}: "
            "make sure that this is known before the target is."
        )
    return remarks


def _settles(column: pd.Series, target: pd.Series) -> bool:
    """Whether every value that comes back goes with one class only (missing being a value)."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    classes, labels = pd.factorize(target)
    if not 1 < len(values) <= len(column) / 4 or (classes < 0).any():
        return False
    pairs = np.unique(codes.astype(np.int64) * len(labels) + classes)
    return len(pairs) == len(values)
