"""A chart beside words that say the same to those who do not see it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lib.ui.text import plain

# Part of the frame's style: there for screen readers, without a place on the screen.
STYLE = """[class*=st-key-described_] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}"""


def draw_chart(frame: pd.DataFrame, spec: Mapping[str, Any], *, alt: str, words: str, key: str) -> None:
    """Draw a chart whose data change: ``alt`` names it and stays the same, ``words`` say what it shows now.

    A browser takes new data into the chart it has; changed words inside the chart would have it built anew.
    """
    st.vega_lite_chart(frame, dict(spec), alt=alt, key=key)
    with st.container(key=f"described_{key}"):
        st.markdown(plain(words))
