"""Fine-tune: launch runs of the foundation model and watch their curves."""

import json
from typing import Any

import streamlit as st

from causalmix_core.experiment import jobs, statistics
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.results import curves, results
from causalmix_core.experiment.runs import launch, model_file
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.finetune import METHODS, Mixing, Settings, Stopping
from causalmix_core.foundation import MODELS, is_available
from causalmix_core.table import Table
from ui.charts import improvement_figure
from ui.navigation import PREDICT
from ui.palette import method_label
from ui.run_panel import runs_of, watch_runs
from ui.session import ensure_entrypoint, parts_of, store, workspace_with_table

ensure_entrypoint()

FIRST_METHODS = ["none", "default", "causalmix", "mixup", "smote"]
RULES = {
    "validation": "best on the validation rows",
    "smoothed": "best on the validation rows, smoothed",
    "cross-fitted": "best number of steps over several validation splits",
    "synthetic": "best on rows of the causal model",
    "last": "no early stopping",
}
SUMMARY: dict[str, tuple[str, str | None, str]] = {
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
        "puts the steps in the right order. Needs ten evaluations.",
    ),
    "accuracy_test": ("Accuracy", "%.3f", "Mean, test rows."),
    "log_loss_test": ("Log loss", "%.4f", "Mean, test rows; lower is better."),
    "seconds": ("Seconds", "%.1f", "Median time of a run."),
    "memory_mb": ("MB", "%.0f", "Median of the most memory a run used."),
}
INTO = {"both": "context and query", "context": "context", "query": "query"}


def form(space: Workspace, development: Table, test: Table) -> None:
    """Ask what to run, and launch."""
    graph = space.graph()
    with st.form("finetune", border=False):
        methods = st.multiselect(
            "Methods to compare",
            list(METHODS),
            default=FIRST_METHODS,
            format_func=lambda name: METHODS[name].title,
            help="All share the same rows, the same number of steps and the same model. Keep "
            "'No fine-tuning': it is what the others are measured against.",
        )
        one, two, three, four = st.columns(4)
        seeds = one.number_input(
            "Seeds",
            1,
            20,
            3,
            help="Every seed draws other labelled rows and trains again: one run says little.",
        )
        labelled = two.number_input(
            "Labelled rows",
            10,
            len(development),
            min(len(development), 300),
            step=10,
            help="The low-resource case: so many rows are drawn for training, a third of them for "
            "validation.",
        )
        steps = three.number_input(
            "Training steps at most", 1, 2000, 40, step=10, help="Gradient steps of a run."
        )
        model = four.selectbox(
            "Model",
            [entry.name for entry in MODELS if is_available(entry.name)],
            format_func=lambda name: next(m.title for m in MODELS if m.name == name),
            help="Models that are on this computer. The README tells how to add others.",
        )
        chosen = next(entry for entry in MODELS if entry.name == model)
        st.caption(f"{chosen.description} Licence: {chosen.licence}")
        with st.expander("More choices"):
            left, middle, right = st.columns(3)
            rate = left.select_slider(
                "Learning rate",
                [1e-5, 3e-5, 1e-4, 3e-4, 1e-3],
                value=1e-4,
                format_func="{:g}".format,
            )
            every = left.number_input("Steps between evaluations", 1, 100, 4)
            share = middle.slider(
                "Share of synthetic rows", 0.1, 1.0, 0.5, 0.1, help="In every training step."
            )
            into = middle.selectbox(
                "Where synthetic rows go",
                list(INTO),
                format_func=INTO.get,
                help="A step predicts query rows from context rows. Validation and test rows are "
                "always real, and so is the context at prediction time.",
            )
            rule = right.selectbox("Which step is kept", list(RULES), format_func=RULES.get)
            metric = right.selectbox(
                "Judged by",
                ["log_loss", "roc_auc"],
                format_func={"log_loss": "log loss", "roc_auc": "ROC-AUC"}.get,
            )
            patience = right.number_input("Patience (evaluations, 0 = run to the end)", 0, 100, 6)
            columns = [name for name in development.columns if name != development.target]
            domain_column = left.selectbox(
                "Hold out a domain: column", columns, index=None, placeholder="none"
            )
            domain_value = middle.text_input(
                "Hold out a domain: value",
                help="Rows with this value are left out of everything and scored on their own, "
                "such as one country or one year.",
            )
        if st.form_submit_button("Launch", type="primary", icon=":material/play_arrow:"):
            if not methods:
                st.error("Choose at least one method.")
                return
            if bool(domain_column) != bool(domain_value):
                st.error("To hold out a domain, give both its column and its value.")
                return
            choices = space.choices()
            plan = Plan(
                sources=(
                    Source(
                        development,
                        test=test,
                        graph=graph,
                        group=choices.group,
                        time=choices.time,
                    ),
                ),
                methods=tuple(methods),
                seeds=tuple(range(int(seeds))),
                train_rows=(int(labelled),),
                model=model,
                settings=Settings(
                    steps=int(steps),
                    evaluate_every=int(every),
                    learning_rate=float(rate),
                    mixing=Mixing(share=float(share), into=into),
                    stopping=Stopping(metric=metric, rule=rule, patience=int(patience)),
                ),
                domain=(domain_column, domain_value) if domain_column else None,
            )
            launch(store(), space.project, plan)
            st.session_state.pop("experiment", None)
            st.rerun()
    if graph is None and any(METHODS[name].generator == "causal" for name in FIRST_METHODS):
        st.caption(
            ":material/info: There is no graph yet: the causal methods will search one in each "
            "run's training rows."
        )
    elif graph is not None:
        st.caption(
            ":material/info: The causal methods use your graph as it is; its structure was found "
            "on all rows but the test rows, so it may have seen a run's validation rows."
        )


def verdicts(table: Any) -> None:
    """Say in words what came out."""
    if "none" not in set(table.loc[table["status"] == "done", "method"]):
        st.caption("Run 'No fine-tuning' too: the other methods are measured against it.")
        return
    for method in dict.fromkeys(table["method"]):
        if method != "none" and (table["status"][table["method"] == method] == "done").any():
            said = statistics.verdict(table, method).removeprefix(method).lstrip(": ")
            st.markdown(f"- **{method_label(method)}**: {escape(said)}")


def experiments(runs: list[Job]) -> dict[str, list[Job]]:
    """Group runs that can be compared: those that differ in method and seed only; newest first."""
    groups: dict[str, list[Job]] = {}
    for run in runs:
        same = {k: v for k, v in run.request.items() if k not in ("method", "seed", "prepared")}
        groups.setdefault(json.dumps(same, sort_keys=True), []).append(run)
    newest_first = sorted(
        groups.values(), key=lambda group: max(run.created for run in group), reverse=True
    )
    labelled = {}
    for group in newest_first:
        first = group[0]
        begun = f"{first.created.astimezone():%d %b, %H:%M:%S}"
        steps = first.request["settings"]["steps"]
        rows = first.request["train_rows"]
        labelled[f"{rows} labelled rows, {steps} steps, {len(group)} runs · begun {begun}"] = group
    return labelled


def escape(text: str) -> str:
    """Keep text from being read as markup."""
    for letter in "\\`*_{}[]<>#$~:":
        text = text.replace(letter, "\\" + letter)
    return text


def outcome(space: Workspace, runs: list[Job]) -> None:
    """What the runs that are done came to."""
    table = results(runs)
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
    summary["method"] = [method_label(name) for name in summary["method"]]
    st.dataframe(
        summary,
        hide_index=True,
        column_order=list(SUMMARY),
        column_config={
            name: st.column_config.NumberColumn(title, format=form, help=text)
            if form
            else st.column_config.TextColumn(title, help=text)
            for name, (title, form, text) in SUMMARY.items()
        },
    )
    with st.expander("Every run"):
        shown = table.drop(columns=["job"], errors="ignore")
        st.dataframe(shown, hide_index=True)
        st.download_button(
            "Download results.csv",
            lambda: shown.to_csv(index=False).encode(),
            file_name="results.csv",
            mime="text/csv",
            on_click="ignore",
        )
        st.download_button(
            "Download curves.csv",
            lambda: curves(store(), runs).drop(columns=["job"]).to_csv(index=False).encode(),
            file_name="curves.csv",
            mime="text/csv",
            on_click="ignore",
        )
    st.subheader("Take a tuned model away")
    ready = [run for run in runs if run.state is State.DONE and model_file(store(), run).is_file()]
    picked = st.selectbox(
        "Run",
        ready,
        format_func=lambda run: (
            f"{method_label(run.request['method'])}, seed {run.request['seed']}: test AUC "
            f"{run.result['metrics']['roc_auc_test']:.3f}"
        ),
    )
    if picked is not None:
        st.caption(
            "The file holds the model's weights **and the training rows it predicts from: they "
            "are your data**. Share it as you would share the table."
        )
        st.download_button(
            "Download the model (.safetensors)",
            lambda: model_file(store(), picked).read_bytes(),
            file_name=f"{picked.request['method']}-{picked.request['seed']}.safetensors",
            on_click="ignore",
            icon=":material/download:",
        )
        st.page_link(PREDICT, label="Predict new rows with it", icon=":material/table_view:")


st.title("Fine-tune")
space = workspace_with_table(needs_target=True)
development, test = parts_of(space)
if development.kinds[development.target].is_number:
    st.info("The target is a number: put it into bins on the Data page first.")
    st.stop()
st.markdown(
    "Train the foundation model a little further on your rows: alone, or mixed with synthetic "
    "ones. On few rows this often helps little and sometimes harms: **the curves tell**."
)
with st.container(border=True):
    form(space, development, test)
found = experiments(jobs.jobs(store(), space.project, "finetune"))
if found:
    labels = list(found)
    picked = labels[0]
    if len(labels) > 1:
        picked = st.selectbox("Experiment", labels, key="experiment") or labels[0]
    ids = [run.id for run in found[picked]]
    watch_runs(space.project, ids)
    outcome(space, runs_of(space.project, ids))
