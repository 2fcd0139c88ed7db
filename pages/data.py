"""Data: read a table, give every column its kind, choose the target, set test rows aside."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from causalmix_core.errors import CausalMixError
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.table import Kind, Table, associate, find_bins, read_raw, summarise, to_csv
from ui.charts import association_figure, column_figure, missing_figure
from ui.loader import keep_source, kept_source, load_table_panel
from ui.navigation import GRAPH
from ui.session import ensure_entrypoint, parts_of, project, table_of, workspace

ensure_entrypoint()

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
COLUMNS_PER_PAGE = 24
NO_TARGET = "(no target yet)"


def change(space: Workspace, **changes: object) -> None:
    """Save other choices; a sentence where they do not work out."""
    try:
        space.choose(replace(space.choices(), **changes))
    except CausalMixError as error:
        st.session_state["data-error"] = str(error)


def reading(space: Workspace) -> None:
    """Show how the file was read, and let it be read otherwise."""
    raw = space.raw()
    settings = raw.settings
    known = [
        f"format {settings.format}",
        settings.encoding and f"encoding {settings.encoding}",
        settings.delimiter and f"delimiter {settings.delimiter!r}",
        settings.format == "csv" and f"decimal mark {settings.decimal!r}",
        "first row names the columns" if settings.header else "no header row",
        settings.sheet and f"sheet {settings.sheet!r}",
    ]
    with st.expander(f"How the file was read: {', '.join(str(k) for k in known if k)}"):
        source = kept_source(space)
        if source is None:
            st.caption("This table came with the app or from another computer: nothing to change.")
            return
        delimiters = {"detect": None, "comma ,": ",", "semicolon ;": ";", "tab": "\t", "bar |": "|"}
        encodings = ["detect", "utf-8", "cp1252", "latin-1", "utf-16"]
        with st.form("reading", border=False):
            one, two, three, four = st.columns(4)
            delimiter = one.selectbox("Delimiter", list(delimiters))
            encoding = two.selectbox("Encoding", encodings)
            decimal = three.selectbox("Decimal mark", ["detect", "point .", "comma ,"])
            header = four.selectbox("First row", ["detect", "names the columns", "is data"])
            if st.form_submit_button("Read again", icon=":material/refresh:"):
                try:
                    again = read_raw(
                        source[0],
                        name=source[1],
                        delimiter=delimiters[delimiter],
                        encoding=None if encoding == "detect" else encoding,
                        decimal={"detect": None, "point .": ".", "comma ,": ","}[decimal],
                        header={"detect": None, "names the columns": True, "is data": False}[
                            header
                        ],
                    )
                except CausalMixError as error:
                    st.error(str(error), icon=":material/error:")
                else:
                    space.put_raw(again, Choices())
                    keep_source(space, *source)
                    st.rerun()


def target_and_test_rows(space: Workspace, table: Table) -> None:
    """Choose what is predicted and which rows stay unseen until the end."""
    choices = space.choices()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What should be predicted?")
        options = [NO_TARGET, *space.raw().columns]
        chosen = st.selectbox(
            "Target column",
            options,
            index=options.index(choices.target) if choices.target in options else 0,
            key=f"target-{space.table_key()}",
            help="We do classification: the target holds classes. A number is put into bins.",
        )
        wanted = None if chosen == NO_TARGET else chosen
        if wanted != choices.target:
            kinds = {c: k for c, k in choices.kinds.items() if c != wanted}
            change(space, target=wanted, bins=(), group=None, time=None, kinds=kinds)
            st.rerun()
        if table.target is None:
            st.caption("Choose a target to fine-tune a model. A graph can be found without one.")
            return
        if table.kinds[table.target].is_number or choices.bins:
            bins = st.segmented_control(
                "This target is a number; predict in which of so many bins it falls",
                [2, 3, 4, 5],
                default=len(choices.bins) + 1 if choices.bins else None,
                key=f"bins-{space.table_key()}",
            )
            if bins and bins != len(choices.bins) + 1:
                plain = table
                if choices.bins:
                    from causalmix_core.table import to_table

                    plain = to_table(space.raw(), choices.target, kinds=choices.kinds)
                change(space, bins=tuple(find_bins(plain, bins=bins).edges))
                st.rerun()
        if table.kinds[table.target].is_category:
            counts = table.y.value_counts()
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
                key=f"way-{space.table_key()}",
                help="They are put away now, before anything is looked for, and are used for "
                "nothing but the final scores.",
            )
        ]
        others = [name for name in space.raw().columns if name != table.target]
        current = choices.group or choices.time
        column = None
        if way != "random":
            column = st.selectbox(
                "Group column" if way == "group" else "Time column",
                others,
                index=others.index(current) if current in others else None,
                placeholder="Choose a column",
                key=f"{way}-column-{space.table_key()}",
            )
        wanted_group = column if way == "group" else None
        wanted_time = column if way == "time" else None
        decided = way == "random" or column is not None
        if decided and (wanted_group, wanted_time) != (choices.group, choices.time):
            change(space, group=wanted_group, time=wanted_time)
            st.rerun()
        if table.kinds[table.target].is_category:
            development, test = parts_of(space)
            one, two = st.columns(2)
            one.metric("Rows to work with", f"{len(development):,}")
            two.metric("Test rows, put away", f"{len(test):,}")


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
            "note": [
                f"set aside: {table.set_aside[name]}" if name in table.set_aside else ""
                for name in raw.columns
            ],
        }
    )
    key = f"kinds-{space.table_key()}"

    def take_edits() -> None:
        edits = st.session_state[key]["edited_rows"]
        wanted = dict(space.choices().kinds)
        for row, values in edits.items():
            if values.get("kind"):
                wanted[raw.columns[int(row)]] = values["kind"].split(":")[0]
        change(space, kinds=wanted)

    st.data_editor(
        base,
        key=key,
        on_change=take_edits,
        hide_index=True,
        height=min(38 + 35 * len(base), 600),
        disabled=["column", "missing", "different", "note"],
        column_config={
            "column": st.column_config.TextColumn("Column", width="medium"),
            "kind": st.column_config.SelectboxColumn(
                "Kind (click to change)",
                options=list(KIND_WORDS.values()),
                required=True,
                width="medium",
            ),
            "missing": st.column_config.ProgressColumn(
                "Missing", format="percent", min_value=0.0, max_value=1.0
            ),
            "different": st.column_config.NumberColumn("Different values", format="%d"),
            "note": st.column_config.TextColumn("Note", width="large"),
        },
    )
    st.caption(
        "Columns that are set aside take no part: give them another kind to take them back. "
        "Changing a kind drops a graph that was found before."
    )


def profile(space: Workspace, table: Table) -> None:
    """Show what the columns hold and how they hang together."""
    looked_at, _ = parts_of(space)
    plots, missing, associations, rows = st.tabs(
        ["Columns in pictures", "Missing values", "Associations", "Rows"]
    )
    with plots:
        names = table.columns
        pages = -(-len(names) // COLUMNS_PER_PAGE)
        page = st.pagination(pages, key="column-page") if pages > 1 else 1
        shown = names[(page - 1) * COLUMNS_PER_PAGE : page * COLUMNS_PER_PAGE]
        st.plotly_chart(
            column_figure(looked_at.frame[shown], dict(table.kinds)),
            key="columns",
            config={"displayModeBar": False},
        )
    with missing:
        shares = looked_at.frame.isna().mean()
        if (shares > 0).any():
            st.plotly_chart(missing_figure(shares), key="missing", config={"displayModeBar": False})
        else:
            st.caption("No value is missing in the columns in use.")
    with associations:
        st.caption(
            "How strongly two columns go together, from 0 (not at all) to 1 (one gives the other "
            "away): rank correlation between numbers, Cramér's V between categories, the "
            "correlation ratio between a number and a category. Association is not causation: "
            "that is what the graph is for."
        )
        if len(table.columns) > 60:
            st.caption("Shown for the first 60 columns.")
        st.plotly_chart(
            associations_of(space, space.table_key()),
            key="associations",
            config={"displayModeBar": False},
        )
    with rows:
        st.dataframe(looked_at.frame.head(200), height=360)
        safe = st.checkbox(
            "Safe for spreadsheets",
            help="Puts an apostrophe before cells that a spreadsheet would run as a formula.",
        )
        st.download_button(
            "Download the typed table as CSV",
            lambda: to_csv(table.frame, safe_for_spreadsheets=safe),
            file_name=f"{table.name}.csv",
            mime="text/csv",
            on_click="ignore",
        )


@st.cache_data(max_entries=8, show_spinner="Measuring associations")
def associations_of(_space: Workspace, key: str) -> object:
    """The association heat map of the rows that are no test rows."""
    development, _ = _space.parts()
    names = development.columns[:60]
    subset = replace(
        development,
        frame=development.frame[names],
        kinds={name: development.kinds[name] for name in names},
        target=development.target if development.target in names else None,
    )
    return association_figure(associate(subset))


st.title("Data")
if project() is None:
    st.markdown("Load a table to begin; a project is made for it and stored as you work.")
    load_table_panel()
    st.stop()
space = workspace()
if not space.has_table():
    load_table_panel(space)
    st.stop()

problem = st.session_state.pop("data-error", None)
if problem:
    st.error(f"{problem} Nothing was changed.", icon=":material/error:")
table = table_of(space)
st.markdown(
    f"{len(table):,} rows, {len(table.columns)} columns in use"
    + (f", {len(table.set_aside)} set aside" if table.set_aside else "")
)
for warning in table.warnings:
    st.warning(warning, icon=":material/info:")
reading(space)
target_and_test_rows(space, table)
st.subheader("Columns")
columns_table(space, table)
st.subheader("A look at the values")
if table.target is not None:
    st.caption("Test rows are not shown here.")
profile(space, table)
st.divider()
st.page_link(GRAPH, label="Next: find the causal graph", icon=":material/account_tree:")
with st.expander("Load another table into this project"):
    st.caption("It takes the place of this one; graph and synthetic rows go with the old table.")
    load_table_panel(space)
