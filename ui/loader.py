"""Bringing a table in: an uploaded file or one of the examples."""

from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from causalmix_core.errors import CausalMixError, TableError
from causalmix_core.experiment.store import SOURCE
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.table import (
    MAX_BYTES,
    RawTable,
    ReadingError,
    ReadSettings,
    examples,
    read_raw,
    to_table,
)
from ui.navigation import DATA
from ui.session import open_project, store
from ui.words import plain

FILE_TYPES = ["csv", "tsv", "txt", "xlsx", "parquet"]
LARGEST_TABLE = MAX_BYTES // 2**20
"""Megabytes of an uploaded table."""

_WITH_THE_CELLS = {"decimal", "header"}


def load_table_panel(into: Workspace | None = None) -> None:
    """Offer an upload and the examples; what is chosen goes `into` a project or starts a new one.

    A file that cannot be used gets one sentence, and boxes to say how it is written; what was
    loaded before stays.
    """
    left, right = st.columns(2, gap="large")
    with left:
        upload = st.file_uploader(
            "Your table: CSV, TSV, Excel or Parquet",
            type=FILE_TYPES,
            key="upload",
            max_upload_size=LARGEST_TABLE,
            help="The first row names the columns. The file stays on this computer.",
        )
        if upload is not None and st.session_state.get("upload_done") != upload.file_id:
            _take_upload(upload, into)
    with right:
        st.markdown("**Or look around with an example**")
        for name in examples.NAMES:
            example = examples.find(name)
            title, _, what = example.title.partition(": ")
            if st.button(
                title,
                key=f"example-{name}",
                help=example.source,
                width="stretch",
                icon=":material/science:",
            ):
                choices = Choices(target=example.target, true_edges=tuple(example.true_edges or ()))
                _take(examples.load_raw(name), choices, into)
            st.caption(what)


def _take_upload(upload: UploadedFile, into: Workspace | None) -> None:
    """Take an uploaded file in, or say why not and let be stated how it is written."""
    try:
        raw = _usable(upload)
    except CausalMixError as error:
        said = st.empty()
        said.error(plain(error), icon=":material/error:")
        if not isinstance(error, ReadingError) or error.settings.format == "parquet":
            return
        with st.form("reading-upload"):
            st.caption("If the file is written in another way than was found out, say so here.")
            stated = reading_boxes(error.settings, upload.file_id, across=2, refused=True)
            if not st.form_submit_button("Read it so", icon=":material/refresh:"):
                return
        try:
            raw = _usable(upload, **stated)
        except CausalMixError as again:
            said.error(plain(again), icon=":material/error:")
            return
    st.session_state["upload_done"] = upload.file_id
    _take(raw, Choices(), into, upload.getvalue(), upload.name)


def _usable(upload: UploadedFile, **stated: Any) -> RawTable:
    """Read an uploaded file; what no page could show is refused."""
    raw = read_raw(upload.getvalue(), name=upload.name, **stated)
    try:
        to_table(raw)
    except TableError as error:
        raise ReadingError(str(error), raw.settings) from error
    return raw


def reading_boxes(
    settings: ReadSettings, key: str, across: int = 4, refused: bool = False
) -> dict[str, Any]:
    """Offer what can be stated about a file of this format; every box begins at what is in force.

    Decimal mark and header go with the cells: they are found out anew where the file was refused,
    or where others than those in force come out of it, unless they are stated too.

    Returns the arguments of `read_raw`, None for what it is to find out.
    """
    text, cells = settings.format == "csv", settings.format != "parquet"
    delimiters = {",": "comma ,", ";": "semicolon ;", "\t": "tab", "|": "bar |", " ": "space"}
    encodings = {name: name for name in ("utf-8", "cp1252", "latin-1", "utf-16")}
    offered = {
        "delimiter": ("Delimiter", delimiters, text),
        "encoding": ("Encoding", encodings, text),
        "sheet": ("Sheet", {name: name for name in settings.sheets}, len(settings.sheets) > 1),
        "decimal": ("Decimal mark", {".": "point .", ",": "comma ,"}, True),
        "header": ("First row", {True: "names the columns", False: "is data"}, cells),
    }
    shown = [name for name, (_, _, applies) in offered.items() if applies]
    places = st.columns(across)
    stated = {}
    for index, name in enumerate(shown):
        label, words, _ = offered[name]
        now = None if refused and name in _WITH_THE_CELLS else getattr(settings, name)
        words = {None: "detect", now: "detect" if now is None else repr(now), **words}
        stated[name] = places[index % across].selectbox(
            label,
            list(words),
            index=list(words).index(now),
            format_func=words.__getitem__,
            key=f"read-{name}-{key}",
            accept_new_options=name == "delimiter",  # any one character may part the cells
        )
    touched = {name for name, value in stated.items() if value != getattr(settings, name)}
    if touched - _WITH_THE_CELLS:
        stated |= dict.fromkeys(_WITH_THE_CELLS - touched)
    return stated


def _take(
    raw: RawTable,
    choices: Choices,
    into: Workspace | None,
    source: bytes | None = None,
    file_name: str | None = None,
) -> None:
    space = into or Workspace(store(), store().create(raw.name).id)
    space.put_raw(raw, choices)
    keep_source(space, source, file_name)
    open_project(space.project)
    st.switch_page(DATA, query_params={"project": space.project})


def keep_source(space: Workspace, source: bytes | None, file_name: str | None) -> None:
    """Keep the uploaded bytes, so that the file can be read again with other settings."""
    folder = store().folder(space.project) / SOURCE
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    if source is not None:
        (folder / "file").write_bytes(source)
        (folder / "name").write_text(file_name or "table.csv", encoding="utf-8")


def kept_source(space: Workspace) -> tuple[bytes, str] | None:
    """Return the uploaded bytes and the file's name, where they were kept."""
    folder = store().folder(space.project) / SOURCE
    if not (folder / "file").is_file():
        return None
    return (folder / "file").read_bytes(), (folder / "name").read_text(encoding="utf-8")
