"""One ticket as it is opened: the conversation, what left the house for it, and what it belongs to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from lib.db.tables.customers import customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.products import products
from lib.db.tables.staff import staff
from lib.db.tables.tickets import attachments, ticket_messages, tickets

# The newest so many messages of a conversation are read, and so much of each.
MOST_MESSAGES = 200
LONGEST_SHOWN = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``length`` is that of the whole, ``body`` may be cut short; ``ticket_id`` differs when merged."""

    ticket_message_id: int
    ticket_id: int
    author: str
    name: str
    is_public: bool
    sent_at: datetime
    body: str
    length: int
    quoted: str
    doubt: str
    files: int
    sent_as: str
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket with all that belongs to it."""

    ticket_id: int
    version: int
    source: str
    channel: str
    status: str
    priority: str
    subject: str
    topic: str
    tags: str
    opened_at: datetime
    first_response_at: datetime | None
    closed_at: datetime | None
    waiting_since: datetime | None
    response_due_at: datetime | None
    snoozed_until: datetime | None
    reopened_count: int
    is_started_by_us: bool
    owner_id: int | None
    owner: str
    customer_id: int | None
    customer: str
    requester_email: str
    order_number: str
    product_id: int | None
    product: str
    review_id: int | None
    merged_into_id: int | None
    split_from_id: int | None
    messages: tuple[Message, ...]
    merged: tuple[int, ...]

    @property
    def newest_words(self) -> str:
        """What the customer wrote last; empty when nothing is known."""
        return next((one.body for one in reversed(self.messages) if one.author == "customer"), "")


def open_ticket(connection: Connection, ticket_id: int) -> Ticket | None:
    """Read one ticket with all that belongs to it; null when there is none of that key."""
    row = tickets.c
    found = (
        connection.execute(
            select(
                tickets,
                customers.c.name.label("customer_name"),
                orders.c.number.label("order_number"),
                products.c.name.label("product"),
                staff.c.name.label("owner"),
            )
            .outerjoin(customers, customers.c.customer_id == row.customer_id)
            .outerjoin(orders, orders.c.order_id == row.order_id)
            .outerjoin(products, products.c.product_id == row.product_id)
            .outerjoin(staff, staff.c.staff_id == row.owner_id)
            .where(row.ticket_id == ticket_id)
        )
        .mappings()
        .first()
    )
    if found is None:
        return None
    merged = tuple(
        connection.scalars(select(row.ticket_id).where(row.merged_into_id == ticket_id).order_by(row.ticket_id))
    )
    kept: tuple[str, ...] = (
        "ticket_id",
        "version",
        "source",
        "channel",
        "status",
        "priority",
        "opened_at",
        "first_response_at",
    )
    kept += ("closed_at", "waiting_since", "response_due_at", "snoozed_until", "reopened_count")
    kept += (
        "is_started_by_us",
        "owner_id",
        "customer_id",
        "product_id",
        "review_id",
        "merged_into_id",
        "split_from_id",
    )
    texts = ("subject", "topic", "tags", "owner", "requester_email", "order_number", "product")
    values: dict[str, Any] = {name: found[name] for name in kept} | {name: found[name] or "" for name in texts}
    return Ticket(
        **values,
        customer=found["requester_name"] or found["customer_name"] or "",
        messages=_messages(connection, [ticket_id, *merged]),
        merged=merged,
    )


def similar(connection: Connection, ticket: Ticket, *, limit: int = 5) -> list[dict[str, Any]]:
    """Other tickets of the same person, by customer or address, the newest first: what may belong together."""
    row = tickets.c
    same = []
    if ticket.customer_id is not None:
        same.append(row.customer_id == ticket.customer_id)
    if ticket.requester_email:
        same.append(row.requester_email == ticket.requester_email)
    if not same:
        return []
    rows = connection.execute(
        select(row.ticket_id, row.version, row.subject, row.status, row.opened_at)
        .where(or_(*same), row.ticket_id != ticket.ticket_id, row.merged_into_id.is_(None))
        .order_by(row.opened_at.desc(), row.ticket_id.desc())
        .limit(limit)
    ).mappings()
    return [dict(one) for one in rows]


def _messages(connection: Connection, keys: list[int]) -> tuple[Message, ...]:
    message = ticket_messages.c
    files = (
        select(attachments.c.ticket_message_id, func.count().label("files"))
        .join(ticket_messages, message.ticket_message_id == attachments.c.ticket_message_id)
        .where(message.ticket_id.in_(keys))
        .group_by(attachments.c.ticket_message_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            message.ticket_message_id,
            message.ticket_id,
            message.author,
            func.coalesce(staff.c.name, message.from_name).label("name"),
            message.is_public,
            message.sent_at,
            func.substr(message.body, 1, LONGEST_SHOWN).label("body"),
            func.length(message.body).label("length"),
            func.substr(message.quoted, 1, LONGEST_SHOWN).label("quoted"),
            message.doubt,
            func.coalesce(files.c.files, 0).label("files"),
            outbox_messages.c.status.label("sent_as"),
            outbox_messages.c.failure,
        )
        .outerjoin(staff, staff.c.staff_id == message.staff_id)
        .outerjoin(outbox_messages, outbox_messages.c.outbox_message_id == message.outbox_message_id)
        .outerjoin(files, files.c.ticket_message_id == message.ticket_message_id)
        .where(message.ticket_id.in_(keys))
        .order_by(message.sent_at.desc(), message.ticket_message_id.desc())
        .limit(MOST_MESSAGES)
    ).mappings()
    texts = ("name", "quoted", "doubt", "sent_as", "failure")
    made = [Message(**{**{str(k): r[k] for k in r}, **{name: r[name] or "" for name in texts}}) for r in rows]
    return tuple(reversed(made))
