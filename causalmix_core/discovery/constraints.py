"""An analyst's knowledge in the form a search asks for it."""

from dataclasses import dataclass

import numpy as np

from causalmix_core.discovery.encoding import Bools, Ints
from causalmix_core.errors import GraphError
from causalmix_core.graph.knowledge import compile_knowledge
from causalmix_core.graph.mixed_graph import Knowledge


@dataclass(frozen=True)
class Constraints:
    """Knowledge as p × p matrices over the search's variables; row is cause, column effect.

    Attributes:
        required: i → j must be in the graph.
        forbidden: i → j must not be in the graph.
        not_ancestor: i causes j not even through others, so an edge between them has an
            arrowhead at i. Tiers say so, and forbidding every edge out of i does; forbidding
            i → j alone does not.
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

    @property
    def arrows(self) -> Bools:
        """Directions that an edge must have if it is there."""
        one_way: Bools = self.required | (self.forbidden.T & ~self.forbidden)
        return one_way

    def among(self, variables: Ints) -> "Constraints":
        """Return what is said of these variables alone, in their order."""
        part = np.ix_(variables, variables)
        return Constraints(self.required[part], self.forbidden[part], self.not_ancestor[part])


def constrain(knowledge: Knowledge | None, names: tuple[str, ...]) -> Constraints:
    """Compile knowledge over the variables `names`.

    Raises:
        GraphError: a name is unknown, or the pieces contradict each other.
    """
    compiled = compile_knowledge(knowledge or Knowledge(), names)
    not_ancestor = np.zeros((len(names), len(names)), dtype=bool)
    if knowledge is not None:
        tier = np.full(len(names), -1)
        for number, members in enumerate(knowledge.tiers):
            tier[[compiled.index(name) for name in members]] = number
        not_ancestor |= (tier[:, None] > tier[None, :]) & (tier >= 0)[None, :]
    childless = (compiled.forbidden | np.eye(len(names), dtype=bool)).all(axis=1)
    not_ancestor[childless] = True
    np.fill_diagonal(not_ancestor, False)
    broken = np.argwhere(closure(compiled.required) & not_ancestor)
    if len(broken):
        cause, effect = (names[k] for k in broken[0])
        raise GraphError(
            f"The required edges make {cause!r} a cause of {effect!r}, which the tiers or the "
            "forbidden edges rule out; change one of them."
        )
    return Constraints(compiled.required, compiled.forbidden, not_ancestor)


def closure(directed: Bools) -> Bools:
    """Return which nodes reach which along at least one directed edge."""
    reach = directed.copy()
    while True:
        step: Bools = reach | ((reach.astype(np.float32) @ reach.astype(np.float32)) > 0)
        if (step == reach).all():
            return reach
        reach = step
