"""To do: one list for the day, joined per customer, and what was done yesterday."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.to_do import draw_done, draw_to_do

desk = open_desk(May.SEE_QUEUE)
waiting, done = st.tabs(["Waiting", "Done yesterday"], key="part", bind="query-params")
if waiting.open:
    with waiting:
        draw_to_do(desk.store)
if done.open:
    with done:
        draw_done(desk.store)
