"""Which conversation a mail belongs to, and whether its sender takes part in it."""

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from lib.db.identities import EMAIL, normalise_email
from lib.db.tables.customers import customer_identities
from lib.db.tables.offers import outbox_messages
from lib.db.tables.tickets import ticket_messages, tickets
from lib.importers.mail_message import MailRecord

# Merged into one that was merged itself: nobody does that more often.
MOST_MERGES = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail goes: a ticket, or a new one about a review that we answered by mail."""

    ticket_id: int | None = None
    review_id: int | None = None
    customer_id: int | None = None
    doubt: str | None = None


def place_of(connection: Connection, mail: MailRecord) -> Place:
    """The ticket a mail joins; without one, why not where that is doubtful.

    It joins by the mails it answers, else by the number in its subject or address, and only when its sender takes
    part in the ticket and the sender's domain does not disown it: anybody can write a number into a subject.
    """
    ticket_id = _answered(connection, mail)
    if ticket_id is None:
        if (review := _about_review(connection, mail)) is not None:
            return review
        ticket_id = next((n for n in mail.ticket_ids if _exists(connection, n)), None)
    if ticket_id is None:
        return Place()
    ticket_id = _merged_into(connection, ticket_id)
    if mail.is_disowned:
        return Place(doubt=f"It answers ticket {ticket_id}, but seems forged; so it is a ticket of its own.")
    if mail.from_email not in participants(connection, ticket_id):
        return Place(
            doubt=f"It answers ticket {ticket_id}, but its sender takes no part in that; so it is a ticket of its own."
        )
    return Place(ticket_id)


def participants(connection: Connection, ticket_id: int) -> set[str]:
    """The addresses that take part in a ticket and in those merged into it.

    They are of who asked, the customer's own, and those we wrote to.
    """
    together = connection.execute(
        select(tickets.c.ticket_id, tickets.c.requester_email, tickets.c.customer_id).where(
            or_(tickets.c.ticket_id == ticket_id, tickets.c.merged_into_id == ticket_id)
        )
    ).all()
    keys = [one.ticket_id for one in together]
    found: list[str | None] = [one.requester_email for one in together]
    found += connection.scalars(
        select(ticket_messages.c.from_email).where(
            ticket_messages.c.ticket_id.in_(keys),
            ticket_messages.c.author == "customer",
            ticket_messages.c.doubt.is_(None),
        )
    )
    found += connection.scalars(
        select(outbox_messages.c.recipient).where(
            outbox_messages.c.about == "ticket",
            outbox_messages.c.about_id.in_(keys),
            outbox_messages.c.channel == "email",
        )
    )
    found += connection.scalars(
        select(customer_identities.c.external_id).where(
            customer_identities.c.customer_id.in_({one.customer_id for one in together} - {None}),
            customer_identities.c.source == EMAIL,
        )
    )
    return {known for address in found if (known := normalise_email(address))}


def customer_of(connection: Connection, address: str) -> int | None:
    """The customer an address belongs to; null when nobody is known by it."""
    return connection.scalar(
        select(customer_identities.c.customer_id).where(
            customer_identities.c.source == EMAIL, customer_identities.c.external_id == address
        )
    )


def _answered(connection: Connection, mail: MailRecord) -> int | None:
    """The ticket of the newest mail that this one answers."""
    if not mail.answers:
        return None
    known: dict[str, int] = {}
    for row in connection.execute(
        select(outbox_messages.c.mail_id, outbox_messages.c.about_id).where(
            outbox_messages.c.mail_id.in_(mail.answers), outbox_messages.c.about == "ticket"
        )
    ):
        known[row.mail_id] = row.about_id
    for row in connection.execute(
        select(ticket_messages.c.mail_id, ticket_messages.c.ticket_id).where(
            ticket_messages.c.mail_id.in_(mail.answers)
        )
    ):
        known[row.mail_id] = row.ticket_id
    found = next((known[one] for one in reversed(mail.answers) if one in known), None)
    return found if found is not None and _exists(connection, found) else None


def _about_review(connection: Connection, mail: MailRecord) -> Place | None:
    """A customer answers the mail that brought our reply to their review."""
    if not mail.answers or mail.is_disowned:
        return None
    sent = connection.execute(
        select(outbox_messages.c.about_id, outbox_messages.c.customer_id, outbox_messages.c.recipient).where(
            outbox_messages.c.mail_id.in_(mail.answers), outbox_messages.c.about == "review"
        )
    ).first()
    if sent is None or normalise_email(sent.recipient) != mail.from_email:
        return None
    begun = connection.scalar(
        select(tickets.c.ticket_id).where(
            tickets.c.review_id == sent.about_id, tickets.c.requester_email == mail.from_email
        )
    )
    if begun is not None:
        return Place(_merged_into(connection, begun))
    return Place(review_id=sent.about_id, customer_id=sent.customer_id)


def _exists(connection: Connection, ticket_id: int) -> bool:
    return connection.scalar(select(1).where(tickets.c.ticket_id == ticket_id)) is not None


def _merged_into(connection: Connection, ticket_id: int) -> int:
    for _ in range(MOST_MERGES):
        other = connection.scalar(select(tickets.c.merged_into_id).where(tickets.c.ticket_id == ticket_id))
        if other is None:
            break
        ticket_id = other
    return ticket_id
