"""How to search for a graph, and the start of a search."""

import streamlit as st

from causalmix_core.experiment import jobs
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.graph import (
    Knowledge,
)
from causalmix_core.graph.graph_file import knowledge_to_dict
from causalmix_core.table import Table
from ui.session import store

ALGORITHMS = {
    "both": "PC and FCI together",
    "pc": "PC: as if nothing common were left unmeasured",
    "fci": "FCI: allows hidden common causes",
}

TESTS = {
    "auto": "automatic, by the columns' kinds",
    "fisherz": "Fisher's Z (numbers, straight lines)",
    "gsq": "G² (categories)",
    "degenerate-gaussian": "degenerate Gaussian (numbers and categories)",
}


def search_form(space: Workspace, development: Table) -> None:
    """Ask how to search, and start."""
    with st.form("search", border=False):
        one, two, three = st.columns([2, 1, 1])
        algorithm = one.selectbox(
            "Search method",
            list(ALGORITHMS),
            format_func=ALGORITHMS.get,
            help="PC and FCI remove every link that statistical tests can explain away, and "
            "orient what is left. FCI also reckons with hidden common causes. Together they give "
            "for every link the share of repeated searches in which it was found.",
        )
        alpha = two.select_slider(
            "Test level α",
            [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
            value=0.05,
            help="Smaller: fewer links, surer. Larger: more links, also accidental ones.",
        )
        resamples = three.number_input(
            "Resamples",
            0,
            500,
            50,
            step=10,
            help="The search is repeated on so many random redraws of the rows: a link that is "
            "found again and again deserves trust. 0 searches once.",
        )
        with st.expander("More choices"):
            left, middle, right = st.columns(3)
            test = left.selectbox(
                "Independence test",
                list(TESTS),
                format_func=TESTS.get,
                help="How it is tested whether two columns are related once others are known.",
            )
            depth = middle.number_input(
                "Most conditions per test",
                0,
                10,
                None,
                placeholder="no limit",
                help="A limit makes wide tables quicker; links explained only by more columns "
                "together then stay.",
            )
            seed = right.number_input("Seed", 0, 2**31 - 1, 0, help="Same seed, same graph.")
            sink = st.checkbox(
                "The target causes nothing else in the table",
                value=False,
                disabled=development.target is None,
            )
        history = space.history()
        if st.form_submit_button(
            "Find the graph" if history is None else "Search again",
            type="primary",
            icon=":material/search:",
        ):
            knowledge = history.graph.knowledge if history is not None else Knowledge()
            jobs.start_job(
                store(),
                space.project,
                "discover",
                {
                    "algorithm": algorithm,
                    "alpha": float(alpha),
                    "bootstraps": int(resamples),
                    "test": test,
                    "max_degree": None if depth is None else int(depth),
                    "seed": int(seed),
                    "target_is_sink": bool(sink),
                    "knowledge": knowledge_to_dict(knowledge),
                },
            )
            st.rerun()
        st.caption(
            f"The search sees {len(development):,} rows; test rows are not among them."
            + (" Searching again replaces the graph and your edits." if history else "")
        )
