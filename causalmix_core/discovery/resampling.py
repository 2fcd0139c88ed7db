"""The same search on many draws of the rows, in parallel, seeded, with progress and cancel."""

from collections.abc import Iterator

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Ints
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.discovery.marks import Marks
from causalmix_core.discovery.search import Settings, search
from causalmix_core.progress import Progress


def draw(n: int, seed: int, number: int) -> Ints:
    """Rows of resample `number`: half of them, without replacement."""
    rng = np.random.default_rng([seed, number])
    return np.sort(rng.permutation(n)[: n // 2])


def resample(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    draws: int,
    seed: int,
    workers: int,
    progress: Progress,
) -> Iterator[tuple[str, Marks]]:
    """Yield (algorithm, marks) of every draw, in the order of the draws."""
    for number, marks in enumerate(_graphs(test, settings, constraints, draws, seed, workers)):
        progress((number + 1) / draws, f"Resample {number + 1} of {draws}")
        yield from marks.items()


def _graphs(
    test: IndependenceTest,
    settings: Settings,
    constraints: Constraints,
    draws: int,
    seed: int,
    workers: int,
) -> Iterator[dict[str, Marks]]:
    if workers == 1:
        for number in range(draws):
            yield _one(test, settings, constraints, seed, number)
        return
    from joblib import Parallel, delayed

    # A consumer that raises closes this generator, and joblib then stops its workers.
    tasks = (delayed(_one)(test, settings, constraints, seed, number) for number in range(draws))
    yield from Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs")(tasks)


def _one(
    test: IndependenceTest, settings: Settings, constraints: Constraints, seed: int, number: int
) -> dict[str, Marks]:
    rows = draw(len(test.data), seed, number)
    return search(test.on(rows), settings, constraints).marks
