"""A project as one zip file, and back, on this or another machine.

``manifest.json`` holds name, versions, documents, what is known of the frames, finished jobs and
their curves; ``frames/DIGEST.parquet`` the tables; ``models/JOB.safetensors`` the tuned models.
Nothing in it is code: JSON, Parquet and safetensors only. What is read is checked before anything
is written; a bundle made by somebody else is an upload like any other.
"""

import json
import lzma
import math
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, InterfaceError, ProgrammingError

from causalmix_core import __version__
from causalmix_core.errors import CheckpointError, StoreError
from causalmix_core.experiment import _schema as schema
from causalmix_core.experiment.jobs import State
from causalmix_core.experiment.store import Project, Store, check_name, file_digest, moment, new_id
from causalmix_core.foundation import checkpoint

FORMAT = "causalmix-bundle/1"
MANIFEST = "manifest.json"
MOST_BYTES = 8_000_000_000
MOST_MANIFEST_BYTES = 500_000_000
MOST_FILES = 100_000

_FRAME = re.compile(r"frames/([0-9a-f]{32})\.parquet")
_MODEL = re.compile(r"models/([a-z2-9]{14})\.safetensors")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,  # an encrypted member, a compression or Parquet feature nobody has
    pa.ArrowException,
)
_WRONG = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
_JOB_COLUMNS = (
    "id",
    "kind",
    "key",
    "after",
    "request",
    "state",
    "fraction",
    "sentence",
    "result",
    "error",
    "created",
    "started",
    "finished",
)


def export_project(store: Store, project: str, out: str | Path) -> Path:
    """Write a project as a bundle.

    Raises:
        StoreError: there is no such project, or the file cannot be written.
    """
    out = Path(out)
    told = store.get(project)
    folder = store.folder(project)
    manifest = _describe(store, told)
    unfinished = out.with_name(f"{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as bundle:
            _put(bundle, MANIFEST, json.dumps(manifest, allow_nan=False).encode())
            for file in sorted({frame["file"] for frame in manifest["frames"]}):
                _put(bundle, f"frames/{file}", (folder / "frames" / file).read_bytes())
            for job in manifest["jobs"]:
                model = folder / "models" / f"{job['id']}.safetensors"
                if model.is_file():
                    _put(bundle, f"models/{model.name}", model.read_bytes())
        os.replace(unfinished, out)
    except OSError as error:
        raise StoreError(f"The bundle {out} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return out


def import_project(store: Store, bundle: str | Path) -> Project:
    """Read a bundle into a new project of the store.

    Raises:
        StoreError: the file is no bundle, is damaged, or is too large; nothing is kept then.
    """
    path = Path(bundle)
    if not path.is_file():
        raise StoreError(f"There is no file {path}.")
    with tempfile.TemporaryDirectory(dir=store.home, prefix="import-") as temporary:
        unpacked = Path(temporary)
        try:
            with zipfile.ZipFile(path) as opened:
                manifest = _unpack(opened, unpacked, path.name)
        except StoreError:
            raise
        except _DAMAGED as error:
            raise StoreError(f"{path.name} is no bundle or is damaged ({error}).") from error
        try:
            return _restore(store, manifest, unpacked)
        except _WRONG as error:
            why = getattr(error, "orig", error)  # of the database's complaint, without the query
            raise StoreError(f"{path.name} is damaged: {why!r}.") from error


def _describe(store: Store, project: Project) -> dict[str, Any]:
    def rows(table: Any) -> list[dict[str, Any]]:
        query = select(table).where(table.c.project == project.id)
        return [dict(row) for row in connection.execute(query).mappings()]

    with store.reading() as connection:
        jobs = sorted(rows(schema.jobs), key=lambda job: int(job["number"]))
        ids = [job["id"] for job in jobs]
        measured = select(schema.measurements).where(schema.measurements.c.job.in_(ids))
        points = [list(row) for row in connection.execute(measured)]
        documents, frames = rows(schema.documents), rows(schema.frames)
    kept = [{name: job[name] for name in _JOB_COLUMNS} for job in jobs]
    for job in kept:
        if not State(job["state"]).is_over:
            job |= {"state": State.INTERRUPTED, "finished": time.time()}
    return {
        "format": FORMAT,
        "version": __version__,
        "name": project.name,
        "documents": {document["name"]: document["value"] for document in documents},
        "frames": [
            {name: frame[name] for name in ("name", "file", "rows", "about", "updated")}
            for frame in frames
        ],
        "jobs": kept,
        "measurements": points,
    }


def _put(bundle: zipfile.ZipFile, name: str, content: bytes) -> None:
    # A fixed time: equal projects give equal bundles.
    entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    bundle.writestr(entry, content)


def _unpack(bundle: zipfile.ZipFile, folder: Path, name: str) -> dict[str, Any]:
    """Check a bundle's contents, put its files into a folder and return the manifest."""
    entries = {entry.filename: entry for entry in bundle.infolist()}
    if MANIFEST not in entries:
        raise StoreError(f"{name} is no bundle: it holds no {MANIFEST}.")
    strangers = [
        n for n in entries if n != MANIFEST and not (_FRAME.fullmatch(n) or _MODEL.fullmatch(n))
    ]
    if strangers:
        raise StoreError(f"{name} holds {strangers[0]!r}, which has no place in a bundle.")
    if len(bundle.infolist()) != len(entries) or len(entries) > MOST_FILES:
        raise StoreError(f"{name} holds too many files.")
    sizes = {entry.filename: entry.file_size for entry in entries.values()}
    if sum(sizes.values()) > MOST_BYTES or sizes[MANIFEST] > MOST_MANIFEST_BYTES:
        raise StoreError(f"{name} unpacks to more than a project can hold.")
    try:
        manifest = json.loads(_read(bundle, entries[MANIFEST]), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"The {MANIFEST} of {name} cannot be read: {error}.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StoreError(f"{name} is no bundle of the format {FORMAT}.")
    for part in ("frames", "models"):
        (folder / part).mkdir()
    for entry in entries.values():
        if entry.filename == MANIFEST:
            continue
        target = folder / entry.filename
        with bundle.open(entry) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        if frame := _FRAME.fullmatch(entry.filename):
            if file_digest(target) != frame[1]:
                raise StoreError(f"{entry.filename} in {name} is not what it was.")
            pq.read_schema(target)
        else:
            try:
                checkpoint.header(target)
            except CheckpointError as error:
                raise StoreError(f"{entry.filename} in {name} is damaged: {error}") from error
    return manifest


def _read(bundle: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with bundle.open(entry) as source:
        return source.read(entry.file_size + 1)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _restore(store: Store, manifest: Mapping[str, Any], unpacked: Path) -> Project:
    """Make a project of a checked manifest and unpacked files."""
    new_ids = {str(job["id"]): new_id() for job in manifest["jobs"]}
    jobs = [_job(job, new_ids) for job in manifest["jobs"]]
    frames = [_frame(frame, new_ids, unpacked) for frame in manifest["frames"]]
    documents = dict(manifest["documents"])
    for name in documents:
        check_name(name)
    points = [_point(point, new_ids) for point in manifest["measurements"]]
    project = store.create(str(manifest["name"]))
    try:
        folder = store.folder(project.id)
        shutil.move(unpacked / "frames", folder / "frames")
        (folder / "models").mkdir()
        for old, new in new_ids.items():
            model = unpacked / "models" / f"{old}.safetensors"
            if model.is_file():
                shutil.move(model, folder / "models" / f"{new}.safetensors")
        with store.writing() as connection:
            own = {"project": project.id}
            newest = schema.newest_job_number(connection)
            for table, rows in (
                (
                    schema.documents,
                    [{"name": n, "value": v, "revision": 1} | own for n, v in documents.items()],
                ),
                (schema.frames, [frame | own for frame in frames]),
                (
                    schema.jobs,
                    [job | own | {"number": newest + 1 + i} for i, job in enumerate(jobs)],
                ),
                (schema.measurements, points),
            ):
                if rows:
                    connection.execute(insert(table), rows)
    except BaseException:
        store.delete(project.id)
        raise
    return store.get(project.id)


def _job(job: Mapping[str, Any], new_ids: Mapping[str, str]) -> dict[str, Any]:
    request = dict(job["request"])
    if request.get("prepared") is not None:
        request["prepared"] = new_ids[request["prepared"]]
    state = State(job["state"])
    return {
        **{name: job[name] for name in ("kind", "key", "result", "error")},
        "id": new_ids[str(job["id"])],
        "after": [new_ids[before] for before in job["after"]],
        "request": request,
        "state": state if state.is_over else State.INTERRUPTED,
        "fraction": float(job["fraction"]),
        "sentence": str(job["sentence"]),
        "cancel": 0,
        **{name: _moment(job[name]) for name in ("created", "started", "finished")},
    }


def _frame(frame: Mapping[str, Any], new_ids: Mapping[str, str], unpacked: Path) -> dict[str, Any]:
    name = str(frame["name"])
    for old, new in new_ids.items():
        name = name.replace(f"pool-{old}-", f"pool-{new}-")
    check_name(name)
    file = str(frame["file"])
    if not _FRAME.fullmatch(f"frames/{file}") or not (unpacked / "frames" / file).is_file():
        raise ValueError(f"the table {name} is missing")
    about = dict(frame["about"])
    return {
        "name": name,
        "file": file,
        "rows": int(frame["rows"]),
        "about": about,
        "updated": _moment(frame["updated"]),
    }


def _point(point: Any, new_ids: Mapping[str, str]) -> dict[str, Any]:
    job, step, split, metric, value = point
    return {
        "job": new_ids[job],
        "step": int(step),
        "split": str(split),
        "metric": str(metric),
        "value": None if value is None else _finite(value),
    }


def _moment(seconds: Any) -> float | None:
    if seconds is None:
        return None
    try:
        moment(float(seconds))
    except OSError as error:  # beyond what this system's clock can say
        raise ValueError(f"{seconds!r} is no moment") from error
    return float(seconds)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no number")
    return number
