"""Tickets whose customers wait for an answer, by the deadline that their channel's target gives them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from lib.db.tables.customers import customers
from lib.db.tables.tickets import tickets
from lib.queues.listing import RECENT, Need, Page, count_up_to, counted, read_page, waited

KEY = "tickets"
# How long before its target a ticket is shown as near.
NEAR = timedelta(minutes=15)


def _waiting(at: datetime, *columns: Any) -> Select[Any]:
    """Those that wait; what was merged, closed or never asked of us has no deadline."""
    return select(*columns).where(
        tickets.c.response_due_at > at - RECENT,
        tickets.c.waiting_since <= at,
        tickets.c.status == "open",
        or_(tickets.c.snoozed_until.is_(None), tickets.c.snoozed_until <= at),
    )


def need(connection: Connection, at: datetime) -> Need | None:
    """How many wait past their target or near it, and the oldest; null when nobody waits."""
    waiting_ids = _waiting(at, tickets.c.ticket_id)
    count = count_up_to(connection, waiting_ids)
    if not count:
        return None
    late = count_up_to(connection, waiting_ids.where(tickets.c.response_due_at <= at))
    near = count_up_to(connection, waiting_ids.where(tickets.c.response_due_at <= at + NEAR)) - late
    oldest = connection.execute(_waiting(at, func.min(tickets.c.waiting_since))).scalar_one()
    parts = []
    if late:
        parts.append(counted(late, "past target", "past target"))
    if near > 0:
        parts.append(f"{near:,} due in 15 minutes")
    parts.append(f"oldest {waited(oldest, at)}")
    detail = ", ".join(parts)
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "ticket waits for an answer", "tickets wait for an answer"),
        detail=detail[0].upper() + detail[1:],
        is_urgent=late > 0,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The tickets that wait, what is due first at the top."""
    statement = _waiting(
        at,
        tickets.c.response_due_at.label("Due"),
        tickets.c.waiting_since.label("Waits since"),
        tickets.c.channel.label("Channel"),
        tickets.c.priority.label("Priority"),
        tickets.c.subject.label("Subject"),
        tickets.c.topic.label("Topic"),
        customers.c.name.label("Customer"),
    ).outerjoin_from(tickets, customers, customers.c.customer_id == tickets.c.customer_id)
    order = (tickets.c.response_due_at, tickets.c.ticket_id)
    return read_page(connection, statement, order=order, after=after, limit=limit)
