"""What synthetic rows to make, and the start of making them."""

from dataclasses import asdict

import streamlit as st

from causalmix_core.augment import GENERATORS
from causalmix_core.experiment import jobs
from causalmix_core.experiment.workspace import COMPARISON, Recipe, Workspace
from causalmix_core.graph import reasons_not_dag
from causalmix_core.table import Table
from ui.session import store

QUALITIES = {
    "good": "good: straight lines and boosted trees",
    "better": "better: more kinds of models, slower",
    "best": "best: AutoGluon, where it is installed",
}


def form(space: Workspace, development: Table) -> None:
    """Ask what to make, and start."""
    with st.form("synthesize", border=False):
        methods = st.multiselect(
            "Generators",
            list(GENERATORS),
            default=["causal", "mixup", "smote"],
            format_func=lambda name: GENERATORS[name].title,
            help="The causal model makes every column from its causes. Mixup averages two rows. "
            "SMOTE walks from a row towards a neighbour.",
        )
        one, two, three = st.columns(3)
        rows = one.number_input("Synthetic rows per generator", 10, 100_000, 1000, step=100)
        labelled = two.number_input(
            "Labelled rows to learn from",
            10,
            len(development),
            len(development),
            step=10,
            help="The low-resource case: draw only so many of the rows. A third of them is kept "
            "for validation and judging; generators learn from the rest.",
        )
        quality = three.selectbox(
            "Quality of the causal model", list(QUALITIES), format_func=QUALITIES.get
        )
        with st.expander("More choices"):
            left, right = st.columns(2)
            seed = left.number_input("Seed", 0, 2**31 - 1, 0, help="Same seed, same rows.")
            draw_seed = right.number_input("Seed of the draw of labelled rows", 0, 2**31 - 1, 0)
        if st.form_submit_button(
            "Make synthetic rows", type="primary", icon=":material/auto_awesome:"
        ):
            if not methods:
                st.error("Choose at least one generator.")
                return
            recipes = [
                Recipe(
                    method=method,
                    rows=int(rows),
                    seed=int(seed),
                    train_rows=int(labelled),
                    draw_seed=int(draw_seed),
                    settings={"quality": quality} if method == "causal" else {},
                )
                for method in methods
            ]
            for old in space.rows():
                space.store.delete_frame(space.project, f"rows-{old}")
            space.store.delete_json(space.project, COMPARISON)
            jobs.start_job(
                store(),
                space.project,
                "synthesize",
                {"recipes": [asdict(recipe) for recipe in recipes]},
            )
            st.rerun()


def graph_note(space: Workspace) -> None:
    """Say which graph the causal rows will obey."""
    graph = space.graph()
    assert graph is not None
    if reasons_not_dag(graph, allow_hidden=True):
        st.caption(
            ":material/info: The graph is not a DAG yet: causal rows will be a mixture over ten "
            "DAGs drawn from what is left open. Complete it on the Graph page to decide."
        )
    else:
        st.caption(f":material/info: Causal rows will obey your graph of {len(graph.edges)} edges.")
