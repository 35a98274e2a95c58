"""Customers: find a person and read their story; where customers stand between two orders."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.customer import draw_customer
from lib.ui.customer_find import draw_find
from lib.ui.customer_stages import draw_stages
from lib.ui.live import open_house

desk = open_desk(May.SEE_FIGURES)
house = open_house()

draw_find(desk.staff)
chosen = st.query_params.get("customer", "")
if chosen.isdecimal() and len(chosen) < 16:
    draw_customer(desk, house, int(chosen))
else:
    draw_stages(house)
