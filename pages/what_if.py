"""What-if: what would an offer earn, and how sure is that?"""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_page
from lib.ui.desk import told
from lib.ui.scoreboard import draw_scoreboard
from lib.ui.what_if import draw_offer, put_sliders
from lib.ui.what_if_policy import draw_policies
from lib.ui.what_if_saved import draw_banner, draw_saved, opened

VIEWS = ("Offer", "Delivery and returns", "Saved", "Scoreboard")

page = open_page(May.SEE_FIGURES)
view = st.segmented_control(
    "View", VIEWS, default="Offer", required=True, key="if_view", bind="query-params", label_visibility="collapsed"
)
told()
if view == "Saved":
    draw_saved(page)
elif view == "Delivery and returns":
    draw_policies(page)
elif view == "Scoreboard":
    draw_scoreboard(page)
else:
    kept = opened()
    put_sliders(page, kept)
    if kept is not None:
        draw_banner(page, kept)
    draw_offer(page, kept)
