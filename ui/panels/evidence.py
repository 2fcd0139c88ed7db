"""Why two columns are joined, or why they are not."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from causalmix_core.graph import (
    Edge,
    MixedGraph,
    compile_knowledge,
    edge_sentence,
    target_rules,
)
from causalmix_core.graph.marks import HIDDEN_SHARE
from causalmix_core.graph.words import edge_sign
from ui.charts import marks_figure
from ui.panels.search import sink_label
from ui.words import plain

_ENDS = ("why-one", "why-other")


def evidence_panel(found: MixedGraph, graph: MixedGraph, selected: Edge | None) -> None:
    """Show what the search found out about a pair: the edge selected in the drawing, or any.

    Args:
        found: the graph as the search found it.
        graph: the same with the changes since.
        selected: the edge selected in the drawing.
    """
    st.markdown("**Why is there an edge, or none?**")
    if selected is not None and st.session_state.get("why-selected") != selected.pair:
        for key, node in zip(_ENDS, (selected.source, selected.target), strict=True):
            st.session_state[key] = node
    st.session_state["why-selected"] = None if selected is None else selected.pair
    left, right = st.columns(2)
    one = left.selectbox("One column", found.nodes, None, key=_ENDS[0], placeholder="Choose")
    other = right.selectbox("Another column", found.nodes, None, key=_ENDS[1], placeholder="Choose")
    if one is None or other is None:
        st.caption("Click an edge in the drawing, or choose two columns.")
        return
    if one == other:
        st.caption("Choose two different columns.")
        return
    edge = found.edge_between(one, other)
    if edge is None:
        drawn = graph.edge_between(one, other) is not None
        for line in why_apart(found, one, other, drawn):
            st.markdown(line)
    else:
        removed = graph.edge_between(one, other) is None
        st.markdown(
            f"Found{', and removed since' if removed else ''}: "
            f"**{plain(edge_sign(edge.seen_from(one)))}**, {plain(edge_sentence(edge))}."
        )
        for line in why_joined(edge):
            st.markdown(line)
        by_box = _by_the_box(found, one, other)
        if by_box is not None:
            st.markdown(f"Before the search, {by_box}.")
    shares = resampled(found, one, other)
    if shares:
        st.plotly_chart(
            marks_figure(one, other, shares), key="marks", config={"displayModeBar": False}
        )
        st.caption(
            "In how many of the repeated searches the two columns came out joined in which way. "
            "A circle (o) is an end that the data leave open."
        )


def notes(found: MixedGraph) -> None:
    """Say how the graph was found and what to keep in mind when reading it."""
    told = found.provenance
    if "test" in told:
        tests = {
            "fisherz": "Fisher's Z test",
            "gsq": "the G² test",
            "degenerate-gaussian": "the degenerate Gaussian test",
            "kernel": "the kernel test",
        }
        done = sum(told.get("tests") or [])
        st.caption(
            f"Found in {told.get('rows', 0):,} rows by {tests.get(told['test'], 'another test')} "
            f"at level {told.get('alpha', 0):g}: {done:,} tests on all rows, then "
            f"{told.get('bootstraps', 0):,} resamples."
        )
    for note in told.get("notes", []):
        st.caption(f":material/info: {plain(note)}")


def why_joined(edge: Edge) -> list[str]:
    """Say in sentences (Markdown) what the tests on all rows say for an edge."""
    evidence = edge.evidence or {}
    decided = {
        "copy": "The two columns say the same in other words: they are joined without a test.",
        "knowledge": "You stated this edge as known: it was not tested away.",
        "rows": "There are too few rows for any test of these two columns: the link stands for "
        "want of a test, not because one found it.",
    }
    if evidence.get("decided_by") in decided:
        return [decided[evidence["decided_by"]]]
    if "p_value" not in evidence:
        return ["This edge comes from no test: it was drawn by hand or brought from a file."]
    if _is_apart(evidence):
        first = (
            f"On all rows together, a test took the two apart {_given(evidence)} "
            f"({_p_value(evidence)}); most resamples keep the edge."
        )
    else:
        first = (
            "Of all tests, the one that came closest to removing it was the one "
            f"{_given(evidence)}. It did not: {_p_value(evidence)}."
        )
    lines = [first, f"The test used {evidence.get('effective_n', 0):,} complete rows."]
    if evidence.get("strength") is not None:
        lines.append(
            f"Strength of the link on its own: **{evidence['strength']:.2f}** "
            "(0 none, 1 complete; for numbers on a line, the size of the correlation)."
        )
    if evidence.get("forward") is not None:
        lines.append(
            f"Resamples speak for {plain(edge.source)} → {plain(edge.target)} with "
            f"**{evidence['forward']:.0%}**, for the other direction with "
            f"{evidence['backward']:.0%}, for a hidden common cause with "
            f"{evidence['bidirected']:.0%}. Where they leave the direction open (o–o, —), half "
            f"counts for each; {HIDDEN_SHARE:.0%} of o→ counts for a hidden common cause."
        )
    return lines


def why_apart(found: MixedGraph, one: str, other: str, drawn: bool = False) -> list[str]:
    """Say in sentences (Markdown) why the search left two columns apart.

    `drawn` says that the analyst joined them since.
    """
    none = "You drew this edge; the search found none" if drawn else "No edge"
    pair = {one, other}
    known = compile_knowledge(found.knowledge, found.nodes)
    if known.forbids(one, other) and known.forbids(other, one):
        by_box = _by_the_box(found, one, other)
        if by_box is None:
            return [f"{none}: you ruled it out in both directions, and it was not tested."]
        return [f"{none}: {by_box}, and you ruled out the other direction; it was not tested."]
    untested = _why_untested(found.provenance, one, other)
    if untested is not None:
        return [f"{none}: {untested}"]
    for separation in found.provenance.get("separations", []):
        if set(separation["pair"]) == pair:
            return [
                f"{none}: once {_names(separation['given'])} "
                f"{'is' if len(separation['given']) == 1 else 'are'} known, the two tell nothing "
                f"more about each other ({_p_value(separation)})."
            ]
    if "joined_in_all_rows" not in found.provenance:
        return [f"{none}; nothing is recorded about this pair."]
    if any(set(each) == pair for each in found.provenance["joined_in_all_rows"]):
        return [
            f"{none}: on all rows together the two are joined, but too few resamples confirm it."
        ]
    return [f"{none}: the two are unrelated even without looking at other columns."]


def _by_the_box(found: MixedGraph, one: str, other: str) -> str | None:
    """Say which arrow between two columns the box about the target ruled out, if any."""
    for cause, effect in target_rules(found):
        if {cause, effect} == {one, other}:
            return f"the box “{sink_label(cause)}” ruled out {plain(cause)} → {plain(effect)}"
    return None


def _why_untested(told: Mapping[str, Any], one: str, other: str) -> str | None:
    """Say why the search looked at one of two columns not at all; None where it did at both."""
    for column in (one, other):
        if column in told.get("constant", []):
            return f"not tested, as {_names([column])} has one value only in these rows."
    pair = [one, other]
    originals = [told.get("copies", {}).get(column, column) for column in pair]
    if originals == pair:
        return None
    same = " and ".join(
        f"{_names([column])} says the same as {_names([original])}"
        for column, original in zip(pair, originals, strict=True)
        if column != original
    )
    if len(set(originals)) == 1:
        return f"{same}; a copy is joined to its original alone."
    return f"{same}, and a copy is not tested. Ask about {_names(originals)}."


def resampled(found: MixedGraph, one: str, other: str) -> dict[str, dict[str, float]]:
    """Shares of mark pairs (at `one`, at `other`), by algorithm where that is known."""
    pair = found.frequencies_between(one, other)
    if pair is None:
        return {}
    edge = found.edge_between(one, other)
    each = {} if edge is None else (edge.evidence or {}).get("frequencies") or {}
    if edge is not None and each:
        names = {"pc": "PC", "fci": "FCI"}
        turn = edge.source != one
        return {
            names.get(name, name): {_turned(key) if turn else key: s for key, s in shares.items()}
            for name, shares in each.items()
        }
    return {"all searches": dict(pair.seen_from(one).frequencies)}


def _turned(key: str) -> str:
    return "-".join(reversed(key.split("-")))


def _is_apart(evidence: Mapping[str, Any]) -> bool:
    return bool(evidence.get("separated"))


def _given(evidence: Mapping[str, Any]) -> str:
    given = evidence.get("given") or []
    return f"with {_names(given)} held fixed" if given else "that looks at the two alone"


def _names(columns: list[str]) -> str:
    bold = [f"**{plain(column)}**" for column in columns]
    return bold[0] if len(bold) == 1 else f"{', '.join(bold[:-1])} and {bold[-1]}"


def _p_value(says: Mapping[str, Any]) -> str:
    p = says.get("p_value")
    if p is None:
        return "its p-value is not known"
    text = "below 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"
    return f"p-value {text}: how often chance alone would look at least this related"
