"""What the runs of an experiment came to."""

from typing import Any

import pandas as pd
import streamlit as st

from causalmix_core.experiment import statistics
from causalmix_core.experiment.groups import Earlier, differing, earlier
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.plan import Source
from causalmix_core.experiment.results import curves, results
from causalmix_core.experiment.workspace import Workspace
from ui.charts import domain_figure, improvement_figure, rank_figure
from ui.palette import method_label
from ui.panels.one_run import one_run
from ui.panels.policies import policies
from ui.panels.takeaway import takeaway
from ui.session import store
from ui.words import NO_FIGURE, counted, plain

Columns = dict[str, tuple[str, str | None, str]]

SUMMARY: Columns = {
    "method": ("Method", None, "All on the same rows, for the same number of steps."),
    "runs": ("Runs", "%d", "Runs that are done."),
    "roc_auc_test": ("Test AUC", "%.4f", "Mean ROC-AUC on the test rows at the kept step."),
    "improvement": ("Gain %", "%+.2f", "Median normalised improvement over no fine-tuning."),
    "spread": ("± %", "%.2f", "Half the distance between the quartiles of the gain."),
    "rank": ("Rank", "%.2f", "Average rank over seeds, 1 is best."),
    "gap": (
        "Gap",
        "%+.2f",
        "Gain on the validation rows minus gain on the test rows, in percentage points: how much "
        "of what early stopping promised is not there.",
    ),
    "correlation_gap": (
        "Curve gap",
        "%.2f",
        "One minus the rank correlation of the validation and the test curve: 0 means validation "
        "puts the steps in the right order. Needs ten evaluations and curves that move.",
    ),
    "seconds": ("Seconds", "%.1f", "Median time of a run."),
    "memory_mb": ("MB", "%.0f", "Median of the most memory a run used."),
}
MORE: Columns = {
    "method": ("Method", None, "All on the same rows, for the same number of steps."),
    "accuracy_test": ("Accuracy", "%.3f", "Share of test rows whose class is right."),
    "balanced_accuracy_test": (
        "Balanced accuracy",
        "%.3f",
        "The mean over classes of the share of each class that is found.",
    ),
    "pr_auc_test": (
        "PR-AUC",
        "%.3f",
        "Area under the precision-recall curve of the rare class (of every class in turn where "
        "there are more than two).",
    ),
    "recall_rare_test": (
        "Recall of the rare class",
        "%.3f",
        "Share of the rare class's test rows that are predicted as such.",
    ),
    "log_loss_test": ("Log loss", "%.4f", "How wrong the probabilities are; lower is better."),
    "low": ("Gain, low %", "%+.2f", "Lower end of the 95 % bootstrap interval of the median gain."),
    "high": ("Gain, high %", "%+.2f", "Upper end of that interval."),
}


def show_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Show a table with explained columns; those without any value are left out."""
    st.dataframe(
        frame,
        hide_index=True,
        placeholder=NO_FIGURE,
        column_order=[name for name in columns if name in frame and frame[name].notna().any()],
        column_config={
            name: st.column_config.NumberColumn(title, format=form, help=text)
            if form
            else st.column_config.TextColumn(title, help=text)
            for name, (title, form, text) in columns.items()
        },
    )


EARLIER = {
    Earlier.TABLE: (
        "Runs on an earlier table or target",
        "The table, its target, kinds or test rows are others now: nothing below is about the "
        "present ones.",
    ),
    Earlier.GRAPH: (
        "Runs with an earlier graph",
        "The graph has been edited since: the causal rows of these runs come from another one "
        "than the project's present graph.",
    ),
}


def labelled(groups: list[list[Job]], present: Source) -> dict[str, list[Job]]:
    """Name experiments for a list to choose from: what they had in common, and what differs.

    Those of the project's present table and graph come first, the others say what they are.
    """
    named: dict[str, list[Job]] = {}
    marks = [earlier(group, present) for group in groups]
    described = list(zip(groups, differing(groups), marks, strict=True))
    for group, differs, mark in sorted(described, key=lambda each: each[2] is not None):
        first = group[0]
        begun = f"{first.created.astimezone():%d %b, %H:%M:%S}"
        labelled_rows = f"{first.request['train_rows']} labelled rows"
        title = f"{begun} · {labelled_rows}, {counted(len(group), 'run')}"
        if differs != "the same settings":
            title += f" · {differs}"
        title = title if mark is None else f"{EARLIER[mark][0]} · {title}"
        # Begun in the same second with the same settings, such as along another graph.
        again = sum(name == title or name.startswith(f"{title} (") for name in named)
        named[f"{title} ({again + 1})" if again else title] = group
    return named


def warn_if_earlier(group: list[Job], present: Source) -> None:
    """Say above results that they belong to an earlier table or graph."""
    mark = earlier(group, present)
    if mark is not None:
        title, meaning = EARLIER[mark]
        st.warning(f"**{title}.** {meaning} Launch again to have runs of what is there now.")


def verdicts(table: Any) -> None:
    """Say in words what came out."""
    if "none" not in set(table.loc[table["status"] == "done", "method"]):
        st.caption("Run 'No fine-tuning' too: the other methods are measured against it.")
        return
    of: dict[str, list[str]] = {}
    for method in dict.fromkeys(table["method"]):
        if method != "none" and (table["status"][table["method"] == method] == "done").any():
            said = statistics.verdict(table, method).removeprefix(method)
            of.setdefault(said, []).append(method_label(method))
    for said, methods in of.items():
        st.markdown(f"- **{', '.join(methods)}**{plain(said)}")
    if of:
        st.caption(statistics.scope(table))


def outcome(space: Workspace, runs: list[Job], others: list[list[Job]]) -> None:
    """What the runs that are done came to; `others` are the project's other experiments."""
    table = results(runs, live=True)
    done = table[table["status"] == "done"]
    if done.empty:
        return
    st.subheader("What came out")
    verdicts(table)
    gained = statistics.improvements(table)
    gained = gained[gained["method"] != "none"]
    if not gained.empty:
        st.plotly_chart(
            improvement_figure(gained), key="improvement", config={"displayModeBar": False}
        )
        st.caption(
            "Normalised improvement of the test ROC-AUC over the model without fine-tuning: "
            "(score / score without − 1) × 100 %. A dot per run, the bar is the median."
        )
    summary = statistics.summarise(table, curves(store(), runs))
    named = summary.assign(method=[method_label(name) for name in summary["method"]])
    show_columns(named, SUMMARY)
    if seeds_differ(done):
        st.caption(
            ":material/info: Not every method has the same seeds done. Means are over each "
            "method's own runs; gains compare the same seeds."
        )
    _domain(runs, summary)
    with st.expander("More figures: rare class, probabilities, intervals"):
        show_columns(named, MORE)
    with st.expander("Ranks, and method against method"):
        _ranks(table)
    policies(runs, others)
    takeaway(runs)
    with st.expander("Every run"):
        st.dataframe(
            table.drop(columns=["job"], errors="ignore"), hide_index=True, placeholder=NO_FIGURE
        )
    one_run([run for run in runs if run.state is State.DONE])


def seeds_differ(done: pd.DataFrame) -> bool:
    """Whether methods have other seeds done than those beside them."""
    return done.groupby("method")["seed"].agg(frozenset).nunique() > 1


def _domain(runs: list[Job], summary: pd.DataFrame) -> None:
    """Scores on rows like the training rows beside those on the domain that was held out."""
    if "roc_auc_domain" not in summary:
        return
    column, value = runs[0].request["domain"]
    st.markdown(f"**Held-out domain: {plain(column)} = {plain(value)}**")
    st.plotly_chart(domain_figure(summary), key="domain", config={"displayModeBar": False})
    st.caption(
        "Mean ROC-AUC: the filled dot on the test rows, which are like the training rows, the open "
        "one on the domain, of which no training saw a row; a graph of yours was found on its rows "
        "too. Where the open dot lies left of the filled one, the method does worse on the domain."
    )
    show_columns(
        summary.assign(method=[method_label(name) for name in summary["method"]]),
        {
            "method": ("Method", None, ""),
            "roc_auc_test": ("AUC, test rows", "%.4f", "Rows like the training rows."),
            "roc_auc_domain": ("AUC, domain", "%.4f", "Rows of the held-out domain."),
            "accuracy_test": ("Accuracy, test rows", "%.3f", ""),
            "accuracy_domain": ("Accuracy, domain", "%.3f", ""),
            "log_loss_test": ("Log loss, test rows", "%.4f", "Lower is better."),
            "log_loss_domain": ("Log loss, domain", "%.4f", "Lower is better."),
        },
    )


def _ranks(table: pd.DataFrame) -> None:
    """The critical-difference diagram, and wins, ties and losses of every pair."""
    if "none" not in set(table.loc[table["status"] == "done", "method"]):
        st.caption("Ranks are taken over gains: run 'No fine-tuning' too.")
        return
    cases = len(statistics.wide(table))
    ranks = statistics.ranks(table)
    if cases < 2 or len(ranks) < 2:
        st.caption("Needs two methods and two seeds at least, with every method done.")
        return
    difference = statistics.critical_difference(len(ranks), cases)
    st.plotly_chart(
        rank_figure(ranks, difference, cases), key="ranks", config={"displayModeBar": False}
    )
    chance = statistics.friedman_p(table)
    st.caption(
        f"Average rank by test ROC-AUC over {cases} seeds. Methods under one grey bar cannot be "
        "told apart (Nemenyi's test, 5 %)."
        + (
            f" That all methods rank alike has a p-value of {chance:.3f} (Friedman's test)."
            if chance == chance
            else ""
        )
        + " Few seeds make a wide bar: more seeds are the only cure."
    )
    pairs = statistics.duels(table)
    pairs["first"] = [method_label(name) for name in pairs["first"]]
    pairs["second"] = [method_label(name) for name in pairs["second"]]
    show_columns(
        pairs,
        {
            "first": ("Method", None, ""),
            "second": ("against", None, ""),
            "wins": ("Wins", "%d", "Seeds in which the first has the higher test AUC."),
            "ties": ("Ties", "%d", ""),
            "losses": ("Losses", "%d", ""),
            "median": ("Ahead by %", "%+.2f", "Median difference of the gains, in points."),
            "low": ("low %", "%+.2f", "Lower end of its 95 % paired bootstrap interval."),
            "high": ("high %", "%+.2f", "Upper end."),
        },
    )
