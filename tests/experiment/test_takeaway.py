"""Results taken away: the archive, its notebook, groups of runs, MLflow."""

import ast
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from causalmix_core.cli import main
from causalmix_core.errors import StoreError
from causalmix_core.experiment import jobs, mlflow_export, worker
from causalmix_core.experiment.groups import compare, differing, experiments, relatives
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.notebook import results_notebook
from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.results import curves, results
from causalmix_core.experiment.runs import launch
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.takeaway import results_archive
from causalmix_core.finetune import Mixing, Settings, Stopping
from tests.finetune.tiny import small_table


@pytest.fixture(scope="module")
def two_policies(tiny: Path, tmp_path_factory: pytest.TempPathFactory):
    """A store with two experiments that differ in where synthetic rows go."""
    store = Store(tmp_path_factory.mktemp("store"))
    project = store.create("p").id
    settings = Settings(
        steps=4, evaluate_every=2, estimators=1, curve_rows=20, stopping=Stopping(patience=0)
    )
    plan = Plan(
        (Source(small_table(150)),),
        ("none", "default", "smote"),
        (0, 1),
        (60,),
        model=str(tiny),
        settings=settings,
    )
    launch(store, project, plan, workers=False)
    other = replace(settings, mixing=Mixing(into="context"))
    launch(store, project, replace(plan, settings=other), workers=False)
    while (claimed := jobs.claim(store, "test")) is not None:
        worker.work(store, claimed, "test")
    done = jobs.jobs(store, project, "finetune")
    assert {job.state for job in done} == {State.DONE}, [job.error for job in done]
    return store, done


def test_experiments_are_told_apart_by_what_differs(two_policies):
    store, done = two_policies
    first, second = experiments(done)
    assert [len(first), len(second)] == [6, 6]
    assert differing([first, second]) == [
        "synthetic rows go into: context",
        "synthetic rows go into: both",
    ]
    assert differing([first]) == ["the same settings"]
    assert relatives(first, [first, second]) == [second]
    table = compare(store, [first, second])
    assert list(table["method"]) == ["none", "default", "smote"] * 2
    smote = table[table["method"] == "smote"]
    assert smote["improvement"].notna().all()
    # Without synthetic rows the policy makes no difference.
    default = table[table["method"] == "default"]["improvement"]
    assert default.iloc[0] == default.iloc[1]


def test_the_archive_holds_everything_and_is_the_same_each_time(two_policies):
    store, done = two_policies
    runs = experiments(done)[0]
    made = results_archive(store, runs)
    assert made == results_archive(store, runs)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {
        *("results.csv", "curves.csv", "runs.json", "summary.txt", "results.ipynb")
    }
    told = json.loads(files["runs.json"])
    assert told["format"] == "causalmix-results/1"
    assert [run["job"] for run in told["runs"]] == [run.id for run in runs]
    assert told["runs"][0]["repeat"].endswith(runs[0].id)
    assert told["runs"][0]["request"]["settings"]["mixing"]["into"] == "context"
    assert "6 of 6 runs done." in files["summary.txt"].decode()


def run_cell(code: str, names: dict) -> object:
    """Run a cell as Jupyter would and return what it shows."""
    *body, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        exec(code, names)
        return None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_the_notebook_is_valid_and_runs_on_the_downloaded_files(
    two_policies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store, done = two_policies
    runs = experiments(done)[0]
    with zipfile.ZipFile(io.BytesIO(results_archive(store, runs))) as archive:
        archive.extractall(tmp_path)
    notebook = nbformat.reads((tmp_path / "results.ipynb").read_text(), as_version=4)
    nbformat.validate(notebook)
    monkeypatch.chdir(tmp_path)
    # The single files of the page have other columns than those of the archive.
    for write in (False, True):
        if write:
            results(runs).drop(columns="job").to_csv("results.csv", index=False)
            curves(store, runs).drop(columns="job").to_csv("curves.csv", index=False)
        names: dict = {}
        figures = 0
        for cell in notebook.cells:
            if cell.cell_type == "code":
                value = run_cell(cell.source, names)
                figures += type(value).__name__ == "Figure" and len(value.data) > 0
        assert figures == 3
        assert set(names["results"]["method"]) == {"none", "default", "smote"}
    assert "streamlit" not in results_notebook().decode()


def test_without_mlflow_one_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(StoreError, match=r"no results\.csv"):
        mlflow_export.export_folder(tmp_path)
    pd.DataFrame({"method": [], "seed": []}).to_csv(tmp_path / "results.csv", index=False)
    pd.DataFrame({"method": [], "seed": []}).to_csv(tmp_path / "curves.csv", index=False)
    if mlflow_export.is_installed():
        pytest.skip("MLflow is installed here.")
    assert main(["mlflow", str(tmp_path)]) == 2
    assert "MLflow is not installed here" in capsys.readouterr().err


def test_with_mlflow_every_run_is_logged_with_its_curves(two_policies, tmp_path: Path):
    pytest.importorskip("mlflow", reason="MLflow is not installed here")
    from mlflow.tracking import MlflowClient

    store, done = two_policies
    runs = experiments(done)[0]
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert mlflow_export.export(results(runs), curves(store, runs), address, "try") == 6
    client = MlflowClient(address)
    found = client.search_runs([client.get_experiment_by_name("try").experiment_id])
    assert {run.info.status for run in found} == {"FINISHED"}
    [smote] = [run for run in found if run.info.run_name == "smote-0"]
    [job] = [job for job in runs if (job.request["method"], job.request["seed"]) == ("smote", 0)]
    assert smote.data.metrics["roc_auc_test"] == pytest.approx(
        job.result["metrics"]["roc_auc_test"]
    )
    history = client.get_metric_history(smote.info.run_id, "validation_log_loss")
    assert sorted(point.step for point in history) == [0, 2, 4]
