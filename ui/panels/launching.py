"""What to run, and the launch."""

from dataclasses import replace

import streamlit as st

from causalmix_core.augment import GENERATORS
from causalmix_core.errors import CausalMixError, TableError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import Job, State
from causalmix_core.experiment.plan import Plan, Source, belongs
from causalmix_core.experiment.runs import launch
from causalmix_core.experiment.statistics import FEWEST_FOR_VERDICT
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.finetune import METHODS, Mixing, Settings, Stopping
from causalmix_core.finetune.methods import MOST_SYNTHETIC
from causalmix_core.foundation import MODELS, is_available
from causalmix_core.table import Table
from ui.kept import Keep, keeper
from ui.panels.search import was_searched
from ui.session import store
from ui.words import counted, plain

FIRST_METHODS = ["none", "default", "causalmix", "mixup", "smote"]

RULES = {
    "validation": "best on the validation rows",
    "smoothed": "best on the validation rows, smoothed",
    "cross-fitted": "best number of steps over several validation splits",
    "synthetic": "best on rows of the causal model",
    "last": "no early stopping",
}

DEFAULTS = Settings()
MIXING, STOPPING = DEFAULTS.mixing, DEFAULTS.stopping
FEWEST_IN_DOMAIN = 10

PRECISIONS = {
    "float32": "full (float32)",
    "bfloat16": "bfloat16: faster where the processor has it",
}

_LAUNCHED = "launched"

INTO = {"both": "context and query", "context": "context", "query": "query"}


def source_of(space: Workspace, development: Table, test: Table) -> Source:
    """What runs that are launched now are made from."""
    choices = space.choices()
    return Source(
        development, test=test, graph=space.graph(), group=choices.group, time=choices.time
    )


def just_launched(found: dict[str, list[Job]]) -> str | None:
    """Return the name of the experiment launched a moment ago; say what of it was done before."""
    ids, done = st.session_state.pop(_LAUNCHED, ((), 0))
    if done:
        st.info(
            f"{done} of these {len(ids)} runs were done before and are not computed again.",
            icon=":material/info:",
        )
    of_run = {run.id: name for name, group in found.items() for run in group}
    return of_run.get(ids[0]) if ids else None


def form(space: Workspace, development: Table, test: Table) -> None:
    """Ask what to run, and launch."""
    _form(space, development, test, space.table_key())


@st.fragment
def _form(space: Workspace, development: Table, test: Table, key: str) -> None:
    """The form alone, run again at every touch with the rows of this table key."""
    if space.table_key() != key:  # changed in another tab: its rows are no longer the project's
        st.rerun()
    history = space.history()
    keep = keeper(space, "finetune")
    methods = st.multiselect(
        "Methods to compare",
        list(METHODS),
        default=FIRST_METHODS,
        **keep("methods"),
        format_func=lambda name: METHODS[name].title,
        help="All share the same rows, the same number of steps and the same model. Keep "
        "'No fine-tuning': it is what the others are measured against." + _slow_ones(),
    )
    one, two, three, four = st.columns(4)
    seeds = one.number_input(
        "Seeds",
        1,
        20,
        FEWEST_FOR_VERDICT,
        **keep("seeds"),
        help="Every seed draws other labelled rows and trains again: one run says little. "
        f"A verdict needs {FEWEST_FOR_VERDICT}.",
    )
    labelled = two.number_input(
        "Labelled rows",
        min(10, len(development)),
        len(development),
        min(len(development), 300),
        **keep("labelled"),
        step=10,
        help="The low-resource case: so many rows are drawn for training, a third of them for "
        "validation.",
    )
    steps = three.number_input(
        "Training steps at most",
        1,
        2000,
        DEFAULTS.steps,
        **keep("steps"),
        step=10,
        help="Gradient steps of a run.",
    )
    model = four.selectbox(
        "Model",
        [entry.name for entry in MODELS if is_available(entry.name)],
        **keep("model"),
        format_func=lambda name: next(m.title for m in MODELS if m.name == name),
        help="Models that are on this computer. The README tells how to add others.",
    )
    chosen = next(entry for entry in MODELS if entry.name == model)
    st.caption(
        f"{chosen.description} It is meant for up to {chosen.rows:,} training rows, "
        f"{chosen.columns:,} columns and {chosen.classes} classes; from more than "
        f"{DEFAULTS.max_rows:,} training rows, it predicts from a sample of so many. "
        f"Licence: {chosen.licence}"
    )
    settings, domain = _more_choices(development, keep)
    count = len(methods) * int(seeds)
    st.caption(
        f"{counted(count, 'run')}: {len(methods)} × {int(seeds)} (methods × seeds). The same run "
        "is never computed twice."
        + (
            f" Under {FEWEST_FOR_VERDICT} seeds there is no verdict."
            if seeds < FEWEST_FOR_VERDICT
            else ""
        )
    )
    if st.button("Launch", type="primary", icon=":material/play_arrow:"):
        if not methods:
            st.error("Choose at least one method.")
            return
        if problem := _domain_problem(development, domain, int(labelled)):
            st.error(problem)
            return
        try:
            plan = Plan(
                sources=(source_of(space, development, test),),
                methods=tuple(methods),
                seeds=tuple(range(int(seeds))),
                train_rows=(int(labelled),),
                model=model,
                settings=replace(settings, steps=int(steps)),
                domain=domain if domain[0] else None,
            )
            ids = launch(store(), space.project, plan)
        except CausalMixError as error:
            st.error(plain(error))
            return
        done = sum(jobs.job(store(), each).state is State.DONE for each in ids)
        st.session_state[_LAUNCHED] = (ids, done)
        st.rerun()
    if history is None and any(METHODS[name].generator == "causal" for name in FIRST_METHODS):
        st.caption(
            ":material/info: There is no graph yet: the causal methods will search one in each "
            "run's training rows."
        )
    elif history is not None:
        origin = (
            "; its structure was found on all rows but the test rows, so"
            if was_searched(history)
            else ". Where rows were looked at to draw it,"
        )
        st.caption(
            f":material/info: The causal methods use your graph as it is{origin} it may have seen "
            "a run's validation rows and those of a held-out domain."
        )
    st.caption(
        ":material/info: Every run makes its synthetic rows anew from its own training rows: "
        "rules, class shares, quality and interventions of the Synthetic rows page do not apply "
        "here (the classes keep their shares, the causal model has quality 'good')."
    )


def _slow_ones() -> str:
    """Name the generators whose rows take long, and how many of them a run gets."""
    return "".join(
        f" {kind.title} takes long for every row: a run gets {kind.largest_pool} of its rows, "
        f"where others give up to {MOST_SYNTHETIC:,}."
        for kind in GENERATORS.values()
        if kind.largest_pool
    )


def _more_choices(development: Table, keep: Keep) -> tuple[Settings, tuple[str, str]]:
    """Ask for the mixing policy, the stopping rule, the rate and a domain; defaults are fine."""
    with st.expander("More choices: learning, mixing, stopping, a held-out domain"):
        left, middle, right = st.columns(3)
        left.markdown("**Learning**")
        rate = left.select_slider(
            "Learning rate",
            [1e-5, 3e-5, 1e-4, 2e-4, 3e-4, 1e-3],
            value=DEFAULTS.learning_rate,
            **keep("rate"),
            format_func="{:g}".format,
        )
        every = left.number_input(
            "Steps between evaluations", 1, 100, DEFAULTS.evaluate_every, **keep("every")
        )
        members = left.number_input(
            "Ensemble members",
            1,
            32,
            DEFAULTS.estimators,
            **keep("members"),
            help="The model sees the table in so many shuffled views. More predict better, in "
            "proportion slower.",
        )
        precision = left.selectbox(
            "Arithmetic of training steps",
            list(PRECISIONS),
            **keep("precision"),
            format_func=PRECISIONS.get,
            help="The loss stays the same within noise. Scores and predictions are always made in "
            "full precision.",
        )
        middle.markdown("**Mixing**")
        share = middle.slider(
            "Share of synthetic rows",
            0.1,
            1.0,
            MIXING.share,
            0.1,
            **keep("share"),
            help="In every training step.",
        )
        into = middle.selectbox(
            "Where synthetic rows go",
            list(INTO),
            **keep("into"),
            format_func=INTO.get,
            help="A step predicts query rows from context rows. Validation and test rows are "
            "always real, and so is the context at prediction time.",
        )
        fresh = middle.selectbox(
            "Which synthetic rows",
            [True, False],
            **keep("fresh"),
            format_func={True: "others in every step", False: "one fixed set"}.get,
            help="A fixed set is as large as the training rows.",
        )
        schedule = middle.selectbox(
            "Share over time",
            ["constant", "fading"],
            **keep("schedule"),
            format_func={"constant": "the same in every step", "fading": "falls to none"}.get,
        )
        right.markdown("**Stopping**")
        rule = right.selectbox(
            "Which step is kept", list(RULES), **keep("rule"), format_func=RULES.get
        )
        metric = right.selectbox(
            "Judged by",
            ["log_loss", "roc_auc"],
            **keep("metric"),
            format_func={"log_loss": "log loss", "roc_auc": "ROC-AUC"}.get,
        )
        patience = right.number_input(
            "Patience (evaluations, 0 = run to the end)",
            0,
            100,
            STOPPING.patience,
            **keep("patience"),
        )
        window = right.number_input(
            "Smoothed over evaluations",
            1,
            20,
            STOPPING.window,
            **keep("window"),
            help="For the smoothed rule.",
        )
        folds = right.number_input(
            "Validation splits",
            2,
            10,
            STOPPING.folds,
            **keep("folds"),
            help="For the rule over several splits, which takes that many times longer.",
        )
        judged = right.number_input(
            "Rows of the causal model to judge by",
            20,
            20_000,
            STOPPING.synthetic_rows,
            **keep("judged"),
            step=100,
            help="For the rule that judges on rows of the causal model.",
        )
        st.markdown("**A held-out domain**")
        one, two = st.columns(2)
        columns = [name for name in development.columns if name != development.target]
        column = one.selectbox("Column", columns, index=None, **keep("domain"), placeholder="none")
        value = two.text_input(
            "Value",
            **keep("value"),
            help="Rows with this value are left out of training, validation and test rows and "
            "scored on their own, such as one country or one year.",
        )
    settings = Settings(
        evaluate_every=int(every),
        learning_rate=float(rate),
        estimators=int(members),
        precision=precision,
        mixing=Mixing(share=float(share), into=into, fresh=bool(fresh), schedule=schedule),
        stopping=Stopping(
            metric=metric,
            rule=rule,
            patience=int(patience),
            window=int(window),
            folds=int(folds),
            synthetic_rows=int(judged),
        ),
    )
    return settings, (column or "", value.strip())


def _domain_problem(development: Table, domain: tuple[str, str], labelled: int) -> str | None:
    """Say what is wrong with a domain, before runs would fail for it or get fewer rows."""
    column, value = domain
    if bool(column) != bool(value):
        return "To hold out a domain, give both its column and its value."
    if not column:
        return None
    try:
        rows = int(belongs(development, column, value).sum())
    except TableError as error:
        return plain(error)
    if rows < FEWEST_IN_DOMAIN or len(development) - rows < FEWEST_IN_DOMAIN:
        kept = development.frame[column].dropna().astype(str).value_counts().index[:5]
        return plain(
            f"{rows} of {len(development)} rows have {value!r} in {column!r}: a domain needs some "
            f"rows, and the rest too. Frequent values are {', '.join(kept)}."
        )
    left = len(development) - rows
    if labelled > left:
        return (
            f"{labelled:,} labelled rows are too many: without the domain, {left:,} rows are left "
            "to draw from. Ask for so many at most."
        )
    return None
