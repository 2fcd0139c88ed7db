"""Mixed graphs: marks, edits with undo, knowledge, legality, DAGs, layout, file formats."""

from causalmix_core.graph.dag import (
    Completion,
    complete,
    consistent_extension,
    meek_closure,
    to_cpdag,
    unshielded_colliders,
)
from causalmix_core.graph.knowledge import (
    CompiledKnowledge,
    compile_knowledge,
    restrict,
    target_last,
    violations,
)
from causalmix_core.graph.legality import (
    LEGAL_MARKS,
    almost_directed_cycles,
    classify,
    directed_cycles,
    is_ancestral,
    reasons_not_dag,
)
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import (
    Edge,
    GraphType,
    Knowledge,
    MixedGraph,
    PairFrequencies,
)
from causalmix_core.graph.words import edge_sentence, edge_sign

__all__ = [
    "LEGAL_MARKS",
    "CompiledKnowledge",
    "Completion",
    "Edge",
    "GraphType",
    "Knowledge",
    "Mark",
    "MixedGraph",
    "PairFrequencies",
    "almost_directed_cycles",
    "classify",
    "compile_knowledge",
    "complete",
    "consistent_extension",
    "directed_cycles",
    "edge_sentence",
    "edge_sign",
    "is_ancestral",
    "meek_closure",
    "reasons_not_dag",
    "restrict",
    "target_last",
    "to_cpdag",
    "unshielded_colliders",
    "violations",
]
