"""Draws of the rows: bootstrap and half-sampling."""

import numpy as np
import pytest
from discovery_tables import category_table, mixed_table

from causalmix_core.discovery import discover
from causalmix_core.discovery.resampling import draw
from causalmix_core.errors import DiscoveryError


def test_a_bootstrap_draw_is_as_long_as_the_table_and_repeats_rows():
    rows = draw(200, seed=1, number=3)
    assert len(rows) == 200
    assert len(np.unique(rows)) < 200
    assert (rows == draw(200, seed=1, number=3)).all()


def test_a_half_draw_has_half_of_the_rows_and_none_twice():
    rows = draw(201, seed=1, number=3, draws="half")
    assert len(rows) == len(np.unique(rows)) == 100
    assert 0 <= rows.min() < rows.max() < 201
    assert (rows != draw(201, seed=1, number=4, draws="half")).any()


def test_half_sampling_finds_a_graph_and_says_so():
    table = mixed_table(0)
    graph = discover(table, bootstraps=4, draws="half")
    assert graph.provenance["draws"] == "half"
    assert graph.pairs != discover(table, bootstraps=4).pairs
    assert graph.edges


def test_frequencies_are_stated_for_each_algorithm_from_the_edges_source():
    graph = discover(mixed_table(0), bootstraps=4)
    assert graph.edges
    for edge in graph.edges:
        each = edge.evidence["frequencies"]
        assert set(each) == {"pc", "fci"}
        both = graph.frequencies_between(edge.source, edge.target).seen_from(edge.source)
        keys = {key for shares in each.values() for key in shares}
        for key in keys | set(both.frequencies):
            mean = np.mean([shares.get(key, 0.0) for shares in each.values()])
            assert mean == pytest.approx(both.frequencies.get(key, 0.0))


@pytest.mark.parametrize("levels", [2, 8])
def test_columns_that_share_nothing_are_seldom_joined_however_many_levels_they_have(levels):
    rng = np.random.default_rng(levels)
    table = category_table({f"k{j}": rng.integers(0, levels, 1000) for j in range(5)})
    graph = discover(table, "pc", bootstraps=20, max_degree=0, workers=1)
    # The table's own statistic is there twice on a draw: more than alpha of the draws find a link.
    assert sum(pair.adjacent for pair in graph.pairs) / 10 < 0.35
    assert len(graph.edges) <= 2


def test_unknown_draws_are_refused_in_words():
    with pytest.raises(DiscoveryError, match="bootstrap or half"):
        discover(mixed_table(0), bootstraps=2, draws="jackknife")
