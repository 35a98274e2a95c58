"""Who delivers which message now: taken for a while, handed over, and sent, tried later or given up.

``queued`` → ``sending`` (somebody holds it, until ``lease_until``) → ``sent``, or back to ``queued`` for another
attempt, or ``failed`` with the reason. ``held_back`` waits for a person and says why.

Who may send twice and who may not is decided by channel (docs/adr/0009): a webhook carries its idempotency key, so
one whose sender died is sent again. A mail cannot be taken back, so from the moment before its first byte
(``handed_over_at``) it counts as possibly sent, and only a person sends it again.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from lib.db.tables.customers import customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import store
from lib.errors import Conflict
from lib.outbox.last_check import note_outcome, put_off, why_not
from lib.outbox.queue import DEMO, EMAIL

# How long a sender may hold a message before it is taken for dead; every step of sending times out sooner.
LEASE = timedelta(minutes=5)
# 1, 2, 4 … minutes up to 4 hours between attempts: twelve of them span about 16 hours.
MOST_ATTEMPTS = 12
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
ERASED = "The customer was erased."
MAYBE_SENT = (
    "It may have been sent: Encore stopped, or the connection broke, while the mail was being handed over. "
    "Look into the sent mails of your mail server, then mark it as sent or send it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as a sender takes it on."""

    outbox_message_id: int
    idempotency_key: str
    channel: str
    recipient: str | None
    subject: str | None
    body: str
    about: str | None
    about_id: int | None
    extra: Mapping[str, Any]
    mail_id: str | None
    attempts: int
    queued_at: datetime
    # Which claim this is: another sender's has another end.
    lease_until: datetime


def claim(connection: Connection, *, channels: Sequence[str], at: datetime) -> Message | None:
    """Take the message that is due longest, for ``LEASE``; null when none is due. Commit before sending.

    Two senders never get the same one: SQLite has one writer, PostgreSQL skips what another holds. What is meant
    for the demo store, an invented or an erased customer is held back on the way; a message of an offer is looked at
    once more (``last_check``).
    """
    row = outbox_messages.c
    wanted = (
        select(
            *(row[name] for name in ("outbox_message_id", "offer_id", "customer_id", "channel")),
            customers.c.source,
            customers.c.erased_at,
        )
        .outerjoin_from(outbox_messages, customers, customers.c.customer_id == row.customer_id)
        .where(row.status == "queued", row.due_at <= at, row.channel.in_(channels))
        .order_by(row.due_at, row.outbox_message_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=outbox_messages)
    )
    is_demo = bool(connection.scalar(select(store.c.is_demo)))
    while True:
        found = connection.execute(wanted).one_or_none()
        if found is None:
            return None
        unwanted = DEMO if is_demo or found.source == "demo" else ERASED if found.erased_at else None
        if unwanted is None:
            waiting = {str(name): value for name, value in found._mapping.items()}
            why = why_not(connection, waiting, at)
            if why is None:
                break
            put_off(connection, waiting, why, at)
            continue
        connection.execute(
            update(outbox_messages)
            .where(row.outbox_message_id == found.outbox_message_id)
            .values(status="held_back", failure=unwanted)
        )
    taken = (
        connection.execute(
            update(outbox_messages)
            .where(row.outbox_message_id == found.outbox_message_id)
            .values(status="sending", lease_until=at + LEASE, attempts=row.attempts + 1, failure=None)
            .returning(outbox_messages)
        )
        .mappings()
        .one()
    )
    return _message(taken)


def hand_over(connection: Connection, message: Message, *, mail_id: str | None = None, at: datetime) -> Message:
    """Write down that the message is about to leave: from now on it may have been sent. Commit, then send.

    Returns the message as it is held from now on.

    Raises:
        Conflict: another sender has it by now, because this one held it longer than its lease.
    """
    values: dict[str, Any] = {"handed_over_at": at, "lease_until": at + LEASE}
    if mail_id is not None:
        values["mail_id"] = mail_id
    _held(connection, message, values)
    return replace(message, lease_until=at + LEASE, mail_id=mail_id or message.mail_id)


def mark_sent(connection: Connection, message: Message, *, at: datetime) -> None:
    """Note that the other side accepted it.

    Raises:
        Conflict: another sender has it by now.
    """
    _held(connection, message, {"status": "sent", "sent_at": at, "lease_until": None, "failure": None})
    note_outcome(connection, message.outbox_message_id)


def try_later(
    connection: Connection,
    message: Message,
    reason: str,
    *,
    at: datetime,
    wait: timedelta | None = None,
    chance: Callable[[], float] = random.random,
) -> None:
    """Note a failure that may pass: another attempt after a pause that doubles, or none after ``MOST_ATTEMPTS``.

    Args:
        wait: at least this long, where the other side said so.
        chance: 0 to 1, so that many messages do not come back at the same moment.
    """
    if message.attempts >= MOST_ATTEMPTS:
        give_up(connection, message, f"{reason} Encore gave up after {message.attempts} attempts.", at=at)
        return
    due_at = at + max(pause_after(message.attempts, chance()), wait or timedelta())
    values = {"status": "queued", "due_at": due_at, "failure": reason, "lease_until": None, "handed_over_at": None}
    _held(connection, message, values)


def give_up(connection: Connection, message: Message, reason: str, *, at: datetime) -> None:
    """Note a failure that no other attempt would mend."""
    _held(connection, message, {"status": "failed", "failure": reason, "lease_until": None, "handed_over_at": None})
    note_outcome(connection, message.outbox_message_id)


def hold_back(connection: Connection, message: Message, reason: str, *, at: datetime) -> None:
    """Leave the decision to a person."""
    _held(connection, message, {"status": "held_back", "failure": reason, "lease_until": None})


def pause_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling from a minute to four hours, and up to half as much more."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 10)
    return min(doubled, LONGEST_PAUSE) * (1 + chance / 2)


def recover(connection: Connection, *, at: datetime) -> tuple[int, int]:
    """Take up what dead senders left: returns how many are queued again, and how many a person must decide.

    A webhook, and a mail that was not being handed over yet, are queued again.
    """
    row = outbox_messages.c
    dead = and_(row.status == "sending", or_(row.lease_until.is_(None), row.lease_until <= at))
    maybe = connection.execute(
        update(outbox_messages)
        .where(dead, row.handed_over_at.is_not(None), row.channel == EMAIL)
        .values(status="held_back", failure=MAYBE_SENT, lease_until=None)
    ).rowcount
    again = connection.execute(
        update(outbox_messages)
        .where(dead, or_(row.handed_over_at.is_(None), row.channel != EMAIL))
        .values(status="queued", due_at=at, lease_until=None, handed_over_at=None)
    ).rowcount
    return again, maybe


def is_anything_due(connection: Connection, *, at: datetime) -> bool:
    """Whether a sender would find something to do."""
    row = outbox_messages.c
    due = and_(row.status == "queued", row.due_at <= at)
    dead = and_(row.status == "sending", row.lease_until <= at)
    return any(connection.scalar(select(1).where(which).limit(1)) for which in (due, dead))


def _held(connection: Connection, message: Message, values: Mapping[str, Any]) -> None:
    row = outbox_messages.c
    changed = connection.execute(
        update(outbox_messages)
        .where(
            row.outbox_message_id == message.outbox_message_id,
            row.status == "sending",
            row.lease_until == message.lease_until,
        )
        .values(**values)
    )
    if changed.rowcount != 1:
        raise Conflict("Another sender has taken this message over; it decides what becomes of it.")


def _message(row: Mapping[Any, Any]) -> Message:
    names = ("outbox_message_id", "idempotency_key", "channel", "recipient", "subject", "about", "about_id")
    return Message(
        **{name: row[name] for name in (*names, "mail_id", "attempts", "queued_at", "lease_until")},
        body=row["body"] or "",
        extra=row["extra"] or {},
    )
