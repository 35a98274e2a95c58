"""What comes back from those who were written to: they want no more, complain, or their address takes no mail.

Told by the unsubscribe link, by a mail that came back, or by a webhook. Noted once, it holds for every offer: what
waits for that customer does not leave any more.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lib.db.tables.customers import consents
from lib.db.tables.offers import contact_events, offer_assignments, offers, outbox_messages
from lib.offer import KINDS as OFFER_KINDS

KINDS = ("unsubscribed", "complained", "bounced", "opened", "clicked")
# After which nothing that advertises may leave, and why, in words.
HOLDING = {
    "unsubscribed": "The customer unsubscribed.",
    "complained": "The customer reported a mail as spam.",
    "bounced": "The customer's address takes no mail.",
}
_LONGEST_KEY = 400
_SERVICES = tuple(kind.name for kind in OFFER_KINDS.values() if kind.is_service)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvent:
    """Something that came back.

    ``key``: how its teller knows it; telling it twice is telling it once. ``offer_id``: the offer that it answers.
    """

    key: str
    kind: str
    customer_id: int
    offer_id: int | None = None
    source: str
    occurred_at: datetime


def note(connection: Connection, event: ContactEvent) -> bool:
    """Note an event and what follows from it, in the current transaction; false when it was known already."""
    if event.kind not in KINDS:
        raise ValueError(f"no event is called {event.kind!r}")
    if not 0 < len(event.key) <= _LONGEST_KEY:
        raise ValueError("an event's key is a short text")
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = connection.execute(
        make(contact_events)
        .values(
            idempotency_key=event.key,
            customer_id=event.customer_id,
            offer_id=event.offer_id,
            kind=event.kind,
            source=event.source,
            occurred_at=event.occurred_at,
        )
        .on_conflict_do_nothing(index_elements=["idempotency_key"])
        .returning(contact_events.c.contact_event_id)
    ).scalar()
    if added is None:
        return False
    if event.kind in {"opened", "clicked"}:
        _opened(connection, event)
        return True
    if event.kind != "bounced":
        _withdraw(connection, event)
    hold_back_waiting(
        connection,
        event.kind,
        HOLDING[event.kind],
        customer_id=event.customer_id,
        with_services=event.kind == "bounced",
    )
    return True


def hold_back_waiting(
    connection: Connection,
    code: str,
    why: str,
    *,
    customer_id: int | None = None,
    offer_id: int | None = None,
    with_services: bool = False,
) -> int:
    """Let what waits of offers not leave any more, and say why where it is told who got what; returns how many.

    Answers to reviews and tickets are no offers and still leave.

    Args:
        code: as ``offer_assignments.held_back`` keeps it; ``why``: as the outbox tells it.
        customer_id: what waits for this customer alone. offer_id: of this offer alone, such as one that was stopped.
        with_services: also what is about her own order (``lib.offer``), which needs no consent to advertising.
    """
    row, drawn = outbox_messages.c, offer_assignments.c
    wanted = select(offers.c.offer_id)
    if offer_id is not None:
        wanted = wanted.where(offers.c.offer_id == offer_id)
    if not with_services:
        wanted = wanted.where(offers.c.kind.not_in(_SERVICES))
    waits = [row.status == "queued", row.offer_id.in_(wanted)]
    unsent = [drawn.arm == "treatment", drawn.sent_at.is_(None), drawn.held_back.is_(None), drawn.offer_id.in_(wanted)]
    if customer_id is not None:
        waits.append(row.customer_id == customer_id)
        unsent.append(drawn.customer_id == customer_id)
    held = connection.execute(
        # Never due again: nobody has to decide about it.
        update(outbox_messages).where(*waits).values(status="held_back", failure=why, due_at=None)
    ).rowcount
    # One that is being handed over just now may be sent after all: its sender says so.
    underway = select(1).where(
        row.offer_id == drawn.offer_id, row.customer_id == drawn.customer_id, row.status == "sending"
    )
    connection.execute(update(offer_assignments).where(*unsent, ~underway.exists()).values(held_back=code))
    return held


def _withdraw(connection: Connection, event: ContactEvent) -> None:
    """Consent to mail is withdrawn from then on; what she said later than the event stands."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        make(consents)
        .values(
            customer_id=event.customer_id,
            channel="email",
            state="withdrawn",
            stated_at=event.occurred_at,
            source=event.source,
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "channel"])
    )
    connection.execute(
        update(consents)
        .where(
            consents.c.customer_id == event.customer_id,
            consents.c.channel == "email",
            consents.c.state != "withdrawn",
            or_(consents.c.stated_at.is_(None), consents.c.stated_at <= event.occurred_at),
        )
        .values(state="withdrawn", stated_at=event.occurred_at, source=event.source)
    )


def _opened(connection: Connection, event: ContactEvent) -> None:
    drawn = offer_assignments.c
    connection.execute(
        update(offer_assignments)
        .where(
            drawn.offer_id == event.offer_id,
            drawn.customer_id == event.customer_id,
            drawn.arm == "treatment",
            drawn.opened_at.is_(None),
        )
        .values(opened_at=event.occurred_at)
    )
