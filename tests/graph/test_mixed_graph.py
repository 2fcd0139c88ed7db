"""Validation, look-ups, files, networkx."""

import json
import math
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from causalmix_core.errors import GraphError
from causalmix_core.graph import Edge, Knowledge, Mark, MixedGraph, PairFrequencies
from tests.graph.graphs import graph, mixed_graphs, signs

DESIGN_EXAMPLE = """
{"format": "causalmix-graph/1", "graph_type": "pag", "nodes": ["age", "income"],
 "edges": [{"source": "age", "target": "income", "source_mark": "tail", "target_mark": "arrow",
            "probability": 0.93}],
 "pairs": [{"source": "age", "target": "income",
            "frequencies": {"tail-arrow": 0.71, "circle-arrow": 0.22, "none": 0.07}}],
 "knowledge": {"required": [["age", "income"]], "forbidden": [["income", "age"]],
               "tiers": [["age"], ["income"]]},
 "layout": {"age": [0.1, 0.5]},
 "provenance": {"algorithm": "both", "alpha": 0.05, "bootstraps": 50, "seed": 0}}
"""


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (("a", "a"), (), "'a' is named twice"),
        (("a",), (Edge("a", "b"),), "names 'b'"),
        (("a", "b"), (Edge("a", "b"), Edge("b", "a")), "joined by two edges"),
    ],
)
def test_illegal_graphs_are_refused_with_the_name(
    nodes: tuple[str, ...], edges: tuple[Edge, ...], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        MixedGraph(nodes, edges)


def test_illegal_edges_pairs_and_knowledge_are_refused() -> None:
    with pytest.raises(GraphError, match="to itself"):
        Edge("a", "a")
    with pytest.raises(GraphError, match="no end mark"):
        Edge("a", "b", "tip", "arrow")  # type: ignore[arg-type]
    with pytest.raises(GraphError, match="between 0 and 1"):
        Edge("a", "b", probability=math.nan)
    with pytest.raises(GraphError, match="add up to 1"):
        PairFrequencies("a", "b", {"tail-arrow": 0.4})
    with pytest.raises(GraphError, match="neither"):
        PairFrequencies("a", "b", {"arrow": 1.0})
    with pytest.raises(GraphError, match="'c', which is not among"):
        MixedGraph(("a", "b"), knowledge=Knowledge(tiers=(("c",),)))


def test_look_ups_tell_parents_children_spouses_and_neighbours() -> None:
    mixed = graph("a --> b", "c <-> b", "b o-> d", "e --- b")
    assert mixed.parents("b") == ("a",)
    assert mixed.children("a") == ("b",)
    assert mixed.spouses("b") == ("c",)
    assert set(mixed.neighbours("b")) == {"a", "c", "d", "e"}
    edge = mixed.edge_between("d", "b")
    assert edge is not None
    assert edge.mark_at("b") is Mark.CIRCLE
    assert edge.mark_at("d") is Mark.ARROW
    assert mixed.edge_between("a", "c") is None
    with pytest.raises(GraphError, match="'z' is not a node"):
        mixed.parents("z")


def test_frequencies_read_the_same_from_both_nodes() -> None:
    pair = PairFrequencies("a", "b", {"tail-arrow": 0.6, "arrow-circle": 0.3, "none": 0.1})
    assert pair.adjacent == pytest.approx(0.9)
    assert pair.pointing("a") == pair.seen_from("b").pointing("a") == 0.6
    assert pair.pointing("b") == 0.3
    assert pair.directed("b") == 0.0
    assert pair.seen_from("b").seen_from("a") == pair


@given(mixed_graphs())
@settings(max_examples=60)
def test_a_saved_graph_loads_as_it_was(mixed: MixedGraph) -> None:
    assert MixedGraph.from_dict(json.loads(json.dumps(mixed.to_dict(), allow_nan=False))) == mixed


def test_the_file_of_the_design_page_loads_and_keeps_everything(tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    file.write_text(DESIGN_EXAMPLE)
    loaded = MixedGraph.load(file)
    assert loaded.graph_type == "pag"
    assert loaded.edges[0].probability == 0.93
    assert loaded.pairs[0].adjacent == pytest.approx(0.93)
    assert loaded.knowledge.tiers == (("age",), ("income",))
    assert loaded.layout == {"age": (0.1, 0.5)}
    loaded.save(tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text())
    assert again == json.loads(DESIGN_EXAMPLE)


def test_only_nodes_and_marked_edges_are_obligatory() -> None:
    loaded = MixedGraph.from_dict({"nodes": ["a", "b"], "edges": []})
    assert loaded == MixedGraph(("a", "b"), graph_type="dag")


def test_a_type_that_the_marks_contradict_gives_way() -> None:
    content = graph("a --> b", "b --> c", "c --> a").to_dict() | {"graph_type": "dag"}
    assert MixedGraph.from_dict(content).graph_type == "mixed"


def test_names_survive_quotes_braces_and_other_scripts(tmp_path: Path) -> None:
    names = ('"', "{a}", "naïve", "年齢", "a\tb", "</script>")
    MixedGraph(names, (Edge(names[0], names[3]),)).save(tmp_path / "g.json")
    assert MixedGraph.load(tmp_path / "g.json").nodes == names


def test_evidence_and_provenance_are_written_without_nan() -> None:
    evidence = {"p": np.float64(0.25), "sets": ({"b"},), "bad": math.inf, "n": np.int64(3)}
    mixed = MixedGraph(
        ("a", "b"), (Edge("a", "b", evidence=evidence),), provenance={"alpha": float("nan")}
    )
    content = mixed.to_dict()
    assert content["edges"][0]["evidence"] == {"p": 0.25, "sets": [["b"]], "bad": None, "n": 3}
    assert content["provenance"] == {"alpha": None}
    json.dumps(content, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "not JSON"),
        ("[]", "object with"),
        ('{"nodes": ["a"]}', '"edges" must be a list'),
        ('{"nodes": "ab", "edges": []}', "list of names"),
        ('{"nodes": [1], "edges": []}', "list of names"),
        ('{"nodes": ["a", "b"], "edges": [{"source": "a", "target": "b"}]}', "source_mark"),
        ('{"nodes": ["a"], "edges": [3]}', "objects, not int"),
        ('{"format": "causalmix-graph/9", "nodes": [], "edges": []}', "only 'causalmix-graph/1'"),
        ('{"nodes": ["a"], "edges": [], "knowledge": {"required": [["a"]]}}', "pairs of cause"),
        ('{"nodes": ["a"], "edges": [], "layout": {"a": [1, "x"]}}', "two numbers"),
        ('{"nodes": ["a"], "edges": [], "pairs": [{"source": "a"}]}', "frequencies"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_that_names_it(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_text(text)
    with pytest.raises(GraphError, match=message) as caught:
        MixedGraph.load(file)
    assert "broken.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"nothing\.json"):
        MixedGraph.load(tmp_path / "nothing.json")
    (tmp_path / "image.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(GraphError, match=r"image\.json"):
        MixedGraph.load(tmp_path / "image.json")


@given(mixed_graphs(frequencies=False))
@settings(max_examples=60)
def test_networkx_gives_back_what_it_got(mixed: MixedGraph) -> None:
    back = MixedGraph.from_networkx(mixed.to_networkx())
    assert back.nodes == mixed.nodes
    assert signs(back) == signs(mixed)


def test_a_dag_becomes_plain_arcs_and_open_edges_become_cycles() -> None:
    assert list(graph("b <-- a", "b --> c").to_networkx().edges) == [("b", "c"), ("a", "b")]
    assert not nx.is_directed_acyclic_graph(graph("a o-> b").to_networkx())
    assert MixedGraph.from_networkx(nx.DiGraph([("x", "y")])).graph_type == "dag"
    assert MixedGraph.from_networkx(nx.Graph([("x", "y")])).edges[0].is_undirected
    with pytest.raises(GraphError, match="joined both ways"):
        MixedGraph.from_networkx(nx.DiGraph([("x", "y"), ("y", "x")]))


def test_the_digest_tells_structure_alone() -> None:
    one = graph("a --> b", "b o-> c")
    same = MixedGraph(("c", "b", "a"), tuple(e.seen_from(e.target) for e in reversed(one.edges)))
    assert one.digest == same.digest
    assert one.digest == one.with_layout({"a": (0.0, 1.0)}).digest
    assert one.digest != graph("a --> b", "b --> c").digest
    assert one.digest != graph("a --> b", "b o-> c", nodes="d").digest
