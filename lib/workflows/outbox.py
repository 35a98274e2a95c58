"""What staff decide about the outbox: whether anything leaves, and what becomes of a message that did not."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from lib.db import audit
from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import store
from lib.errors import Conflict
from lib.outbox.last_check import note_outcome
from lib.outbox.queue import DEMO
from lib.outbox.switch import set_sending
from lib.staff import May, Staff

# What a person may do something about.
STUCK = ("failed", "held_back")


def enable_sending(conn: Connection, by: Staff, *, at: datetime) -> None:
    """Let mails and webhooks leave the house from now on.

    Raises:
        NotAllowed: only an owner may.
        Conflict: it is the demo store, or sending is on already.
    """
    by.must(May.CHANGE_STORE)
    if conn.scalar(select(store.c.is_demo)):
        raise Conflict("This is the demo store: nothing is ever sent to invented customers. Import your shop first.")
    if not set_sending(conn, at):
        raise Conflict("Sending is on already, or there is no store yet: then import your shop first.")
    audit.record(conn, by, "outbox.enabled", "store:1", at=at)


def disable_sending(conn: Connection, by: Staff, *, at: datetime) -> None:
    """Let nothing leave the house; what is queued waits.

    Raises:
        NotAllowed: only an owner may.
        Conflict: sending is off already.
    """
    by.must(May.CHANGE_STORE)
    if not set_sending(conn, None):
        raise Conflict("Sending is off already.")
    audit.record(conn, by, "outbox.disabled", "store:1", at=at)


def send_again(conn: Connection, by: Staff, outbox_message_id: int, *, at: datetime) -> None:
    """Queue a message that failed or was held back once more, under the same Message-ID and idempotency key.

    Raises:
        NotAllowed: the role may not work the queue.
        Conflict: it is not stuck (any more), or it is meant for an invented customer.
    """
    by.must(May.WORK_QUEUE)
    before, row = _stuck(conn, outbox_message_id), outbox_messages.c
    if conn.scalar(select(store.c.is_demo)):
        raise Conflict(DEMO)
    if conn.scalar(select(outbox_messages.c.body).where(row.outbox_message_id == outbox_message_id)) is None:
        raise Conflict("The customer was erased, and the message with her: there is nothing left to send.")
    _change(conn, outbox_message_id, before, status="queued", due_at=at, failure=None, attempts=0, handed_over_at=None)
    _record(conn, by, "outbox.sent_again", outbox_message_id, before, "queued", at)


def settle_as_sent(conn: Connection, by: Staff, outbox_message_id: int, *, at: datetime) -> None:
    """Note that a message that may have been sent was sent: somebody looked.

    Raises:
        NotAllowed: the role may not work the queue.
        Conflict: it was not being handed over when it got stuck, so it cannot have been sent.
    """
    by.must(May.WORK_QUEUE)
    before = _stuck(conn, outbox_message_id)
    handed_over_at = conn.scalar(
        select(outbox_messages.c.handed_over_at).where(outbox_messages.c.outbox_message_id == outbox_message_id)
    )
    if before != "held_back" or handed_over_at is None:
        raise Conflict("This message never left Encore, so it cannot be marked as sent. Send it again instead.")
    _change(conn, outbox_message_id, before, status="sent", sent_at=handed_over_at, failure=None)
    _record(conn, by, "outbox.settled", outbox_message_id, before, "sent", at)


def _stuck(conn: Connection, outbox_message_id: int) -> str:
    status = conn.scalar(
        select(outbox_messages.c.status)
        .where(outbox_messages.c.outbox_message_id == outbox_message_id)
        .with_for_update()
    )
    if status not in STUCK:
        raise Conflict("Nothing is to be decided about this message any more; look at the list again.")
    return str(status)


def _change(conn: Connection, outbox_message_id: int, before: str, **values: object) -> None:
    conn.execute(
        update(outbox_messages)
        .where(outbox_messages.c.outbox_message_id == outbox_message_id, outbox_messages.c.status == before)
        .values(**values)
    )
    note_outcome(conn, outbox_message_id)


def _record(
    conn: Connection, by: Staff, action: str, outbox_message_id: int, before: str, after: str, at: datetime
) -> None:
    subject = f"outbox:{outbox_message_id}"
    audit.record(conn, by, action, subject, at=at, before={"status": before}, after={"status": after})
