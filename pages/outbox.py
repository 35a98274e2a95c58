"""Outbox: what leaves the house by mail and webhook, what did not and why, and the mailbox."""

import streamlit as st

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.outbox import draw_mailbox, draw_messages, draw_switch

desk = open_desk(May.SEE_QUEUE)

with st.grid(2, min_column_width=320, gap="small", key="outbox_ways"):
    with st.container(border=True, height="stretch", key="outbox_switch"):
        draw_switch(desk)
    with st.container(border=True, height="stretch", key="outbox_mailbox"):
        draw_mailbox(desk)
with st.container(border=True, key="outbox_messages"):
    draw_messages(desk)
