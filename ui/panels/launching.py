"""What to run, and the launch."""

import streamlit as st

from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.runs import launch
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.finetune import METHODS, Mixing, Settings, Stopping
from causalmix_core.foundation import MODELS, is_available
from causalmix_core.table import Table
from ui.session import store

FIRST_METHODS = ["none", "default", "causalmix", "mixup", "smote"]

RULES = {
    "validation": "best on the validation rows",
    "smoothed": "best on the validation rows, smoothed",
    "cross-fitted": "best number of steps over several validation splits",
    "synthetic": "best on rows of the causal model",
    "last": "no early stopping",
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
            members = left.number_input(
                "Ensemble members",
                1,
                32,
                Settings().estimators,
                help="The model sees the table in so many shuffled views. More predict better, in "
                "proportion slower.",
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
                    estimators=int(members),
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
