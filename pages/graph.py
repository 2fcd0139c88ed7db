"""Graph: find the causal graph, prune and redraw it, make it a DAG."""

import streamlit as st

from causalmix_core.graph import MixedGraph
from causalmix_core.graph.edits import History
from ui.charts import adjacency_figure
from ui.graph_editor import graph_editor
from ui.job_panel import latest, outcome, watch_job
from ui.navigation import SYNTHESIZE
from ui.panels.edges import changes, edge_table, status, toolbar
from ui.panels.edits import desk_of
from ui.panels.evidence import evidence_panel, notes
from ui.panels.graph_files import files
from ui.panels.knowledge import knowledge_form
from ui.panels.search import search_form, was_searched
from ui.session import ensure_entrypoint, parts_of, table_of, workspace_with_table
from ui.words import plain

ensure_entrypoint()

st.title("Graph")
space = workspace_with_table()
table = table_of(space)
development, _ = parts_of(space)
st.markdown(
    "Which columns cause which? The search removes every link that other columns explain and "
    "orients the rest where the data allow it. **You know more than the data do: correct it.**"
)
job = latest(space, "discover")
busy = job is not None and not job.state.is_over
desk = desk_of(space)
history = desk.read()
with st.container(border=True):
    with st.container():  # one place above the form, so that the form stays as it is
        if busy:
            watch_job(job.id, "Finding the graph")
        else:
            outcome(job, "The search")
    search_form(space, development, busy)
if history is None:
    if not busy and st.button("Or draw the graph by hand, from nothing"):
        empty = MixedGraph(nodes=tuple(table.columns), graph_type="dag")
        desk.save(History(empty))
        st.rerun()
    st.stop()

problem = desk.said()
if problem:
    st.error(plain(problem), icon=":material/error:")
status(history.graph)
toolbar(desk)
selection = graph_editor(
    history,
    key=f"editor-{space.project}",
    on_change=desk.save,
    target=table.target,
)
with st.container(border=True):
    evidence_panel(history.found, history.graph, selection.edge)
completed = space.completion()
if completed:
    with st.expander("What the completion decided, and why", expanded=True):
        for line in completed:
            st.text(line)
edges, changed, sure, known, file = st.tabs(
    ["Edges as a table", "What was changed", "How sure", "What is known", "Files"]
)
with edges:
    edge_table(desk)
with changed:
    changes(history)
with sure:
    notes(history.found)
    if history.found.pairs:
        st.caption(
            "Share of the repeated searches in which two columns were joined: dark pairs were "
            "found nearly always, pale ones by chance."
        )
        st.plotly_chart(adjacency_figure(history.found), key="adjacency")
    else:
        why = "The search ran without resamples" if was_searched(history) else "No search was run"
        st.caption(f"{why}, so there are no shares to show.")
with known:
    knowledge_form(desk)
with file:
    files(desk)
st.divider()
st.page_link(SYNTHESIZE, label="Next: make synthetic rows", icon=":material/auto_awesome:")
