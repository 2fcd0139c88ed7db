"""A page with nothing but the graph editor, for its browser test."""

import json

import streamlit as st

from causalmix_core.graph import Edge, History, Knowledge, Mark, MixedGraph
from ui.graph_editor import graph_editor

TAIL, ARROW, CIRCLE = Mark.TAIL, Mark.ARROW, Mark.CIRCLE


def found() -> MixedGraph:
    """A graph with every kind of edge."""
    return MixedGraph(
        nodes=("age", "job", "savings_status", "credit_amount", "duration", "purpose", "class"),
        edges=(
            Edge("age", "job", CIRCLE, ARROW, 0.98),
            Edge("job", "credit_amount", TAIL, ARROW, 0.84),
            Edge("purpose", "credit_amount", CIRCLE, ARROW, 0.55),
            Edge("duration", "credit_amount", CIRCLE, CIRCLE, 1.0),
            Edge("savings_status", "class", ARROW, ARROW, 0.62),
            Edge("credit_amount", "class", TAIL, ARROW, 0.71),
            Edge("age", "savings_status", TAIL, TAIL, 0.5),
        ),
        knowledge=Knowledge(forbidden=(("class", "duration"),)),
    )


if "history" not in st.session_state:
    st.session_state.history = History(found())
    st.session_state.runs = 0


def keep(history: History) -> None:
    """Store what the drawing made of the history."""
    st.session_state.history = history


st.set_page_config(layout="wide")
st.session_state.runs += 1
selection = graph_editor(
    st.session_state.history, key="graph", on_change=keep, target="class", height=560
)
if st.button("Undo on the page"):
    st.session_state.history = st.session_state.history.undo()
    st.rerun()
if st.button("Run again"):
    st.rerun()
graph = st.session_state.history.graph
st.code(
    json.dumps(
        {
            "edges": sorted(
                f"{e.source} {e.source_mark.value}-{e.target_mark.value} {e.target}"
                for e in (edge.normalised() for edge in graph.edges)
            ),
            "layout": graph.layout,
            "edits": len(st.session_state.history.edits),
            "done": st.session_state.history.done,
            "runs": st.session_state.runs,
            "selected": sorted(selection.edge.pair) if selection.edge else selection.node,
        }
    ),
    language="json",
)
