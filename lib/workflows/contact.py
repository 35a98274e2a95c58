"""Unsubscribing by the link of a mail: nobody signs in for it, and nobody can do it for somebody else."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from lib.db import contact_events
from lib.db.contact_events import ContactEvent
from lib.db.tables.customers import consents, customers
from lib.db.tables.offers import offers
from lib.outbox.unsubscribe import Unsubscribing, link_key, read_token

LINK = "unsubscribe_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom an unsubscribe link is of, as far as its page tells: ``email`` may be null, ``is_out`` already."""

    customer_id: int
    offer_id: int | None
    email: str | None
    language: str | None
    is_out: bool


def recipient_of(conn: Connection, token: str) -> Recipient | None:
    """Whom a link is of; null when the link is none of ours or the person was erased. Changes nothing."""
    named = read_token(link_key(conn), token)
    return None if named is None else _recipient(conn, named)


def unsubscribe(conn: Connection, token: str, *, at: datetime) -> Recipient | None:
    """Withdraw consent to mail for whoever the link is of; again changes nothing. Null as in ``recipient_of``.

    Nobody signs in for it: the link itself is the right, and only whoever got the mail has it (RFC 8058).
    """
    named = read_token(link_key(conn), token)
    found = None if named is None else _recipient(conn, named)
    if found is None or found.is_out:
        return found
    contact_events.note(
        conn,
        ContactEvent(
            key=f"{LINK}:{found.customer_id}:{at.isoformat(timespec='microseconds')}",
            kind="unsubscribed",
            customer_id=found.customer_id,
            offer_id=found.offer_id,
            source=LINK,
            occurred_at=at,
        ),
    )
    return _recipient(conn, Unsubscribing(found.customer_id, found.offer_id))


def _recipient(conn: Connection, named: Unsubscribing) -> Recipient | None:
    row = customers.c
    found = conn.execute(
        select(row.email, row.language, consents.c.state)
        .outerjoin_from(
            customers, consents, (consents.c.customer_id == row.customer_id) & (consents.c.channel == "email")
        )
        .where(row.customer_id == named.customer_id, row.erased_at.is_(None))
    ).first()
    if found is None:
        return None
    offer_id = conn.scalar(select(offers.c.offer_id).where(offers.c.offer_id == named.offer_id))
    return Recipient(
        customer_id=named.customer_id,
        offer_id=offer_id,
        email=found.email,
        language=found.language,
        is_out=found.state == "withdrawn",
    )
