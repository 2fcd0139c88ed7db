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
    """Declare the pages and return the one that was asked for.

    Pages have no icons: Streamlit makes a page's icon the browser tab's too, and fetches it from
    another machine.
    """
    return st.navigation(
        {
            "": [st.Page(HOME, title="Projects", default=True)],
            "Steps": [
                st.Page(DATA, title="1 · Data"),
                st.Page(GRAPH, title="2 · Graph"),
                st.Page(SYNTHESIZE, title="3 · Synthetic rows"),
                st.Page(FINETUNE, title="4 · Fine-tune"),
                st.Page(PREDICT, title="5 · Predict"),
            ],
        }
    )
