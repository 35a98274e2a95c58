"""A ticket written down by hand: what somebody asked on the phone or in the shop."""

import secrets

import streamlit as st

from lib.db.tables.columns import now
from lib.ui.access import show_error
from lib.ui.desk import act, told
from lib.ui.visit import reader
from lib.workflows.ticket_intake import BY_HAND, create
from lib.workflows.tickets import LONGEST_MESSAGE

_CHANNELS = {
    "phone": "Phone",
    "social": "Social media",
    "chat": "Chat",
    "form": "Form",
    "sms": "SMS",
    "email": "E-mail",
    "other": "Elsewhere",
}


def draw_new_ticket() -> None:
    """The button, and the form behind it."""
    if st.button("New ticket", icon=":material/add:", shortcut="W", key="new_ticket"):
        # A mark of this form: sent twice, it is one ticket.
        st.session_state["new_ticket_once"] = secrets.token_hex(8)
        st.dialog("New ticket")(_form)()


def _form() -> None:
    try:
        _draw()
    except Exception as error:
        show_error(error)


def _draw() -> None:
    told()
    with st.form("new_ticket_form", border=False):
        channel = st.selectbox("How they reached you", BY_HAND, format_func=lambda one: _CHANNELS[one])
        left, right = st.columns(2)
        name = left.text_input("Name", max_chars=200)
        email = right.text_input("E-mail, to find the customer", max_chars=254)
        subject = st.text_input("Subject", max_chars=200, placeholder="Empty: the first words")
        text = st.text_area("What they said", height=160, max_chars=LONGEST_MESSAGE)
        is_sent = st.form_submit_button("Write it down", type="primary")
    if is_sent:
        made: list[int] = []
        once = str(st.session_state.get("new_ticket_once") or secrets.token_hex(8))
        staff = reader()
        told_by = {"channel": channel, "subject": subject, "text": text, "name": name, "email": email}
        if act(lambda c: made.append(create(c, staff, **told_by, at=now(), once=once)), "Ticket written down."):
            st.query_params["ticket"] = str(made[0])
            st.rerun()
        st.rerun(scope="fragment")
