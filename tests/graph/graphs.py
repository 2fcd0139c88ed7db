"""Random graphs for the property tests, and short spellings for the others."""

import itertools

import hypothesis.strategies as st

from causalmix_core.graph import Edge, Knowledge, Mark, MixedGraph, PairFrequencies, to_cpdag

_MARK = {"<": Mark.ARROW, ">": Mark.ARROW, "o": Mark.CIRCLE, "-": Mark.TAIL}


def graph(*edges: str, nodes: str = "", **more: object) -> MixedGraph:
    """Build a graph from spellings such as ``"a o-> b"``, ``"a <-> b"``, ``"a --- b"``."""
    parsed = []
    names = dict.fromkeys(nodes.split())
    for text in edges:
        source, arrow, target = text.split()
        names |= dict.fromkeys((source, target))
        parsed.append(Edge(source, target, _MARK[arrow[0]], _MARK[arrow[-1]]))
    return MixedGraph(tuple(names), tuple(parsed), **more).with_edges(parsed)  # type: ignore[arg-type]


def signs(graph: MixedGraph) -> set[tuple[str, str, str, str]]:
    """The marked edges, in no order."""
    return {
        (edge.source, edge.target, edge.source_mark.value, edge.target_mark.value)
        for edge in (edge.normalised() for edge in graph.edges)
    }


NAMES = ("age", "bmi", "city", "dose", "eye", "fee", "gain")


@st.composite
def dags(draw: st.DrawFn, most: int = 7) -> MixedGraph:
    """A DAG over names whose order tells nothing."""
    size = draw(st.integers(2, most))
    order = draw(st.permutations(NAMES[:size]))
    pairs = list(itertools.combinations(order, 2))
    kept = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    edges = tuple(Edge(*pair) for pair, keep in zip(pairs, kept, strict=True) if keep)
    return MixedGraph(NAMES[:size], edges, graph_type="dag")


@st.composite
def cpdags(draw: st.DrawFn) -> MixedGraph:
    """The CPDAG of a random DAG."""
    return to_cpdag(draw(dags()))


@st.composite
def knowledge_of(draw: st.DrawFn, nodes: tuple[str, ...]) -> Knowledge:
    """Knowledge without contradictions: all of it agrees with one hidden order."""
    order = draw(st.permutations(nodes))
    pairs = list(itertools.combinations(order, 2))
    some = st.lists(st.sampled_from(pairs), unique=True, max_size=3)
    required = draw(some)
    forbidden = [(b, a) for a, b in draw(some)]
    forbidden += [pair for pair in draw(some) if pair not in required]
    tiers: tuple[tuple[str, ...], ...] = ()
    if draw(st.booleans()):
        cut = draw(st.integers(1, len(order) - 1))
        tiers = (tuple(order[:cut]), tuple(order[cut:]))
    return Knowledge(tuple(required), tuple(dict.fromkeys(forbidden)), tiers)


@st.composite
def mixed_graphs(draw: st.DrawFn, *, frequencies: bool = True) -> MixedGraph:
    """Any marks on any pairs, maybe with frequencies and knowledge: mostly no sound graph."""
    size = draw(st.integers(2, 6))
    nodes = NAMES[:size]
    mark = st.sampled_from(list(Mark))
    edges, pairs = [], []
    for a, b in itertools.combinations(nodes, 2):
        if draw(st.booleans()):
            source, target = draw(st.permutations((a, b)))
            probability = draw(st.none() | st.floats(0, 1))
            edges.append(Edge(source, target, draw(mark), draw(mark), probability))
        if frequencies and draw(st.booleans()):
            counts = draw(
                st.dictionaries(
                    st.sampled_from(["none", *(f"{x}-{y}" for x in Mark for y in Mark)]),
                    st.integers(1, 9),
                    min_size=1,
                    max_size=4,
                )
            )
            total = sum(counts.values())
            shares = {key: count / total for key, count in counts.items()}
            pairs.append(PairFrequencies(a, b, shares))
    known = draw(st.just(Knowledge()) | knowledge_of(nodes))
    return MixedGraph(nodes, tuple(edges), pairs=tuple(pairs), knowledge=known).with_edges(edges)
