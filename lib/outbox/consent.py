"""Whom a message may reach at all: who agreed, who took it back, and whose address takes no mail. Asked live."""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import Connection, and_, func, or_, select

from lib.db.among import among
from lib.db.tables.customers import consents, customers
from lib.db.tables.offers import contact_events


class Held(StrEnum):
    """Why a customer gets nothing. The first that holds is told; the order is that of the contact rules."""

    ERASED = "erased"
    TEST = "test"
    NO_ADDRESS = "no_address"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    NO_CONSENT = "no_consent"
    LATE_PARCEL = "late_parcel"
    OPEN_TICKET = "open_ticket"
    OPEN_RETURN = "open_return"
    REORDER_DUE = "reorder_due"
    TOO_OFTEN = "too_often"
    ANOTHER_FIRST = "another_first"
    HOLDOUT = "holdout"


# As a list of customers says it.
WORDS = {
    Held.ERASED: "Erased on request",
    Held.TEST: "Test customer",
    Held.NO_ADDRESS: "No e-mail address",
    Held.BOUNCED: "Address takes no mail",
    Held.COMPLAINED: "Complained about our mail",
    Held.UNSUBSCRIBED: "Unsubscribed",
    Held.NO_CONSENT: "Has not agreed to advertising",
    Held.LATE_PARCEL: "A parcel is late",
    Held.OPEN_TICKET: "A ticket is open",
    Held.OPEN_RETURN: "A return is open",
    Held.REORDER_DUE: "Likely to order now without a coupon",
    Held.TOO_OFTEN: "Had enough messages lately",
    Held.ANOTHER_FIRST: "Another offer goes first today",
    Held.HOLDOUT: "In a holdout",
}
_TOLD = {reason.value: words for reason, words in WORDS.items()}


def told(reason: str) -> str:
    """A reason in words; one that is no code of Encore's is told as it is kept."""
    return _TOLD.get(reason, reason)


def nobody(connection: Connection, ids: Collection[int]) -> dict[int, Held]:
    """Those whom no message may be made for: erased, invented for a test, or without an address."""
    rows = connection.execute(
        select(customers.c.customer_id, customers.c.erased_at, customers.c.is_test).where(
            among(connection, customers.c.customer_id, ids),
            or_(
                customers.c.erased_at.is_not(None),
                customers.c.is_test,
                func.coalesce(customers.c.email_normalised, "") == "",
            ),
        )
    )
    return {
        row.customer_id: Held.ERASED if row.erased_at else Held.TEST if row.is_test else Held.NO_ADDRESS for row in rows
    }


def came_back(connection: Connection, ids: Collection[int] | None, kinds: Collection[Held]) -> dict[int, Held]:
    """Those whose mail bounced for good, who complained, or who unsubscribed; ``ids`` None: all there are.

    A complaint or an unsubscription is over once a later consent is on record; a bounce stays.
    """
    event, consent = contact_events.c, consents.c
    later = and_(consent.customer_id == event.customer_id, consent.channel == "email", consent.state == "given")
    asked = (
        select(event.customer_id, event.kind)
        .select_from(contact_events.outerjoin(consents, later))
        .where(
            event.customer_id.is_not(None),
            event.kind.in_([kind.value for kind in kinds]),
            or_(event.kind == "bounced", consent.stated_at.is_(None), consent.stated_at <= event.occurred_at),
        )
        .distinct()
    )
    order, found = list(Held), dict[int, Held]()
    for row in connection.execute(asked if ids is None else asked.where(among(connection, event.customer_id, ids))):
        reason, known = Held(row.kind), found.get(row.customer_id)
        if known is None or order.index(reason) < order.index(known):
            found[row.customer_id] = reason
    return found


def agreed(connection: Connection, ids: Collection[int], *, channel: str = "email") -> set[int]:
    """Those who said yes to advertising by a channel and did not take it back."""
    return set(
        connection.scalars(
            select(consents.c.customer_id).where(
                among(connection, consents.c.customer_id, ids),
                consents.c.channel == channel,
                consents.c.state == "given",
            )
        )
    )
