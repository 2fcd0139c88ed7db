"""What synthetic rows to make, and the start of making them."""

from dataclasses import asdict
from typing import Any

import streamlit as st

from causalmix_core.augment import GENERATORS
from causalmix_core.experiment import jobs
from causalmix_core.experiment.workspace import Recipe, Workspace
from causalmix_core.graph import reasons_not_dag
from causalmix_core.table import Table
from ui.kept import Keep, keeper
from ui.panels import wishes
from ui.panels.edges import undecided
from ui.session import store
from ui.words import counted, plain

QUALITIES = {
    "good": "good: straight lines and boosted trees",
    "better": "better: more kinds of models, slower",
    "best": "best: AutoGluon, where it is installed",
}


def form(space: Workspace, development: Table, busy: bool) -> None:
    """Ask what to make, and start; no start while rows are being made (`busy`).

    The form is drawn all the same, so that the page stays as it is.
    """
    keep = keeper(space, "rows")
    methods = st.multiselect(
        "Generators",
        list(GENERATORS),
        default=["causal", "mixup", "smote"],
        **keep("methods"),
        format_func=lambda name: GENERATORS[name].title,
        help="The causal model makes every column from its causes. Mixup averages two rows. "
        "SMOTE walks from a row towards a neighbour.",
    )
    one, two, three = st.columns(3)
    rows = one.number_input(
        "Synthetic rows per generator", 10, 100_000, 1000, **keep("rows"), step=100
    )
    labelled = two.number_input(
        "Labelled rows to learn from",
        min(10, len(development)),
        len(development),
        len(development),
        **keep("labelled"),
        step=10,
        help="The low-resource case: draw only so many of the rows. A third of them is kept "
        "for validation and judging; generators learn from the rest.",
    )
    with three:
        balance = wishes.classes(development, keep)
    causal = {"quality": "good"}
    if "causal" in methods:
        causal = _causal_settings(space, keep)
    with st.expander("Rules between columns"):
        rules = wishes.rules(development, space.table_key(), keep)
    with st.expander("What if a column were set by hand?"):
        do = wishes.intervention(development, keep)
    if "causal" in methods and (warning := wishes.clash(balance, do, development.target)):
        st.warning(plain(warning), icon=":material/info:")
    with st.expander("Seeds"):
        left, right = st.columns(2)
        seed = left.number_input(
            "Seed", 0, 2**31 - 1, 0, **keep("seed"), help="Same seed, same rows."
        )
        draw_seed = right.number_input(
            "Seed of the draw of labelled rows", 0, 2**31 - 1, 0, **keep("draw")
        )
    _times(methods, int(rows))
    ready = bool(methods) and rules is not None
    if not methods:
        st.caption("Choose at least one generator.")
    if not st.button(
        "Make synthetic rows",
        type="primary",
        icon=":material/auto_awesome:",
        disabled=busy or not ready,
    ):
        return
    recipes = []
    for method in methods:
        settings: dict[str, Any] = dict(causal) if method == "causal" else {}
        if method == "causal" and do:
            settings["do"] = dict(do)
        if rules:
            settings["rules"] = rules
        recipes.append(
            Recipe(
                method=method,
                rows=int(rows),
                seed=int(seed),
                train_rows=int(labelled),
                draw_seed=int(draw_seed),
                settings=settings,
                balance=balance,
            )
        )
    request = {"recipes": [asdict(recipe) for recipe in recipes], "table": space.table_key()}
    jobs.start_job(store(), space.project, "synthesize", request)
    st.rerun()


def _causal_settings(space: Workspace, keep: Keep) -> dict[str, Any]:
    """Ask how the causal model is fitted."""
    graph = space.graph()
    left, right = st.columns(2)
    quality = left.selectbox(
        "Quality of the causal model",
        list(QUALITIES),
        **keep("quality"),
        format_func=lambda name: QUALITIES[name],
    )
    settings: dict[str, Any] = {"quality": quality}
    if graph is not None and reasons_not_dag(graph, allow_hidden=True):
        settings["dags"] = int(
            right.number_input(
                "Graphs in the mixture",
                1,
                100,
                10,
                **keep("dags"),
                help="Each of so many graphs decides what yours leaves open, a direction by "
                "chance, as often as resampling found it, and makes an equal share of the rows. "
                "1 takes the single most likely completion.",
            )
        )
    return settings


def _times(methods: list[str], rows: int) -> None:
    if "tabebm" in methods:
        st.caption(
            f":material/hourglass: TabEBM asks the network 200 times per row: {rows:,} rows take "
            "minutes without a graphics card. You can cancel."
        )


def graph_note(space: Workspace) -> None:
    """Say which graph the causal rows will obey."""
    graph = space.graph()
    assert graph is not None
    if reasons_not_dag(graph, allow_hidden=True):
        st.caption(
            f":material/info: Your graph is no DAG yet. {undecided(graph)} Complete it on the "
            "Graph page to decide yourself."
        )
    else:
        edges = counted(len(graph.edges), "edge")
        st.caption(f":material/info: Causal rows will obey your graph of {edges}.")
