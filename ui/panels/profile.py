"""What the columns hold and how they hang together."""

from dataclasses import replace

import streamlit as st

from causalmix_core.experiment.workspace import Workspace
from causalmix_core.table import Table, associate, to_csv
from ui.charts import association_figure, column_figure, missing_figure
from ui.first_rows import first_rows
from ui.session import parts_of

COLUMNS_PER_PAGE = 24


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
        first_rows(looked_at.frame, 200, height=360)
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
