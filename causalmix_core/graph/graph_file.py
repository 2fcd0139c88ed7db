"""The graph file ``causalmix-graph/1``: JSON that carries a mixed graph between programs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard, cast

from causalmix_core.errors import GraphError
from causalmix_core.graph.legality import classify, has_type
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import (
    Edge,
    GraphType,
    Knowledge,
    MixedGraph,
    PairFrequencies,
)

FORMAT = "causalmix-graph/1"


def save(graph: MixedGraph, path: str | Path) -> None:
    """Write `graph` to `path`: one edge and one pair a line, equal graphs give equal bytes."""
    try:
        Path(path).write_text(to_json(graph), encoding="utf-8", newline="\n")
    except OSError as error:
        raise GraphError(f"The graph could not be written to {path}: {error.strerror}.") from None


def load(path: str | Path) -> MixedGraph:
    """Read the graph at `path`; see `MixedGraph.load`."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise GraphError(f"{path} is not a text file, so it is no graph file.") from None
    except OSError as error:
        raise GraphError(f"The graph {path} could not be read: {error.strerror}.") from None
    try:
        return from_json(text)
    except GraphError as error:
        raise GraphError(f"{path} is not a usable graph file: {error}") from None


def to_json(graph: MixedGraph) -> str:
    """The text of a graph file."""
    lines = []
    for key, value in to_dict(graph).items():
        if key in ("edges", "pairs") and value:
            rows = ",\n  ".join(_dump(row) for row in value)
            lines.append(f"{_dump(key)}: [\n  {rows}\n ]")
        else:
            lines.append(f"{_dump(key)}: {_dump(value)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def from_json(text: str) -> MixedGraph:
    """Read the text of a graph file.

    Raises:
        GraphError: the text is not JSON or not a graph.
    """
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise GraphError(f"it is not JSON{where}.") from None
    return from_dict(content)


def to_dict(graph: MixedGraph) -> dict[str, Any]:
    """The content of a graph file as plain values."""
    return {
        "format": FORMAT,
        "graph_type": graph.graph_type,
        "nodes": list(graph.nodes),
        "edges": [edge_to_dict(edge) for edge in graph.edges],
        "pairs": [
            {
                "source": pair.source,
                "target": pair.target,
                "frequencies": plain(pair.frequencies),
            }
            for pair in graph.pairs
        ],
        "knowledge": knowledge_to_dict(graph.knowledge),
        "layout": plain(graph.layout),
        "provenance": plain(graph.provenance),
    }


def from_dict(content: object) -> MixedGraph:
    """Read the content of a graph file.

    A ``graph_type`` that the marks contradict gives way to the one they show, so that a file
    edited by hand still opens.

    Raises:
        GraphError: nodes or edges are missing or malformed.
    """
    if not isinstance(content, Mapping):
        raise GraphError('a graph is an object with "nodes" and "edges".')
    form = content.get("format", FORMAT)
    if form != FORMAT:
        raise GraphError(f"its format is {form!r}; only {FORMAT!r} can be read.")
    nodes = content.get("nodes")
    if not _is_list(nodes) or not all(isinstance(node, str) for node in nodes):
        raise GraphError('"nodes" must be a list of names.')
    edges = content.get("edges")
    if not _is_list(edges):
        raise GraphError('"edges" must be a list.')
    pairs = content.get("pairs") or []
    if not _is_list(pairs):
        raise GraphError('"pairs" must be a list.')
    graph = MixedGraph(
        nodes=tuple(nodes),
        edges=tuple(edge_from_dict(edge) for edge in edges),
        pairs=tuple(_pair_from_dict(pair) for pair in pairs),
        knowledge=knowledge_from_dict(content.get("knowledge") or {}),
        layout=_layout_from_dict(content.get("layout") or {}, nodes),
        provenance=dict(_mapping(content.get("provenance") or {}, "provenance")),
    )
    declared = content.get("graph_type")
    if declared is not None and not isinstance(declared, str):
        raise GraphError('"graph_type" must be a word.')
    fits = declared is not None and has_type(graph, declared)
    graph_type = cast(GraphType, declared) if fits else classify(graph)
    return replace(graph, graph_type=graph_type)


def plain(value: Any) -> Any:
    """Turn a value into JSON's own: numpy scalars to numbers, NaN and infinity to None."""
    if value is None or isinstance(value, str | bool):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def knowledge_to_dict(knowledge: Knowledge) -> dict[str, Any]:
    """The ``knowledge`` of a graph file."""
    return {
        "required": [list(pair) for pair in knowledge.required],
        "forbidden": [list(pair) for pair in knowledge.forbidden],
        "tiers": [list(tier) for tier in knowledge.tiers],
    }


def edge_to_dict(edge: Edge) -> dict[str, Any]:
    """One entry of ``edges``."""
    content: dict[str, Any] = {
        "source": edge.source,
        "target": edge.target,
        "source_mark": edge.source_mark.value,
        "target_mark": edge.target_mark.value,
    }
    if edge.probability is not None:
        content["probability"] = float(edge.probability)
    if edge.evidence is not None:
        content["evidence"] = plain(edge.evidence)
    return content


def edge_from_dict(content: object) -> Edge:
    """Read one entry of ``edges``."""
    edge = _mapping(content, "edges")
    missing = [key for key in ("source", "target", "source_mark", "target_mark") if key not in edge]
    if missing:
        raise GraphError(f'the edge {dict(edge)!r} has no "{missing[0]}".')
    probability = edge.get("probability")
    if probability is not None and not _is_number(probability):
        raise GraphError(f"the edge {dict(edge)!r} has a probability that is no number.")
    evidence = edge.get("evidence")
    return Edge(
        _name(edge["source"]),
        _name(edge["target"]),
        cast(Mark, edge["source_mark"]),
        cast(Mark, edge["target_mark"]),
        probability=None if probability is None else float(probability),
        evidence=None if evidence is None else dict(_mapping(evidence, "evidence")),
    )


def _pair_from_dict(content: object) -> PairFrequencies:
    pair = _mapping(content, "pairs")
    shares = _mapping(pair.get("frequencies"), "frequencies")
    if not all(_is_number(share) for share in shares.values()):
        raise GraphError(f"the frequencies {dict(shares)!r} are not all numbers.")
    return PairFrequencies(
        _name(pair.get("source")),
        _name(pair.get("target")),
        {str(key): float(share) for key, share in shares.items()},
    )


def knowledge_from_dict(content: object) -> Knowledge:
    """Read the ``knowledge`` of a graph file."""
    knowledge = _mapping(content, "knowledge")
    lists: dict[str, Any] = {}
    for key in ("required", "forbidden", "tiers"):
        rows = knowledge.get(key) or []
        if not _is_list(rows) or not all(_is_list(row) for row in rows):
            raise GraphError(f'"{key}" of the knowledge must be a list of lists.')
        if key != "tiers" and not all(len(row) == 2 for row in rows):
            raise GraphError(f'"{key}" of the knowledge must be pairs of cause and effect.')
        lists[key] = tuple(tuple(_name(name) for name in row) for row in rows)
    return Knowledge(**lists)


def _layout_from_dict(content: object, nodes: Sequence[str]) -> dict[str, tuple[float, float]]:
    layout = _mapping(content, "layout")
    known = set(nodes)
    places: dict[str, tuple[float, float]] = {}
    for node, place in layout.items():
        if not _is_list(place) or len(place) != 2 or not all(_is_number(x) for x in place):
            raise GraphError(f"the position of {node!r} must be two numbers.")
        if node in known:  # positions of columns that left the table do no harm
            places[str(node)] = (float(place[0]), float(place[1]))
    return places


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise GraphError(f'"{where}" must hold objects, not {type(value).__name__}.')
    return value


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise GraphError(f"{value!r} is no node name.")
    return value


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
