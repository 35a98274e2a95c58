"""The queue of what leaves the house: written to in the transaction of the action that causes the message.

Then both happen, or neither. ``claims.py`` says how a message is delivered from here.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import store
from lib.errors import MessageRefused

EMAIL, WEBHOOK = "email", "webhook"
CHANNELS = (EMAIL, WEBHOOK, "audience")
DEMO = "The store is the demo store: nothing is sent to invented customers."


def enqueue(
    connection: Connection,
    *,
    idempotency_key: str,
    channel: str,
    recipient: str | None,
    subject: str | None = None,
    body: str,
    about: str | None = None,
    about_id: int | None = None,
    customer_id: int | None = None,
    offer_id: int | None = None,
    extra: Mapping[str, Any] | None = None,
    at: datetime,
    due_at: datetime | None = None,
) -> int:
    """Queue a message and return its key; the same idempotency key again returns the first one and adds nothing.

    In the demo store it is held back at once. Nothing leaves before an owner lets it (``lib.outbox.switch``).

    Args:
        idempotency_key: what the message is, such as ``review:17:reply:2``; told to webhooks.
        channel: ``email`` or ``webhook`` (``audience``: files made elsewhere).
        recipient: the address of a mail; of a webhook its URL, or none for the one of the settings.
        body: the words of a mail; the JSON of a webhook.
        about, about_id: what it is about, as ``review`` and its key.
        extra: of a mail ``name`` (of the recipient), ``in_reply_to`` and ``references`` (Message-IDs without
            brackets), ``html``, ``is_automatic``, ``list_unsubscribe`` (an https address); of a webhook ``event``.
        due_at: not before then.

    Raises:
        MessageRefused: no such address, a line break where none may be, no words, or a body that is no JSON.
    """
    values = _row(
        idempotency_key=idempotency_key,
        channel=channel,
        recipient=recipient,
        subject=subject,
        body=body,
        about=about,
        about_id=about_id,
        customer_id=customer_id,
        offer_id=offer_id,
        extra=extra,
        at=at,
        due_at=due_at,
        is_demo=_is_demo(connection),
    )
    added = connection.execute(
        _insert(connection)(outbox_messages)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["idempotency_key"])
        .returning(outbox_messages.c.outbox_message_id)
    ).scalar()
    if added is None:
        added = connection.execute(
            select(outbox_messages.c.outbox_message_id).where(outbox_messages.c.idempotency_key == idempotency_key)
        ).scalar_one()
    return int(added)


def enqueue_many(connection: Connection, messages: Iterable[Mapping[str, Any]]) -> None:
    """Queue many messages at once, each with the arguments of ``enqueue``; those queued before stay as they are.

    Raises:
        MessageRefused: one of them cannot leave; none is queued.
    """
    is_demo = _is_demo(connection)
    rows = [_row(**message, is_demo=is_demo) for message in messages]
    if not rows:
        return
    statement = _insert(connection)(outbox_messages).on_conflict_do_nothing(index_elements=["idempotency_key"])
    if connection.dialect.name == "postgresql":
        # Asked for keys, a thousand rows go in one statement; else each has its own journey.
        statement = statement.returning(outbox_messages.c.outbox_message_id)
    connection.execute(statement, rows)


def _is_demo(connection: Connection) -> bool:
    return bool(connection.scalar(select(store.c.is_demo)))


def _row(
    *,
    idempotency_key: str,
    channel: str,
    recipient: str | None,
    body: str,
    at: datetime,
    is_demo: bool,
    subject: str | None = None,
    about: str | None = None,
    about_id: int | None = None,
    customer_id: int | None = None,
    offer_id: int | None = None,
    extra: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> dict[str, Any]:
    _check(idempotency_key, channel, recipient, subject, body)
    return {
        "idempotency_key": idempotency_key,
        "channel": channel,
        "recipient": recipient,
        "subject": subject,
        "body": body.replace("\x00", "\ufffd"),
        "about": about,
        "about_id": about_id,
        "customer_id": customer_id,
        "offer_id": offer_id,
        "extra": dict(extra) if extra else None,
        "status": "held_back" if is_demo else "queued",
        "failure": DEMO if is_demo else None,
        "queued_at": at,
        "due_at": due_at or at,
        "updated_at": at,
    }


def _check(idempotency_key: str, channel: str, recipient: str | None, subject: str | None, body: str) -> None:
    if channel not in CHANNELS:
        raise ValueError(f"no channel is called {channel!r}")
    if not idempotency_key or len(idempotency_key) > 400 or any(ord(sign) < 32 for sign in idempotency_key):
        raise ValueError("an idempotency key is a short text on one line")
    if not body.strip():
        raise MessageRefused("A message needs words.")
    if channel == EMAIL:
        if not recipient or not is_address(recipient):
            raise MessageRefused("There is no address to send this to: it needs one such as ann@example.com.")
        if not (subject or "").strip():
            raise MessageRefused("A mail needs a subject.")
        if any(ord(sign) < 32 or ord(sign) == 127 for sign in subject or ""):
            raise MessageRefused("The subject must be one line.")
    if len(recipient or "") > 400 or len(subject or "") > 400:
        raise MessageRefused("The address or the subject is longer than 400 characters.")
    if channel == WEBHOOK:
        try:
            json.loads(body)
        except ValueError as error:
            raise MessageRefused("The body of a webhook must be JSON.") from error


def is_address(text: str) -> bool:
    """Whether a text is one plain mail address: no name, no list, nothing that could end a header or a command.

    >>> is_address("ann@example.com"), is_address("Ann <ann@example.com>"), is_address("a@b.com\\nBcc: c@d.com")
    (True, False, False)
    """
    local, at, domain = text.rpartition("@")
    if not at or not local or "." not in domain.strip(".") or len(text) > 254 or len(local) > 64:
        return False
    return not any(sign.isspace() or not sign.isprintable() or sign in '<>()[]",;:\\@' for sign in local + domain)


def _insert(connection: Connection) -> Callable[[Table], Any]:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
