"""Real and synthetic rows side by side."""

import io
import json
import shlex
import zipfile

import pandas as pd
import streamlit as st

from causalmix_core.experiment.plan import graph_digest
from causalmix_core.experiment.workspace import COMPARISON, MECHANISMS, Recipe, Rows, Workspace
from causalmix_core.graph.graph_file import to_json
from causalmix_core.table import Kind, Table, to_csv
from ui.charts import distance_figure, marginal_figure
from ui.charts.marginals import MOST_LEVELS
from ui.first_rows import first_rows
from ui.palette import look
from ui.panels.mechanisms import mechanisms
from ui.panels.wishes import asks_for_others
from ui.words import plain

FIGURES = {
    "shape": (
        "Shape",
        "How alike single columns are. Higher is better, 1 = alike. Says nothing of their "
        "relations.",
    ),
    "trend": ("Trend", "How alike pairs of columns hang together. Higher is better, 1 = alike."),
    "two_sample_auc": (
        "Told apart",
        "Can a classifier tell synthetic rows from real ones? Lower is better: 0.5 = no, "
        "1 = always.",
    ),
    "independencies_kept": (
        "Independencies kept",
        "Do the independencies that the graph implies hold as often as in real rows? Higher is "
        "better, 1 = yes.",
    ),
    "dependencies_kept": (
        "Dependencies kept",
        "Share of the graph's edges whose columns still depend on each other. Higher is better.",
    ),
    "train_synthetic_test_real": (
        "Useful for learning",
        "ROC-AUC on real rows of a model trained on synthetic ones only. Higher is better.",
    ),
    "copy_share": (
        "Near copies",
        "Share of synthetic rows that lie suspiciously close to a training row. Lower is better. "
        "A check for copies, not a promise of privacy.",
    ),
    "proxy_a_distance": (
        "Domain distance",
        "Proxy A-distance. Lower is better: 0 = cannot be told apart, 2 = can.",
    ),
    "mmd2": (
        "MMD²",
        "Distance of the two clouds of rows (Gaussian kernel). Lower is better, 0 = the same.",
    ),
    "coral": ("CORAL", "Distance of the covariances. Lower is better, 0 = the same."),
}

COLUMNS_PER_PAGE = 12

JUDGED_ON = {
    "held-out": "Judged on real rows that no generator saw. Read every figure between its ceiling "
    "(real training rows in the place of synthetic ones) and its floor (every column shuffled by "
    "itself).",
    "training": "Judged on the training rows, which the generators saw: too few other real rows "
    "were left. So there is no ceiling, and rows that copy the training rows look best. The floor "
    "is every column shuffled by itself.",
}
"""What the figures mean, by the rows that stand for the real ones."""


def figures(report: dict, made: dict[str, Rows], other: bool) -> None:
    """The figures of the comparison, between a ceiling and a floor.

    Args:
        report: the comparison.
        made: the rows that were compared.
        other: whether rows were asked for that are not meant to be like the real ones.
    """
    names = {name: look(name).label for name in made if name in report["generators"]}
    names |= {"ceiling": "Real training rows (ceiling)", "floor": "Columns shuffled (floor)"}
    columns = {}
    for name, label in names.items():
        values = report[name] if name in ("ceiling", "floor") else report["generators"][name]
        columns[label] = {FIGURES[f][0]: values.get(f) for f in FIGURES}
    shown = pd.DataFrame(columns).loc[[title for title, _ in FIGURES.values()]]
    st.dataframe(
        shown.T,
        column_config={
            title: st.column_config.NumberColumn(title, format="%.3f", help=text)
            for title, text in FIGURES.values()
        },
    )
    st.caption(
        JUDGED_ON[report["settings"]["real_rows"]]
        + " None: does not apply here. Higher is better for shape, trend, what is kept and "
        "use for learning; lower is better for told apart (0.5 is best), near copies and the "
        "distances."
    )
    if other:
        st.caption(
            ":material/info: With a column set by hand or other class shares, rows are not meant "
            "to match the real ones: these figures then do not say how good the rows are."
        )
    notes = report.get("notes") or {}
    if notes:
        with st.expander("Notes on these figures"):
            for name, note in notes.items():
                st.text(f"{name}: {note}")


def _command(recipe: Recipe, target: str) -> str:
    """Return the command line that makes the same rows."""
    words = [
        f"python -m causalmix_core synthesize training.csv{target} --kinds kinds.json",
        f"--method {recipe.method} --rows {recipe.rows} --seed {recipe.seed}",
        f"--out {recipe.method}.csv",
    ]
    settings = recipe.settings
    if recipe.method == "causal":
        words.append("--graph graph.json")
        if "quality" in settings:
            words.append(f"--quality {settings['quality']}")
        if "dags" in settings:
            words.append(f"--dags {settings['dags']}")
        for column, value in (settings.get("do") or {}).items():
            words.append(f"--do {shlex.quote(f'{column}={value}')}")
    for rule in settings.get("rules") or ():
        words.append(f"--rule {shlex.quote(rule)}")
    for level, share in (recipe.balance or {}).items():
        words.append(f"--class-share {shlex.quote(f'{level}={share!r}')}")
    return " ".join(words)


def repeat(space: Workspace, made: dict[str, Rows], training: Table) -> None:
    """Everything that is needed to make the same rows with the command line."""
    first = next(iter(made.values())).recipe
    graph = space.graph()
    target = f" --target {shlex.quote(training.target)}" if training.target else ""
    lines = [_command(rows.recipe, target) for rows in made.values()]
    st.code("\n".join(lines), language="bash")

    def pack() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("training.csv", to_csv(training.frame))
            kinds = {c: str(kind) for c, kind in training.kinds.items()} | dict(training.levels)
            archive.writestr("kinds.json", json.dumps(kinds))
            if graph is not None:
                archive.writestr("graph.json", to_json(graph))
            archive.writestr("repeat.sh", "\n".join(lines) + "\n")
        return buffer.getvalue()

    st.download_button(
        "Download training rows, graph and commands",
        pack,
        file_name=f"{training.name}-repeat.zip",
        mime="application/zip",
        on_click="ignore",
        icon=":material/download:",
    )
    st.caption(
        f"Made from {len(training):,} training rows, drawn with seed {first.draw_seed}. The same "
        "rows, graph, settings and seed give the same bytes."
    )


def _told(made: dict[str, Rows], training: Table) -> bool:
    """Say what is special about these rows; True where they are not meant to be like the real."""
    of: dict[str, list[str]] = {}
    for name, rows in made.items():
        for note in rows.notes:
            of.setdefault(note, []).append(look(name).label)
    for note, names in of.items():
        st.caption(f":material/info: {', '.join(names)}: {plain(note)}")
    classes = any(asks_for_others(rows.recipe.balance, training) for rows in made.values())
    if classes:
        st.caption(
            ":material/info: You asked for other classes than the real rows have: columns that "
            "hang together with the class differ from the real ones for that reason alone."
        )
    by_hand = any(rows.recipe.settings.get("do") for rows in made.values())
    if by_hand:
        st.caption(":material/info: A column was set by hand: the causal rows are meant to differ.")
    return classes or by_hand


def results(space: Workspace, made: dict[str, Rows]) -> None:
    """Real and synthetic rows side by side."""
    first = next(iter(made.values())).recipe
    training, _ = space.drawn(first.train_rows, first.draw_seed)
    stale = [
        name
        for name, rows in made.items()
        if rows.recipe.inputs != space.inputs_of(rows.recipe, training)
    ]
    if stale:
        st.warning(
            "Out of date: the graph or the table changed since these rows were made ("
            + ", ".join(look(name).label for name in stale)
            + "). Make them again to bring them up to date.",
            icon=":material/update:",
        )
    comparison = space.store.load_json(space.project, COMPARISON, {})
    kinds: dict[str, Kind] = dict(training.kinds)
    frames = {name: rows.frame for name, rows in made.items()}
    found = space.store.load_json(space.project, MECHANISMS) if "causal" in made else None
    other = _told(made, training)
    overview, columns, figures_tab, model_tab, rows_tab, again = st.tabs(
        [
            "Column by column",
            "Distances",
            "Figures",
            "Causal model",
            "Rows and downloads",
            "Repeat it",
        ]
    )
    with model_tab:
        if found is None:
            st.caption("Make rows by the causal model to see how it makes every column.")
        else:
            mechanisms(found["nodes"])
    with overview:
        st.caption(
            "Numbers as cumulative shares: the closer a coloured line runs to the grey one, the "
            f"better that column is met. Categories as shares of rows: the {MOST_LEVELS} most "
            "frequent of every column; where there are more, the bars add up to less than 100 %."
        )
        names = training.columns
        pages = -(-len(names) // COLUMNS_PER_PAGE)
        page = st.pagination(pages, key="marginal-page") if pages > 1 else 1
        st.plotly_chart(
            marginal_figure(
                training.frame,
                frames,
                kinds,
                names[(page - 1) * COLUMNS_PER_PAGE : page * COLUMNS_PER_PAGE],
            ),
            key="marginals",
            config={"displayModeBar": False},
        )
    report = comparison.get("report")
    if report is None:
        problem = comparison.get("problem")
        for tab in (columns, figures_tab):
            tab.caption(
                f"The rows were not compared. {plain(problem)}"
                if problem
                else "The comparison did not finish; make the rows again."
            )
    else:
        with columns:
            st.caption(
                "Largest gap between the two cumulative curves for numbers (Kolmogorov-Smirnov), "
                "half the summed differences of the shares for categories. 0 = alike."
            )
            distances = pd.DataFrame(report["columns"]).T
            present = [name for name in made if name in distances.columns]
            st.plotly_chart(
                distance_figure(distances[present]),
                key="distances",
                config={"displayModeBar": False},
            )
            with st.expander("Show the numbers"):
                st.dataframe(distances[present].rename(columns=lambda n: look(n).label))
        with figures_tab:
            now = graph_digest(space.graph())
            if comparison.get("graph", now) != now:
                st.warning(
                    "The graph changed since these figures were computed: independencies and "
                    "dependencies kept are about the earlier one. Make the rows again to judge "
                    "them by the present one.",
                    icon=":material/update:",
                )
            figures(report, made, other)
    with rows_tab:
        safe = st.checkbox(
            "Safe for spreadsheets",
            help="Puts an apostrophe before cells that a spreadsheet would run as a formula.",
        )
        st.download_button(
            "Download the real training rows",
            lambda: to_csv(training.frame, safe_for_spreadsheets=safe),
            file_name="training.csv",
            mime="text/csv",
            key="download-real",
            on_click="ignore",
        )
        for name, rows in made.items():
            st.subheader(look(name).label)
            first_rows(rows.frame, 100, height=220, key=f"rows-{name}")
            st.download_button(
                f"Download {len(rows.frame):,} rows as CSV",
                lambda frame=rows.frame: to_csv(frame, safe_for_spreadsheets=safe),
                file_name=f"{name}.csv",
                mime="text/csv",
                key=f"download-{name}",
                on_click="ignore",
            )
    with again:
        if stale:
            st.caption(
                "What these rows were made from is no longer here: make them again to be able to "
                "repeat them."
            )
            return
        repeat(space, made, training)
