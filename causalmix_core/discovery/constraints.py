"""An analyst's knowledge, compiled once to matrices and checked for contradictions."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from causalmix_core.discovery.encoding import Bools
from causalmix_core.errors import DiscoveryError
from causalmix_core.graph.mixed_graph import Knowledge


@dataclass(frozen=True)
class Constraints:
    """Knowledge as p × p matrices over the search's variables; row is cause, column effect.

    Attributes:
        required: i → j must be in the graph.
        forbidden: i → j must not be in the graph.
        not_ancestor: i causes j not even through others (what tiers say), so an edge between
            them has an arrowhead at i.
    """

    required: Bools
    forbidden: Bools
    not_ancestor: Bools

    @property
    def adjacent(self) -> Bools:
        """Pairs that are joined whatever the data say (symmetric)."""
        joined: Bools = self.required | self.required.T
        return joined

    @property
    def separate(self) -> Bools:
        """Pairs that are never joined (symmetric)."""
        apart: Bools = self.forbidden & self.forbidden.T
        return apart

    def __bool__(self) -> bool:
        return bool(self.required.any() or self.forbidden.any())


def compile_knowledge(
    knowledge: Knowledge | None, names: tuple[str, ...], sinks: Iterable[str] = ()
) -> Constraints:
    """Compile knowledge over the variables `names`; each of `sinks` has no children.

    Raises:
        DiscoveryError: a name is unknown, or the pieces contradict each other.
    """
    knowledge = knowledge or Knowledge()
    at = {name: position for position, name in enumerate(names)}
    p = len(names)

    def position(name: str) -> int:
        if name not in at:
            raise DiscoveryError(
                f"The knowledge names {name!r}, which is not a column of the search; "
                "correct the name or take it out."
            )
        return at[name]

    required = np.zeros((p, p), dtype=bool)
    forbidden = np.zeros((p, p), dtype=bool)
    not_ancestor = np.zeros((p, p), dtype=bool)
    for cause, effect in knowledge.required:
        required[position(cause), position(effect)] = True
    for cause, effect in knowledge.forbidden:
        forbidden[position(cause), position(effect)] = True
    earlier: list[int] = []
    for tier in knowledge.tiers:
        members = [position(name) for name in tier]
        for late in members:
            not_ancestor[late, earlier] = True
        earlier.extend(members)
    for name in sinks:
        not_ancestor[position(name), :] = True
    np.fill_diagonal(not_ancestor, False)
    constraints = Constraints(required, forbidden | not_ancestor | required.T, not_ancestor)
    _refuse_contradictions(constraints, knowledge, names)
    return constraints


def _refuse_contradictions(
    constraints: Constraints, knowledge: Knowledge, names: tuple[str, ...]
) -> None:
    placed = [name for tier in knowledge.tiers for name in tier]
    twice = sorted({name for name in placed if placed.count(name) > 1})
    if twice:
        raise DiscoveryError(f"The knowledge puts {twice[0]!r} into two tiers; keep one.")
    clash = np.argwhere(constraints.required & constraints.forbidden)
    if len(clash):
        cause, effect = (names[k] for k in clash[0])
        raise DiscoveryError(
            f"The knowledge both requires and forbids {cause!r} → {effect!r} (directly, by a tier "
            "or by a required edge the other way); keep one."
        )
    reach = closure(constraints.required)
    if reach.diagonal().any():
        loop = ", ".join(repr(names[k]) for k in np.flatnonzero(reach.diagonal()))
        raise DiscoveryError(f"The required edges form a cycle through {loop}; take one out.")
    broken = np.argwhere(reach & constraints.not_ancestor)
    if len(broken):
        cause, effect = (names[k] for k in broken[0])
        raise DiscoveryError(
            f"The required edges make {cause!r} a cause of {effect!r}, which the tiers or the "
            "target rule out; change one of them."
        )


def closure(directed: Bools) -> Bools:
    """Return which nodes reach which along at least one directed edge."""
    reach = directed.copy()
    while True:
        step = reach | ((reach.astype(np.float32) @ reach.astype(np.float32)) > 0)
        if (step == reach).all():
            return reach
        reach = step
