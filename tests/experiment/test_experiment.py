"""A whole experiment into a folder, as the command line does it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from causalmix_core.errors import Cancelled, StoreError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.experiment import model_name, run_experiment
from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.results import CURVE_COLUMNS, FIRST_COLUMNS
from causalmix_core.experiment.runs import launch
from causalmix_core.experiment.store import Store
from causalmix_core.finetune import Settings, Stopping, TunedModel
from causalmix_core.graph import MixedGraph
from tests.finetune.tiny import small_table


@pytest.fixture
def plan(tiny: Path) -> Plan:
    settings = Settings(steps=4, evaluate_every=2, curve_rows=20, stopping=Stopping(patience=0))
    return Plan(
        (Source(small_table(150)),),
        ("none", "smote"),
        (0,),
        (60,),
        model=str(tiny),
        settings=settings,
        domain=("colour", "red"),
    )


def test_a_plan_leaves_results_curves_models_and_a_summary_and_can_be_extended(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAUSALMIX_WORKERS", "1")
    out = tmp_path / "out"
    told: list[float] = []
    outcome = run_experiment(plan, out, progress=lambda fraction, sentence: told.append(fraction))
    results = pd.read_csv(out / "results.csv")
    assert list(results.columns[: len(FIRST_COLUMNS)]) == list(FIRST_COLUMNS)
    assert results[["method", "seed", "status"]].to_numpy().tolist() == [
        ["none", 0, "done"],
        ["smote", 0, "done"],
    ]
    assert {"roc_auc_domain", "accuracy_domain"} <= set(results.columns)
    assert results["roc_auc_test"].between(0, 1).all()
    curves = pd.read_csv(out / "curves.csv")
    assert list(curves.columns) == list(CURVE_COLUMNS)
    assert set(curves["split"]) == {"train", "validation", "test", "domain"}
    smote = curves[(curves["method"] == "smote") & (curves["split"] == "test")]
    assert sorted(set(smote["step"])) == [0, 2, 4]
    for name in ("none-0", "smote-0"):
        TunedModel.load(out / "models" / f"{name}.safetensors")
    assert (out / "summary.txt").read_text() == outcome.summary
    assert "2 of 2 runs done." in outcome.summary
    assert told[-1] == 1.0

    with pytest.raises(StoreError, match="not empty"):
        run_experiment(plan, out)
    first = (out / "results.csv").read_text().splitlines()
    run_experiment(replace(plan, seeds=(0, 1)), out, resume=True)
    second = (out / "results.csv").read_text().splitlines()
    # Not run again: even the seconds are those of the first time.
    assert set(first) < set(second)
    assert len(second) == 5

    # Other options: the models are those of the runs that the results tell of, and no others.
    other = replace(plan, seeds=(1,), settings=replace(plan.settings, learning_rate=1e-2))
    of_before = (out / "models" / "smote-1.safetensors").read_bytes()
    run_experiment(other, out, resume=True)
    models = sorted(path.name for path in (out / "models").iterdir())
    assert models == ["none-1.safetensors", "smote-1.safetensors"]
    assert (out / "models" / "smote-1.safetensors").read_bytes() != of_before
    told = TunedModel.load(out / "models" / "smote-1.safetensors").about
    assert told["settings"]["learning_rate"] == 1e-2


def test_a_cancelled_experiment_leaves_what_is_known_and_goes_on_later(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAUSALMIX_WORKERS", "1")
    out = tmp_path / "out"

    def stop(fraction: float, sentence: str) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        run_experiment(plan, out, progress=stop)
    assert "done" not in set(pd.read_csv(out / "results.csv")["status"])
    assert "0 of 2 runs done." in (out / "summary.txt").read_text()
    outcome = run_experiment(plan, out, resume=True)
    assert set(outcome.results["status"]) == {"done"}


def test_the_summary_says_that_a_given_graph_may_have_seen_other_rows(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAUSALMIX_WORKERS", "1")
    table = small_table(150)
    graph = MixedGraph(nodes=tuple(table.columns), graph_type="dag")
    given = replace(plan, sources=(Source(table, graph=graph),), methods=("none",))
    run_experiment(given, tmp_path / "out")
    assert "may have been found on rows that are validation or test rows" in (
        tmp_path / "out" / "summary.txt"
    ).read_text().replace("\n", " ")


def test_models_of_tables_with_like_names_have_names_of_their_own(plan: Plan):
    names = ("a b", "a_b", "a_b_2", "c")
    several = replace(plan, sources=tuple(Source(small_table(50, name=name)) for name in names))
    files = set()
    for name in names:
        request = {"method": "none", "seed": 0, "train_rows": 60, "name": name}
        files.add(model_name(SimpleNamespace(request=request), several))
    assert files == {f"{name}-none-0.safetensors" for name in ("a_b", "a_b_2", "a_b_2_2", "c")}


def test_nothing_is_left_waiting_of_an_experiment_with_other_options(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAUSALMIX_WORKERS", "1")
    out, plan = tmp_path / "out", replace(plan, methods=("none",))
    run_experiment(plan, out)
    store = Store(out / ".store")
    (project,) = store.list()
    launch(store, project.id, replace(plan, methods=("none", "smote"), seeds=(7,)), workers=False)
    assert "given graph" not in run_experiment(plan, out, resume=True).summary
    assert all(job.state.is_over for job in jobs.jobs(store, project.id))


def test_a_folder_that_is_no_experiment_is_refused(plan: Plan, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="not empty"):
        run_experiment(plan, tmp_path)
    with pytest.raises(StoreError, match="no experiment to resume"):
        run_experiment(plan, tmp_path, resume=True)
    with pytest.raises(StoreError, match="is a file"):
        run_experiment(plan, tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
