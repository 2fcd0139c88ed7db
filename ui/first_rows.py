"""The beginning of a table that may be long."""

import pandas as pd
import streamlit as st


def first_rows(frame: pd.DataFrame, most: int, height: int, key: str | None = None) -> None:
    """Show a frame's first rows, and say so where it has more than `most`; height in pixels."""
    st.dataframe(frame.head(most), height=height, key=key)
    if len(frame) > most:
        st.caption(f"The first {most:,} of {len(frame):,} rows.")
