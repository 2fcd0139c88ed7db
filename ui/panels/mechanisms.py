"""How the causal model makes every column: what its causes explain, and what is left."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from ui.charts import explained_figure, residual_figure
from ui.charts.mechanisms import explained
from ui.words import plain

_DEPENDENT = 0.01


def mechanisms(nodes: list[dict[str, Any]]) -> None:
    """Show all columns at once, then one of them closely."""
    with_causes = [node for node in nodes if explained(node) is not None]
    if not with_causes:
        st.info("No column has a cause in your graph: every column is drawn by itself.")
        return
    st.caption(
        "How much of each column its causes in your graph explain, measured on rows that the model "
        "had not seen; 0 % is no better than ignoring them. The rest is drawn as noise. A low "
        "value is no fault: much in life is chance."
    )
    st.plotly_chart(
        explained_figure(with_causes), key="explained", config={"displayModeBar": False}
    )
    chosen = st.selectbox(
        "Look at one column",
        sorted(range(len(with_causes)), key=lambda place: -(explained(with_causes[place]) or 0.0)),
        format_func=lambda place: _title(with_causes[place]),
    )
    node = with_causes[chosen]
    st.markdown(f"**{plain(node['sentence'])}** · drawn with {plain(node['noise'])}")
    if node["residual"]:
        st.caption(
            "R² is the share explained. Each point is a real row: what its causes predict, and "
            "what was left over. All is well where the cloud is level and equally wide; a grey "
            "line, where there are enough different predictions, is its middle."
        )
        st.plotly_chart(residual_figure(node), key="residuals", config={"displayModeBar": False})
    else:
        st.caption("Log loss is the mean surprise at the real value: the lower, the better.")
    _checks(node)
    for warning in node["warnings"]:
        st.warning(plain(warning), icon=":material/info:")
    roots = [node for node in nodes if not node["parents"]]
    with st.expander("Show all mechanisms as a table"):
        st.dataframe(
            pd.DataFrame([_line(node) for node in (*with_causes, *roots)]), hide_index=True
        )


def _title(node: Mapping[str, Any]) -> str:
    causes = ", ".join(node["parents"])
    share = f" (in {node['weight']:.0%} of the graphs)" if node["weight"] < 1 else ""
    return f"{node['node']} from {causes}{share}"


def _checks(node: Mapping[str, Any]) -> None:
    if node["spread"] is not None:
        st.caption(
            f"Drawn values spread {node['spread']:.2f} times as wide as the real ones (1 = alike)."
        )
    tests = node["independence"]
    if tests:
        open_ends = [cause for cause, p in tests.items() if p < _DEPENDENT]
        if open_ends:
            names = plain(", ".join(open_ends))
            st.caption(f"What is left still hangs together with {names}.")
        else:
            st.caption("What is left does not depend on any of the causes, as it should be.")


def _line(node: Mapping[str, Any]) -> dict[str, Any]:
    share = explained(node)
    return {
        "Column": node["node"],
        "Causes": ", ".join(node["parents"]),
        "Mechanism": node["mechanism"],
        "Noise": node["noise"],
        "Explained": None if share is None else f"{share:.0%}",
        "Rows": node["rows"],
        "Missing": f"{node['missing']:.0%}",
        "In graphs": f"{node['weight']:.0%}",
        "To note": " ".join(node["warnings"]),
    }
