"""Generators of synthetic rows, one interface and one file per generator."""

from collections.abc import Mapping
from typing import Any

from causalmix_core.augment.base import Generator
from causalmix_core.augment.causal import Causal
from causalmix_core.augment.mixup import Mixup
from causalmix_core.augment.smote import Smote
from causalmix_core.errors import GeneratorError

GENERATORS: Mapping[str, type[Generator]] = {kind.name: kind for kind in (Causal, Mixup, Smote)}
"""All generators by name, in the order in which they are shown."""


def generator(name: str, **params: Any) -> Generator:
    """Return an unfitted generator by its name.

    Raises:
        GeneratorError: there is none of this name, or it has no such parameter.
    """
    if name not in GENERATORS:
        known = ", ".join(GENERATORS)
        raise GeneratorError(f"There is no generator {name!r}; there are: {known}.")
    try:
        return GENERATORS[name](**params)
    except TypeError as error:
        raise GeneratorError(f"The generator {name!r} cannot be set up so: {error}.") from None


__all__ = ["GENERATORS", "Generator", "generator"]
