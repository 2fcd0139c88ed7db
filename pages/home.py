"""Projects: what was begun, and the way in."""

import tempfile
from pathlib import Path

import streamlit as st

from causalmix_core.errors import CausalMixError, StoreError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.store import Project
from ui.loader import load_table_panel
from ui.navigation import DATA
from ui.session import close_project, ensure_entrypoint, open_project, project, store
from ui.words import plain

ensure_entrypoint()


def moment_of(entry: Project) -> tuple[object, ...]:
    """What changes whenever a bundle of the project would: its contents, and its jobs."""
    known = jobs.jobs(store(), entry.id)
    return entry.updated, *((job.id, job.state, job.finished) for job in known)


st.title("CausalMix")
st.markdown(
    "Find the **causal graph** in a small table, correct it by hand, make **synthetic rows** that "
    "obey it, see how they differ from Mixup and SMOTE, and **fine-tune** a tabular foundation "
    "model on the mix. Everything stays on this computer."
)

with st.container(border=True):
    st.subheader("Start with a table")
    load_table_panel()

projects = store().list()
st.subheader("Your projects")
if not projects:
    st.caption("Nothing yet. A project is stored as you work: come back to it at any time.")

current = project()
for entry in projects:
    with st.container(border=True):
        name, opened, more = st.columns([6, 1.3, 1.6], vertical_alignment="center")
        with name:
            st.text(entry.name)
            moment = entry.updated.astimezone()
            st.caption(
                f"changed {moment:%d %b %Y, %H:%M}"
                + (" · open now" if current and current.id == entry.id else "")
            )
        if opened.button("Open", key=f"open-{entry.id}", type="primary", width="stretch"):
            open_project(entry.id)
            st.switch_page(DATA, query_params={"project": entry.id})
        with more.popover("More", width="stretch"):
            new_name = st.text_input("Name", entry.name, key=f"name-{entry.id}", max_chars=200)
            if st.button("Rename", key=f"rename-{entry.id}", width="stretch"):
                try:
                    store().rename(entry.id, new_name)
                except StoreError as error:
                    st.error(plain(error), icon=":material/error:")
                else:
                    st.rerun()
            if st.button("Duplicate", key=f"duplicate-{entry.id}", width="stretch"):
                store().duplicate(entry.id)
                st.rerun()
            if st.button("Prepare for download", key=f"export-{entry.id}", width="stretch"):
                from causalmix_core.experiment.bundle import export_project

                now = moment_of(entry)
                with tempfile.TemporaryDirectory() as folder:
                    file = export_project(store(), entry.id, Path(folder) / "project.zip")
                    st.session_state["bundle"] = (entry.id, now, file.read_bytes())
            ready = st.session_state.get("bundle")
            # What was prepared before the project changed is no longer the project.
            if ready and ready[0] == entry.id and ready[1] == moment_of(entry):
                st.download_button(
                    "Download as one file",
                    ready[2],
                    file_name=f"{entry.name}.zip",
                    mime="application/zip",
                    key=f"download-{entry.id}",
                    width="stretch",
                    on_click="ignore",
                )
            sure = st.checkbox("Yes, delete it for good", key=f"sure-{entry.id}")
            if st.button("Delete", key=f"delete-{entry.id}", width="stretch", disabled=not sure):
                if current and current.id == entry.id:
                    close_project()
                store().delete(entry.id)
                st.rerun()

with st.expander("Bring in a project from another computer"):
    bundle = st.file_uploader(
        "A project file (.zip) made by CausalMix",
        type=["zip"],
        key="bundle-up",
        help="A still larger one is brought in by: python -m causalmix_core import FILE",
    )
    if bundle is not None and st.button("Import the project", type="primary"):
        from causalmix_core.experiment.bundle import import_project

        try:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "project.zip"
                file.write_bytes(bundle.getvalue())
                brought = import_project(store(), file)
        except CausalMixError as error:
            st.error(plain(error), icon=":material/error:")
        else:
            open_project(brought.id)
            st.switch_page(DATA, query_params={"project": brought.id})
