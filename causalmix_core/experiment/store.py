"""The embedded store of projects: SQLite for what is small, Parquet files for tables beside it.

A project holds named JSON documents (`save_json`), named data frames (`save_frame`), files such
as tuned models (`folder`), and jobs with their curves (`experiment.jobs`). Every call is one short
transaction, so several processes and browser tabs can work on one project at the same time.
"""

import builtins
import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs
from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from causalmix_core.errors import StoreError
from causalmix_core.experiment import _schema as schema

Json = Any
"""Whatever `json.dumps` takes: None, bool, numbers, text, lists and dicts with text keys."""

TABLE = "table"
RAW = "raw"
SOURCE = "source"
"""The folder of a project that holds the uploaded file as it came."""

_ID_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+=, -]{0,119}")


@dataclass(frozen=True)
class Project:
    """What an analyst comes back to; its contents are read through the `Store`."""

    id: str
    name: str
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class StoredFrame:
    """A data frame kept in a project.

    Attributes:
        name: what it was saved under.
        rows: how many rows it has.
        about: what the saver wrote beside it, such as settings and the digest of its inputs.
        updated: when it was saved.
        digest: content digest of the stored file.
    """

    name: str
    rows: int
    about: Mapping[str, Json]
    updated: datetime
    digest: str


def default_home() -> Path:
    """The folder of the store: the environment's CAUSALMIX_HOME, else the user's data folder."""
    chosen = os.environ.get("CAUSALMIX_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("causalmix", False))


class Store:
    """Projects under one folder.

    Args:
        home: the folder; None means `default_home()`. It is made where it is missing.

    Raises:
        StoreError: the folder cannot be written or holds something that is no store.
    """

    def __init__(self, home: str | Path | None = None) -> None:
        self.home = Path(home) if home is not None else default_home()
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self._engine = schema.connect(self.home / "store.sqlite")
        except OSError as error:
            raise StoreError(
                f"The folder {self.home} cannot be written ({error.strerror}); "
                "set CAUSALMIX_HOME to one that can."
            ) from error
        except DatabaseError as error:
            raise StoreError(
                f"{self.home / 'store.sqlite'} is not a project store or cannot be opened "
                f"({error.orig}); move it away or set CAUSALMIX_HOME to another folder."
            ) from error

    # Projects

    def create(self, name: str) -> Project:
        """Make an empty project and return it."""
        now = time.time()
        project_id = new_id()
        row = {"id": project_id, "name": _title(name), "created": now, "updated": now}
        with self.writing() as connection:
            connection.execute(insert(schema.projects).values(row))
        self.folder(project_id)
        return self.get(project_id)

    def list(self) -> builtins.list[Project]:
        """Return all projects, the most recently changed first."""
        query = select(schema.projects).order_by(schema.projects.c.updated.desc())
        with self.reading() as connection:
            return [_project(row) for row in connection.execute(query).mappings()]

    def get(self, project: str) -> Project:
        """Return a project by its id.

        Raises:
            StoreError: there is none (it was deleted, or belongs to another folder).
        """
        query = select(schema.projects).where(schema.projects.c.id == project)
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise StoreError(f"There is no project {project!r} in {self.home}.")
        return _project(row)

    def rename(self, project: str, name: str) -> Project:
        """Give a project another name."""
        self.get(project)
        change = update(schema.projects).where(schema.projects.c.id == project)
        with self.writing() as connection:
            connection.execute(change.values(name=_title(name), updated=time.time()))
        return self.get(project)

    def duplicate(self, project: str, name: str | None = None) -> Project:
        """Copy a project with its documents, frames and uploaded file.

        Jobs stay with the original, and so do the models that they tuned.
        """
        original = self.get(project)
        copy = self.create(name or f"{original.name} (copy)")
        with self.writing() as connection:
            for table in (schema.documents, schema.frames):
                rows = connection.execute(select(table).where(table.c.project == project))
                copies = [dict(row) | {"project": copy.id} for row in rows.mappings()]
                if copies:
                    connection.execute(insert(table), copies)
        for part in ("frames", SOURCE):
            source = self.folder(project) / part
            if source.is_dir():
                shutil.copytree(source, self.folder(copy.id) / part, dirs_exist_ok=True)
        return copy

    def delete(self, project: str) -> None:
        """Remove a project and everything in it."""
        self.get(project)
        with self.writing() as connection:
            connection.execute(delete(schema.projects).where(schema.projects.c.id == project))
        shutil.rmtree(self._folder(project), ignore_errors=True)

    def folder(self, project: str) -> Path:
        """Return the folder of a project's files, made where it is missing."""
        folder = self._folder(project)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # JSON documents

    def save_json(
        self, project: str, name: str, value: Json, *, expected: int | None = None
    ) -> int:
        """Save a JSON document under a name and return its revision (1, 2, …).

        Args:
            project: the project's id.
            name: the document's name, such as ``"graph"``.
            value: the document.
            expected: the revision this change was made from (0: none yet). Where another tab
                saved in the meantime nothing is written. None overwrites.

        Raises:
            StoreError: no such project, not JSON, or `expected` is no longer the newest revision.
        """
        check_name(name)
        _check_json(name, value)
        own = (schema.documents.c.project == project) & (schema.documents.c.name == name)
        with self.writing() as connection:
            self._touch(connection, project)
            newest = connection.execute(select(schema.documents.c.revision).where(own)).scalar()
            revision = newest or 0
            if expected is not None and expected != revision:
                raise StoreError(
                    f"The {name} was changed elsewhere, perhaps in another tab; "
                    "reload the page to see it."
                )
            row = {"value": value, "revision": revision + 1}
            if newest is None:
                row |= {"project": project, "name": name}
                connection.execute(insert(schema.documents).values(row))
            else:
                connection.execute(update(schema.documents).where(own).values(row))
        return revision + 1

    def load_json(self, project: str, name: str, default: Json = None) -> Json:
        """Return a JSON document, or `default` where there is none."""
        value, revision = self.load_json_as_stored(project, name)
        return value if revision else default

    def load_json_as_stored(self, project: str, name: str) -> tuple[Json, int]:
        """Return a JSON document and its revision; (None, 0) where there is none."""
        query = select(schema.documents.c.value, schema.documents.c.revision).where(
            schema.documents.c.project == project, schema.documents.c.name == name
        )
        with self.reading() as connection:
            row = connection.execute(query).first()
        return (None, 0) if row is None else (row[0], row[1])

    def delete_json(self, project: str, name: str) -> None:
        """Remove a JSON document, if there is one."""
        own = (schema.documents.c.project == project) & (schema.documents.c.name == name)
        with self.writing() as connection:
            self._touch(connection, project)
            connection.execute(delete(schema.documents).where(own))

    def revisions(self, project: str) -> dict[str, int]:
        """Return every document's name and revision: a cheap look at what has changed."""
        query = select(schema.documents.c.name, schema.documents.c.revision).where(
            schema.documents.c.project == project
        )
        with self.reading() as connection:
            return dict(connection.execute(query).all())

    # Data frames

    def save_frame(
        self,
        project: str,
        name: str,
        frame: pd.DataFrame,
        about: Mapping[str, Json] | None = None,
    ) -> StoredFrame:
        """Save a data frame under a name as Parquet; one of the same name is replaced.

        Args:
            project: the project's id.
            name: the frame's name, such as ``"raw"`` or ``"rows-smote"``.
            frame: its columns must have different text names; the index is not kept.
            about: JSON kept beside it, such as settings and the digest of the inputs.

        Raises:
            StoreError: no such project, or `about` is not JSON.
        """
        check_name(name)
        _check_json(name, dict(about or {}))
        self.get(project)  # the folder of a deleted project is not made again
        folder = self.folder(project) / "frames"
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as handle:
            unfinished = Path(handle.name)
        try:
            frame.to_parquet(unfinished, index=False)
            # The content is the file's name: a reader never meets a half-written table.
            file = f"{file_digest(unfinished)}.parquet"
            os.replace(unfinished, folder / file)
        finally:
            unfinished.unlink(missing_ok=True)
        row = {
            "project": project,
            "name": name,
            "file": file,
            "rows": len(frame),
            "about": dict(about or {}),
            "updated": time.time(),
        }
        own = (schema.frames.c.project == project) & (schema.frames.c.name == name)
        with self.writing() as connection:
            try:
                self._touch(connection, project)
            except StoreError:  # deleted since it was looked up
                shutil.rmtree(self._folder(project), ignore_errors=True)
                raise
            connection.execute(delete(schema.frames).where(own))
            connection.execute(insert(schema.frames).values(row))
            self._sweep(connection, project)
            saved = connection.execute(select(schema.frames).where(own)).mappings().one()
        return _stored_frame(saved)

    def load_frame(self, project: str, name: str) -> pd.DataFrame:
        """Return a data frame with the dtypes it was saved with.

        Raises:
            StoreError: the project has none of that name.
        """
        for attempt in (1, 2):
            stored = next((each for each in self.frames(project) if each.name == name), None)
            if stored is None:
                raise StoreError(f"The project has no table {name!r}.")
            try:
                return pd.read_parquet(self._frame_file(project, stored.digest))
            except FileNotFoundError:
                # Replaced between the two lines above; the second look finds the new file.
                if attempt == 2:
                    raise StoreError(f"The file of the table {name!r} is gone.") from None
        raise AssertionError

    def frames(self, project: str) -> builtins.list[StoredFrame]:
        """Return what is known of every data frame of a project, by name."""
        query = (
            select(schema.frames)
            .where(schema.frames.c.project == project)
            .order_by(schema.frames.c.name)
        )
        with self.reading() as connection:
            return [_stored_frame(row) for row in connection.execute(query).mappings()]

    def delete_frame(self, project: str, name: str) -> None:
        """Remove a data frame, if there is one."""
        own = (schema.frames.c.project == project) & (schema.frames.c.name == name)
        with self.writing() as connection:
            self._touch(connection, project)
            connection.execute(delete(schema.frames).where(own))
            self._sweep(connection, project)

    # The table of a project: the file's columns as text, and what the analyst chose about them

    def save_table(self, project: str, raw: pd.DataFrame, choices: Mapping[str, Json]) -> None:
        """Save the raw table (every column as read, as text) and the choices made about it."""
        self.save_frame(project, RAW, raw)
        self.save_json(project, TABLE, dict(choices))

    def load_table(self, project: str) -> tuple[pd.DataFrame, dict[str, Json]]:
        """Return the raw table and the choices made about it."""
        return self.load_frame(project, RAW), dict(self.load_json(project, TABLE, {}))

    # Transactions, for the modules of this room

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its start."""
        with (
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _touch(self, connection: Connection, project: str) -> None:
        change = update(schema.projects).where(schema.projects.c.id == project)
        if connection.execute(change.values(updated=time.time())).rowcount == 0:
            raise StoreError(f"There is no project {project!r} in {self.home}.")

    def _folder(self, project: str) -> Path:
        if not project or set(project) - set(_ID_LETTERS):
            raise StoreError(f"{project!r} is not a project's id.")
        return self.home / "projects" / project

    def _frame_file(self, project: str, digest: str) -> Path:
        return self._folder(project) / "frames" / f"{digest}.parquet"

    def _sweep(self, connection: Connection, project: str) -> None:
        """Remove the files that no frame points to any more."""
        query = select(schema.frames.c.file).where(schema.frames.c.project == project)
        used = set(connection.execute(query).scalars())
        for file in (self._folder(project) / "frames").iterdir():
            # A young file may be one that another process is about to point to; a file that is gone
            # was another process's temporary one.
            with contextlib.suppress(FileNotFoundError):
                if file.name not in used and time.time() - file.stat().st_mtime > 60:
                    file.unlink()


def new_id() -> str:
    """Return a fresh id: 14 letters and digits, safe in an address and not to be guessed."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(14))


def _title(name: str) -> str:
    title = " ".join(name.split())
    if not title:
        raise StoreError("Give the project a name.")
    return title[:200]


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a document or a frame.

    Raises:
        StoreError: it has other characters than letters, digits and a few signs.
    """
    if not _NAME.fullmatch(name):
        raise StoreError(
            f"{name!r} cannot be a name in a project: use up to 120 letters, digits and _.:+=,-"
        )


def _check_json(name: str, value: Json) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError(f"The document {name!r} cannot be written as JSON: {error}.") from error


def file_digest(file: Path) -> str:
    """Digest of a file's bytes (hex, 32 characters)."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:32]


def moment(seconds: float) -> datetime:
    """Return seconds since 1970 as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _project(row: RowMapping) -> Project:
    return Project(row["id"], row["name"], moment(row["created"]), moment(row["updated"]))


def _stored_frame(row: RowMapping) -> StoredFrame:
    return StoredFrame(
        name=row["name"],
        rows=row["rows"],
        about=row["about"],
        updated=moment(row["updated"]),
        digest=Path(row["file"]).stem,
    )
