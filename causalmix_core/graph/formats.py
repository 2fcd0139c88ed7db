"""Graphs in other programs' text: DAGitty, Graphviz DOT, GraphML, and our own JSON.

All four are read and written. DAGitty and DOT share a grammar of statements such as
``a -> {b c} -> d [pos="1,0"]``; DAGitty writes a circle as ``@``, DOT as ``arrowtail=odot``.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree.ElementTree import ParseError

import networkx as nx

from causalmix_core.errors import GraphError
from causalmix_core.graph import graph_file
from causalmix_core.graph.legality import classify, has_type
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Edge, GraphType, MixedGraph

# -- DAGitty

_DAGITTY_TYPE = {"dag": "dag", "admg": "dag", "cpdag": "pdag", "pag": "pag", "mixed": "pag"}
_LEFT = {Mark.TAIL: "-", Mark.ARROW: "<-", Mark.CIRCLE: "@-"}
_RIGHT = {Mark.TAIL: "-", Mark.ARROW: "->", Mark.CIRCLE: "-@"}
_MARK = {"<": Mark.ARROW, ">": Mark.ARROW, "@": Mark.CIRCLE, "": Mark.TAIL}


def to_dagitty(graph: MixedGraph) -> str:
    """Write ``dag { … }`` as DAGitty and its R package read it."""
    lines = [f"{_DAGITTY_TYPE[graph.graph_type]} {{"]
    for node in graph.nodes:
        place = graph.layout.get(node)
        position = f' [pos="{place[0]:g},{place[1]:g}"]' if place else ""
        lines.append(f"{_quoted(node)}{position}")
    for edge in graph.edges:
        if edge.is_directed:
            edge = edge.seen_from(edge.cause)
        arrow = _LEFT[edge.source_mark][:-1] + "--" + _RIGHT[edge.target_mark][1:]
        arrow = {"-->": "->", "<--": "<-", "<-->": "<->", "@-->": "@->", "@--@": "@-@"}.get(
            arrow, arrow
        )
        lines.append(f"{_quoted(edge.source)} {arrow} {_quoted(edge.target)}")
    return "\n".join([*lines, "}"]) + "\n"


def from_dagitty(text: str) -> MixedGraph:
    """Read a DAGitty graph of type dag, mag, pdag or pag.

    Raises:
        GraphError: the text is no such graph, or has latent nodes (draw ↔ instead).
    """
    statements = _parse(text, "DAGitty", {"dag", "mag", "pdag", "pag", "digraph", "graph"})
    for node, attributes in statements.nodes.items():
        if {"latent", "l", "unobserved", "u"} & set(attributes):
            raise GraphError(
                f"{node!r} is a latent node; draw ↔ between the nodes it causes instead."
            )
    edges = []
    for link in statements.links:
        match = re.fullmatch(r"(<|@)?--?(>|@)?", link.arrow)
        if match is None:
            raise GraphError(f"{link.arrow!r} is no edge that DAGitty knows.")
        edges.append(Edge(link.source, link.target, _MARK[match[1] or ""], _MARK[match[2] or ""]))
    return _assembled(statements, edges, statements.kind)


# -- DOT

_DOT_STYLE = {Mark.TAIL: "none", Mark.ARROW: "normal", Mark.CIRCLE: "odot"}
_DOT_MARK = {"none": Mark.TAIL, "odot": Mark.CIRCLE, "dot": Mark.CIRCLE}


def to_dot(graph: MixedGraph) -> str:
    """Write a Graphviz digraph; circles are ``odot``, thicker lines are found more often."""
    lines = ["digraph causalmix {", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    lines += [f"  {_quoted(node, always=True)};" for node in graph.nodes]
    for edge in graph.edges:
        style = {
            "dir": "both",
            "arrowtail": _DOT_STYLE[edge.source_mark],
            "arrowhead": _DOT_STYLE[edge.target_mark],
        }
        if edge.probability is not None:
            style["penwidth"] = f"{1 + 2 * edge.probability:.2f}"
        written = ", ".join(f"{key}={value}" for key, value in style.items())
        source, target = (_quoted(node, always=True) for node in (edge.source, edge.target))
        lines.append(f"  {source} -> {target} [{written}];")
    return "\n".join([*lines, "}"]) + "\n"


def from_dot(text: str) -> MixedGraph:
    """Read a Graphviz graph without sub-graph layout: ``->`` is →, ``--`` is —.

    ``dir``, ``arrowhead`` and ``arrowtail`` are obeyed.

    Raises:
        GraphError: the text is no such graph.
    """
    statements = _parse(text, "DOT", {"digraph", "graph", "strict"})
    directed = statements.kind == "digraph"
    edges = []
    for link in statements.links:
        style = {**statements.defaults.get("edge", {}), **link.attributes}
        way = style.get("dir", "forward" if directed else "none")
        tail = style.get("arrowtail", "normal") if way in ("both", "back") else "none"
        head = style.get("arrowhead", "normal") if way in ("both", "forward") else "none"
        edges.append(
            Edge(
                link.source,
                link.target,
                _DOT_MARK.get(tail, Mark.ARROW),
                _DOT_MARK.get(head, Mark.ARROW),
            )
        )
    return _assembled(statements, edges, None)


# -- GraphML


def to_graphml(graph: MixedGraph) -> str:
    """Write GraphML; an edge that is not → is two arcs, and every arc carries its marks.

    Raises:
        GraphError: a node's name has a character that XML cannot hold.
    """
    for node in graph.nodes:
        if re.search(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", node):
            raise GraphError(f"{node!r} has a character that GraphML cannot hold; rename it.")
    converted = graph.to_networkx()
    for node, (x, y) in graph.layout.items():
        converted.nodes[node].update(x=float(x), y=float(y))
    return "\n".join(nx.generate_graphml(converted)) + "\n"


def from_graphml(text: str) -> MixedGraph:
    """Read GraphML: arcs are →, undirected edges —, ``source_mark`` and ``target_mark`` obeyed.

    Raises:
        GraphError: the text is no GraphML or joins two nodes more than once.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise GraphError("GraphML with a document type is not read; save it without one.")
    try:
        parsed = nx.read_graphml(io.BytesIO(text.encode("utf-8", "surrogatepass")))
    except (ParseError, nx.NetworkXException, KeyError, ValueError, TypeError) as error:
        raise GraphError(f"This is not GraphML that can be read ({error}).") from None
    graph = MixedGraph.from_networkx(parsed)
    places = {
        str(node): (float(at["x"]), float(at["y"]))
        for node, at in parsed.nodes(data=True)
        if isinstance(at.get("x"), float) and isinstance(at.get("y"), float)
    }
    return graph.with_layout(_unit(places))


# -- by file name

_READERS: Mapping[str, Callable[[str], MixedGraph]] = {
    ".json": graph_file.from_json,
    ".dagitty": from_dagitty,
    ".txt": from_dagitty,
    ".dot": from_dot,
    ".gv": from_dot,
    ".graphml": from_graphml,
    ".xml": from_graphml,
}
WRITERS: Mapping[str, Callable[[MixedGraph], str]] = {
    ".json": graph_file.to_json,
    ".dagitty": to_dagitty,
    ".dot": to_dot,
    ".graphml": to_graphml,
}
"""What a download can be, by the ending of its name."""

READABLE = tuple(_READERS)
"""The endings of files that `read_text` knows."""


def read_text(text: str, name: str) -> MixedGraph:
    """Read a graph from the text of a file called `name`; its ending tells the format.

    Raises:
        GraphError: the ending is unknown or the text is not of that format; the message names
            the file.
    """
    reader = _READERS.get(Path(name).suffix.lower())
    if reader is None:
        raise GraphError(f"{name}: only {', '.join(READABLE)} files hold a graph.")
    try:
        return reader(text.removeprefix("\ufeff"))
    except GraphError as error:
        raise GraphError(f"{name} is not a usable graph file: {error}") from None


# -- the grammar that DAGitty and DOT share


@dataclass
class _Link:
    source: str
    target: str
    arrow: str
    attributes: dict[str, str]


@dataclass
class _Statements:
    kind: str = "graph"
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    links: list[_Link] = field(default_factory=list)
    defaults: dict[str, dict[str, str]] = field(default_factory=dict)


_TOKEN = re.compile(
    r"""(?P<skip>\s+|/\*.*?\*/|//[^\n]*|(?<![^\n])\#[^\n]*)
    |(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<arrow>[<@]?--?[>@]?(?=[\s"'{\w])|[<@]--?[>@]?|--?[>@]|--)
    |(?P<sign>[{}\[\];,=])
    |(?P<name>[^\s"'{}\[\];,=<>@-]+(?:-[^\s"'{}\[\];,=<>@-]+)*)""",
    re.VERBOSE | re.DOTALL,
)


def _tokens(text: str, language: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            line = text.count("\n", 0, place) + 1
            raise GraphError(f"line {line} is not {language}: {text[place : place + 20]!r}.")
        place = match.end()
        if match.lastgroup == "quoted":
            yield "name", re.sub(r"\\(.)", r"\1", match[0][1:-1])
        elif match.lastgroup != "skip":
            yield match.lastgroup, match[0]


class _Reader:
    """Reads ``kind name { statements }``."""

    def __init__(self, text: str, language: str) -> None:
        self.language = language
        self.tokens = list(_tokens(text, language))
        self.place = 0
        self.read = _Statements()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.place += 1
        return token

    def fail(self, token: tuple[str, str]) -> GraphError:
        found = repr(token[1]) if token[0] != "end" else "the end"
        return GraphError(f"this is not {self.language}: {found} is not expected there.")

    def graph(self, kinds: set[str]) -> _Statements:
        token = self.take()
        if token[1].lower() == "strict":
            token = self.take()
        if token[0] != "name" or token[1].lower() not in kinds:
            raise self.fail(token)
        self.read.kind = token[1].lower()
        if self.peek()[0] == "name":
            self.take()
        if self.peek() != ("sign", "{"):
            raise self.fail(self.peek())
        self.take()
        while self.peek() != ("sign", "}"):
            self.statement()
        self.take()
        if self.peek()[0] != "end":
            raise self.fail(self.peek())
        return self.read

    def statement(self) -> None:
        if self.peek() in (("sign", ";"), ("sign", ",")):
            self.take()
            return
        first = self.peek()
        chain = [self.group()]
        if self.peek() == ("sign", "="):  # a setting of the whole drawing, such as bb="0,0,1,1"
            self.take()
            if self.take()[0] != "name":
                raise self.fail(first)
            return
        arrows = []
        while self.peek()[0] == "arrow":
            arrows.append(self.take()[1])
            chain.append(self.group())
        attributes = self.attributes()
        if not arrows and first[0] == "name" and first[1].lower() in ("node", "edge", "graph"):
            if attributes or self.language == "DOT":
                self.read.defaults.setdefault(first[1].lower(), {}).update(attributes)
                return
        for nodes in chain:
            for node in nodes:
                known = self.read.nodes.setdefault(node, {})
                if not arrows:
                    known.update(attributes)
        for left, arrow, right in zip(chain, arrows, chain[1:], strict=False):
            self.read.links += [_Link(a, b, arrow, attributes) for a in left for b in right]

    def group(self) -> list[str]:
        token = self.take()
        if token[0] == "name":
            return [token[1]]
        if token != ("sign", "{"):
            raise self.fail(token)
        names = []
        while self.peek() != ("sign", "}"):
            token = self.take()
            if token[0] == "name":
                names.append(token[1])
            elif token not in (("sign", ";"), ("sign", ",")):
                raise self.fail(token)
        self.take()
        return names

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.peek() == ("sign", "["):
            self.take()
            while self.peek() != ("sign", "]"):
                token = self.take()
                if token in (("sign", ";"), ("sign", ",")):
                    continue
                if token[0] != "name":
                    raise self.fail(token)
                value = ""
                if self.peek() == ("sign", "="):
                    self.take()
                    value_token = self.take()
                    if value_token[0] != "name":
                        value_token = self.number(value_token)
                    value = value_token[1]
                found[token[1].lower()] = value
            self.take()
        return found

    def number(self, sign: tuple[str, str]) -> tuple[str, str]:
        """An unquoted negative number arrives as a dash and a name."""
        follower = self.take()
        if not sign[1].startswith("-") or follower[0] != "name":
            raise self.fail(sign)
        return "name", sign[1] + follower[1]


def _parse(text: str, language: str, kinds: set[str]) -> _Statements:
    return _Reader(text, language).graph(kinds)


def _assembled(statements: _Statements, edges: Iterable[Edge], kind: str | None) -> MixedGraph:
    places = {}
    for node, attributes in statements.nodes.items():
        match = re.fullmatch(
            r"\s*(-?[\d.eE+-]+)\s*,\s*(-?[\d.eE+-]+)\s*!?", attributes.get("pos", "")
        )
        if match:
            try:
                places[node] = (float(match[1]), float(match[2]))
            except ValueError:
                continue
    graph = MixedGraph(tuple(statements.nodes), tuple(edges)).with_layout(_unit(places))
    declared: dict[str | None, GraphType] = {"pdag": "cpdag", "pag": "pag"}
    graph_type = declared.get(kind)
    if graph_type is None or not has_type(graph, graph_type):
        graph_type = classify(graph)
    return replace(graph, graph_type=graph_type)


def _unit(places: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Positions brought into [0, 1]² with equal scale; left alone where they are in it."""
    values = [value for place in places.values() for value in place]
    if not values or (min(values) >= 0.0 and max(values) <= 1.0):
        return dict(places)
    low_x, low_y = (min(place[axis] for place in places.values()) for axis in (0, 1))
    high_x, high_y = (max(place[axis] for place in places.values()) for axis in (0, 1))
    scale = max(high_x - low_x, high_y - low_y) or 1.0
    return {
        node: (0.05 + 0.9 * (x - low_x) / scale, 0.05 + 0.9 * (y - low_y) / scale)
        for node, (x, y) in places.items()
    }


_KEYWORDS = {"dag", "mag", "pdag", "pag", "graph", "digraph", "node", "edge", "strict", "subgraph"}


def _quoted(name: str, *, always: bool = False) -> str:
    if (
        not always
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name)
        and name.lower() not in _KEYWORDS
    ):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
