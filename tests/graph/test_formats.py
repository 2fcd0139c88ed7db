"""DAGitty, DOT, GraphML, JSON: read and written."""

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_core.errors import GraphError
from causalmix_core.graph import Edge, MixedGraph
from causalmix_core.graph.formats import (
    WRITERS,
    from_dagitty,
    from_dot,
    from_graphml,
    read_text,
    to_dagitty,
    to_graphml,
)
from tests.graph.graphs import graph, mixed_graphs, signs

ANY_NAME = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1
)


@pytest.mark.parametrize("ending", WRITERS)
@given(mixed=mixed_graphs(frequencies=False))
@settings(max_examples=40)
def test_every_format_reads_back_what_it_wrote(ending: str, mixed: MixedGraph) -> None:
    back = read_text(WRITERS[ending](mixed), f"graph{ending}")
    assert signs(back) == signs(mixed)
    assert back.nodes == mixed.nodes


@pytest.mark.parametrize("ending", WRITERS)
@given(names=st.lists(ANY_NAME, min_size=2, max_size=3, unique=True))
@settings(max_examples=60)
def test_any_name_survives_in_every_format(ending: str, names: list[str]) -> None:
    named = MixedGraph(tuple(names), (Edge(names[0], names[1]),), graph_type="dag")
    back = read_text(WRITERS[ending](named), f"graph{ending}")
    assert back.nodes == named.nodes
    assert signs(back) == signs(named)


def test_dagitty_text_is_what_dagitty_itself_writes() -> None:
    placed = graph("a o-> b", "b <-> c", nodes="a b c").with_layout({"a": (0.25, 1.0)})
    assert to_dagitty(placed) == 'pag {\na [pos="0.25,1"]\nb\nc\na @-> b\nb <-> c\n}\n'


def test_a_dagitty_model_with_roles_groups_and_comments_is_read() -> None:
    model = from_dagitty(
        """dag {
        bb="-3,-2,3,2"
        /* a comment */ D [outcome,pos="2.0,1"] E [exposure,pos="-2,1"]
        "family income" [pos="0,-1"]
        "family income" -> {D E} ; E -> D
        D <-> Z
        }"""
    )
    assert model.nodes == ("D", "E", "family income", "Z")
    assert model.graph_type == "admg"
    assert signs(model) == signs(
        MixedGraph(
            model.nodes,
            (
                Edge("family income", "D"),
                Edge("family income", "E"),
                Edge("E", "D"),
                Edge("D", "Z", "arrow", "arrow"),  # type: ignore[arg-type]
            ),
        )
    )
    assert model.layout["E"][0] < model.layout["family income"][0] < model.layout["D"][0]


def test_latent_nodes_are_refused_with_what_to_draw_instead() -> None:
    with pytest.raises(GraphError, match=r"'U' is a latent node; draw ↔"):
        from_dagitty("dag { U [latent] U -> a U -> b }")


def test_dot_directions_and_defaults_are_obeyed() -> None:
    assert signs(from_dot("strict digraph g { edge [dir=back]; a -> b; }")) == signs(
        graph("b --> a")
    )
    assert signs(from_dot("graph { a -- b -- c }")) == signs(graph("a --- b", "b --- c"))
    assert signs(from_dot('digraph { a -> b [dir=both, arrowtail="odot"] }')) == signs(
        graph("a o-> b")
    )


def test_graphml_of_other_programs_is_read() -> None:
    text = "\n".join(nx.generate_graphml(nx.DiGraph([("x", "y"), ("y", "z")])))
    assert signs(from_graphml(text)) == signs(graph("x --> y", "y --> z"))


def test_hostile_and_broken_texts_are_refused_in_one_sentence() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a "aaaa">]><graphml>&a;</graphml>'
    for text, name in [
        (bomb, "g.graphml"),
        ("<graphml", "g.graphml"),
        ("<html></html>", "g.graphml"),
        ("dag { a -> ", "g.dagitty"),
        ("dag { a => b }", "g.txt"),
        ("dag { a -> a }", "g.txt"),
        ("flowchart TD", "g.dot"),
        ("{", "g.json"),
        ("", "g.dot"),
        ("dag {}", "g.pdf"),
    ]:
        with pytest.raises(GraphError) as caught:
            read_text(text, name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_name_that_xml_cannot_hold_is_named() -> None:
    with pytest.raises(GraphError, match="rename it"):
        to_graphml(MixedGraph(("a\x00",)))
