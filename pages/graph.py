"""Graph: find the causal graph, prune and redraw it, make it a DAG."""

import pandas as pd
import streamlit as st

from causalmix_core.errors import GraphError, StoreError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.graph import (
    Edge,
    Knowledge,
    Mark,
    MixedGraph,
    complete,
    edge_sentence,
    reasons_not_dag,
)
from causalmix_core.graph.edits import (
    AddEdge,
    Edit,
    History,
    RemoveEdge,
    ReplaceEdges,
    SetKnowledge,
    SetMarks,
    difference,
)
from causalmix_core.graph.graph_file import knowledge_to_dict, to_json
from causalmix_core.graph.words import edge_sign, mark_sign
from causalmix_core.table import Table
from ui.charts import adjacency_figure
from ui.graph_editor import graph_editor
from ui.job_panel import outcome, watch_job
from ui.navigation import SYNTHESIZE
from ui.session import ensure_entrypoint, parts_of, store, table_of, workspace_with_table

ensure_entrypoint()

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


def save(space: Workspace, history: History) -> None:
    """Store the graph, refusing to write over what another tab did in the meantime."""
    try:
        revision = space.put_history(history, expected=st.session_state.get("history-revision"))
    except StoreError as error:
        st.session_state["graph-error"] = str(error)
    else:
        st.session_state["history-revision"] = revision


def do(space: Workspace, history: History, *edits: Edit) -> None:
    """Apply edits and store the outcome; a sentence where one is not legal."""
    try:
        for edit in edits:
            history = history.do(edit)
    except GraphError as error:
        st.session_state["graph-error"] = str(error)
    else:
        save(space, history)


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


def toolbar(space: Workspace, history: History) -> None:
    """Completion to a DAG, and back to what was found."""
    finish, reset, _ = st.columns([1, 1, 1])
    if reset.button(
        "Back to what was found",
        icon=":material/restart_alt:",
        disabled=not difference(history.found, history.graph),
        width="stretch",
        key="reset",
    ):
        do(space, history, ReplaceEdges(history.found.edges, "Go back to the found graph"))
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
        st.session_state["completion"] = [
            f"{edge_sign(edge)}: {why[edge.pair]}"
            for edge in completion.graph.edges
            if edge.pair in why
        ] + [
            f"{first} and {second}, left out: {reason}"
            for (first, second), reason in completion.dropped.items()
        ]
        do(space, history, ReplaceEdges(completion.graph.edges, "Complete to a DAG"))
        st.rerun()


def status(graph: MixedGraph) -> None:
    """Say whether the graph is a DAG, and what stands in the way."""
    reasons = reasons_not_dag(graph, allow_hidden=True)
    hidden = [edge for edge in graph.edges if edge.is_bidirected]
    if not reasons:
        extra = (
            f" {len(hidden)} pairs share a hidden cause (↔): their noise is drawn together."
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
        f"Not a DAG yet: {len(reasons)} things are open. Synthetic rows are then a mixture over "
        "DAGs drawn from what is left open.",
        icon=":material/pending:",
    ):
        for reason in reasons:
            st.text(reason)


def edge_table(space: Workspace, history: History) -> None:
    """The same edits as with the mouse, from a table."""
    graph = history.graph
    found = history.found
    shares = {pair.pair: pair.adjacent for pair in found.pairs}
    rows = [
        {
            "from": edge.source,
            "edge": mark_sign(edge),
            "to": edge.target,
            "found in": shares.get(edge.pair),
            "by you": found.edge_between(edge.source, edge.target) is None
            or found.edge_between(edge.source, edge.target).seen_from(edge.source).marks
            != edge.marks,
            "meaning": edge_sentence(edge),
        }
        for edge in graph.edges
    ]
    key = f"edges-{graph.digest}-{history.done}"

    def take_edits() -> None:
        edits: list[Edit] = []
        for row, values in st.session_state[key]["edited_rows"].items():
            edge: Edge = graph.edges[int(row)]
            sign = values.get("edge")
            if sign == REMOVE:
                edits.append(RemoveEdge(edge.source, edge.target))
            elif sign in MARKS:
                edits.append(SetMarks(edge.source, edge.target, *MARKS[sign]))
        do(space, history, *edits)

    if rows:
        st.data_editor(
            pd.DataFrame(rows),
            key=key,
            on_change=take_edits,
            hide_index=True,
            disabled=["from", "to", "found in", "by you", "meaning"],
            height=min(38 + 35 * len(rows), 460),
            column_config={
                "from": st.column_config.TextColumn("From"),
                "edge": st.column_config.SelectboxColumn(
                    "Edge (click to change)", options=[*MARKS, REMOVE], required=True
                ),
                "to": st.column_config.TextColumn("To"),
                "found in": st.column_config.ProgressColumn(
                    "Found in resamples", format="percent", min_value=0.0, max_value=1.0
                ),
                "by you": st.column_config.CheckboxColumn("Changed by you"),
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
        help=history.undo_label,
        width="stretch",
        key="undo",
    ):
        save(space, history.undo())
        st.rerun()
    if redo.button(
        "Redo",
        icon=":material/redo:",
        disabled=not history.can_redo,
        help=history.redo_label,
        width="stretch",
        key="redo",
    ):
        save(space, history.redo())
        st.rerun()
    with st.form("add-edge", border=False):
        source, sign, target, add = st.columns([3, 2, 3, 2], vertical_alignment="bottom")
        a = source.selectbox("From", graph.nodes, index=None, placeholder="Choose")
        marks = sign.selectbox("Edge", list(MARKS))
        b = target.selectbox("To", graph.nodes, index=None, placeholder="Choose")
        if add.form_submit_button("Add the edge", icon=":material/add:", width="stretch"):
            if a is None or b is None:
                st.session_state["graph-error"] = "Choose both columns of the new edge."
            elif a == b:
                st.session_state["graph-error"] = "An edge joins two different columns."
            else:
                do(space, history, AddEdge(a, b, *MARKS[marks]))
            st.rerun()


def changes(history: History) -> None:
    """What the analyst changed."""
    changed = difference(history.found, history.graph)
    if not changed:
        st.caption("Nothing yet: the graph is as it was found.")
    for edge in changed.added:
        st.text(f"＋ added    {edge_sign(edge)}")
    for edge in changed.removed:
        st.text(f"－ removed  {edge_sign(edge)}")
    for before, after in changed.changed:
        st.text(f"± changed  {edge_sign(before)}  now  {edge_sign(after)}")


def knowledge_form(space: Workspace, history: History) -> None:
    """What is known for sure; every later search obeys it."""
    graph = history.graph
    known = graph.knowledge
    st.caption(
        "What you state here is obeyed by the next search and by every completion: an edge that "
        "must be there, one that cannot be, and the order in time (a later tier never causes an "
        "earlier one)."
    )
    pairs = pd.DataFrame(
        [
            *[{"cause": a, "rule": "causes", "effect": b} for a, b in known.required],
            *[{"cause": a, "rule": "does not cause", "effect": b} for a, b in known.forbidden],
        ],
        columns=["cause", "rule", "effect"],
    )
    tiers = {node: tier for tier, nodes in enumerate(known.tiers, 1) for node in nodes}
    with st.form("knowledge", border=False):
        left, right = st.columns(2, gap="large")
        with left:
            stated = st.data_editor(
                pairs,
                num_rows="dynamic",
                hide_index=True,
                key=f"known-pairs-{graph.digest}",
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
                key=f"known-tiers-{graph.digest}",
                disabled=["column"],
                height=min(38 + 35 * len(graph.nodes), 320),
                column_config={
                    "tier": st.column_config.NumberColumn("Tier (1 = earliest)", min_value=1)
                },
            )
        if st.form_submit_button("Keep this knowledge", icon=":material/save:"):
            do(space, history, SetKnowledge(read_knowledge(stated, order)))
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


def files(space: Workspace, history: History) -> None:
    """Take the graph away, or bring one along."""
    st.download_button(
        "Download the graph (JSON)",
        to_json(history.graph),
        file_name="graph.json",
        mime="application/json",
        on_click="ignore",
        icon=":material/download:",
    )
    brought = st.file_uploader("Use a graph from a file (causalmix-graph/1)", type=["json"])
    if brought is not None and st.button("Use this graph"):
        from causalmix_core.graph.graph_file import from_json

        graph = from_json(brought.getvalue().decode("utf-8", errors="replace"))
        strangers = sorted(set(graph.nodes) ^ set(history.graph.nodes))
        if strangers:
            st.error(
                f"The graph and the table do not have the same columns: {', '.join(strangers[:6])}."
            )
        else:
            do(space, history, ReplaceEdges(graph.edges, f"Use the graph {brought.name}"))
            st.rerun()


st.title("Graph")
space = workspace_with_table()
table = table_of(space)
development, _ = parts_of(space)
st.markdown(
    "Which columns cause which? The search removes every link that other columns explain and "
    "orients the rest where the data allow it. **You know more than the data do: correct it.**"
)
job = jobs.latest(store(), space.project, "discover")
busy = job is not None and not job.state.is_over
history = space.history()
with st.container(border=True):
    if busy:
        watch_job(job.id, "Finding the graph")
    else:
        outcome(job, "The search")
        search_form(space, development)
if history is None:
    if not busy and st.button("Or draw the graph by hand, from nothing"):
        empty = MixedGraph(nodes=tuple(table.columns), graph_type="dag")
        save(space, History(empty))
        st.rerun()
    st.stop()

st.session_state["history-revision"] = store().revisions(space.project).get("history")
problem = st.session_state.pop("graph-error", None)
if problem:
    st.error(problem, icon=":material/error:")
for note in history.found.provenance.get("notes", []):
    st.caption(f":material/info: {note}")
status(history.graph)
toolbar(space, history)
graph_editor(
    history,
    key=f"editor-{space.project}",
    on_change=lambda edited: save(space, edited),
    target=table.target,
)
completed = st.session_state.pop("completion", None)
if completed:
    with st.expander("What the completion decided, and why", expanded=True):
        for line in completed:
            st.text(line)
edges, changed, sure, known, file = st.tabs(
    ["Edges as a table", "What I changed", "How sure", "What is known", "Files"]
)
with edges:
    edge_table(space, history)
with changed:
    changes(history)
with sure:
    if history.found.pairs:
        st.caption(
            "Share of the repeated searches in which two columns were joined: dark pairs were "
            "found nearly always, pale ones by chance."
        )
        st.plotly_chart(adjacency_figure(history.found), key="adjacency")
    else:
        st.caption("The search ran without resamples, so there are no shares to show.")
with known:
    knowledge_form(space, history)
with file:
    files(space, history)
st.divider()
st.page_link(SYNTHESIZE, label="Next: make synthetic rows", icon=":material/auto_awesome:")
