"""Does what the graph says about independence hold in the rows?

For every pair of columns that the graph does not join, it implies one conditional independence; a
statement passes where the test that discovery uses for such columns gives p ≥ 0.01; as there, the
rarest levels of a category with many are read as one, the same ones in all rows. Joined pairs
should depend on each other: they count as dependent where p < 0.01 without conditions.

``independencies_kept`` = 1 − |share passing in synthetic rows − share passing in as many real
rows|: what real rows do not keep, synthetic ones need not either. Independent columns pass every
statement, so read it together with ``dependencies_kept``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from causalmix_core.discovery.catalogue import make_test
from causalmix_core.discovery.encoding import encode
from causalmix_core.discovery.screening import merge_rare_levels
from causalmix_core.fidelity.estimate import Estimate, NotApplicable, share_deviation
from causalmix_core.graph import MixedGraph
from causalmix_core.graph.separation import Independence, implied_independencies
from causalmix_core.table import Table

ALPHA = 0.01
MAX_STATEMENTS = 2_000

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statements:
    """What a DAG or ADMG says: independencies that hold and pairs that depend."""

    independent: tuple[Independence, ...]
    dependent: tuple[Independence, ...]


@dataclass(frozen=True)
class Kept:
    """Test results on one set of rows; NaN where the rows are too few to tell.

    Attributes:
        independent: 1 where an implied independence passes, 0 where it does not.
        dependent: 1 where a joined pair depends, 0 where it does not.
    """

    independent: Floats
    dependent: Floats


def statements_of(graph: MixedGraph, columns: list[str], seed: int) -> Statements:
    """Return the statements about these columns, at most `MAX_STATEMENTS` of them at random.

    Raises:
        GraphError: if the graph is neither a DAG nor an ADMG.
    """
    known = set(columns)
    implied = [
        statement
        for statement in implied_independencies(graph)
        if {statement.x, statement.y, *statement.given} <= known
    ]
    if len(implied) > MAX_STATEMENTS:
        rng = np.random.default_rng([seed, 21])
        chosen = np.sort(rng.permutation(len(implied))[:MAX_STATEMENTS])
        implied = [implied[position] for position in chosen]
    joined = sorted({tuple(sorted(edge.pair)) for edge in graph.edges if edge.pair <= known})
    return Statements(tuple(implied), tuple(Independence(x, y, ()) for x, y in joined))


def check_statements(table: Table, statements: Statements, train: Table | None = None) -> Kept:
    """Test every statement on the rows of a table, rare levels merged as in `train`'s search."""
    data = encode(merge_rare_levels(table, table if train is None else train))
    tester = make_test("auto", data)
    place = {name: position for position, name in enumerate(data.names)}

    def log_p(asked: tuple[Independence, ...]) -> Floats:
        out = np.full(len(asked), np.nan)
        sizes = np.array([len(statement.given) for statement in asked])
        for size in np.unique(sizes):
            chosen = np.flatnonzero(sizes == size)
            x = np.array([place[asked[k].x] for k in chosen])
            y = np.array([place[asked[k].y] for k in chosen])
            given = [[place[name] for name in asked[k].given] for k in chosen]
            S = np.array(given, dtype=np.int64).reshape(len(chosen), size)
            out[chosen] = tester.ask(x, y, S).log_p
        return out

    bar = np.log(ALPHA)
    return Kept(
        _share(log_p(statements.independent), bar, above=True),
        _share(log_p(statements.dependent), bar, above=False),
    )


def independencies_kept(synthetic: Kept, real: Kept) -> Estimate:
    """Return 1 − |share passing in synthetic rows − share passing in real rows|.

    Only statements that both sets of rows can answer count; the deviation is over statements.
    """
    made, seen = synthetic.independent, real.independent
    both = ~np.isnan(made) & ~np.isnan(seen)
    if not both.any():
        raise NotApplicable("the graph implies no independence that these rows can test")
    gaps = made[both] - seen[both]
    return Estimate(1 - abs(float(gaps.mean())), _paired_deviation(gaps))


def dependencies_kept(synthetic: Kept) -> Estimate:
    """Return the share of the graph's joined pairs that depend on each other in the rows."""
    known = synthetic.dependent[~np.isnan(synthetic.dependent)]
    if len(known) == 0:
        raise NotApplicable("the graph joins no columns")
    return Estimate(float(known.mean()), share_deviation(known.sum(), len(known)))


def _paired_deviation(gaps: Floats) -> float:
    """Standard deviation of a mean of differences −1, 0, 1, half a row added to each of the four
    possible outcomes, so that it is not 0 where nothing differs (Agresti & Min, 2005)."""
    n = len(gaps) + 2
    return float(np.sqrt((((gaps**2).sum() + 1) / n - (gaps.sum() / n) ** 2) / n))


def _share(log_p: Floats, bar: float, *, above: bool) -> Floats:
    passed = log_p >= bar if above else log_p < bar
    # Not finite: too few rows, or the conditions determine a side, so that nothing can be told.
    return np.where(np.isfinite(log_p) | (log_p == -np.inf), passed.astype("float64"), np.nan)
