"""How to search for a graph, what to know before it starts, and the start."""

from typing import Any

import streamlit as st

from causalmix_core.discovery import Screening, estimate_seconds, screen
from causalmix_core.errors import DiscoveryError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.graph import Knowledge, stated
from causalmix_core.graph.edits import History
from causalmix_core.graph.graph_file import knowledge_to_dict
from causalmix_core.table import Table
from ui.job_panel import in_words, is_busy
from ui.kept import keeper
from ui.session import store
from ui.words import plain

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
    "kernel": "kernel (any form, very slow)",
}

DRAWS = {
    "bootstrap": "all, with repeats",
    "half": "half, no repeats",
}

LONG = 120.0  # seconds from which a search should be thought over


def sink_label(target: str) -> str:
    """What the box says (Markdown) that keeps the target from causing anything."""
    return f"The target, {plain(target)}, causes nothing else in the table"


def was_searched(history: History | None) -> bool:
    """Whether a search found the graph; one drawn from nothing has none behind it."""
    return history is not None and "algorithm" in history.found.provenance


def search_form(space: Workspace, development: Table, busy: bool) -> None:
    """Ask how to search, say what to expect, and start; no start while a search is `busy`.

    The form is drawn all the same, so that the page stays as it is.
    """
    screening = findings(space, development)
    if screening is not None:
        _choices(space, development, busy, space.table_key())


def findings(space: Workspace, development: Table) -> Screening | None:
    """Say which columns are left out, merged or weak; None where no search is possible."""
    for column, reason in development.set_aside.items():
        st.caption(f":material/info: {plain(column)} is left out: {plain(reason)}.")
    try:
        screening = _screened(space.table_key(), development)
    except DiscoveryError as error:
        st.warning(plain(error), icon=":material/warning:")
        return None
    for note in screening.notes:
        st.caption(f":material/info: {plain(note)}")
    if not screening.notes:
        st.caption(
            f":material/check: The {len(screening.searched)} columns were looked through: none is "
            "constant, a copy of another or too sparse for a search."
        )
    return screening


@st.fragment
def _choices(space: Workspace, development: Table, busy: bool, key: str) -> None:
    """The form alone, run again at every touch with what the page was last run with."""
    # Another tab may have changed the table since, or begun or ended a search.
    if space.table_key() != key or is_busy(space, "discover") != busy:
        st.rerun()
    keep = keeper(space, "search")
    one, two, three = st.columns([2, 1, 1])
    algorithm = one.selectbox(
        "Search method",
        list(ALGORITHMS),
        **keep("algorithm"),
        format_func=ALGORITHMS.get,
        help="PC and FCI remove every link that statistical tests can explain away, and "
        "orient what is left. FCI also reckons with hidden common causes. Together they give "
        "for every link the share of repeated searches in which it was found.",
    )
    alpha = two.select_slider(
        "Test level α",
        [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
        value=0.05,
        **keep("alpha"),
        help="Smaller: fewer links, surer. Larger: more links, also accidental ones.",
    )
    resamples = three.number_input(
        "Resamples",
        0,
        500,
        50,
        **keep("resamples"),
        step=10,
        help="The search is repeated on so many random draws of the rows: a link that is "
        "found again and again deserves trust. 0 searches once.",
    )
    with st.expander("More choices"):
        left, middle, right = st.columns(3)
        test = left.selectbox(
            "Independence test",
            list(TESTS),
            **keep("test"),
            format_func=TESTS.get,
            help="How it is tested whether two columns are related once others are known. The "
            "kernel test also sees curved and other odd dependence. It looks at 300 rows at most, "
            "and still takes up to seconds for every single test: see the time below.",
        )
        draws = left.selectbox(
            "Rows of a resample",
            list(DRAWS),
            **keep("draws"),
            format_func=DRAWS.get,
            help="With repeats, every resample is as large as the table. Half of the rows without "
            "repeats is stricter: weak links are found less often.",
        )
        depth = middle.number_input(
            "Most conditions per test",
            0,
            10,
            None,
            **keep("depth"),
            placeholder="no limit",
            help="How many other columns a test may hold fixed at once. A limit makes wide tables "
            "quicker; links that only more columns together explain then stay in the graph. "
            "Without a limit, FCI still tries at most 2 distant columns at a time when it looks "
            "for hidden causes.",
        )
        seed = right.number_input(
            "Seed", 0, 2**31 - 1, 0, **keep("seed"), help="Same seed, same graph."
        )
    sink = development.target is not None and st.checkbox(
        sink_label(development.target),
        value=False,
        **keep("sink"),
        help="Tick it where you know that the target comes last: no arrow will leave it.",
    )
    settings: dict[str, Any] = {
        "algorithm": algorithm,
        "alpha": float(alpha),
        "bootstraps": int(resamples),
        "test": test,
        "max_degree": None if depth is None else int(depth),
    }
    possible = _say_time(space, development, settings)
    history = space.history()
    if st.button(
        "Search again" if was_searched(history) else "Find the graph",
        type="primary",
        icon=":material/search:",
        disabled=busy or not possible,
    ):
        knowledge = stated(history.graph) if history is not None else Knowledge()
        request = {
            **settings,
            "draws": draws,
            "seed": int(seed),
            "target_is_sink": bool(sink),
            "knowledge": knowledge_to_dict(knowledge),
            "table": space.table_key(),
        }
        jobs.start_job(store(), space.project, "discover", request)
        st.rerun()
    st.caption(
        f"The search sees {len(development):,} rows; test rows are not among them."
        + (" What it finds replaces the graph and your edits." if history else "")
    )


def _say_time(space: Workspace, development: Table, settings: dict[str, Any]) -> bool:
    """Say how long the search will take; False where it cannot run with these settings."""
    try:
        with st.spinner("Estimating the time: a few tests are timed", show_time=False):
            seconds = _estimated(space.table_key(), development, **settings)
    except DiscoveryError as error:
        st.warning(plain(error), icon=":material/warning:")
        return False
    expected = f"Expected time: about **{in_words(seconds)}** (a third to three times as long)."
    if seconds < LONG:
        st.caption(f":material/schedule: {expected} You can cancel at any time.")
    else:
        limit = "2 or 3" if settings["max_degree"] is None else "a smaller number"
        st.info(
            f"{expected} What helps most: set *Most conditions per test*, under *More choices*, to "
            f"{limit}. Fewer resamples or another test make it quicker too. The search goes on "
            "when you close this page, and you can cancel it.",
            icon=":material/schedule:",
        )
    return True


@st.cache_data(max_entries=32, show_spinner=False)
def _screened(key: str, _development: Table) -> Screening:
    return screen(_development)


@st.cache_data(max_entries=256, show_spinner=False)
def _estimated(key: str, _development: Table, **settings: Any) -> float:
    return estimate_seconds(_development, **settings)
