"""Do a run once more and compare: `python -m causalmix_core.experiment.repeat HOME JOB`.

Exit status 0 where every figure is the same to the last digit, 1 where one differs, 2 where the
run cannot be repeated.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from causalmix_core.errors import CausalMixError, RunError
from causalmix_core.experiment.jobs import State, job
from causalmix_core.experiment.runs import FINETUNE, compute
from causalmix_core.experiment.store import Store
from causalmix_core.finetune.run import TIMES

_OF_THE_MACHINE = TIMES | {"memory_mb"}


def repeat(store: Store, job_id: str) -> dict[str, tuple[Any, Any]]:
    """Do a run once more and return the figures that differ: name → (stored, found).

    Raises:
        RunError: the job is no finished run.
    """
    stored = job(store, job_id)
    if stored.kind != FINETUNE or stored.state is not State.DONE:
        raise RunError(f"The job {job_id!r} is no finished fine-tuning run.")
    return differences(stored.result["metrics"], compute(store, stored).metrics)


def differences(stored: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the figures of two results that differ, times and memory aside."""

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and value != value else value

    names = [name for name in {**stored, **found} if name not in _OF_THE_MACHINE]
    pairs = {name: (stored.get(name), plain(found.get(name))) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Repeat the run named on the command line and say how it compares."""
    parser = argparse.ArgumentParser(prog="causalmix_core.experiment.repeat", description=__doc__)
    parser.add_argument("home", help="the folder of the store")
    parser.add_argument("job", help="the run's job id")
    options = parser.parse_args(arguments)
    try:
        found = repeat(Store(options.home), options.job)
    except CausalMixError as error:
        print(error, file=sys.stderr)
        return 2
    for name, (stored, now) in found.items():
        print(f"{name}: {stored} then, {now} now")
    if not found:
        print("Every figure is the same to the last digit.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
