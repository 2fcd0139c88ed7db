"""What the analyst knows for sure; every later search obeys it."""

import pandas as pd
import streamlit as st

from causalmix_core.graph import Knowledge, MixedGraph, target_rules
from causalmix_core.graph.edits import SetKnowledge
from ui.panels.edits import Desk
from ui.panels.search import sink_label
from ui.words import plain


def editor_keys(graph: MixedGraph) -> tuple[str, str]:
    """Keys of the tables of pairs and of tiers: they begin afresh where they would show others.

    What was written and not kept outlasts a change of edges.
    """
    shown = hash((graph.nodes, graph.knowledge))
    return f"known-pairs-{shown}", f"known-tiers-{shown}"


def knowledge_form(desk: Desk) -> None:
    """What is known for sure; every later search obeys it."""
    graph = desk.history.graph
    known = graph.knowledge
    st.caption(
        "What you state here is obeyed by the next search and by every completion: an edge that "
        "must be there, one that cannot be, and the order in time (a later tier never causes an "
        "earlier one)."
    )
    for target in sorted({cause for cause, _ in target_rules(graph)}):
        st.caption(
            f":material/info: That {plain(target)} does not cause the others was added by the box "
            f"“{sink_label(target)}”. A search without the box leaves it out; to draw such an edge "
            "now, take its line away."
        )
    pairs = pd.DataFrame(
        [
            *[{"cause": a, "rule": "causes", "effect": b} for a, b in known.required],
            *[{"cause": a, "rule": "does not cause", "effect": b} for a, b in known.forbidden],
        ],
        columns=["cause", "rule", "effect"],
    )
    pairs_key, tiers_key = editor_keys(graph)
    tiers = {node: tier for tier, nodes in enumerate(known.tiers, 1) for node in nodes}
    with st.form("knowledge", border=False):
        left, right = st.columns(2, gap="large")
        with left:
            stated = st.data_editor(
                pairs,
                num_rows="dynamic",
                hide_index=True,
                key=pairs_key,
                column_config={
                    "cause": st.column_config.SelectboxColumn("Cause", options=list(graph.nodes)),
                    "rule": st.column_config.SelectboxColumn(
                        "Rule", options=["causes", "does not cause"]
                    ),
                    "effect": st.column_config.SelectboxColumn("Effect", options=list(graph.nodes)),
                },
            )
        with right:
            order = st.data_editor(
                pd.DataFrame(
                    {
                        "column": list(graph.nodes),
                        "tier": pd.array([tiers.get(n) for n in graph.nodes], dtype="Int64"),
                    }
                ),
                hide_index=True,
                key=tiers_key,
                disabled=["column"],
                height=min(38 + 35 * len(graph.nodes), 320),
                column_config={
                    "tier": st.column_config.NumberColumn("Tier (1 = earliest)", min_value=1)
                },
            )
        if st.form_submit_button("Keep this knowledge", icon=":material/save:"):
            desk.do(SetKnowledge(read_knowledge(stated, order)))
            st.rerun()


def read_knowledge(pairs: pd.DataFrame, order: pd.DataFrame) -> Knowledge:
    """Make knowledge of the two tables of the form; unfinished lines are passed over."""
    whole = pairs.dropna()
    placed = order.dropna()
    return Knowledge(
        required=tuple(
            (row.cause, row.effect) for row in whole.itertuples() if row.rule == "causes"
        ),
        forbidden=tuple(
            (row.cause, row.effect) for row in whole.itertuples() if row.rule != "causes"
        ),
        tiers=tuple(tuple(group["column"]) for _, group in placed.groupby("tier")),
    )
