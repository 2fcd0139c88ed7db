"""The graph page's table of edges: refused changes and names that look like markup."""

from typing import Any

import pandas as pd
import pytest
import streamlit as st

from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.graph import Edge, Knowledge, MixedGraph
from causalmix_core.graph.edits import History, RemoveEdge, SetKnowledge
from causalmix_core.table import RawTable
from ui.panels.edges import editor_key, take_edits
from ui.panels.edits import Desk

from .conftest import Open


def test_a_refused_edge_stands_in_the_way_of_no_later_one(
    graphed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = graphed.history()
    assert history is not None
    first, second = history.graph.edges[:2]
    forbidden = Knowledge(forbidden=((first.effect, first.cause),))
    graphed.put_history(history.do(SetKnowledge(forbidden)))
    desk = Desk(graphed)
    state: dict[str, Any] = {}

    def choose(edge: Edge, sign: str) -> None:
        """Leave the choice where the table's widget leaves it, and call what it calls."""
        known = desk.read()
        assert known is not None
        key = editor_key(desk)
        edited = state.setdefault(key, {"edited_rows": {}})["edited_rows"]
        edited[known.graph.edges.index(edge)] = {"edge": sign}
        take_edits(desk, key, known.graph)

    monkeypatch.setattr(st, "session_state", state)
    choose(first, "←" if first.source == first.cause else "→")
    assert desk.said()
    choose(second, "remove")
    assert desk.said() is None
    graph = graphed.graph()
    assert graph is not None
    assert graph.edges == tuple(edge for edge in history.graph.edges if edge != second)


def test_what_undo_would_take_back_is_shown_as_text(open_page: Open, store: Store) -> None:
    evil = "![x](https://example.org/x.png)"
    frame = pd.DataFrame({evil: ["1", "2", "3", "4"] * 10, "b": ["u", "v"] * 20})
    space = Workspace(store, store.create("evil").id)
    space.put_raw(RawTable(frame.astype("str"), name="evil"), Choices())
    graph = MixedGraph(nodes=(evil, "b"), edges=(Edge(evil, "b"),), graph_type="dag")
    history = History(graph).do(RemoveEdge(evil, "b"))
    for name, done in {"undo": history, "redo": history.undo()}.items():
        space.put_history(done)
        app = open_page("graph", space.project)
        [button] = [each for each in app.button if each.key == name]
        assert "example" in button.help
        assert "![x](" not in button.help
