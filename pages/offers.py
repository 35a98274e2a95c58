"""Offers: tune what customers get after a purchase, start it with a holdout, read the honest result."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.offer_calendar import draw_calendar
from lib.ui.offer_page import draw_offer
from lib.ui.offer_terms import LINK_STYLE
from lib.ui.offers import draw_offers

desk = open_desk(May.SEE_FIGURES)
asked = str(st.query_params.get("offer", ""))
if asked.isascii() and asked.isdigit():
    draw_offer(desk, int(asked[:15]))
else:
    st.html(LINK_STYLE)
    journey, calendar = st.tabs(["Journey", "Calendar"], key="look", bind="query-params")
    if journey.open:
        with journey:
            draw_offers()
    if calendar.open:
        with calendar:
            draw_calendar()
