"""Tickets: answer who waits, the most overdue first; words to begin with."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.templates import draw_templates
from lib.ui.tickets import draw_tickets

desk = open_desk(May.SEE_QUEUE)
inbox, templates = st.tabs(["Inbox", "Macros"], key="part", bind="query-params")
if inbox.open:
    with inbox:
        draw_tickets(desk.store)
if templates.open:
    with templates:
        draw_templates(desk.store, ("ticket_macro",))
