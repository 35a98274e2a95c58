"""What was said in a ticket, by whom, and how it left the house."""

import streamlit as st

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.ticket import Message, Ticket
from lib.staff import May, Staff
from lib.ui.attachments import draw_attachments
from lib.ui.desk import act
from lib.ui.text import clock, one_line, plain
from lib.workflows import ticket_shape

# A message longer than this is folded.
_LONG = 3_000
_SENT = {
    "queued": ":gray[queued]",
    "sending": ":gray[being sent]",
    "sent": ":green[sent]",
    "failed": ":red[failed]",
    "held_back": ":orange[held back]",
}


def draw_conversation(staff: Staff, store: Store, ticket: Ticket) -> None:
    """Every message, the newest first: what must be answered is at the top, beside the editor."""
    with st.container(border=True, gap="small", key="conversation"):
        st.markdown("**Conversation**")
        if not ticket.messages:
            st.caption("The words of this ticket were not in the import.")
        customers = sum(one.author == "customer" for one in ticket.messages)
        for message in reversed(ticket.messages):
            _message(staff, store, ticket, message, can_split=customers > 1)


def _message(staff: Staff, store: Store, ticket: Ticket, message: Message, *, can_split: bool) -> None:
    key = message.ticket_message_id
    who, icon = {
        "customer": (message.name or ticket.customer or "Customer", ":material/person:"),
        "staff": (message.name or "Somebody of the store", ":material/storefront:"),
    }.get(message.author, ("Automatic", ":material/smart_toy:"))
    kind = "" if message.is_public else " :blue-badge[Note, for colleagues alone]"
    with st.container(border=not message.is_public, gap=None, key=f"message_{key}"):
        when = clock(message.sent_at, store.zone, store.today())
        other = f", from ticket {message.ticket_id}" if message.ticket_id != ticket.ticket_id else ""
        st.markdown(f":gray[{icon}] **{one_line(who, 60)}**{kind} :gray[:small[{one_line(when + other, 60)}]]")
        if message.doubt:
            st.markdown(f":orange[:material/warning: {one_line(message.doubt, 400)}]")
        shown = message.body[:_LONG]
        st.text(shown + (" …" if message.length > _LONG else ""))
        if message.length > _LONG:
            st.caption(f"The first {_LONG:,} of {message.length:,} characters.")
        if message.quoted:
            with st.expander("What was quoted"):
                st.text(message.quoted[:_LONG])
        if message.files:
            draw_attachments(staff, key)
        if message.sent_as:
            failure = f": {one_line(message.failure, 200)}" if message.failure and message.sent_as != "sent" else ""
            st.markdown(f":small[E-mail: {_SENT.get(message.sent_as, plain(message.sent_as))}{failure}]")
        movable = can_split and message.author == "customer" and message.ticket_id == ticket.ticket_id
        if movable and ticket.merged_into_id is None and staff.may(May.ANSWER_TICKETS):
            st.button(
                "Make this a ticket of its own",
                type="tertiary",
                icon=":material/call_split:",
                key=f"split_{key}",
                on_click=_split,
                args=(staff, ticket, key),
            )


def _split(staff: Staff, ticket: Ticket, message_id: int) -> None:
    made: list[int] = []
    if act(
        lambda c: made.append(ticket_shape.split(c, staff, message_id, version=ticket.version, at=now())),
        "A ticket of its own now; this one keeps the rest.",
    ):
        st.query_params["ticket"] = str(made[0])
