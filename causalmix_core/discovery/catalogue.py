"""The tests by name, and which one fits a table."""

from typing import Literal

import numpy as np

from causalmix_core.discovery.encoding import Bools, Encoded
from causalmix_core.discovery.g_squared import GSquared
from causalmix_core.discovery.gaussian import DegenerateGaussian, FisherZ
from causalmix_core.discovery.independence import IndependenceTest
from causalmix_core.errors import DiscoveryError

TestName = Literal["auto", "fisherz", "gsq", "degenerate-gaussian", "kernel"]


def make_test(name: TestName, data: Encoded) -> IndependenceTest:
    """Build the named test on encoded columns; ``auto`` chooses by their kinds.

    Raises:
        DiscoveryError: there is no such test, or it cannot read one of the columns.
    """
    if name == "auto":
        if data.is_category.all():
            name = "gsq"
        else:
            name = "degenerate-gaussian" if data.is_category.any() else "fisherz"
    if name == "gsq":
        _refuse(data, ~data.is_category, "gsq needs categories", "numbers")
        return GSquared(data)
    if name == "fisherz":
        _refuse(data, data.is_category, "fisherz needs numbers", "categories")
        return FisherZ.of(data)
    if name == "degenerate-gaussian":
        return DegenerateGaussian.of(data)
    if name == "kernel":
        from causalmix_core.discovery._causallearn import Kernel

        return Kernel(data)
    raise DiscoveryError(
        f"There is no test {name!r}; choose auto, fisherz, gsq, degenerate-gaussian or kernel."
    )


def _refuse(data: Encoded, unfit: Bools, needs: str, holds: str) -> None:
    if unfit.any():
        column = data.names[int(np.flatnonzero(unfit)[0])]
        raise DiscoveryError(
            f"The test {needs}, and {column!r} holds {holds}; choose degenerate-gaussian."
        )
