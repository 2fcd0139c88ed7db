"""Changing the stored graph: every edit goes through here."""

import streamlit as st

from causalmix_core.errors import GraphError, StoreError
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.graph.edits import (
    Edit,
    History,
)


def save(space: Workspace, history: History) -> None:
    """Store the graph, refusing to write over what another tab did in the meantime."""
    try:
        revision = space.put_history(history, expected=st.session_state.get("history-revision"))
    except StoreError as error:
        st.session_state["graph-error"] = str(error)
    else:
        st.session_state["history-revision"] = revision


def do(space: Workspace, history: History, *edits: Edit) -> None:
    """Apply edits and store the outcome; a sentence where one is not legal."""
    try:
        for edit in edits:
            history = history.do(edit)
    except GraphError as error:
        st.session_state["graph-error"] = str(error)
    else:
        save(space, history)
