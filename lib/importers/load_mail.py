"""Store one mail: join its ticket or begin one, note a bounce, or know that it was taken in before."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lib.db import attachments as kept
from lib.db import contact_events
from lib.db.contact_events import ContactEvent
from lib.db.tables.mail import received_mails
from lib.db.tables.offers import outbox_messages
from lib.db.tables.tickets import attachments, ticket_messages, tickets
from lib.importers.forgotten import is_old_mail
from lib.importers.mail_message import MailRecord
from lib.importers.mail_signs import Bounce
from lib.importers.mail_threads import Place, customer_of, place_of

SOURCE = "mail"
# More mails than this within an hour from one sender are a program's, whatever they say.
MOST_PER_HOUR = 30
AUTOMATIC_TOPIC = "automatic mail"

# Called when a customer's words have come in: the ticket, and when. The clocks of the answer are its business.
CustomerWrote = Callable[[Connection, int, datetime], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail. ``outcome``: as in ``received_mails``, or ``known`` when it was there already."""

    outcome: str
    ticket_id: int | None = None
    is_new: bool = False


def take_in(connection: Connection, mail: MailRecord, *, data_dir: Path, customer_wrote: CustomerWrote) -> Taken:
    """Store a mail in the current transaction; one that was taken in before changes nothing."""
    sender = hashlib.sha256(mail.from_email.encode()).hexdigest() if mail.from_email else None
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    received = connection.execute(
        make(received_mails)
        .values(fingerprint=mail.fingerprint, sender_hash=sender, outcome="ticket", received_at=mail.sent_at)
        .on_conflict_do_nothing(index_elements=["fingerprint"])
        .returning(received_mails.c.received_mail_id)
    ).scalar()
    if received is None:
        return Taken("known")
    if is_old_mail(connection, mail.from_email or "", mail.sent_at):
        # Of somebody who was erased since: no ticket, and no hash of the sender.
        connection.execute(
            update(received_mails)
            .where(received_mails.c.received_mail_id == received)
            .values(outcome="refused", sender_hash=None)
        )
        return Taken("refused")
    taken, message_id = _placed(connection, mail, sender, data_dir, customer_wrote)
    connection.execute(
        update(received_mails)
        .where(received_mails.c.received_mail_id == received)
        .values(outcome=taken.outcome, ticket_message_id=message_id)
    )
    return taken


def _placed(
    connection: Connection, mail: MailRecord, sender: str | None, data_dir: Path, customer_wrote: CustomerWrote
) -> tuple[Taken, int | None]:
    if mail.is_own or _is_ours(connection, mail.mail_id):
        return Taken("loop"), None
    if mail.bounce is not None and (about := _note_bounce(connection, mail.bounce, mail.sent_at)) is not None:
        return _tell_ticket(connection, mail, mail.bounce, *about)
    place, automatic = place_of(connection, mail), mail.automatic
    if automatic is None and sender and _is_flood(connection, sender, mail.sent_at):
        automatic = f"more than {MOST_PER_HOUR} mails came from its sender within an hour"
        if place.ticket_id is None and (last := _last_ticket(connection, sender)) is not None:
            place = Place(last)
    if place.ticket_id is None:
        ticket_id, is_new = _begin(connection, mail, place, is_automatic=automatic is not None), True
    else:
        ticket_id, is_new = place.ticket_id, False
    heard_at = _heard_at(connection, ticket_id, mail.sent_at)
    message_id = _add_message(connection, mail, ticket_id, place, automatic, heard_at)
    _add_files(connection, mail, message_id, data_dir)
    if automatic is None:
        if not is_new:
            _reopen(connection, ticket_id, mail.sent_at)
        customer_wrote(connection, ticket_id, mail.sent_at)
    outcome = "refused" if mail.is_unreadable else "automatic" if automatic else "ticket"
    return Taken(outcome, ticket_id, is_new), message_id


def _is_ours(connection: Connection, mail_id: str) -> bool:
    return bool(mail_id) and connection.scalar(select(1).where(outbox_messages.c.mail_id == mail_id)) is not None


def _is_flood(connection: Connection, sender: str, at: datetime) -> bool:
    row = received_mails.c
    hour = select(row.received_mail_id).where(
        row.sender_hash == sender, row.received_at > at - timedelta(hours=1), row.received_at <= at
    )
    few = hour.limit(MOST_PER_HOUR + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(few)) or 0) > MOST_PER_HOUR


def _last_ticket(connection: Connection, sender: str) -> int | None:
    return connection.scalar(
        select(ticket_messages.c.ticket_id)
        .join(received_mails, received_mails.c.ticket_message_id == ticket_messages.c.ticket_message_id)
        .where(received_mails.c.sender_hash == sender)
        .order_by(received_mails.c.received_at.desc())
        .limit(1)
    )


def _begin(connection: Connection, mail: MailRecord, place: Place, *, is_automatic: bool) -> int:
    """A new ticket. What no person wrote asks for no answer: it lies with the spam, and counts in no figure."""
    customer_id = place.customer_id
    if customer_id is None and mail.from_email and not mail.is_disowned:
        customer_id = customer_of(connection, mail.from_email)
    values: dict[str, Any] = {
        "source": SOURCE,
        "external_id": mail.fingerprint,
        "fingerprint": mail.fingerprint[:32],
        "updated_at": mail.sent_at,
        "customer_id": customer_id,
        "review_id": place.review_id,
        "channel": "email",
        "status": "spam" if is_automatic else "open",
        "topic": AUTOMATIC_TOPIC if is_automatic else None,
        "subject": mail.subject or "(no subject)",
        "opened_at": mail.sent_at,
        "requester_name": mail.from_name or None,
        "requester_email": mail.from_email or None,
    }
    return int(connection.execute(insert(tickets).values(**values).returning(tickets.c.ticket_id)).scalar_one())


def _heard_at(connection: Connection, ticket_id: int, arrived_at: datetime) -> datetime:
    """When a mail is heard in its conversation: not before an answer that was written without knowing it.

    Mail servers tell the second at which it came, and it is read minutes later.
    """
    answered = connection.scalar(
        select(func.max(ticket_messages.c.sent_at)).where(
            ticket_messages.c.ticket_id == ticket_id, ticket_messages.c.author == "staff", ticket_messages.c.is_public
        )
    )
    return arrived_at if answered is None else max(arrived_at, answered + timedelta(microseconds=1))


def _add_message(
    connection: Connection,
    mail: MailRecord,
    ticket_id: int,
    place: Place,
    automatic: str | None,
    heard_at: datetime,
) -> int:
    doubts = [*mail.doubts, *([place.doubt] if place.doubt else [])]
    if automatic:
        doubts.append(f"No person wrote it: {automatic}.")
    values = {
        "ticket_id": ticket_id,
        "external_id": mail.fingerprint,
        "author": "automatic" if automatic else "customer",
        "is_public": True,
        "sent_at": heard_at,
        "updated_at": mail.sent_at,
        "body": mail.body,
        "quoted": mail.quoted or None,
        "subject": mail.subject or None,
        "from_name": mail.from_name or None,
        "from_email": mail.from_email or None,
        "mail_id": mail.mail_id or None,
        "doubt": " ".join(doubts) or None,
    }
    key = ticket_messages.c.ticket_message_id
    return int(connection.execute(insert(ticket_messages).values(**values).returning(key)).scalar_one())


def _add_files(connection: Connection, mail: MailRecord, message_id: int, data_dir: Path) -> None:
    for file in mail.files:
        sha256 = kept.keep(data_dir, file.content) if file.refusal is None else hashlib.sha256(file.content).hexdigest()
        connection.execute(
            insert(attachments).values(
                ticket_message_id=message_id,
                file_name=file.name,
                media_type=file.media_type,
                bytes=len(file.content),
                sha256=sha256,
                refusal=file.refusal,
                created_at=mail.sent_at,
            )
        )


def _reopen(connection: Connection, ticket_id: int, at: datetime) -> None:
    """A customer wrote again: the ticket is open, no snooze hides it, and whoever answers an older state is told."""
    row = connection.execute(
        select(tickets.c.status, tickets.c.paused_since).where(tickets.c.ticket_id == ticket_id).with_for_update()
    ).one()
    values: dict[str, Any] = {"version": tickets.c.version + 1, "snoozed_until": None, "updated_at": at}
    if row.status == "closed":
        values |= {
            "status": "open",
            "closed_at": None,
            "reopened_at": at,
            "reopened_count": tickets.c.reopened_count + 1,
        }
    elif row.status == "waiting_for_customer":
        values["status"] = "open"
    if row.paused_since is not None and row.status != "spam":
        paused = max(0, int((at - row.paused_since).total_seconds()))
        values |= {"paused_since": None, "paused_seconds": tickets.c.paused_seconds + paused}
    connection.execute(update(tickets).where(tickets.c.ticket_id == ticket_id).values(**values))


def _note_bounce(connection: Connection, bounce: Bounce, at: datetime) -> tuple[str | None, int | None] | None:
    """Mark the message that came back as failed; returns what it was about, or null when it is none of ours."""
    if not bounce.mail_id:
        return None
    sent = connection.execute(
        select(
            outbox_messages.c.outbox_message_id,
            outbox_messages.c.about,
            outbox_messages.c.about_id,
            outbox_messages.c.customer_id,
            outbox_messages.c.offer_id,
            outbox_messages.c.body,
        ).where(outbox_messages.c.mail_id == bounce.mail_id)
    ).first()
    if sent is None:
        return None
    if sent.body is None:
        # Whom it went to was erased since: the reason would name the address.
        return None, None
    if bounce.is_final:
        connection.execute(
            update(outbox_messages)
            .where(
                outbox_messages.c.outbox_message_id == sent.outbox_message_id,
                outbox_messages.c.status.in_(("sent", "held_back")),
            )
            .values(
                status="failed", failure=f"It came back: {bounce.reason or 'no reason given'}.", handed_over_at=None
            )
        )
        if sent.customer_id is not None:
            # Whatever it was about: no offer goes to an address that takes no mail.
            contact_events.note(
                connection,
                ContactEvent(
                    key=f"mail:{sent.outbox_message_id}:bounced",
                    kind="bounced",
                    customer_id=sent.customer_id,
                    offer_id=sent.offer_id,
                    source=SOURCE,
                    occurred_at=at,
                ),
            )
    return sent.about, sent.about_id


def _tell_ticket(
    connection: Connection, mail: MailRecord, bounce: Bounce, about: str | None, about_id: int | None
) -> tuple[Taken, int | None]:
    """Say in the ticket, to staff alone, that the answer did not arrive."""
    if about != "ticket" or about_id is None:
        return Taken("bounce"), None
    what = "did not arrive" if bounce.is_final else "has not arrived yet; the mail server goes on trying"
    body = f"The answer to {bounce.recipient or 'the customer'} {what}: {bounce.reason or 'no reason given'}."
    values = {
        "ticket_id": about_id,
        "external_id": mail.fingerprint,
        "author": "automatic",
        "is_public": False,
        "sent_at": mail.sent_at,
        "updated_at": mail.sent_at,
        "body": body,
    }
    key = ticket_messages.c.ticket_message_id
    message_id = connection.execute(insert(ticket_messages).values(**values).returning(key)).scalar_one()
    return Taken("bounce", about_id), int(message_id)
