"""The command line as scripts use it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from causalmix_core.cli import main
from causalmix_core.graph import MixedGraph

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def split_folder(health: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training, validation and test rows of the table."""
    out = tmp_path_factory.mktemp("split") / "rows"
    assert (
        run("split", health, "--target", "disease", "--train-rows", "120", "--out", out, "--quiet")
        == 0
    )
    return out


@pytest.fixture(scope="module")
def graph_file(split_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph found in the training rows."""
    out = tmp_path_factory.mktemp("graph") / "graph.json"
    status = run(
        *("discover", split_folder / "train.csv", "--target", "disease"),
        *("--bootstraps", "3", "--out", out, "--quiet"),
    )
    assert status == 0
    return out


def test_inspect_prints_the_contract(health: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", health, "--target", "disease", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rows"] == 240
    assert report["target"] == "disease"
    assert set(report["columns"][0]) >= {"name", "kind", "missing", "distinct", "set_aside"}
    incomes = next(column for column in report["columns"] if column["name"] == "income")
    assert incomes["missing"] == pd.read_csv(health)["income"].isna().sum() > 0
    assert isinstance(report["warnings"], list)


def test_a_file_of_kinds_may_put_values_in_order(
    health: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = sorted(pd.read_csv(health)["region"].unique(), reverse=True)
    file = tmp_path / "kinds.json"
    file.write_text(json.dumps({"region": values, "age": "numeric"}))
    assert run("inspect", health, "--kinds", file, "--json") == 0
    kinds = {c["name"]: c["kind"] for c in json.loads(capsys.readouterr().out)["columns"]}
    assert kinds["region"] == "ordinal"
    assert kinds["age"] == "numeric"
    file.write_text(json.dumps({"region": values[1:]}))
    assert run("inspect", health, "--kinds", file) == 2
    assert values[0] in capsys.readouterr().err


def test_split_says_that_it_labels_fewer_rows_than_asked_for(
    health: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("split", health, "--target", "disease", "--out", tmp_path / "rows")
    assert run(*asked, "--train-rows", "200") == 0
    assert "Only 144 rows can be labelled ones; 200 were asked for." in capsys.readouterr().err


def test_split_keeps_the_budget_and_loses_no_row(split_folder: Path) -> None:
    sizes = {name: len(pd.read_csv(split_folder / f"{name}.csv")) for name in PARTS}
    assert sizes == {"train": 80, "validation": 40, "test": 120}


PARTS = ("train", "validation", "test")


def test_discover_writes_a_graph_of_all_columns(graph_file: Path, health: Path) -> None:
    graph = MixedGraph.load(graph_file)
    assert set(graph.nodes) == set(pd.read_csv(health).columns)
    content = json.loads(graph_file.read_text())
    assert content["format"] == "causalmix-graph/1"
    assert content["provenance"]["bootstraps"] == 3


@pytest.mark.parametrize("method", ["causal", "mixup", "smote"])
def test_synthesize_repeats_itself_byte_for_byte(
    method: str, split_folder: Path, graph_file: Path, tmp_path: Path
) -> None:
    extra = ("--graph", graph_file) if method == "causal" else ()
    for name in ("one.csv", "two.csv"):
        status = run(
            *("synthesize", split_folder / "train.csv", "--target", "disease", "--quiet"),
            *("--method", method, "--rows", "50", "--seed", "7", "--out", tmp_path / name, *extra),
        )
        assert status == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    rows = pd.read_csv(tmp_path / "one.csv")
    assert len(rows) == 50
    assert list(rows.columns) == list(pd.read_csv(split_folder / "train.csv").columns)


def test_compare_writes_the_contract_and_a_page(
    split_folder: Path, graph_file: Path, tmp_path: Path
) -> None:
    run(
        *("synthesize", split_folder / "train.csv", "--target", "disease", "--quiet"),
        *("--method", "mixup", "--rows", "60", "--out", tmp_path / "mixup.csv"),
    )
    status = run(
        *("compare", split_folder / "train.csv", "--target", "disease", "--quiet"),
        *("--rows", f"mixup={tmp_path / 'mixup.csv'}", "--holdout", split_folder / "test.csv"),
        *("--graph", graph_file, "--out", tmp_path / "r.json", "--html", tmp_path / "r.html"),
    )
    assert status == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report) >= {
        *("generators", "ceiling", "floor", "intervals", "columns", "settings", "notes")
    }
    assert set(report["generators"]["mixup"]) >= {
        *("shape", "trend", "two_sample_auc", "independencies_kept", "dependencies_kept"),
        *("train_synthetic_test_real", "copy_share", "proxy_a_distance", "mmd2", "coral"),
    }
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert "http://" not in page
    assert "https://" not in page


def test_finetune_writes_results_curves_and_models_that_predict(
    split_folder: Path, health: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tuned"
    status = run(
        *("finetune", health, "--target", "disease", "--methods", "none,default"),
        *("--seeds", "0", "--train-rows", "60", "--max-steps", "2", "--out", out, "--quiet"),
    )
    assert status == 0
    assert "ROC-AUC" in capsys.readouterr().out
    results = pd.read_csv(out / "results.csv")
    assert list(results["method"]) == ["none", "default"]
    assert set(results["status"]) == {"done"}
    assert set(results.columns) >= {
        *("table", "method", "seed", "model", "train_rows", "val_rows", "test_rows"),
        *("roc_auc_test", "accuracy_test", "balanced_accuracy_test", "pr_auc_test"),
        *("log_loss_test", "roc_auc_val", "stop_metric", "stop_value_start", "stop_value"),
        *("best_step", "steps", "seconds"),
    }
    assert (results["stop_value"] >= results["stop_value_start"]).all()
    curves = pd.read_csv(out / "curves.csv")
    assert list(curves.columns) == ["table", "method", "seed", "step", "split", "metric", "value"]
    assert {"train", "validation", "test"} <= set(curves["split"])

    again = run(
        *("finetune", health, "--target", "disease", "--methods", "none", "--seeds", "0"),
        *("--out", out, "--quiet"),
    )
    assert again == 2
    assert "not empty" in capsys.readouterr().err

    predicted = tmp_path / "predictions.csv"
    model = out / "models" / "default-0.safetensors"
    assert run("predict", model, split_folder / "test.csv", "--out", predicted, "--quiet") == 0
    rows = pd.read_csv(predicted)
    assert len(rows) == len(pd.read_csv(split_folder / "test.csv"))
    chances = rows[["probability_healthy", "probability_ill"]]
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (chances.idxmax(axis=1).str.removeprefix("probability_") == rows["prediction"]).all()


def test_an_experiment_without_any_done_run_is_no_success(
    health: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tuned"
    asked = ("finetune", health, "--target", "disease", "--methods", "none", "--seeds", "0")
    asked = (*asked, "--train-rows", "2", "--out", out, "--quiet")
    assert run(*asked, "--model", "compcat") == 2
    assert "compcat" in capsys.readouterr().err
    # The mistake left no folder that would stand in the way of the corrected command.
    assert not out.exists()
    assert run(*asked) == 2
    said = capsys.readouterr()
    assert "0 of 1 runs done." in said.out
    assert len(said.err.strip().splitlines()) == 1
    assert "labelled rows are too few" in said.err


def test_a_given_graph_may_have_seen_rows_that_are_tested_on(
    health: Path, graph_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("finetune", health, "--target", "disease", "--graph", graph_file, "--out", tmp_path)
    (tmp_path / "something").touch()
    assert run(*asked) == 2
    assert "may have been found on rows that are validation or test rows" in capsys.readouterr().err
    assert run(*asked, "--quiet") == 2
    assert "may have been" not in capsys.readouterr().err


def test_a_project_travels_as_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from causalmix_core.experiment.store import Store
    from causalmix_core.experiment.workspace import Choices, Workspace
    from causalmix_core.table import examples

    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path / "here"))
    here = Workspace(Store(), Store().create("wine tasting").id)
    here.put_raw(examples.load_raw("wine"), Choices(target="cultivar"))
    assert run("export", "wine tasting", "--out", tmp_path / "bundle.zip") == 0
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path / "there"))
    assert run("import", tmp_path / "bundle.zip") == 0
    [project] = Store().list()
    there = Workspace(Store(), project.id)
    assert project.name == "wine tasting"
    assert there.table().digest == here.table().digest
    assert [part.digest for part in there.parts()] == [part.digest for part in here.parts()]


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "there-is-none.csv"),
        ("discover", "{health}", "--target", "nobody", "--out", "g.json"),
        ("discover", "{health}", "--alpha", "2", "--out", "g.json"),
        ("synthesize", "{health}", "--method", "magic", "--rows", "5", "--out", "r.csv"),
        ("synthesize", "{health}", "--method", "smote", "--rows", "-5", "--out", "r.csv"),
        ("compare", "{health}", "--target", "disease", "--rows", "oops", "--out", "r.json"),
        ("finetune", "{health}", "--target", "disease", "--methods", "magic", "--out", "new"),
        ("benchmark", "{health}", "--out", "new"),
        ("predict", "{health}", "{health}", "--out", "p.csv"),
        ("export", "nobody", "--out", "b.zip"),
        ("import", "{health}"),
        ("fly",),
        (),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(
    arguments: tuple[str, ...],
    health: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path / "home"))
    try:
        status = run(*[part.format(health=health) for part in arguments])
    except SystemExit as end:  # how argparse ends
        status = int(end.code or 0)
    assert status == 2
    message = capsys.readouterr().err
    assert len(message.strip().splitlines()) == 1
    assert "Traceback" not in message


def test_a_name_that_no_file_has_or_two_files_have_is_not_passed_over(
    health: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite, out = tmp_path / "suite", tmp_path / "out"
    suite.mkdir()
    (suite / "health.csv").write_bytes(health.read_bytes())
    assert run("benchmark", suite, "--target", "diseas", "--out", out, "--quiet") == 2
    assert "No file in" in capsys.readouterr().err
    assert not out.exists()
    asked = ("compare", health, "--target", "disease", "--out", tmp_path / "r.json")
    assert run(*asked, "--rows", f"s={health}", f"s={health}", "--quiet") == 2
    assert "'s' twice" in capsys.readouterr().err


def test_a_target_of_numbers_is_put_into_bins(
    health: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from causalmix_core.experiment import experiment

    number = ("--target", "age")
    assert run("inspect", health, *number) == 0
    assert "--bins" in capsys.readouterr().out
    binned = (*number, "--bins", "3", "--quiet")
    assert run("split", health, *binned, "--out", tmp_path / "rows") == 0
    bins = set(pd.read_csv(tmp_path / "rows" / "train.csv")["age"])
    assert len(bins) == 3
    made = tmp_path / "made.csv"
    assert (
        run("synthesize", health, *binned, "--method", "mixup", "--rows", "50", "--out", made) == 0
    )
    assert set(pd.read_csv(made)["age"]) == bins
    # Rows that were made are in bins already, others still hold the numbers.
    asked = ("compare", health, *binned, "--holdout", health, "--out", tmp_path / "r.json")
    assert run(*asked, "--rows", f"made={made}", f"real={health}") == 0
    ages = json.loads((tmp_path / "r.json").read_text())["columns"]["age"]
    assert max(ages["real"], ages["made"]) < 0.5

    plans = []

    def keep(plan, out, **options):
        plans.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "run_experiment", keep)
    assert run("benchmark", health.parent, *binned, "--out", tmp_path / "out") == 130
    assert {frozenset(source.table.y) for source in plans[0].sources} == {frozenset(bins)}


def test_what_cannot_be_is_said_before_the_work(
    health: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none" / "file"
    table = (health, "--target", "disease")
    for asked in (
        ("discover", *table, "--out", out),
        ("synthesize", *table, "--method", "smote", "--rows", "5", "--out", out),
        ("compare", *table, "--rows", f"s={health}", "--out", out),
        ("compare", *table, "--rows", f"s={health}", "--out", tmp_path / "r", "--html", out),
        ("predict", health, health, "--out", out),
    ):
        with pytest.raises(SystemExit, match="2"):
            run(*asked)
        assert "there is no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run("split", *table, "--out", tmp_path / "rows", "--seed", "5000000000")
    assert "the largest seed" in capsys.readouterr().err


def test_the_module_runs_as_a_program_without_importing_engines(health: Path) -> None:
    code = (
        "import sys; from causalmix_core.cli import main; "
        f"main(['inspect', {str(health)!r}]); "
        "print([name for name in ('torch', 'dowhy', 'causallearn', 'tabpfn', 'streamlit') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_an_interrupt_ends_with_status_130(
    health: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import causalmix_core.cli as cli

    class Interrupting:
        def __call__(self, fraction: float, sentence: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_Bar", Interrupting)
    assert run("discover", health, "--bootstraps", "2", "--out", tmp_path / "g.json") == 130
    assert not (tmp_path / "g.json").exists()


def test_rows_with_rules_classes_and_an_intervention(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import networkx as nx

    from causalmix_core.table import examples

    file, graph, out = (tmp_path / name for name in ("t.csv", "g.json", "rows.csv"))
    examples.make_health(150, 0).to_csv(file, index=False)
    MixedGraph.from_networkx(nx.DiGraph(examples.true_edges("health"))).save(graph)
    command = ["synthesize", str(file), "--target", "disease", "--rows", "40", "--out", str(out)]
    causal = [*command, "--method", "causal", "--graph", str(graph), "--quiet"]

    wishes = ["--rule", "doctor_visits <= age", "--class-share", "ill=1", "--do", "smoker=no"]
    assert main([*causal, *wishes]) == 0
    assert "smoker was set to no" in capsys.readouterr().out
    text = pd.read_csv(out)
    assert set(text["disease"]) == {"ill"}
    assert set(text["smoker"]) == {"no"}
    assert len(text) == 40
    for wrong in (["--rule", "age"], ["--class-share", "ill=many"], ["--do", "age=1000"]):
        assert main([*causal, *wrong]) == 2
    assert main([*command, "--method", "smote", "--do", "smoker=no"]) == 2


def test_a_class_may_have_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    file, out = tmp_path / "t.csv", tmp_path / "rows.csv"
    rows = [f"{i % 7 + 0.5},{('<50', '>=50')[i % 3 == 0]}" for i in range(60)]
    file.write_text("\n".join(["hours,income", *rows]))
    command = ["synthesize", str(file), "--target", "income", "--method", "bootstrap", "--quiet"]
    wish = ["--class-share", ">=50=0.75", "--class-share", "<50=0.25"]
    assert main([*command, "--rows", "40", "--out", str(out), *wish]) == 0
    assert pd.read_csv(out)["income"].value_counts().to_dict() == {">=50": 30, "<50": 10}
