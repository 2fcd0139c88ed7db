"""Every column with its kind."""

import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from causalmix_core.experiment.workspace import Workspace
from causalmix_core.table import Kind, Table, summarise
from ui.panels.reading import change, say_refusal
from ui.words import plain

KIND_WORDS = {
    Kind.NUMERIC: "numeric: a measure with decimals",
    Kind.INTEGER: "integer: a count or whole number",
    Kind.BINARY: "binary: one of two values",
    Kind.CATEGORICAL: "categorical: one of several values",
    Kind.ORDINAL: "ordinal: one of several values in an order",
    Kind.DATETIME: "datetime: a day or moment",
    Kind.TEXT: "text: set aside",
    Kind.IDENTIFIER: "identifier: set aside",
    Kind.CONSTANT: "constant: set aside",
}

_REFUSED = "kinds-error"
_ORDER_REFUSED = "order-error"
_ROUND = "kinds-round"
_LINE_BREAK = re.compile(r"\r\n|[\n\r]")


def editor_key(space: Workspace) -> str:
    """Key of the table's widget: another table, or a refused change, begins a fresh one."""
    return f"kinds-{space.table_key()}-{st.session_state.get(_ROUND, 0)}"


def take_kinds(space: Workspace, key: str, columns: Sequence[str]) -> None:
    """Save the kinds chosen in the table whose widget has this key, one row per name in `columns`.

    A target that becomes a category or a date leaves its bins, which are for measures and counts.
    """
    edits = st.session_state[key]["edited_rows"]
    choices = space.choices()
    wanted = dict(choices.kinds)
    for row, values in edits.items():
        if values.get("kind"):
            wanted[columns[int(row)]] = values["kind"].split(":")[0]
    kind = wanted.get(choices.target)
    bins = choices.bins if kind in (None, Kind.NUMERIC, Kind.INTEGER) else ()
    if not change(space, said_at=_REFUSED, kinds=wanted, bins=bins):
        # The widget still holds the refused choice and would send it along with the next one.
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def columns_table(space: Workspace, table: Table) -> None:
    """Show every column with its kind, and let the kind be changed."""
    raw = space.raw()
    summaries = {summary.name: summary for summary in summarise(table)}
    kinds = [table.kinds.get(name) or table.aside_kinds[name] for name in raw.columns]
    base = pd.DataFrame(
        {
            "column": raw.columns,
            "kind": [KIND_WORDS[kind] for kind in kinds],
            "missing": [
                summaries[name].missing / max(len(table), 1) if name in summaries else None
                for name in raw.columns
            ],
            "different": [
                summaries[name].distinct if name in summaries else None for name in raw.columns
            ],
            "note": [table.set_aside.get(name, "") for name in raw.columns],
        }
    )
    say_refusal(_REFUSED)
    key = editor_key(space)
    st.data_editor(
        base,
        key=key,
        on_change=take_kinds,
        args=(space, key, raw.columns),
        hide_index=True,
        height=min(38 + 35 * len(base), 600),
        disabled=["column", "missing", "different", "note"],
        column_config={
            "column": st.column_config.TextColumn("Column", width=190),
            "kind": st.column_config.SelectboxColumn(
                "Kind (click to change)",
                options=list(KIND_WORDS.values()),
                required=True,
                width=225,
            ),
            "missing": st.column_config.ProgressColumn(
                "Missing", format="percent", min_value=0.0, max_value=1.0, width=90
            ),
            "different": st.column_config.NumberColumn(
                "Different", format="%d", width=80, help="How many different values there are."
            ),
            "note": st.column_config.TextColumn("Why it is set aside", width=270),
        },
    )
    st.caption(
        "Columns that are set aside take no part: give them another kind to take them back. "
        "Changing a kind drops a graph that was found before."
    )


def orders(space: Workspace, table: Table) -> None:
    """Let the values of every ordinal column be put in order; nothing where there is none."""
    binned = table.target if space.choices().bins else None
    names = [name for name in table.levels if name != binned]
    if not names:
        return
    say_refusal(_ORDER_REFUSED)
    decided = space.choices().levels
    for name in names:
        levels = table.levels[name]
        lines = [_line(level) for level in levels]
        title = f"Order of {plain(name)}: {plain(' < '.join(lines))}"
        with st.expander(title, expanded=name not in decided):
            if name not in decided:
                st.caption("So far they stand in the order of their numbers or names. Is it right?")
            key = f"order-{space.table_key()}-{name}"
            st.text_area(
                f"Values of {plain(name)}, one per line, the lowest first",
                "\n".join(lines),
                key=key,
                on_change=_take_order,
                args=(space, name, key, levels),
                height=35 + 24 * min(len(levels), 12),
            )
            st.caption("Changing an order drops a graph that was found before.")


def _line(level: str) -> str:
    """Show a value on one line."""
    return _LINE_BREAK.sub("⏎", level)


def _take_order(space: Workspace, name: str, key: str, levels: Sequence[str]) -> None:
    """Save the order that was written; a value is known by its line, spaces around it or not."""
    exact = {_line(level): level for level in levels}
    known = {line.strip(): level for line, level in exact.items()} | exact
    lines = [line for line in st.session_state[key].split("\n") if line.strip()]
    order = tuple(known.get(line, known.get(line.strip(), line.strip())) for line in lines)
    change(space, said_at=_ORDER_REFUSED, levels={**space.choices().levels, name: order})
