"""Changing the stored graph: every edit goes through here."""

import streamlit as st

from causalmix_core.errors import CausalMixError, GraphError, StoreError
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.graph.edits import Edit, History


class Desk:
    """The graph that this tab works on, and its revision in the store.

    A plain object rather than entries of the session state: Streamlit abandons a run at any touch
    of the session state when the user has done the next thing, and a graph that was stored
    without its revision being noted would look like another tab's work.

    Attributes:
        space: the project.
        history: the graph with its edits as last read or saved; None before a search.
        problem: why the last change was not made, until the page has said so.
        refusals: how many changes were not made; a widget that would send such a change along
            with the next one begins afresh by it.
    """

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self.history: History | None = None
        self.problem: str | None = None
        self.refusals = 0
        self._revision = 0

    def read(self) -> History | None:
        """Take what the store holds now, whoever wrote it."""
        self.history, self._revision = self.space.history_as_stored()
        return self.history

    def save(self, history: History) -> None:
        """Store the graph, refusing to write over what another tab did in the meantime."""
        try:
            self._revision = self.space.put_history(history, expected=self._revision)
        except StoreError as error:
            self._refuse(error)
        else:
            self.history = history

    def do(self, *edits: Edit) -> None:
        """Apply edits and store the outcome; a sentence where one is not legal."""
        history = self.history
        try:
            for edit in edits:
                history = history.do(edit)
        except GraphError as error:
            self._refuse(error)
        else:
            self.save(history)

    def _refuse(self, error: CausalMixError) -> None:
        self.problem = str(error)
        self.refusals += 1

    def said(self) -> str | None:
        """The problem to be said now; it is said once."""
        problem, self.problem = self.problem, None
        return problem


def desk_of(space: Workspace) -> Desk:
    """This tab's desk for the project."""
    key = f"desk-{space.project}"
    if key not in st.session_state:
        st.session_state[key] = Desk(space)
    desk: Desk = st.session_state[key]
    return desk
