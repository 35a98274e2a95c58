"""The outbox as people see it: what waits, what left, and what did not and why."""

from typing import Any

from sqlalchemy import Connection, select

from lib.db.tables.offers import outbox_messages
from lib.queues.listing import Page, count_up_to, read_page

STATUSES = ("queued", "sending", "sent", "failed", "held_back")


def counts(connection: Connection) -> dict[str, int]:
    """How many messages are in each state; more than 1,000 are not counted further."""
    row = outbox_messages.c
    return {
        status: count_up_to(connection, select(row.outbox_message_id).where(row.status == status))
        for status in STATUSES
    }


def messages(
    connection: Connection, *, status: str | None = None, after: tuple[Any, ...] | None = None, limit: int = 50
) -> Page:
    """The messages of a state (or all), newest first."""
    row = outbox_messages.c
    statement = select(
        row.outbox_message_id,
        row.status,
        row.channel,
        row.recipient,
        row.subject,
        row.about,
        row.about_id,
        row.failure,
        row.attempts,
        row.queued_at,
        row.due_at,
        row.sent_at,
        row.handed_over_at,
    )
    if status:
        statement = statement.where(row.status == status)
    # The key is unique and grows with time; named twice, it is its own tie-breaker.
    order = (row.due_at, row.outbox_message_id) if status else (row.outbox_message_id, row.outbox_message_id)
    return read_page(connection, statement, order=order, after=after, limit=limit, newest_first=True)
