"""What staff do to a review: answer it, correct the answer, open a ticket for it, make a text to share of it.

Nothing here deletes or hides a review or a reply: a mistake is corrected by a new version, and the old one stays.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from lib.db import audit
from lib.db.tables.customers import customers
from lib.db.tables.orders import orders
from lib.db.tables.reviews import PENDING, review_replies, review_shares, reviews
from lib.db.tables.tickets import ticket_messages, tickets
from lib.errors import Conflict, InvalidInput
from lib.outbox.queue import EMAIL, WEBHOOK, enqueue, is_address
from lib.staff import May, Staff
from lib.workflows.desk import locked
from lib.workflows.drafts import drop_draft

LONGEST_REPLY = 5_000
# A review of so many stars or fewer is negative: it should get an apology and a way to reach a person.
NEGATIVE = 2
# From so many stars on, a review can be made into a text to share.
PRAISE = 4
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SUBJECTS = {"de": "Unsere Antwort auf Ihre Bewertung", "en": "Our reply to your review"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a reply leaves besides the file for the platform. ``email`` null: not by mail."""

    email: str | None = None
    webhook: bool = False


def mail_address(conn: Connection, review_id: int) -> tuple[str | None, str]:
    """Where a reply can be mailed to, and in words why it may or cannot be.

    A reply to somebody's own review is a message about her purchase, not advertising: it needs an address and a
    purchase, and goes to nobody who was erased.
    """
    row = conn.execute(
        select(customers.c.email, customers.c.erased_at, customers.c.customer_id, reviews.c.order_id)
        .select_from(reviews.outerjoin(customers, customers.c.customer_id == reviews.c.customer_id))
        .where(reviews.c.review_id == review_id)
    ).first()
    if row is None or row.customer_id is None:
        return None, "Nobody knows which customer wrote this."
    if row.erased_at is not None:
        return None, "This customer was erased."
    if not row.email or not is_address(row.email):
        return None, "There is no e-mail address of this customer."
    bought = (
        row.order_id is not None
        or conn.execute(select(orders.c.order_id).where(orders.c.customer_id == row.customer_id).limit(1)).first()
    )
    if not bought:
        return None, "This person never bought here: without a purchase or consent no mail may go out."
    return row.email, "About a purchase: no consent to advertising is needed."


def publish_reply(
    conn: Connection, by: Staff, review_id: int, text: str, *, version: int, at: datetime, way: Way | None = None
) -> int:
    """Answer a review, or correct the answer by a new version, and return the version's number.

    Sending the very same words twice is sending them once.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no words, too many, or a way that this review has not.
        Conflict: somebody else answered or changed it since ``version``; nothing was sent.
    """
    by.must(May.ANSWER_REVIEWS)
    body = _CONTROL.sub("", text).strip()
    if not body:
        raise InvalidInput("A reply needs words.")
    if len(body) > LONGEST_REPLY:
        raise InvalidInput(f"A reply has at most {LONGEST_REPLY:,} characters; this one has {len(body):,}.")
    last = _last_reply(conn, review_id)
    try:
        row = locked(conn, "review", review_id, version=version, at=at)
    except Conflict:
        # Read again: on PostgreSQL the other's reply may have come in while this one waited for the row.
        last = _last_reply(conn, review_id)
        if last is not None and last["body"] == body and last["staff_id"] == by.staff_id:
            return int(last["revision"])
        raise
    assert row is not None  # a review has a row of its own
    if row["is_survey"]:
        raise InvalidInput("This is an answer to a survey: nobody waits for a reply.")
    if last is not None and last["body"] == body:
        raise InvalidInput("The reply already says exactly this.")
    way = way or Way()
    if way.email is not None and way.email != mail_address(conn, review_id)[0]:
        raise InvalidInput("This reply cannot be mailed to that address. Open the review again.")
    revision = int(
        conn.execute(
            select(func.coalesce(func.max(review_replies.c.revision), 0)).where(review_replies.c.review_id == review_id)
        ).scalar_one()
        + 1
    )
    values = {"review_id": review_id, "revision": revision, "staff_id": by.staff_id, "body": body, "replied_at": at}
    # The platform is given the newest version alone.
    conn.execute(
        update(review_replies)
        .where(review_replies.c.review_id == review_id, PENDING)
        .values(pending_since=None, updated_at=at)
    )
    conn.execute(insert(review_replies).values(**values, is_draft=False, pending_since=at, updated_at=at))
    conn.execute(
        update(reviews)
        .where(reviews.c.review_id == review_id)
        .values(
            answered_at=func.coalesce(reviews.c.answered_at, at),
            snoozed_until=None,
            version=reviews.c.version + 1,
        )
    )
    drop_draft(conn, by, "review", review_id)
    _send(conn, row, revision, body, way, at)
    audit.record(
        conn,
        by,
        "review.replied" if last is None else "review.corrected",
        f"review:{review_id}",
        at=at,
        after={
            "revision": revision,
            "by": [name for name, on in (("mail", way.email), ("webhook", way.webhook)) if on],
        },
        about=row["customer_id"],
        personal={"reply": body} if row["customer_id"] else None,
    )
    return revision


def open_ticket(conn: Connection, by: Staff, review_id: int, *, version: int, at: datetime) -> int:
    """Open a support ticket about a review, linked both ways; a review that has one keeps that one.

    Returns:
        the ticket's key.
    """
    by.must(May.ANSWER_TICKETS)
    existing = _ticket_of(conn, review_id)
    if existing is not None:
        return existing
    row = locked(conn, "review", review_id, version=None, at=at)
    existing = _ticket_of(conn, review_id)
    if existing is not None:
        return existing
    if row is None or row["version"] != version:
        locked(conn, "review", review_id, version=version, at=at)
    assert row is not None  # a review has a row of its own
    title = row["title"] or " ".join((row["body"] or "").split())[:60]
    stars = f"{row['rating']} star{'' if row['rating'] == 1 else 's'}"
    who = (
        conn.execute(select(customers.c.name, customers.c.email).where(customers.c.customer_id == row["customer_id"]))
        .mappings()
        .first()
    )
    key = conn.execute(
        insert(tickets).values(
            source="encore",
            external_id=f"review:{review_id}",
            fingerprint="encore",
            customer_id=row["customer_id"],
            order_id=row["order_id"],
            product_id=row["product_id"],
            review_id=review_id,
            channel="other",
            status="open",
            priority="high" if row["rating"] <= NEGATIVE else "normal",
            subject=f"Review, {stars}" + (f": {title}" if title else ""),
            topic=row["topic"],
            opened_at=at,
            # The merchant began it: it counts neither for nor against the first response time.
            is_started_by_us=True,
            requester_name=(who["name"] if who else None) or row["reviewer_name"],
            requester_email=who["email"] if who else None,
            owner_id=by.staff_id,
            updated_at=at,
        )
    ).inserted_primary_key
    ticket_id = int((key or (0,))[0])
    words = "\n\n".join(part for part in (row["title"], row["body"]) if part) or f"{stars}, without words."
    conn.execute(
        insert(ticket_messages).values(
            ticket_id=ticket_id, author="customer", is_public=True, sent_at=row["written_at"], body=words, updated_at=at
        )
    )
    conn.execute(
        update(reviews).where(reviews.c.review_id == review_id).values(version=reviews.c.version + 1, updated_at=at)
    )
    audit.record(
        conn, by, "review.ticketed", f"review:{review_id}", at=at, after={"ticket": ticket_id}, about=row["customer_id"]
    )
    return ticket_id


def share(
    conn: Connection,
    by: Staff,
    review_id: int,
    text: str,
    *,
    consent: str,
    consented_at: datetime,
    version: int,
    at: datetime,
) -> int:
    """Keep a text made of a praising review for sharing, with how and when its customer agreed.

    Raises:
        InvalidInput: no words, no consent, consent in the future, or the review is not praise.
        Conflict: the review changed since ``version``.
    """
    by.must(May.ANSWER_REVIEWS)
    body, agreed = _CONTROL.sub("", text).strip(), _CONTROL.sub("", consent).strip()
    if not body or len(body) > LONGEST_REPLY:
        raise InvalidInput(f"A text to share has 1 to {LONGEST_REPLY:,} characters.")
    if len(agreed) < 3:
        raise InvalidInput("Write down how the customer agreed, such as “by e-mail to Ann”. Without it, do not share.")
    if consented_at > at:
        raise InvalidInput("The customer cannot have agreed on a day that is still to come.")
    row = locked(conn, "review", review_id, version=version, at=at)
    assert row is not None  # a review has a row of its own
    if row["rating"] < PRAISE:
        raise InvalidInput(f"Only reviews of {PRAISE} and 5 stars are made into texts to share.")
    values = {"staff_id": by.staff_id, "body": body, "consent": agreed, "consented_at": consented_at, "created_at": at}
    key = conn.execute(insert(review_shares).values(review_id=review_id, **values)).inserted_primary_key
    conn.execute(update(reviews).where(reviews.c.review_id == review_id).values(version=reviews.c.version + 1))
    audit.record(
        conn,
        by,
        "review.shared",
        f"review:{review_id}",
        at=at,
        after={"consented_at": consented_at.isoformat()},
        about=row["customer_id"],
        personal={"text": body, "consent": agreed} if row["customer_id"] else None,
    )
    return int((key or (0,))[0])


def set_topic(conn: Connection, by: Staff, review_id: int, topic: str | None, *, version: int, at: datetime) -> None:
    """Say what a review is about; null leaves it to its words again."""
    by.must(May.WORK_QUEUE)
    kept = " ".join(_CONTROL.sub("", topic or "").split())[:100] or None
    row = locked(conn, "review", review_id, version=version, at=at)
    conn.execute(
        update(reviews).where(reviews.c.review_id == review_id).values(topic=kept, version=reviews.c.version + 1)
    )
    before = {"topic": row["topic"] if row else None}
    audit.record(conn, by, "review.sorted", f"review:{review_id}", at=at, before=before, after={"topic": kept})


def _last_reply(conn: Connection, review_id: int) -> Mapping[str, Any] | None:
    reply = review_replies.c
    found = conn.execute(
        select(reply.revision, reply.body, reply.staff_id)
        .where(reply.review_id == review_id, ~reply.is_draft)
        .order_by(reply.revision.desc())
        .limit(1)
    )
    row = found.mappings().first()
    return {str(name): row[name] for name in row} if row else None


def _ticket_of(conn: Connection, review_id: int) -> int | None:
    found: int | None = conn.execute(
        select(tickets.c.ticket_id).where(tickets.c.review_id == review_id).order_by(tickets.c.ticket_id).limit(1)
    ).scalar()
    return found


def _send(conn: Connection, row: Mapping[str, Any], revision: int, body: str, way: Way, at: datetime) -> None:
    """Queue the reply for each way; each version of a reply is its own message, sent at most once."""
    review_id = row["review_id"]
    shared: dict[str, Any] = {
        "about": "review",
        "about_id": review_id,
        "customer_id": row["customer_id"],
        "at": at,
    }
    if way.email is not None:
        language = (row["language"] or "en")[:2]
        enqueue(
            conn,
            idempotency_key=f"review:{review_id}:reply:{revision}:email",
            channel=EMAIL,
            recipient=way.email,
            subject=_SUBJECTS.get(language, _SUBJECTS["en"]),
            body=body,
            extra={"name": row["reviewer_name"] or ""},
            **shared,
        )
    if way.webhook:
        told = {
            "event": "review.replied" if revision == 1 else "review.reply_corrected",
            "review": {"source": row["source"], "id": row["external_id"], "rating": row["rating"]},
            "reply": {"revision": revision, "body": body, "at": at.isoformat()},
        }
        enqueue(
            conn,
            idempotency_key=f"review:{review_id}:reply:{revision}:webhook",
            channel=WEBHOOK,
            recipient=None,
            body=json.dumps(told, ensure_ascii=False),
            extra={"event": told["event"]},
            **shared,
        )
