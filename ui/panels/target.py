"""What is predicted, and which rows stay unseen until the end."""

import pandas as pd
import streamlit as st

from causalmix_core.errors import TableError
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.foundation import MAX_CLASSES
from causalmix_core.table import Kind, Table, find_bins, to_table
from ui.panels.reading import change, refuse
from ui.session import parts_of
from ui.words import plain

NO_TARGET = "(no target yet)"
_ROUND = "target-round"
_TOLD = "target-told"


def _key(space: Workspace, name: str) -> str:
    """Key of a widget that begins afresh with another table and after a refused choice."""
    return f"{name}-{space.table_key()}-{st.session_state.get(_ROUND, 0)}"


def _decide(space: Workspace, told: str | None = None, **changes: object) -> None:
    """Save other choices and run the page anew; widgets go back to what is saved.

    `told` is what to say of choices that work out.
    """
    before = space.table_key()
    if change(space, **changes):
        st.session_state[_TOLD] = told
    if space.table_key() == before:
        # Refused, or the same as before: the widget must not make the same choice once more.
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.rerun()


def _take_bins(space: Workspace, count: int) -> None:
    """Put the target into so many bins."""
    choices = space.choices()
    numbers = to_table(space.raw(), choices.target, kinds=choices.kinds, levels=choices.levels)
    try:
        edges = find_bins(numbers, bins=count).edges
    except TableError as error:
        refuse(error)
        edges, told = choices.bins, None
    else:
        left = len(edges) + 1
        told = f"Its values leave only {left} bins." if left < count else None
    _decide(space, told, bins=edges)


def _take_target(space: Workspace, wanted: str | None) -> None:
    """Predict another column; the test rows stay those they were, as far as they can."""
    choices = space.choices()
    kinds = {column: kind for column, kind in choices.kinds.items() if column != wanted}
    group, time, told = choices.group, choices.time, None
    if wanted is not None and wanted in (group, time):
        group = time = None
        told = f"{wanted} is the target now, so the test rows are chosen at random."
    _decide(space, told, target=wanted, bins=(), kinds=kinds, group=group, time=time)


def target_and_test_rows(space: Workspace, table: Table) -> None:
    """Choose what is predicted and which rows stay unseen until the end."""
    choices = space.choices()
    if space.has_work():
        st.caption(
            "Another target or other test rows drop the graph, its edits and the synthetic rows."
        )
    if told := st.session_state.pop(_TOLD, None):
        st.info(plain(told), icon=":material/info:")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What should be predicted?")
        options = [NO_TARGET, *space.raw().columns]
        chosen = st.selectbox(
            "Target column",
            options,
            index=options.index(choices.target) if choices.target in options else 0,
            key=_key(space, "target"),
            help="We do classification: the target holds classes. A number is put into bins.",
        )
        wanted = None if chosen == NO_TARGET else chosen
        if wanted != choices.target:
            _take_target(space, wanted)
        if table.target is None:
            st.caption("Choose a target to fine-tune a model. A graph can be found without one.")
            return
        if table.kinds[table.target] is Kind.DATETIME:
            st.warning("A date cannot be predicted: choose another column.", icon=":material/info:")
        elif table.kinds[table.target].is_number or choices.bins:
            bins = st.segmented_control(
                "This target is a number; predict in which of so many bins it falls",
                [2, 3, 4, 5],
                default=len(choices.bins) + 1 if choices.bins else None,
                key=_key(space, "bins"),
                help="Click the chosen number once more to take the bins away.",
            )
            if bins is None and choices.bins:
                _decide(space, bins=())
            elif bins and bins != len(choices.bins) + 1:
                _take_bins(space, bins)
        if table.kinds[table.target].is_category:
            counts = table.y.value_counts()
            if len(counts) > MAX_CLASSES:
                st.warning(
                    f"{len(counts)} classes: the models tell at most {MAX_CLASSES} apart, so none "
                    "can be fine-tuned on this target. Merge rare classes in the file, or choose "
                    "another column.",
                    icon=":material/info:",
                )
            if len(counts) <= 20:
                shown = pd.DataFrame({"class": counts.index, "rows": counts.to_numpy()})
                st.dataframe(
                    shown,
                    hide_index=True,
                    height="content",
                    column_config={
                        "rows": st.column_config.ProgressColumn(
                            "rows", format="%d", min_value=0, max_value=len(table)
                        )
                    },
                )
            else:
                st.caption(
                    f"{len(counts)} classes, from {counts.min()} to {counts.max()} rows each."
                )
    with right:
        st.subheader("Rows kept for the final test")
        ways = {
            "At random, every class in its share": "random",
            "By group: rows of one group stay together": "group",
            "By time: the latest rows": "time",
        }
        now = "group" if choices.group else "time" if choices.time else "random"
        way = ways[
            st.radio(
                "How to choose them",
                list(ways),
                index=list(ways.values()).index(now),
                key=_key(space, "way"),
                help="They are put away now, before anything is looked for, and are used for "
                "nothing but the final scores.",
            )
        ]
        others = [name for name in space.raw().columns if name != table.target]
        current = choices.group if way == "group" else choices.time
        column = None
        if way != "random":
            column = st.selectbox(
                "Group column" if way == "group" else "Time column",
                others,
                index=others.index(current) if current in others else None,
                placeholder="Choose a column",
                key=_key(space, f"{way}-column"),
            )
        wanted_group = column if way == "group" else None
        wanted_time = column if way == "time" else None
        decided = way == "random" or column is not None
        if decided and (wanted_group, wanted_time) != (choices.group, choices.time):
            _decide(space, group=wanted_group, time=wanted_time)
        if table.kinds[table.target].is_category:
            development, test = parts_of(space)
            one, two = st.columns(2)
            one.metric("Rows to work with", f"{len(development):,}")
            two.metric("Test rows, put away", f"{len(test):,}")
