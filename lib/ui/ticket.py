"""One ticket opened: the conversation, what can be done, its customer beside it."""

from datetime import datetime
from typing import Literal

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.listing import waited
from lib.queues.ticket import Ticket, open_ticket, similar
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.conversation import draw_conversation
from lib.ui.desk import act, followed, snooze_control, told
from lib.ui.places import REVIEWS
from lib.ui.presence import see_version, seen_version
from lib.ui.story import draw_story
from lib.ui.text import clock, one_line
from lib.ui.ticket_answer import begin, draw_answer
from lib.ui.ticket_work import draw_others, draw_work, go_to
from lib.workflows import ticket_shape, tickets

ICONS = {
    "chat": ":material/chat:",
    "email": ":material/mail:",
    "phone": ":material/call:",
    "social": ":material/share:",
    "form": ":material/list_alt:",
    "sms": ":material/sms:",
    "other": ":material/support_agent:",
}


def draw_ticket(staff: Staff, store: Store, ticket_id: int) -> None:
    """The opened ticket, its customer beside it."""
    with reading(order_database(settings())) as connection:
        ticket = open_ticket(connection, ticket_id)
        others = similar(connection, ticket) if ticket else []
    if ticket is None:
        st.info("This ticket is not there any more. Choose another one from the list.")
        return
    _follow(ticket)
    main, aside = st.columns([1.75, 1], gap="small")
    with main:
        told()
        with st.container(border=True, gap="small", key="ticket"):
            _head(store, ticket)
            if ticket.merged_into_id is None:
                _actions(staff, store, ticket)
            else:
                _merged_away(staff, ticket)
        if seen_version("ticket", ticket_id) is not None and staff.may(May.ANSWER_TICKETS):
            draw_answer(store, ticket)
        draw_conversation(staff, store, ticket)
        if ticket.merged_into_id is None:
            draw_work(staff, ticket)
    with aside:
        draw_story(staff, store, ticket.customer_id, at=now())
        if ticket.merged_into_id is None:
            draw_others(staff, ticket, others)


def _follow(ticket: Ticket) -> None:
    """Changes made in this window do not surprise its own editor."""
    before = followed("ticket", ticket.ticket_id, ticket.version)
    if before is not None and seen_version("ticket", ticket.ticket_id) == before:
        see_version("ticket", ticket.ticket_id, ticket.version)


def _head(store: Store, ticket: Ticket) -> None:
    at = now()
    with st.container(gap=None):
        st.markdown(f":gray[{ICONS[ticket.channel]}] **{one_line(ticket.subject or 'Without a subject', 140)}**")
        told_by = [f"Ticket {ticket.ticket_id}", ticket.customer or "somebody", f"by {ticket.channel}"]
        told_by.append(f"opened {clock(ticket.opened_at, store.zone, store.today())}")
        st.caption(one_line(", ".join(told_by), 200))
    marks: list[tuple[str, Literal["green", "orange", "gray", "blue", "red"]]] = [*_due(ticket, store, at)]
    if ticket.status != "open":
        marks.append((ticket.status.replace("_", " ").capitalize(), "gray"))
    if ticket.priority != "normal":
        marks.append((f"{ticket.priority.capitalize()} priority", "red" if ticket.priority == "urgent" else "orange"))
    if ticket.reopened_count:
        marks.append((f"Reopened {ticket.reopened_count}×", "gray"))
    if ticket.snoozed_until is not None and ticket.snoozed_until > at:
        marks.append((f"Put off until {ticket.snoozed_until.astimezone(store.zone):%-d %b, %H:%M}", "blue"))
    if ticket.order_number:
        marks.append((f"Order {ticket.order_number}", "gray"))
    if ticket.product:
        marks.append((ticket.product.split(",")[0], "gray"))
    with st.container(horizontal=True, gap="xsmall"):
        for words, colour in marks:
            st.badge(one_line(words, 60), color=colour)
        if ticket.review_id is not None:
            st.page_link(
                REVIEWS,
                label=f"From review {ticket.review_id}",
                icon=":material/reviews:",
                query_params={"review": str(ticket.review_id)},
            )


def _due(ticket: Ticket, store: Store, at: datetime) -> list[tuple[str, Literal["red", "orange", "green"]]]:
    if ticket.response_due_at is None:
        return []
    if ticket.response_due_at < at:
        return [(f"{waited(ticket.response_due_at, at)} past its time", "red")]
    when = clock(ticket.response_due_at, store.zone, store.today(at))
    return [(f"Answer by {when}", "orange")]


def _actions(staff: Staff, store: Store, ticket: Ticket) -> None:
    key, may = ticket.ticket_id, staff.may(May.ANSWER_TICKETS)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="ticket_actions"):
        if may and seen_version("ticket", key) is None:
            if ticket.status != "spam":
                st.button(
                    "Answer",
                    type="primary",
                    icon=":material/reply:",
                    shortcut="A",
                    key=f"answer_ticket_{key}",
                    on_click=begin,
                    args=(staff, ticket, True),
                )
            st.button(
                "Note",
                icon=":material/edit_note:",
                shortcut="M",
                key=f"note_ticket_{key}",
                help="For colleagues alone: it never leaves the house.",
                on_click=begin,
                args=(staff, ticket, False),
            )
        if may:
            _status_button(staff, ticket)
        snooze_control(staff, "ticket", key, ticket.snoozed_until, version=ticket.version, zone=store.zone)
        if may:
            _more(staff, ticket)


def _status_button(staff: Staff, ticket: Ticket) -> None:
    is_closed = ticket.status in {"closed", "spam"}
    st.button(
        "Reopen" if is_closed else "Close",
        icon=":material/undo:" if is_closed else ":material/done:",
        shortcut="D",
        key=f"close_ticket_{ticket.ticket_id}",
        on_click=_set_status,
        args=(staff, ticket, "open" if is_closed else "closed"),
    )


def _set_status(staff: Staff, ticket: Ticket, status: str) -> None:
    said = {"open": "It is open again.", "closed": "Closed.", "spam": "Marked as spam: it counts in no figure."}
    said["waiting_for_customer"] = "It waits for the customer now."
    act(
        lambda c: tickets.set_status(c, staff, ticket.ticket_id, status, version=ticket.version, at=now()),
        said[status],
        moved=("ticket", ticket.ticket_id, ticket.version),
    )


def _more(staff: Staff, ticket: Ticket) -> None:
    choices = {"Wait for the customer": "waiting_for_customer", "Mark as spam": "spam"}
    options = [label for label, status in choices.items() if status != ticket.status]
    key = f"more_ticket_{ticket.ticket_id}_{ticket.version}"

    def change() -> None:
        status = choices.get(str(st.session_state[key]))
        if status is not None:
            _set_status(staff, ticket, status)

    st.menu_button("More", options, icon=":material/more_horiz:", key=key, on_click=change)


def _merged_away(staff: Staff, ticket: Ticket) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/merge: Merged into **ticket {ticket.merged_into_id}**: it goes on there.")
        st.button("Open that one", key=f"goto_{ticket.ticket_id}", on_click=go_to, args=(ticket.merged_into_id,))
        if staff.may(May.ANSWER_TICKETS):
            st.button(
                "Take the merge back",
                type="tertiary",
                key=f"part_{ticket.ticket_id}",
                on_click=_part,
                args=(staff, ticket),
            )


def _part(staff: Staff, ticket: Ticket) -> None:
    act(
        lambda c: ticket_shape.part(c, staff, ticket.ticket_id, version=ticket.version, at=now()),
        "The ticket is on its own again.",
    )
