"""Fine-tune: launch runs of the foundation model and watch their curves."""

import streamlit as st

from causalmix_core.experiment import jobs
from causalmix_core.experiment.groups import experiments
from causalmix_core.table import Kind
from ui.navigation import DATA
from ui.panels.launching import form, just_launched, source_of
from ui.panels.outcome import labelled, outcome, warn_if_earlier
from ui.run_panel import runs_of, watch_runs
from ui.session import ensure_entrypoint, parts_of, store, workspace_with_table

ensure_entrypoint()

st.title("Fine-tune")
space = workspace_with_table()
development, test = parts_of(space)
kind = None if development.target is None else development.kinds[development.target]
if kind is None:
    st.info("Choose the column to be predicted first.")
    st.page_link(DATA, label="Choose the target", icon=":material/table:")
elif kind is Kind.DATETIME:
    st.info("The target is a date, which cannot be predicted: choose another on the Data page.")
elif kind.is_number:
    st.info("The target is a number: put it into bins on the Data page first.")
else:
    st.markdown(
        "Train the foundation model a little further on your rows: alone, or mixed with synthetic "
        "ones. On few rows this often helps little and sometimes harms: **the curves tell**."
    )
    with st.container(border=True):
        form(space, development, test)
groups = experiments(jobs.jobs(store(), space.project, "finetune"))
present = source_of(space, development, test)
found = labelled(groups, present)
if found:
    labels = list(found)
    launched = just_launched(found)
    picked = labels[0]
    if len(labels) > 1:
        if launched:
            st.session_state["experiment"] = launched
        picked = st.selectbox("Experiment", labels, key="experiment") or labels[0]
    others = [group for group in groups if group is not found[picked]]
    warn_if_earlier(found[picked], present)
    ids = [run.id for run in found[picked]]
    watch_runs(space.project, ids)
    outcome(space, runs_of(space.project, ids), others)
