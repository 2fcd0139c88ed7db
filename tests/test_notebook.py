"""What a notebook user types, as the design promises it."""

from pathlib import Path

import causalmix_core as cm


def test_the_whole_job_in_a_notebook(health: Path) -> None:
    table = cm.read_table(health, target="disease")
    train, validation, test = cm.split(table, train_rows=90, seed=0)
    graph = cm.discover(train, algorithm="both", bootstraps=2, seed=0)
    dag = graph.to_dag()
    scm = cm.StructuralCausalModel(quality="good").fit(train, dag)
    rows = scm.sample(100, seed=0)
    smote = cm.generator("smote").fit(train).sample(100, seed=0)
    card = cm.compare({"causal": rows, "smote": smote}, train=train, holdout=test, graph=dag)
    quick = cm.finetune.Settings(steps=2, evaluate_every=1)
    run = cm.finetune(
        train, validation, test, method="causalmix", graph=graph, seed=0, settings=quick
    )

    assert list(rows.columns) == table.columns
    assert dict(rows.dtypes) == dict(train.frame.dtypes)
    assert dict(smote.dtypes) == dict(train.frame.dtypes)
    assert set(card.to_dict()["generators"]) == {"causal", "smote"}
    assert 0.0 <= run.metrics["roc_auc_test"] <= 1.0
    assert {"step", "split", "metric", "value"} <= set(run.curves.columns)
    assert len(run.model.predict(test)) == len(test)


def test_importing_the_package_loads_no_engine() -> None:
    import subprocess
    import sys

    code = (
        "import sys, causalmix_core; "
        "print([m for m in ('torch', 'dowhy', 'causallearn', 'tabpfn', 'pandas') "
        "if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
