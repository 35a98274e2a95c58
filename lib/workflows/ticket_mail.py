"""How an answer to a ticket leaves: by mail into the customer's own conversation, or to the shop's webhook."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from lib.db.tables.customers import customers
from lib.db.tables.tickets import ticket_messages, tickets
from lib.outbox.queue import EMAIL, WEBHOOK, enqueue, is_address
from lib.outbox.thread import mails_of_ticket

LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an answer leaves. ``email`` null: not by mail; neither: it is only written down here."""

    email: str | None = None
    webhook: bool = False


def mail_address(conn: Connection, ticket_id: int) -> tuple[str | None, str]:
    """Where an answer can be mailed to, and in words why it may or cannot be.

    An answer to a question is no advertising and needs no consent; it goes to nobody who was erased.
    """
    row = conn.execute(
        select(tickets.c.requester_email, customers.c.email, customers.c.erased_at)
        .outerjoin(customers, customers.c.customer_id == tickets.c.customer_id)
        .where(tickets.c.ticket_id == ticket_id)
    ).first()
    if row is None:
        return None, "This ticket is not there any more."
    if row.erased_at is not None:
        return None, "This customer was erased."
    for address in (row.requester_email, row.email):
        if address and is_address(address):
            return address, "An answer to a question needs no consent."
    return None, "There is no e-mail address of this customer."


def send(conn: Connection, row: Mapping[str, Any], message_id: int, body: str, way: Way, at: datetime) -> None:
    """Queue the answer for each way; each message leaves at most once."""
    ticket_id = row["ticket_id"]
    shared: dict[str, Any] = {
        "about": "ticket",
        "about_id": ticket_id,
        "customer_id": row["customer_id"],
        "at": at,
    }
    if way.email is not None:
        thread = mails_of_ticket(conn, ticket_id)
        subject = row["subject"] or "Your question"
        queued = enqueue(
            conn,
            idempotency_key=f"ticket:{ticket_id}:message:{message_id}:email",
            channel=EMAIL,
            recipient=way.email,
            subject=(subject if subject.lower().startswith("re:") else f"Re: {subject}")[:LONGEST_SUBJECT],
            body=body,
            extra={
                "name": row["requester_name"] or "",
                **({"in_reply_to": thread[-1], "references": thread} if thread else {}),
            },
            **shared,
        )
        conn.execute(
            update(ticket_messages)
            .where(ticket_messages.c.ticket_message_id == message_id)
            .values(outbox_message_id=queued)
        )
    if way.webhook:
        told = {
            "event": "ticket.answered",
            "ticket": {"source": row["source"], "id": row["external_id"], "channel": row["channel"]},
            "message": {"id": message_id, "body": body, "at": at.isoformat()},
        }
        enqueue(
            conn,
            idempotency_key=f"ticket:{ticket_id}:message:{message_id}:webhook",
            channel=WEBHOOK,
            recipient=None,
            body=json.dumps(told, ensure_ascii=False),
            extra={"event": told["event"]},
            **shared,
        )
