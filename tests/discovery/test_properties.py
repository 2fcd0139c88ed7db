"""What must hold for every table and every piece of knowledge."""

import numpy as np
import pandas as pd
from discovery_tables import as_text
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.discovery import direction_probabilities, discover
from causalmix_core.graph.knowledge import violations
from causalmix_core.graph.legality import directed_cycles, has_type
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import Knowledge
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

NAMES = [f"v{k}" for k in range(6)]


@st.composite
def tables(draw):
    """Small tables of numbers and categories with dependence, holes and repeated values."""
    seed = draw(st.integers(0, 10_000))
    n = draw(st.integers(20, 120))
    style = draw(st.sampled_from(["numbers", "categories", "mixed"]))
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.random((6, 6)) < 0.5, 1) * rng.normal(size=(6, 6))
    values = np.zeros((n, 6))
    for k in range(6):
        values[:, k] = values @ weights[:, k] + rng.normal(size=n)
    frame, kinds = pd.DataFrame(index=range(n)), {}
    for k, name in enumerate(rng.permutation(NAMES)):
        if style == "categories" or (style == "mixed" and rng.random() < 0.5):
            cuts = np.quantile(values[:, k], np.sort(rng.random(rng.integers(1, 3))))
            frame[name], kinds[name] = as_text(np.digitize(values[:, k], cuts)), Kind.CATEGORICAL
        else:
            frame[name], kinds[name] = values[:, k], Kind.NUMERIC
    if draw(st.booleans()):
        holed = NAMES[draw(st.integers(0, 5))]
        frame.loc[rng.random(n) < 0.2, holed] = np.nan
    return Table(frame, kinds)


@st.composite
def knowledge(draw):
    """Knowledge that does not contradict itself: it follows some order of the columns."""
    order = draw(st.permutations(NAMES))
    place = {name: k for k, name in enumerate(order)}
    pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1])
    required = [p for p in draw(st.lists(pairs, max_size=2)) if place[p[0]] < place[p[1]]]
    forbidden = [p for p in draw(st.lists(pairs, max_size=6)) if p not in required]
    cut = draw(st.integers(0, 6))
    tiers = (tuple(order[:cut]), tuple(order[cut:])) if draw(st.booleans()) else ()
    return Knowledge(tuple(required), tuple(forbidden), tuple(t for t in tiers if t))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tables(), knowledge(), st.sampled_from(["pc", "fci", "both"]))
def test_knowledge_is_never_broken_and_no_cycle_comes_out(table, known, algorithm):
    graph = discover(table, algorithm, bootstraps=2, knowledge=known, workers=1)
    assert violations(graph, known) == []
    for cause, effect in known.required:
        edge = graph.edge_between(cause, effect)
        assert edge is not None
        assert edge.mark_at(effect) is Mark.ARROW
        assert edge.mark_at(cause) is Mark.TAIL
    tier = {name: k for k, names in enumerate(known.tiers) for name in names}
    for edge in graph.edges:
        late = max(edge.pair, key=lambda name: tier.get(name, -1))
        if {tier.get(name, -1) for name in edge.pair} == {0, 1}:
            assert edge.mark_at(late) is Mark.ARROW
    assert not list(directed_cycles(graph))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(), st.sampled_from(["pc", "fci", "both"]), st.randoms(use_true_random=False))
def test_column_order_and_row_order_never_matter(table, algorithm, random):
    columns = random.sample(table.columns, len(table.columns))
    rows = random.sample(range(len(table)), len(table))
    frame = table.frame.iloc[rows][columns].reset_index(drop=True)
    other = Table(frame, {name: table.kinds[name] for name in columns})
    one = discover(table, algorithm, bootstraps=2, workers=1)
    two = discover(other, algorithm, bootstraps=2, workers=1)
    assert one.edges == two.edges
    assert one.pairs == two.pairs


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tables(), st.sampled_from(["pc", "fci", "both"]))
def test_marks_are_legal_for_the_type_of_graph(table, algorithm):
    graph = discover(table, algorithm, bootstraps=0)
    assert has_type(graph, graph.graph_type)
    assert len({edge.pair for edge in graph.edges}) == len(graph.edges)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 20), min_size=10, max_size=10))
def test_direction_probabilities_add_up_to_the_probability_of_an_edge(counts):
    keys = ["none", *(f"{a}-{b}" for a in Mark for b in Mark)]
    total = sum(counts) or 1
    shares = {key: count / total for key, count in zip(keys, counts, strict=True)}
    said = direction_probabilities(shares)
    assert abs(said.forward + said.backward + said.bidirected - said.adjacent) < 1e-12
    assert abs(said.adjacent - sum(share for key, share in shares.items() if key != "none")) < 1e-12
    assert min(said.forward, said.backward, said.bidirected) >= 0
