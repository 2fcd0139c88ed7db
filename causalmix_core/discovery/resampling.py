"""The same search on many draws of the rows, in parallel, seeded, with progress and cancel."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice
from tempfile import NamedTemporaryFile

import numpy as np
from threadpoolctl import threadpool_limits

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Ints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.marks import Marks
from causalmix_core.discovery.search import Draws, Settings, search
from causalmix_core.errors import Cancelled
from causalmix_core.progress import Progress, part

_HEARTBEAT = 0.2  # seconds between two chances to cancel while workers are busy
_WORTH_WORKERS = 4.0  # seconds of work below which starting processes does not pay


def draw(n: int, seed: int, number: int, draws: Draws = "bootstrap") -> Ints:
    """Rows of resample `number`: as many as the table has with replacement, or half without."""
    rng = np.random.default_rng([seed, number])
    if draws == "half":
        return np.sort(rng.choice(n, n // 2, replace=False))
    return np.sort(rng.integers(0, n, n))


def choose_workers(asked: int | None, draws: int, seconds: float) -> int:
    """Return how many processes to use for `draws` searches of about `seconds` each."""
    if multiprocessing.current_process().daemon:
        return 1  # daemons may have no children
    if asked is None:
        asked = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        if draws * seconds < _WORTH_WORKERS:
            return 1
    return max(1, min(asked, draws))


def resample(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    draws: int,
    seed: int,
    workers: int,
    progress: Progress,
) -> Iterator[dict[str, Marks]]:
    """Yield the marks per algorithm of every draw, in the order of the draws.

    The draws depend on `seed` alone, so the number of workers changes nothing but the time.
    """
    run = _in_turn if workers == 1 else _in_parallel
    yield from run(test, settings, constraints, draws, seed, workers, progress)


def _in_turn(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    draws: int,
    seed: int,
    workers: int,
    progress: Progress,
) -> Iterator[dict[str, Marks]]:
    for number in range(draws):
        inner = part(progress, number / draws, (number + 1) / draws)
        yield _search_draw(test, settings, constraints, seed, number, _named(inner, number, draws))


def _named(progress: Progress, number: int, draws: int) -> Progress:
    """Report a draw's progress under the draw's number."""

    def report(fraction: float, sentence: str) -> None:
        progress(fraction, f"Resample {number + 1} of {draws}")

    return report


def _in_parallel(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    draws: int,
    seed: int,
    workers: int,
    progress: Progress,
) -> Iterator[dict[str, Marks]]:
    # loky starts clean processes instead of forking (threads may be running here) and needs no
    # main guard in the caller's script; its futures let a cancel through while workers are busy.
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor(max_workers=workers, timeout=20)
    done: dict[int, dict[str, Marks]] = {}
    running: dict[Future[dict[str, Marks]], int] = {}
    coming = iter(range(draws))
    # Workers look at this file: when it is gone, because all is done or cancelled, they stop.
    with NamedTemporaryFile(prefix="causalmix-search-") as sign:
        while len(done) < draws:
            for number in islice(coming, 2 * workers - len(running)):
                task = executor.submit(
                    _search_while, sign.name, test, settings, constraints, seed, number
                )
                running[task] = number
            progress(
                len(done) / draws, f"Resample {len(done)} of {draws} done, {workers} at a time"
            )
            for task in wait(running, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED).done:
                done[running.pop(task)] = task.result()
    yield from (done[number] for number in range(draws))


def _search_while(
    sign: str,
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    seed: int,
    number: int,
) -> dict[str, Marks]:
    """Search a draw in a worker for as long as the file `sign` is there."""

    def stop_without_sign(fraction: float, sentence: str) -> None:
        if not os.path.exists(sign):
            raise Cancelled("The search was stopped.")

    stop_without_sign(0.0, "")
    return _search_draw(test, settings, constraints, seed, number, stop_without_sign)


def _search_draw(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    seed: int,
    number: int,
    progress: Progress,
) -> dict[str, Marks]:
    # One BLAS thread: the same sums in the same order, however many workers there are.
    with threadpool_limits(1):
        # Tests are not remembered across draws: on other rows, a test is another test.
        rows = draw(len(test.data), seed, number, settings.draws)
        drawn = test.resample(rows, repeated=settings.draws == "bootstrap")
        return search(drawn, settings, constraints, progress).marks
