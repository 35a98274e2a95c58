"""Today: what needs her, how the shop is doing, what moved it."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_page
from lib.ui.cards import draw_cards
from lib.ui.goals import draw_goals
from lib.ui.moved import draw_drivers
from lib.ui.needs import draw_needs
from lib.ui.sales import draw_best_sellers, draw_bridge, draw_quiet, draw_trend

page = open_page(May.SEE_FIGURES)

if page.staff.may(May.SEE_QUEUE):
    st.header("What needs you", anchor=False)
    draw_needs(page.house.store)

st.header("How it is going", anchor=False)
draw_quiet(page)
draw_cards(page)
st.caption(
    "Usual: the range that held 95% of like days. Marked as unusual: what a normal day shows about once a quarter, "
    "per figure; of the marks of one day at most 1 in 10 is expected to be false."
)

left, right = st.columns([1.7, 1])
with left, st.container(border=True, height="stretch", key="trend"):
    draw_trend(page)
with right, st.container(border=True, height="stretch", key="moved"):
    draw_drivers(page)

left, right = st.columns([1.7, 1])
with left, st.container(border=True, height="stretch", key="best_sellers"):
    draw_best_sellers(page)
with right, st.container(border=True, height="stretch", key="bridge"):
    draw_bridge(page)

draw_goals(page)
