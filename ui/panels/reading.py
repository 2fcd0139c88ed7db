"""How a file was read, and reading it again."""

from dataclasses import replace

import streamlit as st

from causalmix_core.errors import CausalMixError
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.table import read_raw, to_table
from ui.loader import keep_source, kept_source
from ui.words import plain


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
    ]
    with st.expander(f"How the file was read: {plain(', '.join(str(k) for k in known if k))}"):
        source = kept_source(space)
        if source is None:
            st.caption("This table came with the app or from another computer: nothing to change.")
            return
        delimiters = {"detect": None, "comma ,": ",", "semicolon ;": ";", "tab": "\t", "bar |": "|"}
        encodings = ["detect", "utf-8", "cp1252", "latin-1", "utf-16"]
        with st.form("reading", border=False):
            one, two, three, four = st.columns(4)
            delimiter = one.selectbox("Delimiter", list(delimiters))
            encoding = two.selectbox("Encoding", encodings)
            decimal = three.selectbox("Decimal mark", ["detect", "point .", "comma ,"])
            header = four.selectbox("First row", ["detect", "names the columns", "is data"])
            if st.form_submit_button("Read again", icon=":material/refresh:"):
                try:
                    again = read_raw(
                        source[0],
                        name=source[1],
                        delimiter=delimiters[delimiter],
                        encoding=None if encoding == "detect" else encoding,
                        decimal={"detect": None, "point .": ".", "comma ,": ","}[decimal],
                        header={"detect": None, "names the columns": True, "is data": False}[
                            header
                        ],
                    )
                    to_table(again)
                except CausalMixError as error:
                    st.error(plain(error), icon=":material/error:")
                else:
                    space.put_raw(again, Choices())
                    keep_source(space, *source)
                    st.rerun()
