"""Tickets that somebody writes down by hand: what was asked on the phone, in the shop, elsewhere."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from lib.db.service import settle
from lib.db.tables.customers import customers
from lib.db.tables.tickets import TICKET_CHANNELS, ticket_messages, tickets
from lib.errors import InvalidInput
from lib.outbox.queue import is_address
from lib.staff import May, Staff
from lib.workflows.ticket_mail import LONGEST_SUBJECT
from lib.workflows.tickets import CONTROL, cleaned, key_of, record

# Channels of a ticket that somebody writes down by hand.
BY_HAND = ("phone", "social", "chat", "form", "sms", "email", "other")


def create(
    conn: Connection,
    by: Staff,
    *,
    channel: str,
    subject: str,
    text: str,
    name: str = "",
    email: str = "",
    at: datetime,
    once: str,
) -> int:
    """Write down what somebody asked by phone or elsewhere, and return the ticket's key.

    Args:
        once: a mark of the form that was filled in: sent twice, it is one ticket.

    Raises:
        InvalidInput: no words, no such channel, or an address that is none.
    """
    by.must(May.ANSWER_TICKETS)
    body = cleaned(text)
    title = " ".join(CONTROL.sub("", subject).split())[:LONGEST_SUBJECT] or " ".join(body.split())[:80]
    if channel not in BY_HAND or channel not in TICKET_CHANNELS:
        raise InvalidInput("Choose how the customer reached you.")
    address = email.strip().lower()
    if address and not is_address(address):
        raise InvalidInput("That is no e-mail address. Write one such as ann@example.com, or leave it empty.")
    external_id = f"hand:{once}"
    known = conn.scalar(
        select(tickets.c.ticket_id).where(tickets.c.source == "encore", tickets.c.external_id == external_id)
    )
    if known is not None:
        return int(known)
    customer_id = (
        conn.scalar(
            select(customers.c.customer_id)
            .where(customers.c.email_normalised == address, customers.c.erased_at.is_(None))
            .order_by(customers.c.customer_id)
            .limit(1)
        )
        if address
        else None
    )
    ticket_id = key_of(
        conn.execute(
            insert(tickets).values(
                source="encore",
                external_id=external_id,
                fingerprint="encore",
                customer_id=customer_id,
                channel=channel,
                status="open",
                subject=title,
                opened_at=at,
                requester_name=" ".join(CONTROL.sub("", name).split())[:200] or None,
                requester_email=address or None,
                owner_id=by.staff_id,
                updated_at=at,
            )
        )
    )
    values = {"ticket_id": ticket_id, "author": "customer", "is_public": True, "sent_at": at, "updated_at": at}
    conn.execute(insert(ticket_messages).values(**values, body=body))
    settle(conn, [ticket_id])
    row = {"ticket_id": ticket_id, "customer_id": customer_id}
    personal = {"subject": title, "words": body, "name": name, "email": address}
    record(conn, by, row, "created", at, after={"channel": channel}, personal=personal)
    return ticket_id
