"""Synthetic rows: make them with several generators and see how they differ from real ones."""

import streamlit as st

from causalmix_core.augment import GENERATORS
from ui.job_panel import latest, outcome, watch_job
from ui.navigation import FINETUNE
from ui.panels.recipes import form, graph_note
from ui.panels.rows import results
from ui.session import ensure_entrypoint, need_graph, parts_of, workspace_with_table
from ui.words import plain

ensure_entrypoint()

st.title("Synthetic rows")
space = workspace_with_table()
need_graph(space)
development, _ = parts_of(space)
st.markdown(
    "New rows from the training rows: by a **causal model** along your graph, by **Mixup**, by "
    "**SMOTE** and others, side by side with the real ones."
)
graph_note(space)
job = latest(space, "synthesize")
busy = job is not None and not job.state.is_over
made = space.rows()
with st.container(border=True):
    with st.container():  # one place above the form, so that the form stays as it is
        if busy:
            watch_job(job.id, "Making rows")
        else:
            outcome(job, "Making rows")
    form(space, development, busy)
    if made:
        st.caption("New rows take the place of the present ones once all of them are made.")
if job is not None and isinstance(job.result, dict):
    for name, reason in job.result.get("refused", {}).items():
        title = GENERATORS[name].title if name in GENERATORS else name
        said = reason if reason.startswith(title) else f"{title}: {reason}"
        st.warning(plain(said), icon=":material/block:")
if made and not busy:
    results(space, made)
    st.divider()
    st.page_link(FINETUNE, label="Next: fine-tune a model", icon=":material/show_chart:")
