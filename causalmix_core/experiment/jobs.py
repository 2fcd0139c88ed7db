"""Background jobs: started from a page or the command line, done by worker processes.

A job is a row of the store; whoever holds the store can start one, watch it, cancel it and read
its result, so a browser refresh, a second tab or the end of the app loses nothing. Workers are
processes of their own (`python -m causalmix_core.experiment.worker`), each with a heartbeat.

States: queued → running → done | failed | cancelled; a job whose worker died is ``interrupted``
and can be resumed.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pandas as pd
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, insert, select, update
from sqlalchemy.exc import OperationalError

from causalmix_core.errors import Cancelled, StoreError
from causalmix_core.experiment import _schema as schema
from causalmix_core.experiment.store import Json, Store, moment, new_id

HEARTBEAT_SECONDS = 2.0
"""How often a worker says that it is alive."""

LOST_AFTER_SECONDS = 60.0
"""A running job without a heartbeat for so long counts as interrupted."""

_SLEEP_SECONDS = 0.2


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in (State.QUEUED, State.RUNNING)


QUEUED_KINDS = frozenset({"prepare", "finetune"})
"""Kinds of which only as many run at a time as the machine carries; the others start at once."""


@dataclass(frozen=True)
class Job:
    """A snapshot of one job.

    Attributes:
        kind: ``discover``, ``synthesize``, ``compare``, ``prepare`` or ``finetune``.
        request: what was asked for.
        fraction: how much is done, in [0, 1].
        sentence: what it is doing, for people.
        result: what it left, once done; large things lie in the store under their own names.
        error: why it failed, in one sentence.
    """

    id: str
    project: str
    kind: str
    key: str | None
    request: Mapping[str, Json]
    state: State
    fraction: float
    sentence: str
    result: Json
    error: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None


def start_job(
    store: Store,
    project: str,
    kind: str,
    request: Mapping[str, Json],
    *,
    key: str | None = None,
    after: Sequence[str] = (),
    launch: bool = True,
) -> str:
    """Put a job in the queue, see that a worker takes it, and return its id.

    Args:
        store: where the project lies.
        project: the project's id.
        kind: what to do; see `experiment.tasks`.
        request: the details, JSON.
        key: a digest of everything that decides the result. A job of the same key that is done,
            running or queued is not started again: its id is returned.
        after: jobs that must be done first.
        launch: False leaves starting workers to the caller.
    """
    with store.writing() as connection:
        job_id = None if key is None else _again(connection, project, key)
        if job_id is None:
            job_id = new_id()
            row = {
                "id": job_id,
                "project": project,
                "kind": kind,
                "number": schema.newest_job_number(connection) + 1,
                "key": key,
                "after": list(after),
                "request": dict(request),
                "created": time.time(),
                **_FRESH,
            }
            connection.execute(insert(schema.jobs).values(row))
    if launch:
        tend(store)
    return job_id


def _again(connection: Connection, project: str, key: str) -> str | None:
    """Return the id of the job of a key, queued again if it was stopped; None without one."""
    table = schema.jobs
    known = select(table.c.id).where(table.c.project == project, table.c.key == key)
    job_id: str | None = connection.execute(known).scalar()
    if job_id is not None:
        _queue_again(connection, job_id)
    return job_id


def _queue_again(connection: Connection, job_id: str) -> None:
    """Queue a job that was stopped once more, with what must be done before it and was stopped.

    A job that is done or running is left as it is.
    """
    table = schema.jobs
    stopped = table.c.state.in_(_STOPPED)
    connection.execute(update(table).where(table.c.id == job_id, stopped).values(_FRESH))
    waits = select(table.c.after).where(table.c.id == job_id, table.c.state == State.QUEUED)
    for before in connection.execute(waits).scalar() or []:
        _queue_again(connection, before)


_STOPPED = (State.FAILED, State.CANCELLED, State.INTERRUPTED)

_FRESH: dict[str, Json] = {
    "state": State.QUEUED,
    "fraction": 0.0,
    "sentence": "Waiting for a worker",
    "cancel": 0,
    "result": None,
    "error": None,
    "worker": None,
    "host": None,
    "pid": None,
    "started": None,
    "heartbeat": None,
    "finished": None,
}


def job(store: Store, job_id: str) -> Job:
    """Return a snapshot of a job.

    Raises:
        StoreError: there is none of that id.
    """
    found = _select(store, schema.jobs.c.id == job_id)
    if not found:
        raise StoreError(f"There is no job {job_id!r}.")
    return found[0]


def jobs(store: Store, project: str, kind: str | None = None) -> list[Job]:
    """Return a project's jobs, oldest first; marks those whose worker died as interrupted."""
    _mark_lost(store)
    mine = schema.jobs.c.project == project
    return _select(store, and_(mine, schema.jobs.c.kind == kind) if kind else mine)


def latest(store: Store, project: str, kind: str) -> Job | None:
    """Return the newest job of a kind, or None."""
    found = jobs(store, project, kind)
    return found[-1] if found else None


def cancel(store: Store, job_id: str) -> None:
    """Ask a job to stop; one that is still queued stops at once."""
    _cancel(store, schema.jobs.c.id == job_id)


def cancel_all(store: Store, project: str, kind: str | None = None) -> None:
    """Ask every job of a project (of one kind) to stop."""
    mine = schema.jobs.c.project == project
    _cancel(store, and_(mine, schema.jobs.c.kind == kind) if kind else mine)


def cancel_together(store: Store, job_ids: Iterable[str]) -> None:
    """Ask jobs to stop, and with them what is done before them for no other job."""
    table, mine = schema.jobs, set(job_ids)
    going = select(table.c.id, table.c.after).where(
        table.c.state.in_((State.QUEUED, State.RUNNING))
    )
    with store.reading() as connection:
        found = connection.execute(going).all()
    ours = {before for job_id, after in found if job_id in mine for before in after}
    theirs = {before for job_id, after in found if job_id not in mine for before in after}
    _cancel(store, table.c.id.in_(mine | (ours - theirs)))


def resume(store: Store, job_id: str, *, launch: bool = True) -> None:
    """Queue a failed, cancelled or interrupted job again; a run goes on from its checkpoint."""
    _mark_lost(store)
    with store.writing() as connection:
        _queue_again(connection, job_id)
    if launch:
        tend(store)


def forget(store: Store, job_id: str) -> None:
    """Remove a job that is over, with its curves."""
    table = schema.jobs
    over = table.c.state.in_([state for state in State if state.is_over])
    with store.writing() as connection:
        connection.execute(table.delete().where(table.c.id == job_id, over))


def wait(
    store: Store,
    job_ids: Iterable[str],
    *,
    seconds: float = float("inf"),
    watch: Callable[[list[Job]], None] | None = None,
) -> list[Job]:
    """Wait until jobs are over and return them in the order given.

    Args:
        store: where they lie.
        job_ids: which jobs.
        seconds: give up after so long.
        watch: called with the snapshots about five times a second; raising in it ends the wait.

    Raises:
        StoreError: they are not over in time.
    """
    wanted = list(job_ids)
    deadline = time.monotonic() + seconds
    while True:
        tend(store)
        found = {each.id: each for each in _select(store, schema.jobs.c.id.in_(wanted))}
        snapshots = [found[job_id] for job_id in wanted]
        if watch is not None:
            watch(snapshots)
        if all(each.state.is_over for each in snapshots):
            return snapshots
        if time.monotonic() > deadline:
            raise StoreError(f"Not all jobs were over within {seconds:g} s.")
        time.sleep(_SLEEP_SECONDS)


def curves(store: Store, job_ids: Sequence[str], since: int = -1) -> pd.DataFrame:
    """Return what runs measured, as long rows: job, step, split, metric, value.

    Args:
        store: where they lie.
        job_ids: which runs.
        since: only steps after this one.
    """
    table = schema.measurements
    query = (
        select(table)
        .where(table.c.job.in_(list(job_ids)), table.c.step > since)
        .order_by(table.c.job, table.c.step)
    )
    columns = ["job", "step", "split", "metric", "value"]
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=columns).astype(
        {"step": "int64", "value": "float64"}
    )


# Workers


def capacity() -> int:
    """How many queued jobs run at a time at most: one per core, or CAUSALMIX_WORKERS."""
    chosen = os.environ.get("CAUSALMIX_WORKERS")
    if chosen and chosen.isdigit() and int(chosen) > 0:
        return int(chosen)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _room(workers: int) -> int:
    """How many more workers the machine carries; the first one always."""
    by_memory = int(_free_memory() // _MEMORY_PER_WORKER)
    return max(0, min(capacity() - workers, by_memory if workers else max(by_memory, 1)))


_MEMORY_PER_WORKER = 1.5e9


def _free_memory() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 8e9


def tend(store: Store) -> None:
    """Mark lost jobs as interrupted and start the workers that the queue needs.

    Pages call it whenever they look at a job, so a queue goes on after all workers were killed.
    """
    _mark_lost(store)
    table = schema.jobs
    with store.reading() as connection:
        queued = connection.execute(
            select(table.c.id, table.c.kind).where(table.c.state == State.QUEUED)
        ).all()
        busy = connection.execute(_BUSY).scalar_one()
    starting = _reap(store)
    for job_id, kind in queued:
        if kind not in QUEUED_KINDS and not any(each.serves == job_id for each in starting):
            _launch(store, job_id)
    wanted = sum(kind in QUEUED_KINDS for _, kind in queued)
    young = sum(each.serves is None for each in starting)
    for _ in range(min(wanted, _room(max(busy, young)))):
        _launch(store, None)


_BUSY = select(func.count()).where(
    schema.jobs.c.state == State.RUNNING, schema.jobs.c.kind.in_(QUEUED_KINDS)
)


def see_off(store: Store, seconds: float = 30.0) -> None:
    """Wait until the workers that this process started have ended, so that none is left behind."""
    deadline = time.monotonic() + seconds
    while _reap(store) and time.monotonic() < deadline:
        time.sleep(_SLEEP_SECONDS)


@dataclass(frozen=True)
class _Child:
    """A worker this process started: for one job, or (None) for whatever is queued."""

    home: Path
    serves: str | None
    process: "subprocess.Popen[bytes]"


_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_children: list[_Child] = []
_children_lock = threading.Lock()


def _launch(store: Store, job_id: str | None) -> None:
    home = store.home.resolve()
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "causalmix_core.experiment.worker", str(home)]
    if job_id is not None:
        command += ["--job", job_id]
    library = str(Path(__file__).resolve().parents[2])
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    if job_id is None:
        # Several of these run at a time: one thread each, or they would fight over the cores.
        environment |= dict.fromkeys(_THREAD_VARIABLES, "1")
    with (logs / f"{job_id or 'queue'}.log").open("ab") as log:
        # A session of its own: the worker goes on when the app or its terminal ends.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    with _children_lock:
        _children.append(_Child(home, job_id, process))


def _reap(store: Store) -> list[_Child]:
    """Forget ended children (so that none stays a zombie) and return this store's living ones.

    A worker that ended with an error before it took a job would be started again and again; the
    job it was started for, or the next one in the queue, fails instead.
    """
    home = store.home.resolve()
    with _children_lock:
        ended = [each for each in _children if each.process.poll() is not None]
        _children[:] = [each for each in _children if each not in ended]
        living = [each for each in _children if each.home == home]
    for child in ended:
        if child.home == home and (child.process.returncode or 0) > 0:
            _fail_unstarted(store, child)
    return living


def _fail_unstarted(store: Store, child: _Child) -> None:
    table = schema.jobs
    log = child.home / "logs" / f"{child.serves or 'queue'}.log"
    change = {
        "state": State.FAILED,
        "finished": time.time(),
        "sentence": "Failed",
        "error": f"The worker process could not start; what it said is in {log}.",
    }
    meant = table.c.id == child.serves if child.serves else table.c.kind.in_(QUEUED_KINDS)
    with store.writing() as connection:
        first = connection.execute(
            select(table.c.id)
            .where(table.c.state == State.QUEUED, meant)
            .order_by(table.c.number)
            .limit(1)
        ).scalar()
        connection.execute(update(table).where(table.c.id == first).values(change))


def claim(store: Store, worker: str, job_id: str | None = None) -> Job | None:
    """Take the next queued job (or this one) for a worker, or return None.

    A job whose predecessors are not all done is passed over; one of which a predecessor ended
    otherwise ends here in the same way.
    """
    table = schema.jobs
    wanted = table.c.id == job_id if job_id else table.c.kind.in_(QUEUED_KINDS)
    with store.writing() as connection:
        if job_id is None and connection.execute(_BUSY).scalar_one() >= capacity():
            return None
        candidates = connection.execute(
            select(table.c.id, table.c.after)
            .where(table.c.state == State.QUEUED, wanted)
            .order_by(table.c.number)
        )
        for candidate, after in candidates.all():
            query = select(table.c.state, table.c.error).where(table.c.id.in_(after))
            before = {State(state): error for state, error in connection.execute(query).all()}
            if not all(state.is_over for state in before):
                continue
            now = time.time()
            own = update(table).where(table.c.id == candidate)
            ended = next((state for state in _STOPPED if state in before), None)
            if ended is not None:
                change = {
                    "state": ended,
                    "finished": now,
                    "sentence": "A step before this one did not finish",
                    "error": before[ended],
                }
                connection.execute(own.values(change))
                continue
            change = {
                "state": State.RUNNING,
                "sentence": "Starting",
                "worker": worker,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started": now,
                "heartbeat": now,
            }
            connection.execute(own.values(change))
            mine = select(table).where(table.c.id == candidate)
            return _job(connection.execute(mine).mappings().one())
    return None


def waiting(store: Store) -> bool:
    """Whether queued jobs wait for a job before them, and another worker has room."""
    table = schema.jobs
    query = select(func.count()).where(
        table.c.state == State.QUEUED, table.c.kind.in_(QUEUED_KINDS)
    )
    with store.reading() as connection:
        queued = connection.execute(query).scalar_one()
        return bool(queued) and connection.execute(_BUSY).scalar_one() < capacity()


class Lease:
    """A worker's hold on the job it is doing: heartbeat, progress, curves, the end.

    Use as a context manager. `progress` and `measure` raise `Cancelled` once the user asked to
    stop, or another worker took the job over.
    """

    def __init__(self, store: Store, job_id: str, worker: str) -> None:
        self.store = store
        self.job_id = job_id
        self._own = and_(schema.jobs.c.id == job_id, schema.jobs.c.worker == worker)
        self._stop = threading.Event()
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._reported = (-1.0, "")
        self._reported_at = 0.0

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS / 4):
            # A database that is busy for once is no reason to stop: the next beat comes soon.
            with suppress(OperationalError):
                self._update({"heartbeat": time.time()})

    def _update(self, values: Mapping[str, Json]) -> None:
        """Write to the job's row; also learns there whether to stop."""
        table = schema.jobs
        with self.store.writing() as connection:
            cancel = connection.execute(select(table.c.cancel).where(self._own)).scalar()
            if cancel is None or cancel:
                self._cancelled.set()
            # A worker that was only asleep (a suspended laptop) takes its job back.
            alive = table.c.state.in_((State.RUNNING, State.INTERRUPTED))
            change = update(table).where(self._own, alive)
            connection.execute(change.values({"state": State.RUNNING, **values}))

    def check(self) -> None:
        """Raise Cancelled once the job should stop."""
        if self._cancelled.is_set():
            raise Cancelled("Cancelled.")

    def progress(self, fraction: float, sentence: str) -> None:
        """Report how far the job is (`causalmix_core.progress.Progress`)."""
        self.check()
        now = time.monotonic()
        report = (min(max(float(fraction), 0.0), 1.0), sentence)
        # More than a few reports a second would only make other writers wait.
        if report != self._reported and now - self._reported_at > _SLEEP_SECONDS:
            self._reported, self._reported_at = report, now
            self._update({"fraction": report[0], "sentence": report[1], "heartbeat": time.time()})
            self.check()

    def measure(self, points: Iterable[tuple[int, str, str, float]]) -> None:
        """Store points of the curves: (step, split, metric, value); the same point replaces."""
        rows = [
            {
                "job": self.job_id,
                "step": step,
                "split": split,
                "metric": metric,
                "value": None if value != value else float(value),
            }
            for step, split, metric, value in points
        ]
        if rows:
            statement = insert(schema.measurements).prefix_with("OR REPLACE")
            with self.store.writing() as connection:
                connection.execute(statement, rows)
        self.check()

    def finish(self, state: State, *, result: Json = None, error: str | None = None) -> None:
        """Record the end of the job."""
        sentences = {State.DONE: "Done", State.CANCELLED: "Cancelled", State.FAILED: "Failed"}
        values: dict[str, Json] = {
            "state": state,
            "finished": time.time(),
            "sentence": sentences[state],
            "result": result,
            "error": error,
        }
        if state is State.DONE:
            values["fraction"] = 1.0
        self._stop.set()
        self._thread.join()
        self._update(values)


def _select(store: Store, where: ColumnElement[bool]) -> list[Job]:
    query = select(schema.jobs).where(where).order_by(schema.jobs.c.number)
    with store.reading() as connection:
        return [_job(row) for row in connection.execute(query).mappings()]


def _cancel(store: Store, which: ColumnElement[bool]) -> None:
    table = schema.jobs
    now = time.time()
    queued = {"state": State.CANCELLED, "finished": now, "sentence": "Cancelled"}
    with store.writing() as connection:
        own = update(table).where(which, table.c.state == State.QUEUED)
        connection.execute(own.values(queued))
        own = update(table).where(which, table.c.state == State.RUNNING)
        connection.execute(own.values({"cancel": 1, "sentence": "Stopping"}))


def _mark_lost(store: Store) -> None:
    """Mark running jobs whose worker is gone as interrupted."""
    table = schema.jobs
    running = table.c.state == State.RUNNING
    _reap(store)
    with store.reading() as connection:
        rows = connection.execute(select(table).where(running)).mappings().all()
    for row in rows:
        if _is_lost(row):
            lost = {
                "state": State.INTERRUPTED,
                "finished": time.time(),
                "sentence": "Interrupted: its worker process ended",
            }
            same = and_(table.c.id == row["id"], running, table.c.heartbeat == row["heartbeat"])
            with store.writing() as connection:
                connection.execute(update(table).where(same).values(lost))


def _is_lost(row: RowMapping) -> bool:
    if time.time() - row["heartbeat"] > LOST_AFTER_SECONDS:
        return True
    # On Windows signal 0 would end the process, so there only the heartbeat counts.
    if os.name != "posix" or row["host"] != socket.gethostname():
        return False
    try:
        os.kill(row["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _job(row: RowMapping) -> Job:
    return Job(
        id=row["id"],
        project=row["project"],
        kind=row["kind"],
        key=row["key"],
        request=row["request"],
        state=State(row["state"]),
        fraction=row["fraction"],
        sentence=row["sentence"],
        result=row["result"],
        error=row["error"],
        created=moment(row["created"]),
        started=None if row["started"] is None else moment(row["started"]),
        finished=None if row["finished"] is None else moment(row["finished"]),
    )
