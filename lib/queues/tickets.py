"""Tickets that wait for a first human answer."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from lib.db.tables.customers import customers
from lib.db.tables.tickets import UNANSWERED, tickets
from lib.queues.listing import RECENT, Need, Page, count_up_to, counted, read_page, waited

KEY = "tickets"
CHAT_TARGET = timedelta(minutes=5)
TARGET = timedelta(hours=1)
# How long before its target a ticket is shown as near.
NEAR = timedelta(minutes=15)


def _waiting(at: datetime, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        UNANSWERED,
        tickets.c.opened_at > at - RECENT,
        tickets.c.opened_at <= at,
        tickets.c.status == "open",
        tickets.c.is_started_by_us.is_(False),
        or_(tickets.c.snoozed_until.is_(None), tickets.c.snoozed_until <= at),
    )


def _opened_before(at: datetime, ahead: timedelta) -> ColumnElement[bool]:
    """Opened so long ago that the target is past, or will be within ``ahead``."""
    is_chat = tickets.c.channel == "chat"
    return or_(
        and_(is_chat, tickets.c.opened_at <= at + ahead - CHAT_TARGET),
        and_(~is_chat, tickets.c.opened_at <= at + ahead - TARGET),
    )


def need(connection: Connection, at: datetime) -> Need | None:
    """How many wait past their target or near it, and the oldest; null when nobody waits."""
    waiting_ids = _waiting(at, tickets.c.ticket_id)
    count = count_up_to(connection, waiting_ids)
    if not count:
        return None
    late = count_up_to(connection, waiting_ids.where(_opened_before(at, timedelta())))
    near = count_up_to(connection, waiting_ids.where(_opened_before(at, NEAR))) - late
    oldest = connection.execute(_waiting(at, func.min(tickets.c.opened_at))).scalar_one()
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
        title=counted(count, "ticket unanswered", "tickets unanswered"),
        detail=detail[0].upper() + detail[1:],
        is_urgent=late > 0,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The tickets without a first answer, oldest first."""
    statement = _waiting(
        at,
        tickets.c.opened_at.label("Opened"),
        tickets.c.channel.label("Channel"),
        tickets.c.priority.label("Priority"),
        tickets.c.subject.label("Subject"),
        tickets.c.topic.label("Topic"),
        customers.c.name.label("Customer"),
    ).outerjoin_from(tickets, customers, customers.c.customer_id == tickets.c.customer_id)
    order = (tickets.c.opened_at, tickets.c.ticket_id)
    return read_page(connection, statement, order=order, after=after, limit=limit)
