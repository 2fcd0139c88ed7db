"""The worker process: `python -m causalmix_core.experiment.worker HOME [--job ID]`.

With a job's id it does that job and ends; without, it takes queued jobs until none is left.
"""

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence

from causalmix_core.errors import Cancelled, CausalMixError
from causalmix_core.experiment.jobs import Job, Lease, State, claim, waiting
from causalmix_core.experiment.store import Store, new_id
from causalmix_core.experiment.tasks import perform

_IDLE_SECONDS = 0.3


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one job, or all that are queued."""
    parser = argparse.ArgumentParser(prog="causalmix_core.experiment.worker", description=__doc__)
    parser.add_argument("home", help="the folder of the store")
    parser.add_argument("--job", help="do only this job")
    options = parser.parse_args(arguments)
    # Ctrl-C in the terminal of the app is meant for the app.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Store(options.home), options.job)
    return 0


def serve(store: Store, job_id: str | None = None) -> None:
    """Do one job, or whatever is queued until nothing is left."""
    worker = f"{os.getpid()}-{new_id()}"
    while True:
        job = claim(store, worker, job_id)
        if job is not None:
            work(store, job, worker)
        elif job_id or not waiting(store):
            return
        else:
            time.sleep(_IDLE_SECONDS)


def work(store: Store, job: Job, worker: str) -> None:
    """Do a claimed job and record how it ended."""
    with Lease(store, job.id, worker) as lease:
        try:
            result = perform(store, job, lease)
        except Cancelled:
            lease.finish(State.CANCELLED)
        except CausalMixError as error:
            lease.finish(State.FAILED, error=str(error))
        except MemoryError:
            lease.finish(State.FAILED, error="Not enough memory; use fewer rows or workers.")
        except Exception as error:
            traceback.print_exc()
            lease.finish(State.FAILED, error=f"Unexpected {type(error).__name__}: {error}")
        else:
            lease.finish(State.DONE, result=result)


if __name__ == "__main__":
    sys.exit(main())
