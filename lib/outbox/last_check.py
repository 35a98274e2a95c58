"""Asked once more before a message of an offer leaves, for it may have waited: is it still welcome, and is it day?

What was queued an hour ago may be of an offer that was paused since, or for somebody who unsubscribed. Answers to
reviews and tickets are none of this module's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from lib.db.tables.customers import customers
from lib.db.tables.offers import offer_assignments, offers, outbox_messages
from lib.db.tables.store import store
from lib.offer import KINDS
from lib.outbox.consent import Held, agreed, came_back, nobody, told
from lib.outbox.quiet_hours import send_at
from lib.outbox.rules import read_rules

# A paused offer is looked at again so often.
PAUSE = timedelta(minutes=5)
NOT_DELIVERED = "Could not be delivered"
_OVER = {"stopped": "The offer was stopped.", "draft": "The offer was taken back."}


@dataclass(frozen=True, slots=True)
class NotNow:
    """Why a message does not leave: ``until`` when it waits, for good without; ``code`` as the assignment keeps it.

    ``of_all``: it holds for whatever is due of the same offer.
    """

    why: str
    code: str = ""
    until: datetime | None = None
    of_all: bool = False


def why_not(connection: Connection, row: Mapping[str, Any], at: datetime) -> NotNow | None:
    """What speaks against sending a message of an offer now; null when nothing does, or it is of none."""
    if row["offer_id"] is None or row["customer_id"] is None:
        return None
    offer = connection.execute(select(offers.c.status, offers.c.kind).where(offers.c.offer_id == row["offer_id"])).one()
    if offer.status in _OVER:
        return NotNow(_OVER[offer.status], "stopped")
    if offer.status == "paused":
        return NotNow("The offer is paused.", until=at + PAUSE, of_all=True)
    if reason := _unwelcome(connection, int(row["customer_id"]), offer.kind):
        return NotNow(f"{told(reason)}.", reason)
    country = connection.scalar(select(customers.c.country).where(customers.c.customer_id == row["customer_id"]))
    zone = ZoneInfo(connection.scalar(select(store.c.time_zone)) or "UTC")
    leaves_at = send_at(at, country, read_rules(connection), zone)
    return NotNow("It is night where the customer lives.", until=leaves_at) if leaves_at > at else None


def put_off(connection: Connection, row: Mapping[str, Any], why: NotNow, at: datetime) -> None:
    """Let a message wait, or not leave any more; of a paused offer all that is due waits with it."""
    message = outbox_messages.c
    if why.until is None:
        # Never due again: nobody has to decide about it.
        connection.execute(
            update(outbox_messages)
            .where(message.outbox_message_id == row["outbox_message_id"])
            .values(status="held_back", failure=why.why, due_at=None)
        )
        _note(connection, row["offer_id"], row["customer_id"], held_back=why.code)
        return
    which = (
        (message.offer_id == row["offer_id"], message.status == "queued", message.due_at <= at)
        if why.of_all
        else (message.outbox_message_id == row["outbox_message_id"],)
    )
    connection.execute(update(outbox_messages).where(*which).values(due_at=why.until))


def note_outcome(connection: Connection, outbox_message_id: int) -> None:
    """Write beside the assignment what became of its message: when it was sent, or that it could not be."""
    message = outbox_messages.c
    row = connection.execute(
        select(message.offer_id, message.customer_id, message.status, message.sent_at).where(
            message.outbox_message_id == outbox_message_id
        )
    ).first()
    if row is None or row.offer_id is None:
        return
    if row.status == "sent":
        _note(connection, row.offer_id, row.customer_id, sent_at=row.sent_at, held_back=None)
    elif row.status == "failed":
        _note(connection, row.offer_id, row.customer_id, held_back=NOT_DELIVERED)
    elif row.status == "queued":
        _note(connection, row.offer_id, row.customer_id, held_back=None)


def _note(connection: Connection, offer_id: int, customer_id: int, **values: Any) -> None:
    connection.execute(
        update(offer_assignments)
        .where(
            offer_assignments.c.offer_id == offer_id,
            offer_assignments.c.customer_id == customer_id,
            offer_assignments.c.arm == "treatment",
        )
        .values(**values)
    )


def _unwelcome(connection: Connection, customer_id: int, kind: str) -> str | None:
    """The code of what speaks against it since it was queued: erased, came back, unsubscribed, no consent."""
    is_service = kind in KINDS and KINDS[kind].is_service
    one = (customer_id,)
    kinds = {Held.BOUNCED} if is_service else {Held.BOUNCED, Held.COMPLAINED, Held.UNSUBSCRIBED}
    held = nobody(connection, one) or came_back(connection, one, kinds)
    if held:
        return str(held[customer_id])
    if not is_service and not agreed(connection, one):
        return "no_consent"
    return None
