"""Audiences: segments of customers, and the contact rules that hold for all offers."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.audiences import draw_segments
from lib.ui.contact_rules import draw_contact_rules

desk = open_desk(May.PLAN_OFFERS)
segments, rules = st.tabs(["Segments", "Contact rules"], key="part", bind="query-params")
if segments.open:
    with segments:
        draw_segments(desk.store)
if rules.open:
    with rules:
        draw_contact_rules(desk.store)
