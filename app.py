"""The app's entry: page configuration and navigation; everything else is on the pages."""

import streamlit as st

from ui.navigation import navigation
from ui.session import mark_entered, run_page

st.set_page_config(page_title="CausalMix", page_icon="ui/assets/icon.svg", layout="wide")
page = navigation()
mark_entered()
run_page(page)
