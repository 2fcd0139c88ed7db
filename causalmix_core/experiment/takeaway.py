"""The results of an experiment in one archive, to be read elsewhere."""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from causalmix_core import __version__
from causalmix_core.experiment.experiment import notes_on, summary_text
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.notebook import results_notebook
from causalmix_core.experiment.results import curves, results, write_files
from causalmix_core.experiment.runs import repeat_command
from causalmix_core.experiment.store import Store

NOTEBOOK = "results.ipynb"


def runs_json(store: Store, runs: Sequence[Job]) -> bytes:
    """Every run with all that decides its figures, its figures, and the command to repeat it."""
    told = [
        {
            "job": run.id,
            "status": str(run.state),
            "request": dict(run.request),
            "metrics": (run.result or {}).get("metrics") if run.state is State.DONE else None,
            "diagnosis": (run.result or {}).get("diagnosis") if run.state is State.DONE else None,
            "error": run.error,
            "repeat": repeat_command(store, run) if run.state is State.DONE else None,
        }
        for run in runs
    ]
    content = {"format": "causalmix-results/1", "version": __version__, "runs": told}
    return json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"


def results_archive(store: Store, runs: Sequence[Job]) -> bytes:
    """Return a zip file: results and curves as CSV, all as JSON, the summary, a notebook.

    It holds figures only, no rows of the table and no model.
    """
    with TemporaryDirectory() as folder:
        write_files(store, runs, Path(folder))
        files = {name: (Path(folder) / name).read_bytes() for name in ("results.csv", "curves.csv")}
    files["runs.json"] = runs_json(store, runs)
    summary = summary_text(results(runs), curves(store, runs), notes=notes_on(runs))
    files["summary.txt"] = summary.encode()
    files[NOTEBOOK] = results_notebook()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed date: the same results make the same archive.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return out.getvalue()
