"""Other settings on the same rows, such as mixing policies and stopping rules, side by side."""

import streamlit as st

from causalmix_core.experiment.groups import compare, relatives
from causalmix_core.experiment.jobs import Job
from ui.charts import policy_figure
from ui.palette import method_label
from ui.session import store
from ui.words import NO_FIGURE


def policies(runs: list[Job], others: list[list[Job]]) -> None:
    """Compare this experiment with those that had the same rows and model but other settings."""
    alike = relatives(runs, others)
    with st.expander("Other settings on the same rows"):
        if not alike:
            st.caption(
                "Launch once more with another choice under *More choices*, such as where "
                "synthetic rows go or which step is kept: the experiments stand side by side here."
            )
            return
        table = compare(store(), [runs, *alike])
        shown = table[table["method"] != "none"]
        if shown.empty:
            st.caption("Nothing to compare yet.")
            return
        st.plotly_chart(policy_figure(shown), key="policies", config={"displayModeBar": False})
        st.caption(
            "Median gain in test ROC-AUC over no fine-tuning, with its 95 % bootstrap interval; "
            "every experiment had the same rows. This one stands first."
        )
        st.dataframe(
            shown.assign(method=[method_label(name) for name in shown["method"]]),
            hide_index=True,
            placeholder=NO_FIGURE,
            column_order=["settings", "method", "runs", "improvement", "gap", "correlation_gap"],
            column_config={
                "settings": st.column_config.TextColumn("Settings", width="large"),
                "method": "Method",
                "runs": "Runs",
                "improvement": st.column_config.NumberColumn("Gain %", format="%+.2f"),
                "gap": st.column_config.NumberColumn(
                    "Gap", format="%+.2f", help="Gain on validation minus gain on test rows."
                ),
                "correlation_gap": st.column_config.NumberColumn(
                    "Curve gap",
                    format="%.2f",
                    help="One minus the rank correlation of the validation and the test curve.",
                ),
            },
        )
