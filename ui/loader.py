"""Bringing a table in: an uploaded file or one of the examples."""

import streamlit as st

from causalmix_core.errors import CausalMixError
from causalmix_core.experiment.store import SOURCE
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.table import MAX_BYTES, RawTable, examples, read_raw, to_table
from ui.navigation import DATA
from ui.session import open_project, store
from ui.words import plain

FILE_TYPES = ["csv", "tsv", "txt", "xlsx", "parquet"]
LARGEST_TABLE = MAX_BYTES // 2**20
"""Megabytes of an uploaded table."""


def load_table_panel(into: Workspace | None = None) -> None:
    """Offer an upload and the examples; what is chosen goes `into` a project or starts a new one.

    A file that cannot be used gets one sentence, and what was loaded before stays.
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
            try:
                raw = read_raw(upload.getvalue(), name=upload.name)
                to_table(raw)  # what no page could show is not stored
            except CausalMixError as error:
                st.error(plain(error), icon=":material/error:")
            else:
                st.session_state["upload_done"] = upload.file_id
                _take(raw, Choices(), into, upload.getvalue(), upload.name)
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
