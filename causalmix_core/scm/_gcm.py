"""The one file that imports dowhy: our fitted mechanisms as a dowhy gcm model."""

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from dowhy import gcm
from dowhy.gcm.causal_mechanisms import FunctionalCausalModel, StochasticModel
from dowhy.gcm.causal_models import PARENTS_DURING_FIT
from dowhy.graph import get_ordered_predecessors

from causalmix_core.scm.columns import ColumnCodec, gap_key
from causalmix_core.scm.mechanism import Mechanism
from causalmix_core.scm.structure import Structure

GAPS = "training row of missing values"


def to_dowhy(
    structure: Structure, mechanisms: Mapping[str, Mechanism], rows: int
) -> gcm.StructuralCausalModel:
    """Return a dowhy model whose nodes are these fitted mechanisms.

    dowhy draws from numpy's global state (`gcm.util.general.set_random_seed`); so do these.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(structure.parents)
    graph.add_edges_from(structure.edges)
    donors = {
        node: f"hidden cause of {' and '.join(group)}"
        for group in structure.districts
        for node in group
    }
    gaps = [node for node, mechanism in mechanisms.items() if mechanism.absence_levels is not None]
    donor_of_gap = {node: donors.get(node, GAPS) for node in gaps} if len(gaps) > 1 else {}
    for node, donor in [*donors.items(), *donor_of_gap.items()]:
        graph.add_edge(donor, node)
    model = gcm.StructuralCausalModel(graph)
    for node in graph.nodes:
        causes = get_ordered_predecessors(graph, node)
        if node not in mechanisms:
            model.set_causal_mechanism(node, TrainingRow(rows))
        elif causes:
            mechanism = FittedMechanism(
                mechanisms[node], mechanisms, causes, donors.get(node), donor_of_gap.get(node)
            )
            model.set_causal_mechanism(node, mechanism)
        else:
            model.set_causal_mechanism(node, FittedRoot(mechanisms[node]))
        graph.nodes[node][PARENTS_DURING_FIT] = causes
    return model


def _uniform(rows: int, columns: int) -> np.ndarray[Any, Any]:
    return np.random.uniform(size=(rows, columns))  # noqa: NPY002  (dowhy's way to be seeded)


def _as_values(codec: ColumnCodec, codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return values as dowhy holds them: numbers as float64, categories as text or None."""
    values = codec.decode(codes)
    if codec.is_category:
        return np.array([None if pd.isna(value) else value for value in values], dtype=object)
    if codec.kind == "datetime":
        return values.to_numpy(dtype="datetime64[us]")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _as_codes(codec: ColumnCodec, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if codec.is_category:
        return codec.encode(pd.Series(values, dtype=object))
    if codec.kind == "datetime":
        return codec.encode(pd.Series(pd.to_datetime(pd.Series(values))))
    numbers = pd.Series(values).astype(float)
    return (numbers - codec.origin).to_numpy()


def _values(
    mechanism: Mechanism,
    columns: Mapping[str, np.ndarray[Any, Any]],
    u: np.ndarray[Any, Any],
    v: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    codes, gone = mechanism.draw(columns, u, v)
    if gone is not None:
        codes = np.where(gone > 0, np.nan, codes)
    return _as_values(mechanism.codec, codes)[:, None]


class _Fixed:
    """What is fitted already: dowhy's own `fit` has nothing to do."""

    def fit(self, X: Any = None, Y: Any = None) -> None:
        """Refuse: the mechanism is fitted from a table by `StructuralCausalModel.fit`."""
        raise NotImplementedError("Refit with causalmix_core's StructuralCausalModel.fit.")

    def clone(self) -> Any:
        """Return itself: a fitted mechanism never changes."""
        return self


class TrainingRow(_Fixed, StochasticModel):  # type: ignore[misc]
    """Draws the training row whose noise the nodes below share."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def draw_samples(self, num_samples: int) -> np.ndarray[Any, Any]:
        """Return (num_samples, 1) row numbers."""
        return np.asarray(np.floor(_uniform(num_samples, 1) * self.rows))


class FittedRoot(_Fixed, StochasticModel):  # type: ignore[misc]
    """A root's marginal."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.mechanism = mechanism

    def draw_samples(self, num_samples: int) -> np.ndarray[Any, Any]:
        """Return (num_samples, 1) values."""
        u = _uniform(num_samples, 2)
        return _values(self.mechanism, {}, u[:, 0], u[:, 1])


class FittedMechanism(_Fixed, FunctionalCausalModel):  # type: ignore[misc]
    """A node given its parents.

    Its noise is uniform: a column for the value, one for its absence, and one per parent that
    stands in where the parent is missing.
    """

    def __init__(
        self,
        mechanism: Mechanism,
        others: Mapping[str, Mechanism],
        causes: list[str],
        donor: str | None,
        donor_of_gap: str | None,
    ) -> None:
        self.mechanism = mechanism
        self.sources = [others[name] for name in mechanism.parents]
        self.causes = causes
        self.donor = donor
        self.donor_of_gap = donor_of_gap

    def draw_noise_samples(self, num_samples: int) -> np.ndarray[Any, Any]:
        """Return (num_samples, 2 + parents) uniform numbers."""
        return _uniform(num_samples, 2 + len(self.sources))

    def evaluate(
        self, parent_samples: np.ndarray[Any, Any], noise_samples: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        """Return (rows, 1) values for parents in the order of their names."""
        given = dict(zip(self.causes, np.asarray(parent_samples).T, strict=True))
        u, v, *fill = np.asarray(noise_samples, dtype=np.float64).T
        columns: dict[str, np.ndarray[Any, Any]] = {}
        for source, level in zip(self.sources, fill, strict=True):
            codes = _as_codes(source.codec, given[source.node])
            columns[source.node] = codes
            if not source.codec.is_category and len(source.observed):
                # a missing cause has a value that nobody sees: one of its usual ones
                gone = np.isnan(codes)
                columns[gap_key(source.node)] = gone.astype(np.float64)
                columns[source.node] = np.where(gone, np.quantile(source.observed, level), codes)
        if self.donor is not None:
            u = self.mechanism.value_levels.draw(given[self.donor].astype(np.int64), u)
        if self.donor_of_gap is not None and self.mechanism.absence_levels is not None:
            donor = given[self.donor_of_gap].astype(np.int64)
            v = self.mechanism.absence_levels.draw(donor, v)
        return _values(self.mechanism, columns, u, v)
