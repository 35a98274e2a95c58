"""Reviews: answer what customers wrote, the unhappy first; what became of it; what they say in figures."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk, open_page
from lib.ui.choices import choose
from lib.ui.review_figures import draw_figures
from lib.ui.review_replies import draw_replies
from lib.ui.reviews import draw_reviews
from lib.ui.templates import draw_templates

desk = open_desk(May.SEE_QUEUE)
inbox, replies, figures, templates = st.tabs(
    ["Inbox", "Replies", "Figures", "Templates"], key="part", bind="query-params"
)
if inbox.open:
    with inbox:
        draw_reviews(desk.store)
if replies.open:
    with replies:
        draw_replies(desk.store)
if figures.open:
    with figures:
        choose(desk.store.today(), [])
        draw_figures(open_page(May.SEE_FIGURES))
if templates.open:
    with templates:
        draw_templates(desk.store, ("review_reply", "share_text"))
