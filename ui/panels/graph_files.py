"""Taking a graph away and bringing one along."""

from dataclasses import replace

import streamlit as st

from causalmix_core.errors import GraphError
from causalmix_core.graph.edits import ReplaceGraph
from causalmix_core.graph.formats import READABLE, WRITERS, read_text
from ui.panels.edits import Desk
from ui.words import plain

FORMATS = {
    ".json": "causalmix-graph/1 (JSON, everything)",
    ".dagitty": "DAGitty",
    ".dot": "Graphviz DOT",
    ".graphml": "GraphML",
}


def files(desk: Desk) -> None:
    """Take the graph away, or bring one along."""
    history = desk.history
    ending = st.selectbox("Format", list(WRITERS), format_func=lambda name: FORMATS[name])
    st.download_button(
        "Download the graph",
        lambda: WRITERS[ending](history.graph),
        file_name=f"graph{ending}",
        mime="text/plain",
        on_click="ignore",
        icon=":material/download:",
    )
    brought = st.file_uploader(
        "Use a graph from a file",
        type=[name.lstrip(".") for name in READABLE],
        max_upload_size=50,
    )
    if brought is None or not st.button("Use this graph"):
        return
    try:
        graph = read_text(brought.getvalue().decode("utf-8", errors="replace"), brought.name)
    except GraphError as error:
        st.error(plain(error), icon=":material/error:")
        return
    strangers = sorted(set(graph.nodes) ^ set(history.graph.nodes))
    if strangers:
        named = plain(", ".join(strangers[:6]))
        st.error(f"The graph and the table do not have the same columns: {named}.")
        return
    desk.do(ReplaceGraph(replace(graph, provenance={}), f"Use the graph {brought.name}"))
    st.rerun()
