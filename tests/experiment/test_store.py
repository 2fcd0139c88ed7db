"""The project store: what is saved comes back, also in another process and from several at once."""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_core.errors import StoreError
from causalmix_core.experiment.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_project_comes_back_in_another_store_on_the_same_folder(store: Store, tmp_path: Path):
    project = store.create("  Credit \n risk ")
    assert project.name == "Credit risk"
    assert Store(tmp_path).get(project.id) == project
    assert [each.id for each in Store(tmp_path).list()] == [project.id]


def test_the_folder_is_the_one_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALMIX_HOME", str(tmp_path / "here"))
    Store().create("x")
    assert (tmp_path / "here" / "store.sqlite").is_file()


def test_documents_keep_their_value_and_count_revisions(store: Store):
    project = store.create("p").id
    value = {"edges": [["a", "b"], []], "none": None, "text": "é", "x": 1.5}
    assert store.save_json(project, "graph", value) == 1
    assert store.save_json(project, "graph", value) == 2
    assert store.load_json(project, "graph") == value
    assert store.load_json(project, "missing", {"d": 1}) == {"d": 1}
    store.save_json(project, "nothing", None)
    assert store.load_json(project, "nothing", "default") is None
    assert store.revisions(project) == {"graph": 2, "nothing": 1}


def test_a_change_made_from_an_old_revision_is_refused(store: Store):
    project = store.create("p").id
    store.save_json(project, "graph", "first tab", expected=0)
    store.save_json(project, "graph", "second tab", expected=1)
    with pytest.raises(StoreError, match="changed elsewhere"):
        store.save_json(project, "graph", "late", expected=1)
    assert store.load_json(project, "graph") == "second tab"


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_what_is_no_json_is_refused_and_leaves_the_old_value(store: Store, value):
    project = store.create("p").id
    store.save_json(project, "a", 1)
    with pytest.raises(StoreError, match="JSON"):
        store.save_json(project, "a", value)
    assert store.load_json(project, "a") == 1


def test_frames_keep_every_dtype_the_table_room_uses(store: Store):
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan],
            "count": [1, 2],
            "gaps": pd.array([1, None], dtype="Int64"),
            "text": pd.Series(["01", np.nan], dtype="str"),
            "day": pd.to_datetime(["2020-01-01", None]).astype("datetime64[us]"),
        }
    )
    project = store.create("p").id
    about = {"inputs": "abc", "settings": {"rows": 2}}
    saved = store.save_frame(project, "rows-smote", frame, about)
    pd.testing.assert_frame_equal(store.load_frame(project, "rows-smote"), frame)
    assert store.frames(project) == [saved]
    assert saved.about == about
    assert saved.rows == 2


def test_a_raw_table_comes_back_with_its_choices(store: Store):
    raw = pd.DataFrame({"a b": ["1", ""], "é": ["x", "NA"]}, dtype="str")
    project = store.create("p").id
    store.save_table(project, raw, {"target": "é", "test_rows": [1]})
    again, choices = store.load_table(project)
    pd.testing.assert_frame_equal(again, raw)
    assert choices == {"target": "é", "test_rows": [1]}


def test_a_copy_is_independent_of_the_original(store: Store):
    frame = pd.DataFrame({"a": [1]})
    original = store.create("p").id
    store.save_json(original, "graph", 1)
    store.save_frame(original, "raw", frame)
    (store.folder(original) / "source").mkdir()
    (store.folder(original) / "source" / "file").write_bytes(b"a,b\n")
    copy = store.duplicate(original)
    assert (store.folder(copy.id) / "source" / "file").read_bytes() == b"a,b\n"
    assert copy.name == "p (copy)"
    store.save_json(copy.id, "graph", 2)
    store.delete(original)
    pd.testing.assert_frame_equal(store.load_frame(copy.id, "raw"), frame)
    assert [each.id for each in store.list()] == [copy.id]


def test_a_deleted_project_leaves_nothing(store: Store):
    project = store.create("p").id
    store.save_frame(project, "raw", pd.DataFrame({"a": [1]}))
    folder = store.folder(project)
    store.delete(project)
    assert not folder.exists()
    with pytest.raises(StoreError, match="no project"):
        store.get(project)
    with pytest.raises(StoreError, match="no project"):
        store.save_json(project, "a", 1)
    with pytest.raises(StoreError, match="no project"):
        store.save_frame(project, "raw", pd.DataFrame({"a": [1]}))
    assert not folder.exists()


def test_a_frame_of_a_project_that_was_deleted_meanwhile_is_not_kept(store: Store, monkeypatch):
    project = store.create("p").id
    folder = store.folder(project)
    store.delete(project)
    monkeypatch.setattr(store, "get", lambda project: None)  # it was still there a moment ago
    with pytest.raises(StoreError, match="no project"):
        store.save_frame(project, "raw", pd.DataFrame({"a": [1]}))
    assert not folder.exists()


@pytest.mark.parametrize("project", ["../../etc", "", "a/b", "ABC", ".."])
def test_an_id_from_the_address_bar_cannot_leave_the_folder(store: Store, project: str):
    with pytest.raises(StoreError):
        store.folder(project)


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 200])
def test_a_name_cannot_be_a_path(store: Store, name: str):
    project = store.create("p").id
    with pytest.raises(StoreError, match="cannot be a name"):
        store.save_json(project, name, 1)
    with pytest.raises(StoreError, match="cannot be a name"):
        store.save_frame(project, name, pd.DataFrame({"a": [1]}))


def test_a_file_that_is_no_store_is_named(tmp_path: Path):
    (tmp_path / "store.sqlite").write_text("hello " * 100)
    with pytest.raises(StoreError, match=r"store\.sqlite"):
        Store(tmp_path)


def _add(home: Path, project: str, times: int) -> None:
    store = Store(home)
    for _ in range(times):
        while True:
            revision = store.revisions(project).get("count", 0)
            value = store.load_json(project, "count", 0)
            try:
                store.save_json(project, "count", value + 1, expected=revision)
                break
            except StoreError:
                continue
        store.save_frame(project, "shared", pd.DataFrame({"a": range(value + 1)}))
        assert len(store.load_frame(project, "shared")) >= 1


def test_three_processes_write_one_project_and_no_change_is_lost(store: Store, tmp_path: Path):
    project = store.create("p").id
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add, args=(tmp_path, project, 15)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert store.load_json(project, "count") == 45


def test_the_store_brings_no_heavy_library_with_it():
    code = (
        "import sys, causalmix_core.experiment.store, causalmix_core.experiment.jobs;"
        "print([m for m in ('torch', 'dowhy', 'causallearn', 'tabpfn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
