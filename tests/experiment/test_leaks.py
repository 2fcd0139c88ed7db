"""What a run is prepared from are its training rows alone: byte for byte, for every generator."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import causalmix_core as cm
from causalmix_core.experiment import jobs
from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.runs import launch
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.worker import serve
from causalmix_core.finetune import METHODS, Mixing, Settings
from causalmix_core.table import Table
from tests.finetune.tiny import small_table

METHODS_WITH_ROWS = tuple(name for name, each in METHODS.items() if each.generator is not None)


def _numbers(rows: int, seed: int) -> Table:
    """A table that every generator takes."""
    frame = small_table(rows, seed).frame.drop(columns=["colour", "noise"])
    return cm.read_table(frame, target="label", name="numbers")


def _garbage(table: Table) -> Table:
    rng = np.random.default_rng(0)
    return table.with_frame(
        table.frame.assign(
            x=rng.normal(size=len(table)) * 1e6,
            label=rng.permutation(table.frame["label"].to_numpy()),
        )
    )


def _prepared(folder: Path, source: Source, tiny: Path) -> dict[str, bytes]:
    """Prepare a run of every method; return the graph and each generator's rows as bytes."""
    store = Store(folder)
    project = store.create("p").id
    plan = Plan(
        (source,),
        METHODS_WITH_ROWS,
        (0,),
        (50,),
        model=str(tiny),
        settings=Settings(mixing=Mixing(fresh=False)),
    )
    launch(store, project, plan, workers=False)
    (job,) = (each for each in jobs.jobs(store, project) if each.kind == "prepare")
    serve(store, job.id)
    result = jobs.job(store, job.id).result
    assert result["refused"] == {}
    made: dict[str, pd.DataFrame] = {
        name: store.load_frame(project, f"pool-{job.id}-{name}") for name in plan.generators
    }
    return {
        "graph": result["graph"].encode(),
        **{name: rows.to_csv(index=False).encode() for name, rows in made.items()},
    }


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(_numbers(90, 1), validation=_numbers(30, 2), test=_numbers(40, 3))


@pytest.fixture(scope="module")
def clean(source: Source, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _prepared(tmp_path_factory.mktemp("clean"), source, tiny)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_graph_and_synthetic_rows_do_not_see_other_rows(
    source: Source, clean: dict[str, bytes], tiny: Path, tmp_path: Path, split: str
):
    given = {name: getattr(source, name) for name in ("validation", "test")}
    dirty = Source(source.table, **{**given, split: _garbage(given[split])})
    found = _prepared(tmp_path, dirty, tiny)
    assert found.keys() == clean.keys() >= {"graph", "causal", "smote", "tabebm", "arf"}
    for name, content in clean.items():
        assert found[name] == content, name


def test_other_training_rows_make_another_graph_or_other_rows(
    source: Source, clean: dict[str, bytes], tiny: Path, tmp_path: Path
):
    other = Source(_garbage(source.table), validation=source.validation, test=source.test)
    found = _prepared(tmp_path, other, tiny)
    assert all(found[name] != clean[name] for name in clean if name != "graph")
