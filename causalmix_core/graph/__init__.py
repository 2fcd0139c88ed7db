"""Mixed graphs: marks, edits with undo, knowledge, legality, DAGs, layout, file formats."""

from causalmix_core.graph.dag import (
    complete,
    consistent_extension,
    meek_closure,
    sample_dags,
    to_cpdag,
)
from causalmix_core.graph.edits import (
    AddEdge,
    Difference,
    Edit,
    History,
    MoveNodes,
    RemoveEdge,
    ReplaceEdges,
    ReplaceGraph,
    ReverseEdge,
    SetKnowledge,
    SetMark,
    SetMarks,
    apply,
    describe,
    difference,
)
from causalmix_core.graph.equivalence import EquivalenceClass, is_cpdag
from causalmix_core.graph.knowledge import (
    CompiledKnowledge,
    compile_knowledge,
    restrict,
    stated,
    target_last,
    target_rules,
    violations,
)
from causalmix_core.graph.layout import positions
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
from causalmix_core.graph.orientation import Completion, unshielded_colliders
from causalmix_core.graph.separation import (
    Independence,
    implied_independencies,
    m_separated,
)
from causalmix_core.graph.words import edge_pattern, edge_sentence, edge_sign

__all__ = [
    "LEGAL_MARKS",
    "AddEdge",
    "CompiledKnowledge",
    "Completion",
    "Difference",
    "Edge",
    "Edit",
    "EquivalenceClass",
    "GraphType",
    "History",
    "Independence",
    "Knowledge",
    "Mark",
    "MixedGraph",
    "MoveNodes",
    "PairFrequencies",
    "RemoveEdge",
    "ReplaceEdges",
    "ReplaceGraph",
    "ReverseEdge",
    "SetKnowledge",
    "SetMark",
    "SetMarks",
    "almost_directed_cycles",
    "apply",
    "classify",
    "compile_knowledge",
    "complete",
    "consistent_extension",
    "describe",
    "difference",
    "directed_cycles",
    "edge_pattern",
    "edge_sentence",
    "edge_sign",
    "implied_independencies",
    "is_ancestral",
    "is_cpdag",
    "m_separated",
    "meek_closure",
    "positions",
    "reasons_not_dag",
    "restrict",
    "sample_dags",
    "stated",
    "target_last",
    "target_rules",
    "to_cpdag",
    "unshielded_colliders",
    "violations",
]
