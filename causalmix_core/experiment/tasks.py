"""What each kind of job does; called by the worker only."""

from collections.abc import Callable

from causalmix_core.errors import StoreError
from causalmix_core.experiment.jobs import Job, Lease
from causalmix_core.experiment.store import Json, Store

Task = Callable[[Store, Job, Lease], Json]

TASKS: dict[str, Task] = {}


def perform(store: Store, job: Job, lease: Lease) -> Json:
    """Do a job and return its result (JSON); larger results go into the store."""
    if job.kind not in TASKS:
        raise StoreError(f"There is no kind of job {job.kind!r}; choose one of {sorted(TASKS)}.")
    return TASKS[job.kind](store, job, lease)
