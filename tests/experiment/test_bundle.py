"""A project leaves as one file and comes back whole; a bundle from elsewhere can do no harm."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from causalmix_core.errors import StoreError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.bundle import export_project, import_project
from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.results import results
from causalmix_core.experiment.runs import launch, model_file
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.worker import serve
from causalmix_core.finetune import Settings
from tests.finetune.tiny import small_table

PLAN = {"methods": ("none", "smote"), "seeds": (0,), "train_rows": (60,)}


@pytest.fixture(scope="module")
def exported(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str, Path]:
    """A project with a table, a document, runs and models, and its bundle."""
    folder = tmp_path_factory.mktemp("exported")
    store = Store(folder / "home")
    project = store.create("Credit risk").id
    raw = pd.DataFrame({"a b": ["1", "é"], "y": ["x", "NA"]}, dtype="str")
    store.save_table(project, raw, {"target": "y"})
    settings = Settings(steps=2, evaluate_every=1, curve_rows=20)
    plan = Plan((Source(small_table(120)),), **PLAN, model=str(tiny), settings=settings)
    launch(store, project, plan, workers=False)
    serve(store)
    return store, project, export_project(store, project, folder / "bundle.zip")


def test_everything_comes_back_on_another_machine(exported, tmp_path: Path):
    store, project, bundle = exported
    other = Store(tmp_path / "elsewhere")
    imported = import_project(other, bundle)
    assert imported.name == "Credit risk"
    assert imported.id != project
    for frame in store.frames(project):
        if not frame.name.startswith("pool-"):
            pd.testing.assert_frame_equal(
                other.load_frame(imported.id, frame.name), store.load_frame(project, frame.name)
            )
    assert other.load_table(imported.id)[1] == {"target": "y"}
    assert set(other.revisions(imported.id)) == set(store.revisions(project))
    before, after = (
        [job for job in jobs.jobs(s, p) if job.kind == "finetune"]
        for s, p in ((store, project), (other, imported.id))
    )
    same = ["job"]
    pd.testing.assert_frame_equal(
        results(before).drop(columns=same), results(after).drop(columns=same)
    )
    for old, new in zip(before, after, strict=True):
        assert model_file(store, old).read_bytes() == model_file(other, new).read_bytes()
        pd.testing.assert_frame_equal(
            jobs.curves(store, [old.id]).drop(columns="job"),
            jobs.curves(other, [new.id]).drop(columns="job"),
        )


def test_an_imported_plan_is_not_run_again_and_new_runs_find_their_rows(
    exported, tiny: Path, tmp_path: Path
):
    _, _, bundle = exported
    other = Store(tmp_path / "elsewhere")
    imported = import_project(other, bundle).id
    settings = Settings(steps=2, evaluate_every=1, curve_rows=20)
    plan = Plan((Source(small_table(120)),), **PLAN, model=str(tiny), settings=settings)
    ids = launch(other, imported, plan, workers=False)
    assert {jobs.job(other, job_id).state for job_id in ids} == {"done"}
    finetuned = [job for job in jobs.jobs(other, imported) if job.kind == "finetune"]
    with other.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'interrupted' WHERE kind = 'finetune'")
    for job in finetuned:
        jobs.resume(other, job.id, launch=False)
    serve(other)
    again = [jobs.job(other, job.id) for job in finetuned]
    timed = {"seconds", "cpu_seconds", "memory_mb"}
    for first, second in zip(finetuned, again, strict=True):
        assert second.state == "done", second.error
        assert {k: v for k, v in first.result["metrics"].items() if k not in timed} == {
            k: v for k, v in second.result["metrics"].items() if k not in timed
        }


def test_a_bundle_can_be_read_twice_and_its_bytes_repeat(exported, tmp_path: Path):
    store, project, bundle = exported
    other = Store(tmp_path / "elsewhere")
    first, second = import_project(other, bundle), import_project(other, bundle)
    assert first.id != second.id
    again = export_project(store, project, tmp_path / "again.zip")
    assert again.read_bytes() == bundle.read_bytes()


def _changed(bundle: Path, target: Path, **members: bytes | None) -> Path:
    """Copy a bundle with members replaced, added or (None) left out."""
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(target, "w") as sink:
        for entry in source.namelist():
            if entry not in members:
                sink.writestr(entry, source.read(entry))
        for name, content in members.items():
            if content is not None:
                sink.writestr(name, content)
    return target


def _names(bundle: Path) -> list[str]:
    with zipfile.ZipFile(bundle) as opened:
        return opened.namelist()


def _manifest(bundle: Path) -> dict:
    with zipfile.ZipFile(bundle) as opened:
        return json.loads(opened.read("manifest.json"))


@pytest.mark.parametrize(
    "name", ["../../evil.parquet", "/etc/passwd", "models/x.pkl", "frames/../../x.parquet"]
)
def test_a_path_out_of_the_folder_is_refused(exported, tmp_path: Path, name: str):
    store = Store(tmp_path / "home")
    bad = _changed(exported[2], tmp_path / "bad.zip", **{name: b"x"})
    with pytest.raises(StoreError, match=r"^bad\.zip holds .* no place in a bundle"):
        import_project(store, bad)
    assert store.list() == []
    assert not (tmp_path / "evil.parquet").exists()


def test_changed_or_missing_contents_are_refused_and_nothing_stays(exported, tmp_path: Path):
    store = Store(tmp_path / "home")
    bundle = exported[2]
    frame = next(name for name in _names(bundle) if name.startswith("frames/"))
    model = next(name for name in _names(bundle) if name.startswith("models/"))
    manifest = _manifest(bundle)
    cases = {
        frame: b"PAR1 but not the same",
        model: b"no safetensors",
        "manifest.json": b"{",
    }
    for name, content in cases.items():
        with pytest.raises(StoreError):
            import_project(store, _changed(bundle, tmp_path / "bad.zip", **{name: content}))
    with pytest.raises(StoreError, match="missing"):
        import_project(store, _changed(bundle, tmp_path / "bad.zip", **{frame: None}))
    for change in (
        {"format": "other/1"},
        {"jobs": [{"id": "x"}]},
        {"documents": {"../x": 1}},
        {"frames": 3},
        {"measurements": [["nobody", 0, "test", "roc_auc", 1.0]]},
        {"frames": [manifest["frames"][0]] * 2},
        {"frames": [manifest["frames"][0] | {"rows": 10**30}]},
        {"frames": [manifest["frames"][0] | {"updated": 1e300}]},
        {"jobs": [manifest["jobs"][0] | {"kind": ["finetune"]}], "measurements": []},
        {"jobs": [manifest["jobs"][0] | {"created": None}], "measurements": []},
    ):
        content = json.dumps(manifest | change).encode()
        with pytest.raises(StoreError):
            import_project(
                store, _changed(bundle, tmp_path / "b.zip", **{"manifest.json": content})
            )
    assert store.list() == []
    assert list((tmp_path / "home").glob("import-*")) == []
    projects = tmp_path / "home" / "projects"
    assert not projects.exists() or list(projects.iterdir()) == []


def test_other_files_are_refused_in_words(tmp_path: Path):
    store = Store(tmp_path / "home")
    with pytest.raises(StoreError, match="no file"):
        import_project(store, tmp_path / "nothing.zip")
    text = tmp_path / "text.zip"
    text.write_text("hello")
    with pytest.raises(StoreError, match="no bundle"):
        import_project(store, text)
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as opened:
        opened.writestr("readme.txt", "hi")
    text.write_bytes(empty.getvalue())
    with pytest.raises(StoreError, match=r"manifest\.json"):
        import_project(store, text)


def _with_broken_bytes(bundle: Path, name: str) -> bytes:
    """A bundle whose member of this name cannot be inflated."""
    data = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as opened:
        member = opened.getinfo(name)
    start = member.header_offset + 30 + len(name.encode())
    data[start : start + member.compress_size] = b"\xff" * member.compress_size
    return bytes(data)


def _with_flag(bundle: Path, bit: int) -> bytes:
    """A bundle that says of every member that this bit is set: the first means encrypted."""
    data = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as opened:
        members = opened.infolist()
        central = opened.start_dir
    for member in members:
        data[member.header_offset + 6] |= bit
        central = data.index(b"PK\x01\x02", central)
        data[central + 8] |= bit
        central += 46
    return bytes(data)


def test_damage_inside_the_archive_is_told_in_words(exported, tmp_path: Path):
    store, bundle = Store(tmp_path / "home"), exported[2]
    frame = next(name for name in _names(bundle) if name.startswith("frames/"))
    no_parquet = b"PAR1 but no Parquet file"
    digest = hashlib.sha256(no_parquet).hexdigest()[:32]
    named_right = _changed(
        bundle, tmp_path / "changed.zip", **{f"frames/{digest}.parquet": no_parquet}
    )
    cases = {
        "manifest": _with_broken_bytes(bundle, "manifest.json"),
        "frame": _with_broken_bytes(bundle, frame),
        "encrypted": _with_flag(bundle, 1),
        "no Parquet": named_right.read_bytes(),
        "cut short": bundle.read_bytes()[:-200],
    }
    for case, content in cases.items():
        bad = tmp_path / f"{case}.zip"
        bad.write_bytes(content)
        with pytest.raises(StoreError, match="no bundle or is damaged"):
            import_project(store, bad)
    assert store.list() == []


def test_a_bomb_is_refused_before_it_is_unpacked(
    exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("causalmix_core.experiment.bundle.MOST_BYTES", 1000)
    with pytest.raises(StoreError, match="more than a project can hold"):
        import_project(Store(tmp_path / "home"), exported[2])
