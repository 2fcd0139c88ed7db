"""What one browser tab knows: which project is open. Everything else lies in the store.

The address bar carries the project's id, so that a refresh, a second tab and a restart of the app
come back to the same place.
"""

import contextlib
import importlib
import logging
import threading
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from causalmix_core.errors import CausalMixError, StoreError
from causalmix_core.experiment.store import Project, Store, default_home
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.table import Table
from ui.navigation import DATA, GRAPH, HOME, navigation
from ui.words import counted, plain

_STYLE = Path(__file__).parent / "style.css"
_ENTERED = "entered"
_PROJECT = "project"
LOOKED_AT = "looked-at"
"""Key of the run that was looked at last: the page that predicts begins with its model."""


def mark_entered() -> None:
    """Remember that the app's entry ran in this session."""
    st.session_state[_ENTERED] = True


def ensure_entrypoint() -> None:
    """Go through the app's entry first.

    On a fresh server the first request for a page's own address runs that page without `app.py`;
    declaring the navigation and running again puts that right.
    """
    if not st.session_state.get(_ENTERED):
        navigation()
        st.rerun()


def run_page(page: StreamlitPage) -> None:
    """Show a page; whatever goes wrong on it becomes a sentence, never a traceback."""
    st.html(_STYLE)
    try:
        _carry_project()
        _sidebar()
        page.run()
    except CausalMixError as error:
        st.error(plain(error), icon=":material/error:")
    except Exception:
        logging.getLogger("causalmix").exception("A page failed")
        st.error(
            "Something went wrong on this page, and it is our mistake. Your project is stored; "
            "reload the page to go on. The app's terminal shows what happened.",
            icon=":material/error:",
        )
    finally:
        _warm_up()


@st.cache_resource
def _warm_up() -> None:
    """Import what later pages need once the first page stands, so that they open at once."""
    rooms = ("augment", "fidelity", "finetune", "foundation", "experiment.runs", "graph.edits")

    def load() -> None:
        for room in rooms:
            importlib.import_module(f"causalmix_core.{room}")

    threading.Thread(target=load, name="warm-up", daemon=True).start()


@st.cache_resource
def _store(home: Path) -> Store:
    return Store(home)


def store() -> Store:
    """The store of projects."""
    return _store(default_home())


def project() -> Project | None:
    """The project this tab works on, or None."""
    chosen = st.session_state.get(_PROJECT)
    if chosen is None:
        return None
    try:
        return store().get(chosen)
    except StoreError:
        close_project()
        return None


def open_project(project_id: str) -> None:
    """Work on this project from now on."""
    st.session_state[_PROJECT] = project_id
    st.query_params[_PROJECT] = project_id


def close_project() -> None:
    """Work on no project."""
    st.session_state.pop(_PROJECT, None)
    if _PROJECT in st.query_params:
        del st.query_params[_PROJECT]


def workspace() -> Workspace:
    """The open project's contents; the page ends here, kindly, where there is none."""
    current = project()
    if current is None:
        st.info("Open a project first, or start one from a file or an example.")
        st.page_link(HOME, label="Go to the projects", icon=":material/home:")
        st.stop()
    return Workspace(store(), current.id)


def workspace_with_table() -> Workspace:
    """The open project's contents with a table, or a hint where to get one."""
    space = workspace()
    if not space.has_table():
        st.info("This project has no table yet.")
        st.page_link(DATA, label="Load a table", icon=":material/table:")
        st.stop()
    return space


def need_graph(space: Workspace) -> None:
    """End the page with a hint where there is no graph yet."""
    if space.history() is None:
        st.info("There is no causal graph yet: the causal rows are made from it.")
        st.page_link(GRAPH, label="Find the graph", icon=":material/account_tree:")
        st.stop()


def table_of(space: Workspace) -> Table:
    """The whole typed table (read-only, shared between reruns)."""
    return _table(space.table_key(), space)


def parts_of(space: Workspace) -> tuple[Table, Table]:
    """The rows to work with and the test rows (read-only, shared between reruns)."""
    return _parts(space.table_key(), space)


@st.cache_resource(max_entries=6, show_spinner=False)
def _table(key: str, _space: Workspace) -> Table:
    return _space.table()


@st.cache_resource(max_entries=6, show_spinner=False)
def _parts(key: str, _space: Workspace) -> tuple[Table, Table]:
    return _space.parts()


def _carry_project() -> None:
    """Keep address bar and session in step: the address wins, a change of page loses neither."""
    asked = st.query_params.get(_PROJECT)
    if asked:
        st.session_state[_PROJECT] = asked
    elif st.session_state.get(_PROJECT):
        st.query_params[_PROJECT] = st.session_state[_PROJECT]


def _sidebar() -> None:
    current = project()
    if current is None:
        return
    with st.sidebar:
        st.caption("Open project")
        st.text(current.name)
        space = Workspace(store(), current.id)
        # A table that cannot be shown is the Data page's matter; the others still open.
        with contextlib.suppress(CausalMixError):
            if space.has_table():
                table = table_of(space)
                rows, columns = counted(len(table), "row"), counted(len(table.columns), "column")
                st.caption(f"{rows} · {columns} in use")
                if table.target:
                    st.caption(":material/flag: Target")
                    st.text(table.target)
