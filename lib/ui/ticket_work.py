"""What belongs to a ticket besides its conversation, and what else its customer asked."""

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.db.tables.tickets import TICKET_PRIORITIES
from lib.queues import ticket_inbox
from lib.queues.ticket import Ticket
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import act, owner_control, tags_control
from lib.ui.text import one_line, plain
from lib.workflows import ticket_shape, tickets


def draw_work(staff: Staff, ticket: Ticket) -> None:
    """What belongs to a ticket besides its conversation: priority, topic, order, owner, tags."""
    subject, may = ("ticket", ticket.ticket_id), staff.may(May.WORK_QUEUE)
    with reading(order_database(settings())) as connection:
        known, topics = ticket_inbox.tags(connection), ticket_inbox.topics(connection)
    with st.container(border=True, gap="small", key="ticket_work"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            priority_key = f"priority_{ticket.ticket_id}_{ticket.version}"
            st.selectbox(
                "Priority",
                TICKET_PRIORITIES,
                index=TICKET_PRIORITIES.index(ticket.priority),
                key=priority_key,
                disabled=not may,
                width=130,
                on_change=_prioritise,
                args=(staff, ticket, priority_key),
            )
            topic_key = f"topic_ticket_{ticket.ticket_id}_{ticket.version}"
            first: list[str] = [ticket.topic] if ticket.topic else []
            options = list(dict.fromkeys([*first, *topics]))
            st.selectbox(
                "Topic",
                options,
                index=0 if ticket.topic else None,
                format_func=lambda one: str(one).replace("_", " "),
                accept_new_options=True,
                placeholder="Unknown",
                key=topic_key,
                disabled=not may,
                width=220,
                on_change=_sort,
                args=(staff, ticket, topic_key),
            )
            order_key = f"order_ticket_{ticket.ticket_id}_{ticket.version}"
            st.text_input(
                "Order",
                ticket.order_number,
                key=order_key,
                disabled=not may,
                width=130,
                on_change=_link,
                args=(staff, ticket, order_key),
            )
            owner_control(staff, *subject, ticket.owner_id, version=ticket.version)
        tags_control(staff, *subject, ticket.tags, known, version=ticket.version)


def draw_others(staff: Staff, ticket: Ticket, others: list[dict[str, object]]) -> None:
    """Other tickets of the same person, and a way to make two one."""
    if not others:
        return
    with st.container(border=True, gap="small", key="same_person"):
        st.markdown("**Also from this person**")
        for one in others:
            with st.container(gap=None):
                st.markdown(one_line(one["subject"] or "Without a subject", 60))
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.caption(plain(f"Ticket {one['ticket_id']}, {str(one['status']).replace('_', ' ')}"))
                    st.button(
                        "Open",
                        type="tertiary",
                        key=f"see_{one['ticket_id']}",
                        on_click=go_to,
                        args=(one["ticket_id"],),
                    )
                    if staff.may(May.ANSWER_TICKETS):
                        st.button(
                            "Merge into this",
                            type="tertiary",
                            key=f"merge_{one['ticket_id']}",
                            help="Read both conversations as one here. Nothing is lost, and it can be taken back.",
                            on_click=_merge,
                            args=(staff, ticket, one),
                        )


def _merge(staff: Staff, ticket: Ticket, other: dict[str, object]) -> None:
    act(
        lambda c: ticket_shape.merge(
            c,
            staff,
            int(str(other["ticket_id"])),
            ticket.ticket_id,
            version=int(str(other["version"])),
            into_version=ticket.version,
            at=now(),
        ),
        f"Ticket {other['ticket_id']} is read here now.",
        moved=("ticket", ticket.ticket_id, ticket.version),
    )


def go_to(ticket_id: object) -> None:
    """Open another ticket beside the list."""
    st.query_params["ticket"] = str(ticket_id)


def _prioritise(staff: Staff, ticket: Ticket, key: str) -> None:
    chosen = str(st.session_state[key])
    act(
        lambda c: tickets.set_priority(c, staff, ticket.ticket_id, chosen, version=ticket.version, at=now()),
        "Priority saved.",
        moved=("ticket", ticket.ticket_id, ticket.version),
    )


def _sort(staff: Staff, ticket: Ticket, key: str) -> None:
    chosen = st.session_state[key]
    act(
        lambda c: tickets.set_topic(c, staff, ticket.ticket_id, chosen, version=ticket.version, at=now()),
        "Topic saved.",
        moved=("ticket", ticket.ticket_id, ticket.version),
    )


def _link(staff: Staff, ticket: Ticket, key: str) -> None:
    number, product = str(st.session_state[key]), ticket.product_id
    act(
        lambda c: tickets.link(
            c, staff, ticket.ticket_id, order_number=number, product_id=product, version=ticket.version, at=now()
        ),
        "Order saved.",
        moved=("ticket", ticket.ticket_id, ticket.version),
    )
