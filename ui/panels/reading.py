"""How a file was read, and reading it again."""

from dataclasses import replace

import streamlit as st

from causalmix_core.errors import CausalMixError
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.table import RawTable, read_raw
from ui.loader import kept_source, reading_boxes
from ui.words import plain

_TOLD = "read-again"


def change(space: Workspace, *, said_at: str = "data-error", **changes: object) -> bool:
    """Save other choices; False, and a sentence at `said_at`, where they do not work out."""
    try:
        space.choose(replace(space.choices(), **changes))
    except CausalMixError as error:
        refuse(error, said_at)
        return False
    return True


def refuse(error: CausalMixError, said_at: str = "data-error") -> None:
    """Keep why a choice was refused, for `say_refusal`."""
    st.session_state[said_at] = str(error)


def say_refusal(said_at: str = "data-error") -> None:
    """Say once why the last choice was refused."""
    problem = st.session_state.pop(said_at, None)
    if problem:
        st.error(f"{plain(problem)} Nothing was changed.", icon=":material/error:")


def reading(space: Workspace) -> None:
    """Show how the file was read, and let it be read otherwise."""
    raw = space.raw()
    settings = raw.settings
    known = [
        f"format {settings.format}",
        settings.encoding and f"encoding {settings.encoding}",
        settings.delimiter and f"delimiter {settings.delimiter!r}",
        settings.format == "csv" and f"decimal mark {settings.decimal!r}",
        "first row names the columns" if settings.header else "no header row",
        settings.sheet and f"sheet {settings.sheet!r}",
        len(settings.sheets) > 1 and f"one of {len(settings.sheets)}",
    ]
    if told := st.session_state.pop(_TOLD, None):
        st.info(told, icon=":material/info:")
    with st.expander(f"How the file was read: {plain(', '.join(str(k) for k in known if k))}"):
        source = kept_source(space)
        if source is None:
            st.caption("This table came with the app or from another computer: nothing to change.")
            return
        with st.form("reading", border=False):
            stated = reading_boxes(settings, space.table_key())
            st.caption(
                "What you chose about the columns stays where it still fits."
                + (" The graph, its edits and the synthetic rows go." if space.has_work() else "")
            )
            if st.form_submit_button("Read again", icon=":material/refresh:"):
                try:
                    again = read_raw(source[0], name=source[1], **stated)
                    st.session_state[_TOLD] = _put(space, raw, again)
                except CausalMixError as error:
                    st.error(plain(error), icon=":material/error:")
                else:
                    st.rerun()


def _put(space: Workspace, before: RawTable, again: RawTable) -> str:
    """Put the table in place and say what became of the choices about the one before."""
    alike = again.settings.decimal == before.settings.decimal
    if alike and again.frame.equals(before.frame):
        return "The file reads as before: nothing was changed."
    gone = space.put_again(again)
    return f"These do not fit any more: {', '.join(gone)}." if gone else "All choices still fit."
