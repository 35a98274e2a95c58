"""The store's replies: what became of each, and those that the platform has not been given yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from lib.db.tables.offers import outbox_messages
from lib.db.tables.reviews import PENDING, review_replies, reviews
from lib.db.tables.staff import staff
from lib.queues.listing import count_up_to, read_rows

# Counted no further than this.
MOST_IN_A_FILE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply with its review, and the newest message that carries it. ``status`` is empty without a message."""

    review_reply_id: int
    review_id: int
    rating: int
    title: str
    body: str
    revision: int
    author: str
    replied_at: datetime
    exported_at: datetime | None
    channel: str
    status: str
    failure: str
    attempts: int


def newest_replies(
    connection: Connection, *, after: tuple[Any, ...] | None = None, limit: int = 25
) -> tuple[list[Reply], tuple[Any, ...] | None]:
    """The replies that people gave here, the newest first, a page at a time."""
    reply = review_replies.c
    statement = (
        select(
            reply.review_reply_id,
            reply.review_id,
            reviews.c.rating,
            reviews.c.title,
            func.substr(reply.body, 1, 300).label("body"),
            reply.revision,
            staff.c.name.label("author"),
            reply.replied_at,
            reply.exported_at,
        )
        .select_from(
            review_replies.join(reviews, reviews.c.review_id == reply.review_id).outerjoin(
                staff, staff.c.staff_id == reply.staff_id
            )
        )
        .where(reply.replied_at.is_not(None), ~reply.is_draft)
    )
    order = (reply.replied_at, reply.review_reply_id)
    rows, more = read_rows(connection, statement, order=order, after=after, limit=limit, newest_first=True)
    sent = _messages(connection, [row["review_id"] for row in rows])
    found = []
    for row in rows:
        message = sent.get((row["review_id"], row["revision"]), {})
        values: dict[str, Any] = {**row, "title": row["title"] or "", "author": row["author"] or ""}
        values |= {name: message.get(name) or "" for name in ("channel", "status", "failure")}
        found.append(Reply(**values, attempts=message.get("attempts", 0)))
    return found, more


def states(connection: Connection) -> dict[str, int]:
    """How many messages about reviews wait, failed or were held back, each counted no further than needed."""
    message = outbox_messages.c

    def of(status: str) -> Select[Any]:
        return select(message.outbox_message_id).where(message.status == status, message.about == "review")

    return {status: count_up_to(connection, of(status)) for status in ("queued", "sending", "failed", "held_back")}


def pending_count(connection: Connection) -> int:
    """How many replies the platform has not been given."""
    return count_up_to(connection, select(review_replies.c.review_reply_id).where(PENDING), MOST_IN_A_FILE)


def _messages(connection: Connection, review_ids: list[int]) -> dict[tuple[int, int], dict[str, Any]]:
    """The newest message of each version of the replies to some reviews, by review and version."""
    if not review_ids:
        return {}
    message = outbox_messages.c
    rows = connection.execute(
        select(
            message.about_id,
            message.idempotency_key,
            message.channel,
            message.status,
            message.failure,
            message.attempts,
        )
        .where(message.about == "review", message.about_id.in_(review_ids))
        .order_by(message.outbox_message_id)
    ).mappings()
    found = {}
    for row in rows:
        # review:17:reply:2:email
        parts = row["idempotency_key"].split(":")
        if len(parts) == 5 and parts[3].isdecimal():
            found[(row["about_id"], int(parts[3]))] = {str(name): value for name, value in row.items()}
    return found
