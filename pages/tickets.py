"""Tickets: answer who waits, the most overdue first; how fast that goes; how many people it takes."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk, open_page
from lib.ui.choices import choose
from lib.ui.staffing import draw_staffing
from lib.ui.templates import draw_templates
from lib.ui.ticket_figures import draw_ticket_figures
from lib.ui.tickets import draw_tickets

desk = open_desk(May.SEE_QUEUE)
inbox, figures, staffing, templates = st.tabs(
    ["Inbox", "Figures", "Staffing", "Macros"], key="part", bind="query-params"
)
if inbox.open:
    with inbox:
        draw_tickets(desk.store)
if figures.open:
    with figures:
        choose(desk.store.today(), [])
        draw_ticket_figures(open_page(May.SEE_FIGURES))
if staffing.open:
    with staffing:
        choose(desk.store.today(), [])
        draw_staffing(open_page(May.SEE_FIGURES))
if templates.open:
    with templates:
        draw_templates(desk.store, ("ticket_macro",))
