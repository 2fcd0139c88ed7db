"""Predict: use a tuned model on new rows."""

import hashlib
import shlex
from collections import Counter

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from causalmix_core.errors import CausalMixError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.runs import model_file
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.finetune import TunedModel
from causalmix_core.table import Table, to_csv
from ui.first_rows import first_rows
from ui.loader import FILE_TYPES, LARGEST_TABLE
from ui.palette import method_label
from ui.panels.one_run import best_tuned, test_auc
from ui.session import LOOKED_AT, ensure_entrypoint, project, store
from ui.words import plain

MOST_ROWS = 20_000  # so many while one waits; the command line has no such limit
_PREDICTED, _CANCELLED = "predicted", "prediction-cancelled"

ensure_entrypoint()


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def load(path: str, changed: float) -> TunedModel:
    """Read a tuned model (kept until the file changes)."""
    return TunedModel.load(path)


def present_target() -> str | None:
    """What the open project predicts now."""
    current = project()
    if current is None:
        return None
    return Workspace(store(), current.id).choices().target


def own_models(present: str | None) -> list[Job]:
    """The open project's runs that left a tuned model: the present target's, then the newest."""
    current = project()
    if current is None:
        return []
    runs = reversed(jobs.jobs(store(), current.id, "finetune"))
    kept = [run for run in runs if run.state is State.DONE and model_file(store(), run).is_file()]
    return sorted(kept, key=lambda run: run.request["target"] != present)


def labels(runs: list[Job], present: str | None) -> dict[str, str]:
    """What tells each run's model from the others, by the run's id."""
    targets = {run.request["target"] for run in runs} | {present}

    def label(run: Job) -> str:
        rows, target = run.request["train_rows"], run.request["target"]
        return (
            (f"predicts {target}: " if len(targets) > 1 else "")
            + f"{method_label(run.request['method'])}, seed {run.request['seed']}, "
            f"{'all' if rows is None else rows} labelled rows"
        )

    times = Counter(map(label, runs))
    return {
        run.id: label(run)
        # The same run again with another model or other settings.
        + (f", begun {run.created.astimezone():%d %b, %H:%M:%S}" if times[label(run)] > 1 else "")
        + f": {test_auc(run)}"
        for run in runs
    }


def chosen_model() -> tuple[TunedModel, str] | None:
    """Let a model be chosen or brought; return it with what to call it."""
    present = present_target()
    models = own_models(present)
    names = labels(models, present)
    looked_at = st.session_state.get(LOOKED_AT)
    seen = (i for i, run in enumerate(models) if run.id == looked_at)
    of_first = [run for run in models if run.request["target"] == models[0].request["target"]]
    first = next(seen, best_tuned(of_first))
    run = st.selectbox(
        "Tuned model of this project",
        models,
        index=first if models else None,
        format_func=lambda run: names[run.id],
        placeholder="none yet: fine-tune one, or bring a file below",
    )
    brought = st.file_uploader(
        "Or a model file (.safetensors) saved by CausalMix", type=["safetensors"], key="model"
    )
    if brought is not None:
        content = brought.getvalue()
        path = store().home / "brought" / f"{hashlib.sha256(content).hexdigest()[:32]}.safetensors"
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return load(str(path), path.stat().st_mtime), f"the file {brought.name}"
    if run is None:
        return None
    path = model_file(store(), run)
    return load(str(path), path.stat().st_mtime), names[run.id]


def predicted(model: TunedModel, upload: UploadedFile) -> tuple[Table, pd.DataFrame] | None:
    """Return the rows of a file and their predictions, made once; None where there are none.

    Whatever the analyst does meanwhile ends the prediction at its next block of rows.
    """
    key = (str(model.base), model.base.stat().st_mtime, upload.file_id)
    if st.session_state.get(_PREDICTED, (None,))[0] == key:
        _, rows, predictions = st.session_state[_PREDICTED]
        return rows, predictions
    if st.session_state.get(_CANCELLED) == key:
        st.info("The prediction was cancelled.", icon=":material/cancel:")
        st.button("Predict after all", on_click=st.session_state.pop, args=(_CANCELLED,))
        return None
    with st.spinner("Reading the rows"):
        rows = model.read(upload.getvalue(), name=upload.name)
    if len(rows) > MOST_ROWS:
        st.error(
            f"The file has {len(rows):,} rows and this page predicts {MOST_ROWS:,} at most; take "
            "fewer, or predict all of them with this command.",
            icon=":material/error:",
        )
        st.code(
            f"python -m causalmix_core predict {shlex.quote(str(model.base))} "
            f"{shlex.quote(upload.name)} --out predictions.csv",
            language="bash",
        )
        return None
    shown = st.empty()
    bar, stop = shown.container().columns([6, 1], vertical_alignment="center")
    stop.button("Cancel", width="stretch", on_click=_cancel, args=(key,))
    predictions = model.predict(rows, bar.progress(0.0, "Starting").progress)
    shown.empty()
    st.session_state[_PREDICTED] = (key, rows, predictions)
    return rows, predictions


def _cancel(key: tuple[str, float, str]) -> None:
    st.session_state[_CANCELLED] = key


def side_by_side(predictions: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Put given columns beside the predictions; one of the same name says that it was given."""
    names = {}
    for name in given:
        shown = name
        while shown in predictions or (shown != name and shown in given):
            shown = f"{shown} (given)"
        names[name] = shown
    return pd.concat([predictions, given.rename(columns=names)], axis=1)


st.title("Predict")
st.markdown("Give new rows to a tuned model: it says the class, and how likely each class is.")
try:
    chosen = chosen_model()
except CausalMixError as error:
    st.error(plain(error), icon=":material/error:")
    st.stop()
if chosen is None:
    st.stop()
model, name = chosen
features = model.context.features
st.caption(
    f"The model is {plain(name)}. "
    f"It needs {len(features)} {'column' if len(features) == 1 else 'columns'} and "
    f"predicts {plain(model.context.target)}: {plain(', '.join(model.classes))}."
)
with st.expander("Columns it needs"):
    st.markdown(plain(", ".join(features)))
upload = st.file_uploader(
    "New rows: CSV, TSV, Excel or Parquet",
    type=FILE_TYPES,
    key="new-rows",
    max_upload_size=LARGEST_TABLE,
)
st.caption(f"At most {MOST_ROWS:,} rows; the command `predict` takes more.")
if upload is None:
    st.stop()
try:
    found = predicted(model, upload)
except CausalMixError as error:
    st.error(plain(error), icon=":material/error:")
    st.stop()
if found is None:
    st.stop()
rows, predictions = found
for warning in rows.warnings:
    st.warning(plain(warning), icon=":material/info:")
counts = predictions["prediction"].value_counts()
st.subheader(f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} predicted")
st.dataframe(
    pd.DataFrame({"class": counts.index, "rows": counts.to_numpy()}),
    hide_index=True,
    column_config={
        "rows": st.column_config.ProgressColumn(
            "rows", format="%d", min_value=0, max_value=len(predictions)
        )
    },
)
first_rows(side_by_side(predictions, rows.frame), 500, height=320)
safe = st.checkbox("Safe for spreadsheets")
st.download_button(
    "Download the predictions",
    lambda: to_csv(predictions, safe_for_spreadsheets=safe),
    file_name="predictions.csv",
    mime="text/csv",
    on_click="ignore",
    icon=":material/download:",
)
