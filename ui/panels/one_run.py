"""One run from near: where its model errs, how to repeat it, the model to take away."""

import streamlit as st

from causalmix_core.experiment.jobs import Job
from causalmix_core.experiment.runs import model_file, repeat_command
from causalmix_core.finetune import METHODS
from ui.charts import diagnosis_figure
from ui.navigation import PREDICT
from ui.palette import method_label
from ui.session import LOOKED_AT, store
from ui.words import NO_FIGURE


def best_tuned(runs: list[Job]) -> int:
    """Position of the tuned run with the best validation ROC-AUC; 0 where none was tuned."""
    tuned = [i for i, run in enumerate(runs) if METHODS[run.request["method"]].trains]
    # A score that could not be had is stored as nothing.
    return max(tuned, key=lambda i: runs[i].result["metrics"].get("roc_auc_val") or 0, default=0)


def test_auc(run: Job) -> str:
    """What a run that is done reached on the test rows; they may be of one class only."""
    area = run.result["metrics"]["roc_auc_test"]
    return f"test AUC {NO_FIGURE if area is None else f'{area:.3f}'}"


def _said(run: Job) -> str:
    return f"{method_label(run.request['method'])}, seed {run.request['seed']}: {test_auc(run)}"


def one_run(done: list[Job]) -> None:
    """Choose one of the runs that are done, and look at it."""
    st.subheader("One run from near")
    picked = st.selectbox(
        "Run",
        done,
        index=best_tuned(done),
        format_func=_said,
        help="First the tuned run that does best on its validation rows.",
    )
    if picked is None:
        return
    st.session_state[LOOKED_AT] = picked.id
    diagnosis = picked.result.get("diagnosis")
    if diagnosis:
        st.plotly_chart(
            diagnosis_figure(diagnosis), key="diagnosis", config={"displayModeBar": False}
        )
        st.caption(
            "Left: test rows by true and predicted class; the darker a cell, the larger its share "
            "of the true class. Right: on the dashed line, what was said is what was; larger "
            "points stand for more rows."
        )
    with st.expander("Repeat this run"):
        st.caption(
            "In CausalMix's folder, this does the run once more from its stored rows, graph, "
            "settings and seed, and says whether every figure is the same to the last digit."
        )
        st.code(repeat_command(store(), picked), language="bash", wrap_lines=True)
    if not model_file(store(), picked).is_file():
        st.caption("This method leaves no model to take away.")
        return
    st.caption(
        "The file holds the model's weights **and the training rows it predicts from: they are "
        "your data**. Share it as you would share the table."
    )
    st.download_button(
        "Download the model (.safetensors)",
        lambda: model_file(store(), picked).read_bytes(),
        file_name=f"{picked.request['method']}-{picked.request['seed']}.safetensors",
        on_click="ignore",
        icon=":material/download:",
    )
    st.page_link(PREDICT, label="Predict new rows with it", icon=":material/table_view:")
