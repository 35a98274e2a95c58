"""Support tickets and their conversations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from lib.db.service import settle
from lib.db.tables.tickets import TICKET_CHANNELS, ticket_messages, tickets
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, clip, fingerprint
from lib.importers.forgotten import forgotten, without_conversation
from lib.importers.load_people import resolve
from lib.importers.mention import mentioned
from lib.importers.records import MessageRecord, TicketRecord
from lib.importers.stored import orders_anywhere, stored_keys, upsert
from lib.importers.writer import instant

STATUSES: Final = ("open", "waiting_for_customer", "closed", "spam")
PRIORITIES: Final = ("low", "normal", "high", "urgent")
AUTHORS: Final = ("customer", "staff", "automatic")
# What staff set (owner, snoozed until) is not among these: an import leaves it alone.
FACTS: Final = (
    "customer_id",
    "order_id",
    "channel",
    "status",
    "priority",
    "subject",
    "topic",
    "tags",
    "opened_at",
    "first_response_at",
    "closed_at",
    "reopened_count",
    "satisfaction",
    "is_started_by_us",
    "assignee",
)
MESSAGE: Final = ("ticket_id", "external_id", "author", "is_public", "sent_at", "body", "updated_at")


def load_tickets(batch: Batch, records: Sequence[TicketRecord]) -> list[Outcome]:
    """Store tickets; a message once stored stays, new ones are added."""
    outcomes: list[Outcome] = [STORED] * len(records)
    stored = stored_keys(batch, tickets, (record.external_id for record in records))
    kept: list[tuple[int, TicketRecord, str]] = []
    for position, record in enumerate(records):
        written = fingerprint(record)
        if reason := bad_ticket(batch, record):
            outcomes[position] = Refused(reason)
        elif stored.get(record.external_id, (0, ""))[1] == written:
            outcomes[position] = UNCHANGED
        else:
            kept.append((position, record, written))
    known_orders = orders_anywhere(batch, (record.order_id for _, record, _ in kept))
    buyers = {position: known_orders.get(record.order_id or "", (0, None))[1] for position, record, _ in kept}
    gone = forgotten(batch, tickets, {position: record for position, record, _ in kept}, buyers)
    kept = [
        (place, without_conversation(record) if place in gone else record, written) for place, record, written in kept
    ]
    mentions = {
        position: mentioned(record.customer, record.opened_at) for position, record, _ in kept if record.customer
    }
    resolve(batch, list(mentions.values()))
    rows: list[tuple[str, str, tuple[Any, ...]]] = []
    for position, record, written in kept:
        order_id, buyer = known_orders.get(record.order_id or "", (None, None))
        mention = mentions.get(position)
        answered = record.first_response_at or first_answer(record.messages)
        values = (
            gone.get(position, mention.customer_id if mention and mention.customer_id else buyer),
            order_id,
            record.channel,
            record.status,
            record.priority,
            clip(record.subject),
            clip(record.topic),
            record.tags or None,
            instant(record.opened_at),
            instant(answered) if answered and answered >= record.opened_at else None,
            instant(record.closed_at),
            record.reopened_count,
            record.satisfaction,
            record.is_started_by_us,
            clip(record.assignee),
        )
        rows.append((record.external_id, written, values))
    written_rows = upsert(batch, tickets, FACTS, rows)
    _messages(batch, [(key, record) for (key, _, _), (_, record, _) in zip(written_rows, kept, strict=True)])
    settle(batch.connection, [key for key, _, _ in written_rows])
    return outcomes


def first_answer(messages: Sequence[MessageRecord]) -> datetime | None:
    """The first public message of staff after the customer's first; automatic replies do not count."""
    asked: datetime | None = None
    for message in sorted(messages, key=lambda message: message.sent_at):
        if message.author == "customer" and asked is None:
            asked = message.sent_at
        elif message.author == "staff" and message.is_public and asked is not None:
            return message.sent_at
    return None


def bad_ticket(batch: Batch, record: TicketRecord) -> str:
    """Why a ticket cannot be stored; empty when it can."""
    reason = bad_key(record.external_id, "ticket") or batch.bad_instant(record.opened_at, "opening date")
    for value, allowed, what in (
        (record.channel, TICKET_CHANNELS, "channel"),
        (record.status, STATUSES, "status"),
        (record.priority, PRIORITIES, "priority"),
    ):
        if value not in allowed:
            return reason or f"The ticket's {what} {value!r} is unknown."
    if record.satisfaction is not None and not 1 <= record.satisfaction <= 5:
        return reason or f"Satisfaction has 1 to 5 stars, this one has {record.satisfaction}."
    for message in record.messages:
        if message.author not in AUTHORS:
            return reason or f"A message's author {message.author!r} is unknown."
        reason = reason or batch.bad_instant(message.sent_at, "date of a message")
    return reason


def _messages(batch: Batch, written: Sequence[tuple[int, TicketRecord]]) -> None:
    listed = {key: record.messages for key, record in written if record.messages}
    if not listed:
        return
    message = ticket_messages.c
    known: set[tuple[Any, ...]] = set()
    rows = batch.connection.execute(
        select(message.ticket_id, message.external_id, message.author, message.sent_at, message.body).where(
            batch.writer.among(message.ticket_id, listed)
        )
    )
    for ticket_id, external_id, author, sent_at, body in rows:
        known.add((ticket_id, author, instant(sent_at), body))
        if external_id is not None:
            known.add((ticket_id, external_id))
    new: list[tuple[Any, ...]] = []
    for key, messages in listed.items():
        for each in messages:
            signs: set[tuple[Any, ...]] = {(key, each.author, instant(each.sent_at), each.body)}
            if each.external_id is not None:
                signs = {(key, clip(each.external_id))}
            if signs & known:
                continue
            known |= signs
            new.append(
                (
                    key,
                    clip(each.external_id),
                    each.author,
                    each.is_public,
                    instant(each.sent_at),
                    each.body,
                    batch.stamp,
                )
            )
    batch.writer.insert(ticket_messages, MESSAGE, new)
