"""Repeat: do they come back, when, and after what?"""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_page
from lib.ui.cohorts import draw_cohorts
from lib.ui.lifetime import draw_lifetime
from lib.ui.repeat import as_of_words, draw_next, draw_sales_share, draw_shares, first_orders
from lib.ui.time_to_second import draw_survival
from lib.ui.worth import draw_worth

page = open_page(May.SEE_FIGURES)

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    scope = first_orders(page)
    st.caption(f"Customers whose first order lies in these days. {as_of_words(scope.as_of)}", width="content")

left, right = st.columns([1.7, 1])
with left, st.container(border=True, height="stretch", key="shares"):
    draw_shares(page, scope)
with right, st.container(border=True, height="stretch", key="sales_share"):
    draw_sales_share(page)

with st.container(border=True, key="survival"):
    draw_survival(page, scope)

with st.container(border=True, key="cohorts"):
    draw_cohorts(page, scope)

with st.container(border=True, key="next"):
    draw_next(page, scope)

left, right = st.columns(2)
with left, st.container(border=True, height="stretch", key="worth"):
    draw_worth(page, scope)
with right, st.container(border=True, height="stretch", key="lifetime"):
    draw_lifetime(page, scope)
