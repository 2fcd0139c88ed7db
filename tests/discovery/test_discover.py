import json
import threading

import numpy as np
import pandas as pd
import pytest
from discovery_tables import category_table, gaussian_table, mixed_table, numeric_table

from causalmix_core.discovery import direction_probabilities, discover, estimate_seconds
from causalmix_core.errors import Cancelled, DiscoveryError
from causalmix_core.graph.legality import has_type
from causalmix_core.graph.marks import Mark
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.table.table import Table


def edges_of(graph):
    return {(e.source, e.target, e.source_mark, e.target_mark, e.probability) for e in graph.edges}


def reordered(table, seed):
    """The same table with its rows and columns in another order."""
    rng = np.random.default_rng(seed)
    columns = rng.permutation(table.columns).tolist()
    frame = table.frame.iloc[rng.permutation(len(table))][columns].reset_index(drop=True)
    return Table(frame, {name: table.kinds[name] for name in columns}, table.target)


@pytest.mark.parametrize("algorithm", ["pc", "fci", "both"])
def test_neither_column_order_nor_row_order_changes_the_graph(algorithm):
    table = mixed_table(0)
    graph = discover(table, algorithm, bootstraps=5, seed=3)
    other = discover(reordered(table, 1), algorithm, bootstraps=5, seed=3)
    assert edges_of(other) == edges_of(graph)
    assert other.pairs == graph.pairs
    assert list(other.nodes) == reordered(table, 1).columns


def test_the_true_graph_of_a_mixed_table_is_found():
    graph = discover(mixed_table(1, n=1500), bootstraps=10)
    pairs = {tuple(sorted(edge.pair)) for edge in graph.edges}
    assert pairs == {
        ("age", "income"),
        ("education", "income"),
        ("income", "owner"),
        ("age", "owner"),
    }
    into_income = {
        e.other("income")
        for e in graph.edges
        if "income" in e.pair and e.mark_at("income") is Mark.ARROW
    }
    assert {"age", "education"} <= into_income


def test_the_test_follows_the_kinds_of_the_columns():
    rng = np.random.default_rng(0)
    labels = category_table({name: rng.integers(0, 2, 60) for name in "abc"})
    for table, label in (
        (gaussian_table(0, n=60), "fisherz"),
        (labels, "gsq"),
        (mixed_table(0, n=60), "degenerate-gaussian"),
    ):
        assert discover(table, "pc", bootstraps=0).provenance["test"] == label


def test_without_resamples_the_whole_table_is_searched_once_per_algorithm():
    graph = discover(mixed_table(0), "both", bootstraps=0)
    shares = {share for pair in graph.pairs for share in pair.frequencies.values()}
    assert shares <= {0.5, 1.0}
    single = discover(mixed_table(0), "fci", bootstraps=0)
    assert {e.pair for e in single.edges} <= {e.pair for e in graph.edges}


def test_frequencies_of_every_pair_add_up_to_one_and_edges_carry_them():
    graph = discover(mixed_table(2), bootstraps=8)
    for pair in graph.pairs:
        assert sum(pair.frequencies.values()) == pytest.approx(1.0)
        assert pair.adjacent > 0
    adjacent = {frozenset((p.source, p.target)): p.adjacent for p in graph.pairs}
    for edge in graph.edges:
        assert edge.probability == pytest.approx(adjacent[edge.pair])
        assert edge.probability >= 0.5
        says = edge.evidence
        assert says["forward"] + says["backward"] + says["bidirected"] == pytest.approx(
            edge.probability
        )


def test_a_pair_below_the_threshold_is_no_edge_and_stays_in_the_pairs():
    table = mixed_table(4, n=150)
    loose = discover(table, bootstraps=12, threshold=0.05)
    strict = discover(table, bootstraps=12, threshold=0.95)
    assert {e.pair for e in strict.edges} < {e.pair for e in loose.edges}
    assert strict.pairs == loose.pairs


def test_evidence_says_which_test_came_closest_to_removing_an_edge():
    table = mixed_table(1, n=800, missing=0.1)
    graph = discover(table, "pc", bootstraps=0)
    (edge,) = [e for e in graph.edges if e.pair == {"age", "income"}]
    says = edge.evidence
    assert says["p_value"] < 0.05
    assert says["log10_p"] < np.log10(0.05)
    assert 0.3 < says["strength"] < 1.0
    assert says["effective_n"] < 800
    separated = {frozenset(s["pair"]): s for s in graph.provenance["separations"]}
    for found in separated.values():
        assert found["p_value"] > 0.05
        assert found["given"]
    assert not set(separated) & {e.pair for e in graph.edges}


def test_a_graph_survives_its_file(tmp_path):
    graph = discover(mixed_table(0, missing=0.05), bootstraps=4)
    graph.save(tmp_path / "graph.json")
    assert MixedGraph.load(tmp_path / "graph.json") == graph
    content = json.loads((tmp_path / "graph.json").read_text())
    assert {"algorithm", "alpha", "bootstraps", "seed", "table_digest", "test"} <= set(
        content["provenance"]
    )


@pytest.mark.parametrize("seed", range(6))
def test_every_graph_is_of_the_type_it_claims(seed):
    table = gaussian_table(seed, p=8, n=120, density=0.5)
    for algorithm, graph_type in (("pc", "cpdag"), ("fci", "pag")):
        graph = discover(table, algorithm, bootstraps=0)
        assert graph.graph_type == graph_type
        assert has_type(graph, graph_type)


def test_the_number_of_workers_changes_nothing_but_the_time():
    table = mixed_table(5, n=120)
    assert discover(table, bootstraps=4, workers=1) == discover(table, bootstraps=4, workers=2)


def test_another_seed_draws_other_rows():
    table = mixed_table(5, n=150)
    one, two = (discover(table, bootstraps=6, seed=seed) for seed in (0, 1))
    assert one.pairs != two.pairs
    assert discover(table, bootstraps=6, seed=0) == one


@pytest.mark.parametrize("workers", [1, 2])
def test_raising_in_progress_stops_the_work_and_passes_through(workers):
    calls = []

    def cancel(fraction, sentence):
        calls.append(fraction)
        if fraction > 0.12:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        discover(mixed_table(0), bootstraps=40, workers=workers, progress=cancel)
    assert max(calls) < 0.9


def test_progress_grows_from_nothing_to_done():
    seen = []
    discover(
        mixed_table(0, n=100), bootstraps=3, workers=1, progress=lambda f, s: seen.append((f, s))
    )
    fractions = [f for f, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(sentence for _, sentence in seen)


def test_a_search_runs_in_a_thread_of_the_app():
    found = []
    thread = threading.Thread(target=lambda: found.append(discover(mixed_table(0), bootstraps=2)))
    thread.start()
    thread.join()
    assert found[0] == discover(mixed_table(0), bootstraps=2)


@pytest.mark.parametrize(
    "arguments",
    [
        {"algorithm": "ges"},
        {"alpha": 0.0},
        {"bootstraps": -1},
        {"max_degree": -1},
        {"threshold": 0.0},
        {"test": "t-test"},
        {"test": "gsq"},
        {"test": "fisherz"},
    ],
)
def test_arguments_that_allow_no_search_are_refused_in_words(arguments):
    with pytest.raises(DiscoveryError):
        discover(mixed_table(0), **{"bootstraps": 0, **arguments})


def test_the_estimate_grows_with_the_work():
    table = gaussian_table(0, p=12, n=300)
    few = estimate_seconds(table, "pc", bootstraps=0)
    many = estimate_seconds(table, "both", bootstraps=100, workers=1)
    assert 0 < few < many


def test_the_estimate_sees_that_a_dense_table_takes_sets_of_every_size():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(500, 2)) @ rng.uniform(0.5, 1.0, (2, 20))
    values = common + 0.5 * rng.normal(size=(500, 20))
    table = numeric_table({f"c{k:02d}": values[:, k] for k in range(20)})
    limited = estimate_seconds(table, "pc", bootstraps=0, max_degree=2)
    # Every pair has 2¹⁸ sets, of which 172 have at most two members.
    assert estimate_seconds(table, "pc", bootstraps=0) > 50 * limited


def test_the_kernel_test_says_how_many_rows_it_looked_at():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    table = numeric_table({"x": x, "y": x**2 + 0.2 * rng.normal(size=400)})
    graph = discover(table, "pc", bootstraps=0, test="kernel")
    assert [e.pair for e in graph.edges] == [{"x", "y"}]
    assert any("300 rows" in note for note in graph.provenance["notes"])


def test_dates_are_read_as_numbers():
    rng = np.random.default_rng(0)
    days = rng.integers(0, 1000, 300)
    frame = pd.DataFrame({"day": (pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"))})
    frame["day"] = frame["day"].astype("datetime64[us]")
    frame["price"] = days / 100 + rng.normal(size=300)
    from causalmix_core.table.kinds import Kind

    graph = discover(Table(frame, {"day": Kind.DATETIME, "price": Kind.NUMERIC}), bootstraps=0)
    assert [e.pair for e in graph.edges] == [{"day", "price"}]


def test_circles_share_their_weight_between_the_readings_they_leave_open():
    said = direction_probabilities(
        {
            "tail-arrow": 0.3,
            "arrow-tail": 0.05,
            "circle-arrow": 0.2,
            "circle-circle": 0.1,
            "arrow-arrow": 0.15,
            "none": 0.2,
        }
    )
    assert said.adjacent == pytest.approx(0.8)
    assert said.forward == pytest.approx(0.3 + 0.15 + 0.05)
    assert said.backward == pytest.approx(0.05 + 0.05)
    assert said.bidirected == pytest.approx(0.15 + 0.05)


def test_direction_probabilities_turn_with_the_pair():
    shares = {"tail-arrow": 0.4, "circle-arrow": 0.3, "tail-tail": 0.1, "none": 0.2}
    turned = {"arrow-tail": 0.4, "arrow-circle": 0.3, "tail-tail": 0.1, "none": 0.2}
    one, two = direction_probabilities(shares), direction_probabilities(turned)
    assert (one.forward, one.backward) == pytest.approx((two.backward, two.forward))
