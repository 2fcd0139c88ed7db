"""Taking a graph away and bringing one along."""

import streamlit as st

from causalmix_core.experiment.workspace import Workspace
from causalmix_core.graph.edits import (
    History,
    ReplaceEdges,
)
from causalmix_core.graph.graph_file import to_json
from ui.panels.edits import do
from ui.words import plain


def files(space: Workspace, history: History) -> None:
    """Take the graph away, or bring one along."""
    st.download_button(
        "Download the graph (JSON)",
        to_json(history.graph),
        file_name="graph.json",
        mime="application/json",
        on_click="ignore",
        icon=":material/download:",
    )
    brought = st.file_uploader("Use a graph from a file (causalmix-graph/1)", type=["json"])
    if brought is not None and st.button("Use this graph"):
        from causalmix_core.graph.graph_file import from_json

        graph = from_json(brought.getvalue().decode("utf-8", errors="replace"))
        strangers = sorted(set(graph.nodes) ^ set(history.graph.nodes))
        if strangers:
            st.error(
                f"The graph and the table do not have the same columns: {plain(', '.join(strangers[:6]))}."
            )
        else:
            do(space, history, ReplaceEdges(graph.edges, f"Use the graph {brought.name}"))
            st.rerun()
