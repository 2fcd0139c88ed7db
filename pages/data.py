"""Data: read a table, give every column its kind, choose the target, set test rows aside."""

import streamlit as st

from causalmix_core.errors import TableError
from ui.loader import load_table_panel
from ui.navigation import GRAPH
from ui.panels.columns import columns_table, orders
from ui.panels.profile import profile
from ui.panels.reading import reading, say_refusal
from ui.panels.target import target_and_test_rows
from ui.session import ensure_entrypoint, project, table_of, workspace
from ui.words import counted, plain

ensure_entrypoint()

st.title("Data")
if project() is None:
    st.markdown("Load a table to begin; a project is made for it and stored as you work.")
    load_table_panel()
    st.stop()
space = workspace()
if not space.has_table():
    load_table_panel(space)
    st.stop()

say_refusal()
try:
    table = table_of(space)
except TableError as error:
    st.error(plain(error), icon=":material/error:")
    reading(space)
    load_table_panel(space)
    st.stop()
st.markdown(
    f"{counted(len(table), 'row')}, {counted(len(table.columns), 'column')} in use"
    + (f", {len(table.set_aside)} set aside" if table.set_aside else "")
)
for warning in table.warnings:
    st.warning(plain(warning), icon=":material/info:")
reading(space)
target_and_test_rows(space, table)
st.subheader("Columns")
columns_table(space, table)
orders(space, table)
st.subheader("A look at the values")
if table.target is not None:
    st.caption("Test rows are not shown here.")
profile(space, table)
st.divider()
st.page_link(GRAPH, label="Next: find the causal graph", icon=":material/account_tree:")
with st.expander("Load another table into this project"):
    st.caption("It takes the place of this one; graph and synthetic rows go with the old table.")
    load_table_panel(space)
