"""The SQLite tables of the store, and how a connection to them is opened."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.pool import NullPool

SCHEMA_VERSION = 1

metadata = MetaData()


def _project_column(**options: Any) -> Column[str]:
    return Column("project", ForeignKey("projects.id", ondelete="CASCADE"), **options)


projects = Table(
    "projects",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    _project_column(primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
)

frames = Table(
    "frames",
    metadata,
    _project_column(primary_key=True),
    Column("name", String, primary_key=True),
    Column("file", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("about", JSON, nullable=False),
    Column("updated", Float, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    _project_column(nullable=False),
    Column("kind", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("key", String),
    Column("after", JSON, nullable=False),
    Column("request", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("fraction", Float, nullable=False),
    Column("sentence", String, nullable=False),
    Column("cancel", Integer, nullable=False),
    Column("result", JSON),
    Column("error", String),
    Column("worker", String),
    Column("host", String),
    Column("pid", Integer),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("heartbeat", Float),
    Column("finished", Float),
    Index("jobs_by_state", "state", "number"),
    Index("jobs_by_project", "project", "kind"),
    Index("jobs_by_key", "project", "key", unique=True),
)

measurements = Table(
    "measurements",
    metadata,
    Column("job", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("split", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("value", Float),
    sqlite_with_rowid=False,
)


def newest_job_number(connection: Connection) -> int:
    """Return the highest number of a job, 0 without jobs; jobs are taken in their order."""
    highest = connection.execute(select(func.max(jobs.c.number))).scalar()
    return 0 if highest is None else int(highest)


def connect(file: Path) -> Engine:
    """Open the store's database, making its tables where they are missing.

    Connections are opened per transaction (NullPool), so a store may be used from any thread and
    survives a fork; WAL lets pages read while workers write.
    """
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, record: object) -> None:
        # SQLAlchemy, not the driver, decides where a transaction starts (see `_begin`).
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads and then writes would fail at once when another process wrote
        # in between; taking the write lock first makes it wait instead.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        metadata.create_all(connection)
    return engine
