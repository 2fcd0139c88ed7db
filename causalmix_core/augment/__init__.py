"""Generators of synthetic rows, one interface and one file per generator."""

from collections.abc import Mapping, Sequence
from typing import Any

from causalmix_core.augment.base import Generator
from causalmix_core.augment.border import Adasyn, BorderlineSmote
from causalmix_core.augment.causal import Causal
from causalmix_core.augment.copula import GaussianCopula
from causalmix_core.augment.energy import TabEBM
from causalmix_core.augment.forest import AdversarialForest
from causalmix_core.augment.mixup import Mixup
from causalmix_core.augment.resampling import Bootstrap, Independent, TableAugment
from causalmix_core.augment.rules import Rule, parse_rule, suggest_rules
from causalmix_core.augment.smote import Smote
from causalmix_core.errors import GeneratorError

GENERATORS: Mapping[str, type[Generator]] = {
    kind.name: kind
    for kind in (
        Causal,
        Mixup,
        Smote,
        BorderlineSmote,
        Adasyn,
        GaussianCopula,
        AdversarialForest,
        TabEBM,
        TableAugment,
        Independent,
        Bootstrap,
    )
}
"""All generators by name, in the order in which they are shown."""


def generator(name: str, *, rules: Sequence[Rule | str] = (), **params: Any) -> Generator:
    """Return an unfitted generator by its name.

    Args:
        rules: rules between columns that every row keeps, such as ``"start <= end"``.
        params: the generator's own parameters.

    Raises:
        GeneratorError: there is none of this name, or it has no such parameter.
    """
    if name not in GENERATORS:
        known = ", ".join(GENERATORS)
        raise GeneratorError(f"There is no generator {name!r}; there are: {known}.")
    try:
        made = GENERATORS[name](**params)
    except TypeError as error:
        raise GeneratorError(f"The generator {name!r} cannot be set up so: {error}.") from None
    made.rules = tuple(parse_rule(rule) if isinstance(rule, str) else rule for rule in rules)
    return made


__all__ = ["GENERATORS", "Generator", "Rule", "generator", "parse_rule", "suggest_rules"]
