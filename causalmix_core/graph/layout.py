"""Where to draw the nodes: layers from causes to effects, left to right, few crossings.

Sugiyama, Tagawa & Toda (1981) in small: longest-path layers of a DAG completion, dummy nodes on
long edges, barycentre sweeps for the order, then positions that pull neighbours level. The same
graph gives the same positions, whatever order its nodes and edges are listed in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import networkx as nx

from causalmix_core.graph.dag import complete
from causalmix_core.graph.legality import directed_part
from causalmix_core.graph.mixed_graph import Knowledge, MixedGraph

Position = tuple[float, float]

_SWEEPS = 24
_MARGIN = 0.06


def positions(graph: MixedGraph) -> dict[str, Position]:
    """Place every node in [0, 1]²; nodes that have a position keep it."""
    kept = {node: place for node, place in graph.layout.items() if node in set(graph.nodes)}
    if len(kept) == len(graph.nodes):
        return {node: kept[node] for node in graph.nodes}
    fresh = _layered(graph)
    places = dict(kept)
    for node in sorted(set(graph.nodes) - set(kept)):
        places[node] = _clear_of(places.values(), fresh[node]) if kept else fresh[node]
    return {node: places[node] for node in graph.nodes}


def _layered(graph: MixedGraph) -> dict[str, Position]:
    joined = sorted(node for node in graph.nodes if graph.edges_of(node))
    alone = sorted(set(graph.nodes) - set(joined))
    # Knowledge plays no part: a drawing must not fail on knowledge that contradicts itself.
    dag = complete(replace(graph, knowledge=Knowledge())).graph
    order = directed_part(dag.edges, joined)
    _link_hidden(dag, order)
    layer_of = _layers(order)
    layers, below = _with_dummies(order, layer_of)
    _reduce_crossings(layers, below)
    height = _heights(layers, below)
    rows = max(height.values(), default=0.0)
    bottom = 1.0 - _MARGIN - (0.14 if alone and joined else 0.0)
    places: dict[str, Position] = {}
    for number, layer in enumerate(layers):
        for node in layer:
            if isinstance(node, str):
                x = _spread(number, len(layers))
                y = (
                    (_MARGIN + bottom) / 2
                    if rows == 0
                    else _MARGIN + (bottom - _MARGIN) * (height[node] / rows)
                )
                places[node] = (round(x, 4), round(y, 4))
    for number, node in enumerate(alone):
        y = 1.0 - _MARGIN if joined else 0.5
        places[node] = (round(_spread(number, len(alone)), 4), round(y, 4))
    return places


# A node is its name; a dummy on a long edge is (cause, effect, layer).
_Place = str | tuple[str, str, int]


def _link_hidden(dag: MixedGraph, order: nx.DiGraph) -> None:
    """Let ↔ edges take part in the layers, so that they do not run through other nodes."""
    for a, b in sorted((min(e.pair), max(e.pair)) for e in dag.edges if e.is_bidirected):
        order.add_edge(*((b, a) if nx.has_path(order, b, a) else (a, b)))


def _layers(order: nx.DiGraph) -> dict[str, int]:
    """Longest path from a root; roots move up to just before their first effect."""
    layer_of: dict[str, int] = {}
    for node in nx.lexicographical_topological_sort(order):
        layer_of[node] = 1 + max(
            (layer_of[cause] for cause in order.predecessors(node)), default=-1
        )
    for node in order:
        if order.in_degree(node) == 0 and order.out_degree(node) > 0:
            layer_of[node] = min(layer_of[effect] for effect in order.successors(node)) - 1
    return layer_of


def _with_dummies(
    order: nx.DiGraph, layer_of: Mapping[str, int]
) -> tuple[list[list[_Place]], list[tuple[_Place, _Place]]]:
    layers: list[list[_Place]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for node in sorted(layer_of):
        layers[layer_of[node]].append(node)
    links: list[tuple[_Place, _Place]] = []
    for cause, effect in sorted(order.edges):
        last: _Place = cause
        for number in range(layer_of[cause] + 1, layer_of[effect]):
            dummy = (cause, effect, number)
            layers[number].append(dummy)
            links.append((last, dummy))
            last = dummy
        links.append((last, effect))
    return layers, links


def _neighbours(
    links: Sequence[tuple[_Place, _Place]],
) -> tuple[dict[_Place, list[_Place]], dict[_Place, list[_Place]]]:
    before: dict[_Place, list[_Place]] = {}
    after: dict[_Place, list[_Place]] = {}
    for a, b in links:
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    return before, after


def _reduce_crossings(layers: list[list[_Place]], links: list[tuple[_Place, _Place]]) -> None:
    """Reorder each layer by the mean place of its neighbours, sweeping forth and back."""
    before, after = _neighbours(links)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, after)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        forth = sweep % 2 == 0
        numbers = range(1, len(layers)) if forth else range(len(layers) - 2, -1, -1)
        for number in numbers:
            fixed = layers[number - 1 if forth else number + 1]
            place = {node: rank for rank, node in enumerate(fixed)}
            near = before if forth else after
            current = {node: rank for rank, node in enumerate(layers[number])}

            def key(
                node: _Place,
                near: dict[_Place, list[_Place]] = near,
                place: dict[_Place, int] = place,
                current: dict[_Place, int] = current,
            ) -> tuple[float, int]:
                ranks = [place[other] for other in near.get(node, [])]
                mean = sum(ranks) / len(ranks) if ranks else float(current[node])
                return mean, current[node]

            layers[number].sort(key=key)
        count = _crossings(layers, after)
        if count < fewest:
            best, fewest = [list(layer) for layer in layers], count
    layers[:] = best


def _crossings(layers: list[list[_Place]], after: Mapping[_Place, list[_Place]]) -> int:
    total = 0
    for left, right in pairwise(layers):
        place = {node: rank for rank, node in enumerate(right)}
        seen: list[int] = []
        for node in left:
            ranks = sorted(place[other] for other in after.get(node, []))
            total += sum(1 for rank in ranks for earlier in seen if earlier > rank)
            seen.extend(ranks)
    return total


def _heights(layers: list[list[_Place]], links: list[tuple[_Place, _Place]]) -> dict[_Place, float]:
    """Heights that keep each layer's order and gaps, and pull neighbours level."""
    before, after = _neighbours(links)
    offsets = [_offsets(layer) for layer in layers]
    tallest = max((column[-1] for column in offsets if column), default=0.0)
    height: dict[_Place, float] = {}
    for layer, column in zip(layers, offsets, strict=True):
        start = (tallest - column[-1]) / 2 if column else 0.0
        height.update({node: start + at for node, at in zip(layer, column, strict=True)})
    for sweep in range(_SWEEPS):
        numbers = range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1)
        for number in numbers:
            wished = []
            for node in layers[number]:
                near = [height[other] for other in before.get(node, []) + after.get(node, [])]
                wished.append(sum(near) / len(near) if near else height[node])
            settled = _apart(wished, offsets[number])
            height.update(zip(layers[number], settled, strict=True))
    lowest = min(height.values(), default=0.0)
    return {node: value - lowest for node, value in height.items()}


def _offsets(layer: Sequence[_Place]) -> list[float]:
    """Where the nodes of a layer stand when packed: a passing edge needs less room than a node."""
    offsets: list[float] = []
    for number, node in enumerate(layer):
        if number == 0:
            offsets.append(0.0)
        else:
            room = (0.5 if isinstance(node, str) else 0.15) + (
                0.5 if isinstance(layer[number - 1], str) else 0.15
            )
            offsets.append(offsets[-1] + room)
    return offsets


def _apart(wished: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The closest heights (least squares) that are at least as far apart as the offsets are.

    Pool adjacent violators on the wishes minus the offsets.
    """
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=True):
        mean, size = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean = (mean * size + other * count) / (size + count)
            size += count
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _spread(number: int, count: int) -> float:
    return 0.5 if count < 2 else _MARGIN + (1 - 2 * _MARGIN) * number / (count - 1)


def _clear_of(taken: Collection[Position], place: Position) -> Position:
    """The place itself, or the next free one below it."""
    others = list(taken)
    x, y = place
    for _ in range(20):
        if all(abs(x - a) > 0.04 or abs(y - b) > 0.04 for a, b in others):
            break
        y = y + 0.05 if y + 0.05 <= 1.0 else _MARGIN
    return round(x, 4), round(y, 4)
