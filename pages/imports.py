"""Imports: bring the shop in, and see what could not be read."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.imports import draw_history, draw_progress, draw_start
from lib.ui.rejected import draw_rejected

store = open_desk(May.IMPORT).store

draw_progress()
with st.container(border=True, key="import_card"):
    draw_start(store)
with st.container(border=True, key="rejected_card"):
    draw_rejected(store)
with st.container(border=True, key="history_card"):
    draw_history(store)
