"""What the Graph page says about a pair of columns."""

import numpy as np
import pandas as pd
import pytest

from causalmix_core.discovery import discover
from causalmix_core.graph import Edge, Knowledge, MixedGraph
from causalmix_core.table import Kind, Table, examples
from ui.charts import marks_figure
from ui.panels.evidence import resampled, why_apart, why_joined


@pytest.fixture(scope="module")
def found() -> MixedGraph:
    known = Knowledge(forbidden=(("sex", "age"), ("age", "sex")), required=(("sex", "region"),))
    table = examples.load("health").take(range(300))
    return discover(table, bootstraps=3, knowledge=known, workers=1)


def test_an_edge_is_explained_by_the_test_that_came_closest_to_removing_it(
    found: MixedGraph,
) -> None:
    edge = found.edge_between("income", "education")
    assert edge is not None
    said = " ".join(why_joined(edge))
    assert "came closest to removing it" in said
    assert f"{edge.evidence['effective_n']:,} complete rows" in said
    assert f"**{edge.evidence['strength']:.2f}**" in said
    assert "hidden common cause" in said
    assert "(o–o, —), half counts for each" in said


def test_stated_and_drawn_edges_say_so(found: MixedGraph) -> None:
    known = found.edge_between("sex", "region")
    assert known is not None
    assert "as known" in why_joined(known)[0]
    assert "by hand" in why_joined(Edge("a", "b"))[0]


def test_a_missing_edge_is_explained_by_its_separating_set(found: MixedGraph) -> None:
    [first, *_] = found.provenance["separations"]
    [said] = why_apart(found, *reversed(first["pair"]))
    for name in first["given"]:
        assert name.replace("_", "\\_") in said
    assert "p-value" in said


def test_an_edge_that_the_analyst_drew_is_not_denied(found: MixedGraph) -> None:
    [first, *_] = found.provenance["separations"]
    [apart] = why_apart(found, *first["pair"])
    [drawn] = why_apart(found, *first["pair"], drawn=True)
    assert apart.startswith("No edge: once")
    assert drawn.startswith("You drew this edge; the search found none: once")


def test_every_missing_edge_has_a_reason(found: MixedGraph) -> None:
    assert "you ruled it out" in why_apart(found, "age", "sex")[0]
    reasons = {
        why_apart(found, a, b)[0].split(":")[0]
        for a in found.nodes
        for b in found.nodes
        if a < b and found.edge_between(a, b) is None
    }
    assert reasons == {"No edge"}
    assert "nothing is recorded" in why_apart(MixedGraph(("a", "b")), "a", "b")[0]


@pytest.fixture(scope="module")
def odd() -> MixedGraph:
    """Found in a table with copies, a column of one value and tiers."""
    rng = np.random.default_rng(0)
    warm, sold, rain = rng.normal(size=(3, 200))
    frame = pd.DataFrame(
        {
            "celsius": warm,
            "fahrenheit": 32 + 1.8 * warm,
            "kelvin": 273 + warm,
            "sold": warm + 0.5 * sold,
            "rain": rain,
            "fixed": 1.0,
        }
    )
    known = Knowledge(forbidden=(("rain", "sold"),), tiers=(("rain",), ("sold",)))
    table = Table(frame, dict.fromkeys(frame, Kind.NUMERIC), None)
    return discover(table, bootstraps=0, knowledge=known, workers=1)


def test_of_a_copy_nothing_is_said_but_of_its_original(odd: MixedGraph) -> None:
    assert odd.edge_between("celsius", "sold") is not None
    for pair in (("fahrenheit", "sold"), ("sold", "fahrenheit")):
        [said] = why_apart(odd, *pair)
        assert "**fahrenheit** says the same as **celsius**" in said
        assert "**celsius** and **sold**" in said or "**sold** and **celsius**" in said
        assert "unrelated" not in said
    [said] = why_apart(odd, "kelvin", "fahrenheit")
    assert "**kelvin** says the same as **celsius**" in said
    assert "Ask about" not in said


def test_of_a_column_with_one_value_no_independence_is_stated(odd: MixedGraph) -> None:
    for pair in (("fixed", "sold"), ("fahrenheit", "fixed")):
        [said] = why_apart(odd, *pair)
        assert "not tested, as **fixed** has one value only" in said
        assert "unrelated" not in said


def test_a_pair_ruled_out_by_a_tier_and_a_line_was_ruled_out(odd: MixedGraph) -> None:
    assert "you ruled it out in both directions" in why_apart(odd, "sold", "rain")[0]
    assert "unrelated even without" in why_apart(odd, "celsius", "rain")[0]


def test_what_the_box_about_the_target_ruled_out_is_told_from_what_the_analyst_did() -> None:
    known = Knowledge(forbidden=(("a", "y"), ("y", "a")))
    graph = MixedGraph(("a", "y"), knowledge=known, provenance={"target_rules": [["y", "a"]]})
    [said] = why_apart(graph, "a", "y")
    assert "“The target, y, causes nothing else in the table” ruled out y → a" in said
    assert "you ruled out the other direction" in said


def test_shares_are_written_from_the_column_asked_for(found: MixedGraph) -> None:
    edge = next(edge for edge in found.edges if edge.is_directed)
    there = resampled(found, edge.source, edge.target)
    back = resampled(found, edge.target, edge.source)
    assert set(there) == set(back) == {"PC", "FCI"}
    for name, shares in there.items():
        turned = {"-".join(reversed(key.split("-"))): share for key, share in shares.items()}
        assert back[name] == turned
        assert sum(shares.values()) == pytest.approx(1.0)


def test_the_chart_has_a_bar_for_every_way_the_pair_came_out() -> None:
    shares = {"PC": {"tail-arrow": 0.75, "none": 0.25}, "FCI": {"circle-arrow": 1.0}}
    figure = marks_figure("a<b>", "c", shares)
    assert [trace.name for trace in figure.data] == ["PC", "FCI"]
    [pc, fci] = figure.data
    assert list(pc.y) == ["a&lt;b&gt; o→ c", "a&lt;b&gt; → c", "no edge"]
    assert list(pc.x) == [0.0, 0.75, 0.25]
    assert list(fci.x) == [1.0, 0.0, 0.0]
