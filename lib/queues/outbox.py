"""The outbox as people see it: what waits, what left, and what did not and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from lib.db.tables.mail import received_mails
from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import store
from lib.queues.listing import Need, Page, count_up_to, counted, read_page

STATUSES = ("queued", "sending", "sent", "failed", "held_back")


KEY = "outbox"


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether anything leaves, and since when; the demo store never sends."""

    since: datetime | None
    is_demo: bool


def sending(connection: Connection) -> Sending:
    """Whether an owner has let mails and webhooks leave."""
    row = connection.execute(select(store.c.sending_since, store.c.is_demo)).first()
    if row is None:
        return Sending(None, False)
    return Sending(None if row.is_demo else row.sending_since, row.is_demo)


def taken_in(connection: Connection, since: datetime) -> dict[str, int]:
    """The mails that came in since then, by what became of them."""
    found = connection.execute(
        select(received_mails.c.outcome, func.count())
        .where(received_mails.c.received_at >= since)
        .group_by(received_mails.c.outcome)
    )
    return {str(outcome): int(count) for outcome, count in found}


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


def _stuck(*columns: Any) -> Select[Any]:
    """What did not leave and needs a person; what the demo store holds back, or what is over for good, needs nobody."""
    row = outbox_messages.c
    is_demo = select(store.c.is_demo).where(store.c.is_demo.is_(True)).exists()
    return select(*columns).where(row.status.in_(("failed", "held_back")), row.due_at.is_not(None), ~is_demo)


def need(connection: Connection, at: datetime) -> Need | None:
    """How many messages did not leave; null when all did."""
    row = outbox_messages.c
    count = count_up_to(connection, _stuck(row.outbox_message_id))
    if not count:
        return None
    maybe = count_up_to(connection, _stuck(row.outbox_message_id).where(row.status == "held_back"))
    parts = [f"{number:,} {words}" for number, words in ((count - maybe, "failed"), (maybe, "held back")) if number > 0]
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "message did not leave", "messages did not leave"),
        detail=", ".join(parts),
        is_urgent=True,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The messages that did not leave, oldest first; to whom and why only the page Outbox shows, to whom may see it."""
    row = outbox_messages.c
    statement = _stuck(
        row.queued_at.label("Queued"),
        row.channel.label("Channel"),
        row.status.label("Status"),
        row.about.label("About"),
        row.attempts.label("Attempts"),
    )
    return read_page(connection, statement, order=(row.queued_at, row.outbox_message_id), after=after, limit=limit)
