"""The pages and their order."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

HOME = "pages/home.py"
DATA = "pages/data.py"
GRAPH = "pages/graph.py"
SYNTHESIZE = "pages/synthesize.py"
FINETUNE = "pages/finetune.py"
PREDICT = "pages/predict.py"


def navigation() -> StreamlitPage:
    """Declare the pages and return the one that was asked for."""
    return st.navigation(
        {
            "": [st.Page(HOME, title="Projects", icon=":material/home:", default=True)],
            "Steps": [
                st.Page(DATA, title="1 · Data", icon=":material/table:"),
                st.Page(GRAPH, title="2 · Graph", icon=":material/account_tree:"),
                st.Page(SYNTHESIZE, title="3 · Synthetic rows", icon=":material/auto_awesome:"),
                st.Page(FINETUNE, title="4 · Fine-tune", icon=":material/show_chart:"),
                st.Page(PREDICT, title="5 · Predict", icon=":material/table_view:"),
            ],
        }
    )
