"""CausalMix: causal graphs, synthetic rows and fine-tuning for small tables.

    import causalmix_core as cm

    table = cm.read_table("credit.csv", target="class")
    train, validation, test = cm.split(table, train_rows=300, seed=0)
    graph = cm.discover(train, seed=0)
    scm = cm.StructuralCausalModel().fit(train, graph.to_dag())
    rows = scm.sample(1000, seed=0)

Names are looked up when first used: importing the package loads no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causalmix_core.augment import GENERATORS, generator
    from causalmix_core.discovery import discover
    from causalmix_core.fidelity import compare
    from causalmix_core.graph import Edge, Knowledge, Mark, MixedGraph
    from causalmix_core.scm import StructuralCausalModel
    from causalmix_core.table import Kind, Table, read_table, split

__version__ = "0.6.0"

_ROOM_OF = {
    "GENERATORS": "augment",
    "generator": "augment",
    "discover": "discovery",
    "compare": "fidelity",
    "Edge": "graph",
    "Knowledge": "graph",
    "Mark": "graph",
    "MixedGraph": "graph",
    "StructuralCausalModel": "scm",
    "Kind": "table",
    "Table": "table",
    "read_table": "table",
    "split": "table",
}

__all__ = [
    "GENERATORS",
    "Edge",
    "Kind",
    "Knowledge",
    "Mark",
    "MixedGraph",
    "StructuralCausalModel",
    "Table",
    "compare",
    "discover",
    "finetune",
    "generator",
    "read_table",
    "split",
]


def __getattr__(name: str) -> Any:
    if name == "finetune":
        # The room and its one verb share the name: the module itself is callable.
        return import_module("causalmix_core.finetune")
    if name in _ROOM_OF:
        return getattr(import_module(f"causalmix_core.{_ROOM_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
