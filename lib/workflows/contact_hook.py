"""What other programs tell of mails: that they came back, or that somebody unsubscribed or complained."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from lib.db import contact_events
from lib.db.contact_events import KINDS, ContactEvent
from lib.db.identities import normalise_email
from lib.db.tables.customers import customers
from lib.db.tables.offers import outbox_messages
from lib.errors import InvalidInput, NotAllowed
from lib.outbox.webhook import signature

HOOK = "webhook"
MOST_EVENTS = 500
# How old, or how far ahead where clocks differ, a signature may be: what was overheard is worth nothing afterwards.
FRESH = timedelta(minutes=5)
# An event may be dated a little ahead, for the same reason.
_AHEAD = timedelta(minutes=10)
_SIGNED = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signed_events(secret: str, header: str, body: bytes, *, at: datetime) -> object:
    """What a request tells, once it is sure that who sent it knows the secret.

    Args:
        header: ``Encore-Signature`` as it came: ``t=SECONDS,v1=HEX``, as Encore signs its own webhooks.
    Raises:
        NotAllowed: not signed with the secret, or too long ago.
        InvalidInput: signed, but no JSON.
    """
    found = _SIGNED.fullmatch(header.strip())
    if not secret or found is None:
        raise NotAllowed("Sign it: Encore-Signature: t=SECONDS,v1=HEX.")
    seconds = int(found[1])
    if not hmac.compare_digest(signature(secret, seconds, body), f"t={seconds},v1={found[2]}"):
        raise NotAllowed("The signature is not right.")
    if abs(seconds - at.timestamp()) > FRESH.total_seconds():
        raise NotAllowed("The signature is more than 5 minutes old, or this clock or yours is wrong.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body must be JSON.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of events: noted now, noted before, or of nobody that the store knows."""

    noted: int = 0
    known: int = 0
    unknown: int = 0


def take_events(conn: Connection, told: object, *, at: datetime) -> Told:
    """Note what another program tells; all of it or, when any of it makes no sense, nothing.

    Args:
        told: one event or ``{"events": […]}``, each with ``id``, ``kind``, ``at`` (ISO 8601 with its zone; now where
            it is missing), and ``email`` or ``message_id`` (of the mail that it answers).
    Raises:
        InvalidInput: says which event, and what is wrong with it.
    """
    if isinstance(told, Mapping) and "events" in told:
        told = told["events"]
    given: Sequence[Any] = told if isinstance(told, list) else [told]
    if not 0 < len(given) <= MOST_EVENTS:
        raise InvalidInput(f"Send 1 to {MOST_EVENTS} events at once.")
    read = [_event(one, place, at) for place, one in enumerate(given, start=1)]
    noted = known = unknown = 0
    for event in read:
        whom = _whom(conn, event)
        if not whom:
            unknown += 1
            continue
        added = [
            contact_events.note(
                conn,
                ContactEvent(
                    key=f"{HOOK}:{event['id']}" + (f":{customer_id}" if len(whom) > 1 else ""),
                    kind=event["kind"],
                    customer_id=customer_id,
                    offer_id=offer_id,
                    source=HOOK,
                    occurred_at=event["at"],
                ),
            )
            for customer_id, offer_id in whom
        ]
        noted, known = (noted + 1, known) if any(added) else (noted, known + 1)
    return Told(noted=noted, known=known, unknown=unknown)


def _event(one: object, place: int, at: datetime) -> dict[str, Any]:
    if not isinstance(one, Mapping):
        raise InvalidInput(f"Event {place} is no object.")
    key, kind = one.get("id"), one.get("kind")
    if not isinstance(key, str) or not 0 < len(key) <= 300 or not key.isprintable():
        raise InvalidInput(f"Event {place} needs an id of its own: a short text.")
    if kind not in KINDS:
        raise InvalidInput(f"Event {place}: kind is one of {', '.join(KINDS)}.")
    mail_id, email = one.get("message_id"), one.get("email")
    if not any(isinstance(name, str) and 0 < len(name) <= 400 for name in (mail_id, email)):
        raise InvalidInput(f"Event {place} needs an email or a message_id.")
    return {"id": key, "kind": kind, "message_id": mail_id, "email": email, "at": _instant(one.get("at"), place, at)}


def _instant(written: object, place: int, at: datetime) -> datetime:
    if written is None:
        return at
    try:
        instant = datetime.fromisoformat(str(written))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or instant.year < 2000:
        raise InvalidInput(f"Event {place}: at is an instant such as 2026-11-24T09:30:00Z.")
    if instant > at + _AHEAD:
        raise InvalidInput(f"Event {place} lies in the future.")
    return min(instant, at)


def _whom(conn: Connection, event: Mapping[str, Any]) -> list[tuple[int, int | None]]:
    """The customers that an event is of, each with the offer that it answers; of the mail's own where it is named."""
    if isinstance(event["message_id"], str):
        sent = conn.execute(
            select(outbox_messages.c.customer_id, outbox_messages.c.offer_id).where(
                outbox_messages.c.mail_id == event["message_id"].strip("<> ")
            )
        ).first()
        if sent is not None and sent.customer_id is not None:
            return [(int(sent.customer_id), sent.offer_id)]
    address = normalise_email(event["email"]) if isinstance(event["email"], str) else None
    if address is None:
        return []
    wanted = select(customers.c.customer_id).where(
        customers.c.email_normalised == address, customers.c.erased_at.is_(None)
    )
    return [(int(found), None) for found in conn.scalars(wanted.order_by(customers.c.customer_id).limit(20))]
