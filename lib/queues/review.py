"""One review as it is opened: its words, every reply, what left the house for it, and what was made of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lib.db.tables.customers import customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.products import products
from lib.db.tables.reviews import review_replies, review_shares, reviews
from lib.db.tables.staff import staff
from lib.db.tables.tickets import tickets

# The stars of a product are counted over so many of its newest reviews.
NEWEST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One version of the store's reply; the one with the highest ``revision`` counts. ``author`` empty: imported."""

    revision: int
    author: str
    body: str
    replied_at: datetime | None
    pending_since: datetime | None
    exported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message about the review, and how far it has come."""

    outbox_message_id: int
    channel: str
    status: str
    failure: str
    attempts: int
    queued_at: datetime
    sent_at: datetime | None
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A text to share that was made of the review, and how its customer agreed."""

    body: str
    consent: str
    consented_at: datetime
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review with all that belongs to it."""

    review_id: int
    version: int
    source: str
    rating: int
    title: str
    body: str
    language: str
    reviewer_name: str
    written_at: datetime
    state: str
    is_verified: bool
    is_survey: bool
    answered_at: datetime | None
    owner_id: int | None
    owner: str
    snoozed_until: datetime | None
    done_at: datetime | None
    tags: str
    topic: str
    product_id: int | None
    product: str
    customer_id: int | None
    customer_name: str
    customer_email: str
    order_number: str
    replies: tuple[Reply, ...]
    sent: tuple[Sent, ...]
    shares: tuple[Share, ...]
    ticket_id: int | None
    ticket_status: str

    @property
    def reply(self) -> Reply | None:
        """The reply that counts."""
        return self.replies[0] if self.replies else None


def open_review(connection: Connection, review_id: int) -> Review | None:
    """Read one review with all that belongs to it; null when there is none of that key."""
    row = reviews.c
    found = (
        connection.execute(
            select(
                reviews,
                products.c.name.label("product"),
                customers.c.name.label("customer_name"),
                customers.c.email.label("customer_email"),
                orders.c.number.label("order_number"),
                staff.c.name.label("owner"),
            )
            .outerjoin(products, products.c.product_id == row.product_id)
            .outerjoin(customers, customers.c.customer_id == row.customer_id)
            .outerjoin(orders, orders.c.order_id == row.order_id)
            .outerjoin(staff, staff.c.staff_id == row.owner_id)
            .where(row.review_id == review_id)
        )
        .mappings()
        .first()
    )
    if found is None:
        return None
    ticket = connection.execute(
        select(tickets.c.ticket_id, tickets.c.status)
        .where(tickets.c.review_id == review_id)
        .order_by(tickets.c.ticket_id)
        .limit(1)
    ).first()
    texts = (
        "title",
        "body",
        "language",
        "reviewer_name",
        "owner",
        "tags",
        "topic",
        "product",
        "customer_name",
        "customer_email",
        "order_number",
    )
    own = ("review_id", "version", "source", "rating", "written_at", "state", "is_verified", "is_survey")
    work = ("answered_at", "owner_id", "snoozed_until", "done_at", "product_id", "customer_id")
    values: dict[str, Any] = {name: found[name] for name in (*own, *work)}
    values |= {name: found[name] or "" for name in texts}
    return Review(
        **values,
        replies=tuple(replies_of(connection, review_id)),
        sent=tuple(_sent(connection, review_id)),
        shares=tuple(_shares(connection, review_id)),
        ticket_id=ticket.ticket_id if ticket else None,
        ticket_status=ticket.status if ticket else "",
    )


def replies_of(connection: Connection, review_id: int) -> list[Reply]:
    """Every version of the reply, the newest first."""
    reply = review_replies.c
    rows = connection.execute(
        select(
            reply.revision,
            reply.body,
            reply.replied_at,
            reply.pending_since,
            reply.exported_at,
            staff.c.name.label("author"),
        )
        .outerjoin(staff, staff.c.staff_id == reply.staff_id)
        .where(reply.review_id == review_id, ~reply.is_draft)
        .order_by(reply.revision.desc())
    ).mappings()
    return [Reply(**{**{str(name): r[name] for name in r}, "author": r["author"] or ""}) for r in rows]


def other_reviews(
    connection: Connection, *, product_id: int | None, but: int, limit: int = 5
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """The product's newest other reviews, and how many of its newest ``NEWEST`` have each number of stars."""
    if product_id is None:
        return [], {}
    row = reviews.c
    newest = connection.execute(
        select(row.review_id, row.rating, row.title, func.substr(row.body, 1, 200).label("body"), row.written_at)
        .where(row.product_id == product_id, row.review_id != but, row.state != "spam")
        .order_by(row.written_at.desc(), row.review_id.desc())
        .limit(limit)
    ).mappings()
    stars = (
        select(row.rating)
        .where(row.product_id == product_id, row.state != "spam")
        .order_by(row.written_at.desc())
        .limit(NEWEST)
        .subquery()
    )
    spread = connection.execute(select(stars.c.rating, func.count()).group_by(stars.c.rating))
    return [dict(one) for one in newest], {int(rating): int(count) for rating, count in spread}


def _sent(connection: Connection, review_id: int) -> list[Sent]:
    message = outbox_messages.c
    rows = connection.execute(
        select(
            message.outbox_message_id,
            message.channel,
            message.status,
            message.failure,
            message.attempts,
            message.queued_at,
            message.sent_at,
            message.recipient,
        )
        .where(message.about == "review", message.about_id == review_id)
        .order_by(message.outbox_message_id.desc())
        .limit(20)
    ).mappings()
    return [
        Sent(**{**{str(k): v for k, v in r.items()}, "failure": r["failure"] or "", "recipient": r["recipient"] or ""})
        for r in rows
    ]


def _shares(connection: Connection, review_id: int) -> list[Share]:
    share = review_shares.c
    rows = connection.execute(
        select(share.body, share.consent, share.consented_at, staff.c.name)
        .outerjoin(staff, staff.c.staff_id == share.staff_id)
        .where(share.review_id == review_id)
        .order_by(share.review_share_id.desc())
    )
    return [Share(body=r.body, consent=r.consent, consented_at=r.consented_at, author=r.name or "") for r in rows]
