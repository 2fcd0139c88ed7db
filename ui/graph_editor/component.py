"""The graph drawing as a Streamlit component: mount it, keep it in step with a history.

Python owns the graph. The drawing shows edits at once and reports them; what it shows is known
here (`_Sync.shown`), so that it is sent anew only when the graph was changed elsewhere: by the
table, a button, an undo, a new search, or because an edit was refused.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from causalmix_core.errors import GraphError
from causalmix_core.graph import Edge, History, MixedGraph, apply
from ui.graph_editor.events import (
    Canvas,
    Step,
    canvas,
    drawing,
    edits_from_event,
    follow,
    looks_alike,
    placed,
)

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "causalmix_graph_editor",
    css=(_HERE / "src" / "graph_editor.css").read_text(encoding="utf-8"),
    js=(_HERE / "build" / "graph_editor.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Selection:
    """What is selected in the drawing: an edge, a node, or nothing."""

    edge: Edge | None = None
    node: str | None = None


@dataclass
class _Sync:
    """What the browser was sent and did since.

    Attributes:
        history: as the page last gave it, with the browser's edits since.
        sheet: what the found graph is drawn on.
        shown: what the drawing shows; None once it and the history have parted.
        data: the message of this revision, sent unchanged as long as drawing and history agree.
        followed: how many of the browser's edits were followed, by the revision they were made
            on; an edit may arrive after its drawing was replaced.
        refusal: why the last edit was refused, to be said in the next message.
    """

    history: History
    sheet: Canvas
    shown: MixedGraph | None
    data: dict[str, Any]
    followed: dict[str, int] = field(default_factory=dict)
    refusal: str | None = None

    @property
    def touched(self) -> bool:
        """Whether the browser has edited the drawing of this revision."""
        return self.followed[self.data["rev"]] > 0


def graph_editor(
    history: History,
    *,
    key: str,
    on_change: Callable[[History], None] | None = None,
    target: str | None = None,
    height: int = 560,
    read_only: bool = False,
) -> Selection:
    """Draw the graph of `history` and let the analyst edit it; return what is selected.

    Edits made with the mouse or the keyboard, and undo and redo, arrive before the page runs:
    `on_change` is called with the new history, which the page must keep and give back on this
    run. An edit that the knowledge forbids is refused with the reason in the drawing.

    Attributes:
        history: the found graph and what was done to it.
        key: identity of the drawing on the page.
        on_change: called with the history after each edit; without it nothing can be edited.
        target: the column to be predicted; its box gets a strong border.
        height: of the whole component, in pixels.
        read_only: show only.
    """
    read_only = read_only or on_change is None
    if _follow_browser(key, on_change):  # the run that was to follow it was abandoned
        st.rerun()
    sync = _synchronised(key, history, target=target, read_only=read_only)
    result = _mount(
        key=key,
        data=sync.data,
        height=height,
        on_events_change=lambda: _follow_browser(key, on_change),
    )
    event = result.get("events")
    selected = event.get("selection") if isinstance(event, Mapping) else None
    return _selection(selected, history.graph)


def _synchronised(key: str, history: History, *, target: str | None, read_only: bool) -> _Sync:
    """What to send: the message of before, or a new one where the drawing would show otherwise."""
    sync: _Sync | None = st.session_state.get(_sync_key(key))
    if sync is None:
        sheet = canvas(history.found)
    elif sync.history.found.digest == history.found.digest:
        sheet = sync.sheet
    else:  # a new search keeps the places that the analyst chose
        sheet = canvas(history.found, sync.history.graph.layout)
    shown = placed(history.graph, sheet)
    data = drawing(
        history,
        sheet,
        rev=secrets.token_hex(8),
        target=target,
        read_only=read_only,
        message=sync.refusal if sync else None,
    )
    mounted = key in st.session_state
    if sync and mounted and sync.shown and looks_alike(shown, sync.shown):
        told = ("found", "target", "read_only", *(() if sync.touched else ("can_undo", "can_redo")))
        if all(data[name] == sync.data[name] for name in told):
            sync.history = history
            return sync
    followed = {**(sync.followed if sync else {}), data["rev"]: 0}
    sync = _Sync(history, sheet, shown, data, followed)
    st.session_state[_sync_key(key)] = sync
    return sync


def _follow_browser(key: str, on_change: Callable[[History], None] | None) -> bool:
    """Bring what the browser reports into the history; return whether there was anything new.

    Streamlit may abandon a run at any touch of the session state. So everything is worked out
    first, and noted only once `on_change` has come back: an abandoned run is followed by one that
    begins again.
    """
    sync: _Sync | None = st.session_state.get(_sync_key(key))
    event = st.session_state[key].get("events") if key in st.session_state else None
    if sync is None or on_change is None or not isinstance(event, Mapping):
        return False
    history, shown, refusal, followed = sync.history, sync.shown, sync.refusal, {}
    for report in (event.get("before"), event):  # the drawing that was replaced last comes first
        if not isinstance(report, Mapping) or report.get("rev") not in sync.followed:
            continue  # another session's, or nothing
        rev, count = report["rev"], sync.followed[report["rev"]]
        late = rev != sync.data["rev"]
        try:
            for command in edits_from_event(report, history.graph, count):
                history = follow(history, command)
                count += 1
                shown = (
                    None
                    if late or isinstance(command, Step) or shown is None
                    else (apply(shown, command))
                )
        except GraphError as error:
            shown, refusal, count = None, str(error), len(report.get("edits") or ())
        if count > sync.followed[rev]:
            followed[rev] = count
    if not followed:
        return False
    if history is not sync.history:
        on_change(history)
    sync.history, sync.shown, sync.refusal = history, shown, refusal
    sync.followed.update(followed)
    return True


def _selection(value: object, graph: MixedGraph) -> Selection:
    if not isinstance(value, Mapping):
        return Selection()
    edge, node = value.get("edge"), value.get("node")
    if isinstance(edge, list) and len(edge) == 2:
        return Selection(edge=graph.edge_between(*edge))
    return Selection(node=node if node in graph.nodes else None)


def _sync_key(key: str) -> str:
    return f"{key}:sync"
