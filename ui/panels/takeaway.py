"""Results to take away: files, a notebook, MLflow."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from causalmix_core.errors import RunError
from causalmix_core.experiment import mlflow_export
from causalmix_core.experiment.jobs import Job
from causalmix_core.experiment.notebook import results_notebook
from causalmix_core.experiment.results import curves, results
from causalmix_core.experiment.takeaway import NOTEBOOK, results_archive, runs_json
from ui.run_panel import runs_of
from ui.session import store
from ui.words import plain


def takeaway(runs: list[Job]) -> None:
    """Offer an experiment's results in every form, as they stand when they are taken."""
    project, ids = runs[0].project, [run.id for run in runs]

    def now() -> list[Job]:
        return runs_of(project, ids)

    with st.expander("Take the results away"):
        _download(
            "Everything in one file (.zip)",
            lambda: results_archive(store(), now()),
            "results.zip",
            "application/zip",
            primary=True,
        )
        st.caption(
            "Results and curves as CSV, every run with its settings as JSON, the summary, and a "
            "notebook that draws them. Figures only: no rows of your table, no model."
        )
        one, two, three, four = st.columns(4)
        with one:
            _download(
                "results.csv",
                lambda: (
                    results(now()).drop(columns=["job"]).to_csv(index=False, lineterminator="\n")
                ).encode(),
                "results.csv",
                "text/csv",
            )
        with two:
            _download(
                "curves.csv",
                lambda: (
                    curves(store(), now())
                    .drop(columns=["job"])
                    .to_csv(index=False, lineterminator="\n")
                    .encode()
                ),
                "curves.csv",
                "text/csv",
            )
        with three:
            _download(
                "runs.json", lambda: runs_json(store(), now()), "runs.json", "application/json"
            )
        with four:
            _download("Notebook", results_notebook, NOTEBOOK, "application/x-ipynb+json")
        st.caption("The notebook reads results.csv and curves.csv from its own folder.")
        _mlflow(runs)


def _download(
    label: str, make: Callable[[], bytes], name: str, mime: str, primary: bool = False
) -> None:
    st.download_button(
        label,
        make,
        file_name=name,
        mime=mime,
        on_click="ignore",
        key=f"take-{name}",
        type="primary" if primary else "secondary",
        width="content" if primary else "stretch",
        icon=":material/download:",
    )


def _mlflow(runs: list[Job]) -> None:
    if not mlflow_export.is_installed():
        st.caption(
            "MLflow is not installed here. Where it is, runs can be logged to it from this page "
            "or by `python -m causalmix_core mlflow FOLDER`."
        )
        return
    with st.form("mlflow", border=False):
        where, name = st.columns(2)
        tracking = where.text_input(
            "MLflow tracking address",
            f"sqlite:///{Path(store().home).resolve() / 'mlflow.db'}",
            help="An address or a database. The default is a file on this computer.",
        )
        experiment = name.text_input("MLflow experiment", "causalmix")
        if st.form_submit_button("Log the runs to MLflow"):
            try:
                with st.spinner("Logging"):
                    count = mlflow_export.export(
                        results(runs), curves(store(), runs), tracking or None, experiment
                    )
            except RunError as error:
                st.error(plain(error))
            else:
                st.success(f"{count} runs logged.")
