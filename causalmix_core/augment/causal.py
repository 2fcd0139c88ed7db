"""Rows from a structural causal model: every column made from its causes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from causalmix_core.augment.base import Counts, Generator
from causalmix_core.errors import GeneratorError
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.progress import Progress, part
from causalmix_core.scm.columns import Columns
from causalmix_core.scm.model import StructuralCausalModel
from causalmix_core.table.table import Table


class Causal(Generator):
    """Sample a structural causal model.

    Args:
        graph: a MixedGraph, a networkx.DiGraph or a list of them; without one it is discovered
            in the rows the generator is fitted on.
        quality: how hard to look for mechanisms: "good", "better" or "best".
        dags: how many DAGs to draw from the edge probabilities where the graph leaves
            directions open (CausalMixFT's mixture); with one, the graph's own `to_dag`. A DAG or
            ADMG is used as it is.
        roots: "smoothed" or "empirical" values of columns without causes.
        discovery: settings of `discover`, where the graph is discovered.
        graph_seed: seed of discovery and of the draw of DAGs.
        do: values that columns are set to, whatever their causes say (an intervention).
    """

    name = "causal"
    title = "Causal model"
    keeps_own_shares = True

    def __init__(
        self,
        graph: Any = None,
        quality: Any = "good",
        dags: int = 10,
        roots: Any = "smoothed",
        discovery: Mapping[str, Any] | None = None,
        graph_seed: int = 0,
        do: Mapping[str, object] | None = None,
    ) -> None:
        self.graph = graph
        self.quality = quality
        self.dags = dags
        self.roots = roots
        self.discovery = discovery
        self.graph_seed = graph_seed
        self.do = do

    def _fit(self, table: Table, progress: Progress) -> None:
        graph, rest = self.graph, progress
        if graph is None:
            graph, rest = self._discover(table, part(progress, 0.0, 0.7)), part(progress, 0.7, 1.0)
        self.graph_ = graph
        self.scm_ = StructuralCausalModel(self.quality, roots=self.roots).fit(
            table, self._members(graph), rest
        )
        self.settled_ = self.scm_.settle(self.do or {})
        self.notes_ = (*self.scm_.notes_, *_intervention_note(self.do))

    def _discover(self, table: Table, progress: Progress) -> MixedGraph:
        from causalmix_core.discovery import discover

        if len(table.columns) < 2:
            return MixedGraph(nodes=tuple(table.columns), graph_type="dag")
        return discover(
            table, seed=self.graph_seed, progress=progress, **dict(self.discovery or {})
        )

    def _members(self, graph: Any) -> Sequence[Any]:
        if isinstance(graph, (list, tuple)):
            return graph
        if isinstance(graph, MixedGraph) and graph.graph_type not in ("dag", "admg"):
            if self.dags < 1:
                raise GeneratorError("The causal generator needs at least one DAG.")
            if self.dags == 1:
                return [graph.to_dag()]
            return graph.sample_dags(self.dags, seed=self.graph_seed)
        return [graph]

    def _draw(self, n: int, counts: Counts | None, rng: np.random.Generator) -> Columns:
        if self.class_column_ is None:
            counts = None  # without classes, it is no count of a class
        elif counts is not None and self.class_column_ in self.settled_:
            code, name = int(self.settled_[self.class_column_]), self.class_column_
            if counts.sum() > counts[code]:
                raise GeneratorError(f"{name!r} is set to one value: no other class can be had.")
        return self.scm_.draw(n, int(rng.integers(2**62)), counts, self.settled_)


def _intervention_note(do: Mapping[str, object] | None) -> tuple[str, ...]:
    if not do:
        return ()
    values = ", ".join(f"{name} was set to {value}" for name, value in do.items())
    return (f"An intervention: {values} in every row, whatever its causes say.",)
