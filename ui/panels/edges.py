"""The graph in words and as a table: what stands in the way of a DAG, edges, changes."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from causalmix_core.graph import (
    Edge,
    Knowledge,
    Mark,
    MixedGraph,
    complete,
    directed_cycles,
    edge_sentence,
    reasons_not_dag,
)
from causalmix_core.graph.edits import (
    AddEdge,
    Edit,
    History,
    RemoveEdge,
    ReplaceEdges,
    ReplaceGraph,
    SetMarks,
    apply,
    difference,
)
from causalmix_core.graph.words import edge_sign, mark_sign
from ui.panels.edits import Desk
from ui.panels.search import was_searched
from ui.words import plain

MARKS: dict[str, tuple[Mark, Mark]] = {
    "→": (Mark.TAIL, Mark.ARROW),
    "←": (Mark.ARROW, Mark.TAIL),
    "↔": (Mark.ARROW, Mark.ARROW),
    "—": (Mark.TAIL, Mark.TAIL),
    "o→": (Mark.CIRCLE, Mark.ARROW),
    "←o": (Mark.ARROW, Mark.CIRCLE),
    "o–o": (Mark.CIRCLE, Mark.CIRCLE),
    "o–": (Mark.CIRCLE, Mark.TAIL),
    "–o": (Mark.TAIL, Mark.CIRCLE),
}

REMOVE = "remove"


def toolbar(desk: Desk) -> None:
    """Completion to a DAG, and back to what was found."""
    history = desk.history
    back = _back(history)
    finish, reset, _ = st.columns([1, 1, 1])
    if reset.button(
        "Back to what was found" if was_searched(history) else "Back to the start",
        icon=":material/restart_alt:",
        disabled=apply(history.graph, back) == history.graph,
        width="stretch",
        key="reset",
    ):
        desk.do(back)
        st.rerun()
    open_ends = reasons_not_dag(history.graph, allow_hidden=True)
    if finish.button(
        "Complete to a DAG",
        icon=":material/done_all:",
        type="primary" if open_ends else "secondary",
        disabled=not open_ends,
        help="Gives every open edge a direction, and says why.",
        width="stretch",
        key="complete",
    ):
        completion = complete(history.graph)
        why = {frozenset(pair): reason for pair, reason in completion.reasons.items()}
        decided = [
            f"{edge_sign(edge)}: {why[edge.pair]}"
            for edge in completion.graph.edges
            if edge.pair in why
        ] + [
            f"{first} and {second}, left out: {reason}"
            for (first, second), reason in completion.dropped.items()
        ]
        desk.do(ReplaceEdges(completion.graph.edges, "Complete to a DAG"))
        if desk.problem is None:
            desk.space.put_completion(desk.history.graph, decided)
        st.rerun()


def _back(history: History) -> ReplaceGraph:
    """Back to the found graph; what was stated since, and where nodes were put, stays."""
    found = replace(history.found, knowledge=Knowledge(), layout={}, provenance={})
    return ReplaceGraph(found, "Go back to the found graph")


def status(graph: MixedGraph) -> None:
    """Say whether the graph is a DAG, what stands in the way, and what comes of it."""
    reasons = reasons_not_dag(graph, allow_hidden=True)
    hidden = [edge for edge in graph.edges if edge.is_bidirected]
    if not reasons:
        extra = (
            f" {len(hidden)} {'pair shares' if len(hidden) == 1 else 'pairs share'} a hidden cause "
            "(↔): their noise is drawn together."
            if hidden
            else ""
        )
        st.success(
            "Every edge has a direction and there is no cycle: a causal model can be fitted."
            + extra,
            icon=":material/check_circle:",
        )
        return
    with st.expander(
        f"Not a DAG yet: {len(reasons)} {'thing is' if len(reasons) == 1 else 'things are'} open. "
        + undecided(graph),
        icon=":material/pending:",
    ):
        for reason in reasons:
            st.text(reason)


def undecided(graph: MixedGraph) -> str:
    """Say what causal rows make of a graph that is no DAG yet."""
    cycles = directed_cycles(graph)
    said = []
    if len(reasons_not_dag(graph, allow_hidden=True)) > len(cycles):
        said.append(
            "Causal rows will be a mixture over several graphs that decide open directions by "
            "chance."
        )
    if cycles:
        said.append("For causal rows, one edge of every cycle will be turned or left out.")
    return " ".join(said)


def editor_key(desk: Desk) -> str:
    """Key of the table's widget: another graph, or a refused change, begins a fresh one."""
    return f"edges-{desk.history.graph.digest}-{desk.history.done}-{desk.refusals}"


def take_edits(desk: Desk, key: str, graph: MixedGraph) -> None:
    """Do what was changed in the table of `graph`, whose widget has this key."""
    edits: list[Edit] = []
    for row, values in st.session_state[key]["edited_rows"].items():
        edge: Edge = graph.edges[int(row)]
        sign = values.get("edge")
        if sign == REMOVE:
            edits.append(RemoveEdge(edge.source, edge.target))
        elif sign in MARKS:
            edits.append(SetMarks(edge.source, edge.target, *MARKS[sign]))
    desk.do(*edits)


def edge_table(desk: Desk) -> None:
    """The same edits as with the mouse, from a table."""
    history = desk.history
    graph = history.graph
    found = history.found
    shares = {pair.pair: pair.adjacent for pair in found.pairs}
    rows = [
        {
            "from": edge.source,
            "edge": mark_sign(edge),
            "to": edge.target,
            "found in": shares.get(edge.pair),
            "since": found.edge_between(edge.source, edge.target) is None
            or found.edge_between(edge.source, edge.target).seen_from(edge.source).marks
            != edge.marks,
            "meaning": edge_sentence(edge),
        }
        for edge in graph.edges
    ]
    key = editor_key(desk)
    if rows:
        st.data_editor(
            pd.DataFrame(rows),
            key=key,
            on_change=take_edits,
            args=(desk, key, graph),
            hide_index=True,
            disabled=["from", "to", "found in", "since", "meaning"],
            height=min(38 + 35 * len(rows), 460),
            column_config={
                "from": st.column_config.TextColumn("From", width="medium"),
                "edge": st.column_config.SelectboxColumn(
                    "Edge",
                    options=[*MARKS, REMOVE],
                    required=True,
                    width="small",
                    help="Click twice to choose another edge, or to remove this one.",
                ),
                "to": st.column_config.TextColumn("To", width="medium"),
                "found in": st.column_config.ProgressColumn(
                    "Found in resamples", format="percent", min_value=0.0, max_value=1.0
                ),
                "since": st.column_config.CheckboxColumn(
                    "Changed",
                    help="Changed by you, or by Complete to a DAG.",
                ),
                "meaning": st.column_config.TextColumn("What it says", width="large"),
            },
        )
    else:
        st.caption("There is no edge.")
    undo, redo, _ = st.columns([1, 1, 4])
    if undo.button(
        "Undo",
        icon=":material/undo:",
        disabled=not history.can_undo,
        help=plain(history.undo_label or ""),
        width="stretch",
        key="undo",
    ):
        desk.save(history.undo())
        st.rerun()
    if redo.button(
        "Redo",
        icon=":material/redo:",
        disabled=not history.can_redo,
        help=plain(history.redo_label or ""),
        width="stretch",
        key="redo",
    ):
        desk.save(history.redo())
        st.rerun()
    with st.form("add-edge", border=False):
        source, sign, target, add = st.columns([3, 2, 3, 2], vertical_alignment="bottom")
        a = source.selectbox("From", graph.nodes, index=None, placeholder="Choose")
        marks = sign.selectbox("Edge", list(MARKS))
        b = target.selectbox("To", graph.nodes, index=None, placeholder="Choose")
        if add.form_submit_button("Add the edge", icon=":material/add:", width="stretch"):
            if a is None or b is None:
                desk.problem = "Choose both columns of the new edge."
            elif a == b:
                desk.problem = "An edge joins two different columns."
            else:
                desk.do(AddEdge(a, b, *MARKS[marks]))
            st.rerun()


def changes(history: History) -> None:
    """What was changed since the search, or since the drawing was begun."""
    changed = difference(history.found, history.graph)
    if not changed:
        st.caption("Nothing yet: the graph is as it was at first.")
    for edge in changed.added:
        st.text(f"＋ added    {edge_sign(edge)}")
    for edge in changed.removed:
        st.text(f"－ removed  {edge_sign(edge)}")
    for before, after in changed.changed:
        st.text(f"± changed  {edge_sign(before)}  now  {edge_sign(after)}")
