"""From raw text columns and the analyst's choices to the typed table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table.columns import RawColumn
from causalmix_core.table.dates import ISO, choose_date_format, parse_dates
from causalmix_core.table.inference import Guess, guess_kind
from causalmix_core.table.kinds import Kind
from causalmix_core.table.numbers import Number, as_whole, parse_number
from causalmix_core.table.raw import RawTable
from causalmix_core.table.remarks import remarks_on_column, remarks_on_table
from causalmix_core.table.table import Table
from causalmix_core.table.words import list_names

SET_ASIDE = (Kind.TEXT, Kind.IDENTIFIER, Kind.CONSTANT)
TARGET_CLASSES = 20

_INT64 = range(-(2**63), 2**63)


def raw_column(raw: RawTable, name: str) -> RawColumn:
    """Return one column reduced to its different values, missing-value tokens taken out."""
    return RawColumn.read(raw.frame[name], raw.settings.missing, raw.settings.decimal)


def infer_kinds(raw: RawTable) -> dict[str, Guess]:
    """Return the guessed kind of every column, with the reason where it is set aside."""
    return {name: guess_kind(raw_column(raw, name)) for name in raw.columns}


def to_table(
    raw: RawTable,
    target: str | None = None,
    *,
    kinds: Mapping[str, Kind | str] | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    like: Table | None = None,
    keep_unlabelled: bool = False,
) -> Table:
    """Make the typed table of a raw one.

    Args:
        raw: the columns as text.
        target: the column to be predicted; rows without a value there are left out.
        kinds: the analyst's choices where they differ from the guesses. A column given the kind
            identifier, text or constant is set aside; any other kind takes it back.
        levels: the order of the values of ordinal columns (default: by number, else by name).
        like: give the columns, kinds and target of this table instead of guessing. Columns it
            does not have are left out, a missing target is allowed, any other missing column not.
            Whole numbers there may have decimals here: such a column is numeric, and a warning
            says so.
        keep_unlabelled: keep the rows without a target value (for prediction).

    Raises:
        TableError: if a column is missing, a value does not fit the chosen kind, the target has
            one class or as many classes as rows, or fewer than two columns or rows remain.
    """
    if like is not None:
        return _to_table_like(raw, like, keep_unlabelled)
    choices = _check_choices(raw, target, kinds or {})
    if target is not None:
        raw = raw if keep_unlabelled else _drop_unlabelled(raw, target)
    warnings = list(raw.warnings)
    series: dict[str, pd.Series] = {}
    in_use: dict[str, Kind] = {}
    set_aside: dict[str, str] = {}
    aside_kinds: dict[str, Kind] = {}
    formats: dict[str, str] = {}
    order: dict[str, tuple[str, ...]] = {}
    for name in raw.columns:
        column = raw_column(raw, name)
        kind, reason = _choose_kind(column, choices.get(name), is_target=name == target)
        if reason is not None:
            set_aside[name] = reason
            aside_kinds[name] = kind
            continue
        series[name] = type_column(column, kind)
        in_use[name] = kind
        if kind is Kind.DATETIME:
            formats[name] = column.date_formats[0]
        if kind is Kind.ORDINAL:
            order[name] = _order_levels(column, (levels or {}).get(name))
        warnings += remarks_on_column(column, kind)
    if not in_use or (len(in_use) == 1 and target in in_use):
        raise TableError(
            "No column is left to work with: all are identifiers, free text, constant or empty."
        )
    frame = pd.DataFrame(series, columns=list(in_use))
    table = Table(
        frame,
        in_use,
        target,
        set_aside,
        raw.name,
        order,
        formats=formats,
        decimal=_decimal_shown(raw, in_use),
        aside=raw.frame[list(set_aside)],
        aside_kinds=aside_kinds,
        file_columns=tuple(raw.columns),
        warnings=(*warnings, *remarks_on_table(frame, in_use, target)),
    )
    if target is not None:
        _check_target(table)
    return table


_CORRECT_OR_CHOOSE = "correct the file or choose another kind"


def type_column(
    column: RawColumn,
    kind: Kind,
    advice: str = _CORRECT_OR_CHOOSE,
    date_format: str | None = None,
) -> pd.Series:
    """Return a raw column with the dtype of `kind`.

    Args:
        column: what the file holds.
        kind: what to make of it.
        advice: what to do about a value that does not fit.
        date_format: which of the formats that read a column of dates to take (default: the first).

    Raises:
        TableError: a value does not fit; the first one is named.
    """
    if kind in (Kind.NUMERIC, Kind.INTEGER):
        numbers: Sequence[Number | None] | None = column.numbers
        if numbers is None:
            numbers = [parse_number(text, column.decimal) for text in column.bare]
        if kind is Kind.NUMERIC:
            floats = [np.nan if number is None else float(number) for number in numbers]
            _refuse_misfits(column, [number is None for number in numbers], "a number", advice)
            return pd.Series(np.append(floats, np.nan)[column.codes], dtype="float64")
        whole = [None if number is None else as_whole(number) for number in numbers]
        misfits = [number is None or number not in _INT64 for number in whole]
        _refuse_misfits(column, misfits, "a whole number", advice)
        integers = pd.array([*whole, None], dtype="Int64")[column.codes]
        return pd.Series(integers if (column.codes < 0).any() else integers.astype("int64"))
    if kind is Kind.DATETIME:
        if not column.values:
            return pd.Series(pd.NaT, index=range(len(column)), dtype="datetime64[us]")
        if not column.date_formats:
            misfits = [
                not RawColumn("", np.array([0]), (text,)).date_formats for text in column.values
            ]
            if not any(misfits):
                raise TableError(
                    f"The dates in column {column.name!r} are written in more than one way; "
                    "write them all alike, for example 2024-01-31."
                )
            _refuse_misfits(column, misfits, "a date", advice)
        stamps = parse_dates(column.values, date_format or column.date_formats[0])
        assert stamps is not None
        padded = np.append(stamps.to_numpy(), np.datetime64("NaT", "us"))
        return pd.Series(padded[column.codes])
    texts = np.array([*column.values, None], dtype=object)
    return pd.Series(texts[column.codes], dtype="str")


def _to_table_like(raw: RawTable, like: Table, keep_unlabelled: bool) -> Table:
    missing = [name for name in like.features if name not in raw.columns]
    if missing:
        raise TableError(
            f"{raw.name!r} lacks {list_names(missing, 'column')} that the table {like.name!r} has; "
            f"add {'it' if len(missing) == 1 else 'them'} or choose another file."
        )
    target = like.target if like.target in raw.columns else None
    if target is not None and not keep_unlabelled:
        raw = _drop_unlabelled(raw, target)
    kinds = {name: kind for name, kind in like.kinds.items() if name in raw.columns}
    warnings = list(raw.warnings)
    extra = [name for name in raw.columns if name not in like.kinds and name not in like.set_aside]
    if extra:
        warnings.append(
            f"Not used, as {like.name!r} has no such column or sets it aside: "
            f"{list_names(extra, 'column')}."
        )
    series: dict[str, pd.Series] = {}
    for name, kind in [*kinds.items()]:
        column = raw_column(raw, name)
        if kind.is_category:
            known = like.frame[name].dropna().unique().tolist()
            column = _spell_like(column, known)
            new = [text for text in column.values if text not in set(known)]
            if new:
                warnings.append(f"Column {name!r} has {list_names(new, 'value')} not seen before.")
        if kind is Kind.INTEGER and column.numbers is not None and column.whole_numbers is None:
            # That those of the other table are whole may be by chance.
            kind = kinds[name] = Kind.NUMERIC
            warnings.append(
                f"Column {name!r} has numbers with decimals; in {like.name!r} all are whole."
            )
        form = _date_format_like(column, like) if kind is Kind.DATETIME else None
        # The kinds are those of the other table: nobody can choose them here.
        series[name] = type_column(column, kind, "correct the file", form)
    aside = [name for name in like.set_aside if name in raw.columns]
    return Table(
        pd.DataFrame(series, columns=list(kinds)),
        kinds,
        target,
        {name: like.set_aside[name] for name in aside},
        raw.name,
        like.levels,
        formats={name: form for name, form in like.formats.items() if name in kinds},
        decimal=like.decimal,
        aside=raw.frame[aside],
        aside_kinds={name: like.aside_kinds[name] for name in aside},
        file_columns=tuple(raw.columns),
        warnings=tuple(warnings),
    )


def _decimal_shown(raw: RawTable, kinds: Mapping[str, Kind]) -> str | None:
    """Return the decimal mark, unless it is a point that stands for nothing.

    Where commas part the cells, in a workbook, or among whole numbers it is no choice.
    """
    settings = raw.settings
    is_free = settings.format == "csv" and settings.delimiter != ","
    is_shown = is_free and Kind.NUMERIC in kinds.values()
    return settings.decimal if is_shown or settings.decimal == "," else None


def _date_format_like(column: RawColumn, like: Table) -> str | None:
    """Return how to read a column of dates, so that its days and months are those of `like`."""
    expected = like.formats.get(column.name)
    if expected is None or not column.date_formats:
        return None
    form = choose_date_format(column.date_formats, expected)
    if form is None:
        example = datetime(2024, 12, 31)
        shown = example.date().isoformat() if expected == ISO else example.strftime(expected)
        raise TableError(
            f"Column {column.name!r} holds {column.values[0]!r} "
            f"(row {column.first_row_of(0) + 1}), but {like.name!r} writes its dates like {shown}; "
            "write them so here too."
        )
    return form


def _spell_like(column: RawColumn, known: Sequence[str]) -> RawColumn:
    """Spell categories that are numbers as the known ones are: "1.0" becomes "1"."""
    spelling = {parse_number(text): text for text in known if parse_number(text) is not None}
    if not spelling:
        return column
    spelt = [
        text if text in set(known) else spelling.get(parse_number(text, column.decimal), text)
        for text in column.values
    ]
    codes, values = pd.factorize(np.array(spelt, dtype=object))
    return RawColumn(column.name, np.append(codes, -1)[column.codes], tuple(values), column.decimal)


def _check_choices(
    raw: RawTable, target: str | None, kinds: Mapping[str, Kind | str]
) -> dict[str, Kind]:
    for name in [*kinds, *([target] if target is not None else [])]:
        if name not in raw.columns:
            raise TableError(
                f"There is no column {name!r}; the table has {list_names(raw.columns, 'column')}."
            )
    try:
        choices = {name: Kind(kind) for name, kind in kinds.items()}
    except ValueError as error:
        raise TableError(f"{error}; a kind is one of {', '.join(Kind)}.") from None
    if target is not None and choices.get(target) in SET_ASIDE:
        raise TableError(
            f"The target {target!r} cannot be set aside as {choices[target]}; "
            "choose another target or another kind."
        )
    return choices


def _drop_unlabelled(raw: RawTable, target: str) -> RawTable:
    column = raw_column(raw, target)
    labelled = column.codes >= 0
    if labelled.all():
        return raw
    if not labelled.any():
        raise TableError(f"The target {target!r} has no values; choose another target.")
    count = int((~labelled).sum())
    return RawTable(
        raw.frame[labelled].reset_index(drop=True),
        raw.settings,
        raw.name,
        (
            *raw.warnings,
            f"{count} rows have no value in the target {target!r} and are left out."
            if count > 1
            else f"One row has no value in the target {target!r} and is left out.",
        ),
    )


def _choose_kind(
    column: RawColumn, choice: Kind | None, *, is_target: bool
) -> tuple[Kind, str | None]:
    """Return the kind of a column and, where it is set aside, the reason."""
    guess = guess_kind(column)
    if is_target:
        guess = _guess_target(column, guess)
    if choice is None or choice is guess.kind:
        return guess.kind, guess.reason
    return choice, "set aside by choice" if choice in SET_ASIDE else None


def _guess_target(column: RawColumn, guess: Guess) -> Guess:
    """A target is never set aside; a few different whole numbers are classes."""
    if guess.kind is Kind.INTEGER and column.different <= TARGET_CLASSES:
        return Guess(Kind.CATEGORICAL)
    if guess.kind in SET_ASIDE:
        is_number = column.whole_numbers is not None and column.different > 1
        return Guess(Kind.INTEGER if is_number else Kind.CATEGORICAL)
    return guess


def _check_target(table: Table) -> None:
    name, counts = str(table.target), Counter(table.y.dropna().tolist())
    if len(counts) == 1:
        raise TableError(
            f"The target {name!r} has one class only ({next(iter(counts))!r}); "
            "choose a column with at least two."
        )
    if table.kinds[name].is_category and len(counts) == sum(counts.values()):
        raise TableError(
            f"The target {name!r} has a different value in every row; "
            "choose a column whose values come back."
        )


def _order_levels(column: RawColumn, order: Sequence[str] | None) -> tuple[str, ...]:
    if order is None:
        numbers = column.numbers
        if numbers is None:
            return tuple(sorted(column.values))
        return tuple(text for _, text in sorted(zip(numbers, column.values, strict=True)))
    if twice := [text for text, count in Counter(order).items() if count > 1]:
        raise TableError(
            f"The order given for column {column.name!r} names {list_names(twice, 'value')} twice."
        )
    left_out = [text for text in column.values if text not in order]
    if left_out:
        raise TableError(
            f"The order given for column {column.name!r} "
            f"leaves out {list_names(left_out, 'value')}."
        )
    return tuple(order)


def _refuse_misfits(column: RawColumn, misfits: Sequence[bool], wanted: str, advice: str) -> None:
    if any(misfits):
        position = list(misfits).index(True)
        raise TableError(
            f"Column {column.name!r} holds {column.values[position]!r} "
            f"(row {column.first_row_of(position) + 1}), which is not {wanted}; {advice}."
        )
