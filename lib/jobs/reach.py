"""Whom of an audience a message would reach now, and how many each contact rule holds back.

What the mart knows is as of its last refresh; what came back and messages lately are asked live. So it answers while
somebody builds an audience; the same rules are asked of each customer once more before anything is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from lib.audience import Audience
from lib.db.engine import order_database, reading
from lib.metrics import audience as metric
from lib.metrics.audience import Care
from lib.metrics.definition import Mart
from lib.offer import Channel, Pays
from lib.outbox.consent import WORDS, Held
from lib.outbox.contact_rules import Message, Reorder, listed
from lib.outbox.rules import ContactRules, read_rules
from lib.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """So many customers are held back for a reason; each counts once, under the first that holds."""

    reason: str
    words: str
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """An audience, and whom of it a message may go to: ``total`` = ``free`` + all that is held back."""

    total: int
    free: int
    held: tuple[HeldBack, ...]
    rules: ContactRules


def message_of(
    mart: Mart,
    as_of: date,
    *,
    kind: str,
    at: datetime,
    channel: Channel = Channel.EMAIL,
    pays: Pays | None = None,
    offer_id: int | None = None,
) -> Message:
    """What the contact rules ask of a message, with the days on which this store's customers order by themselves."""
    return Message(
        kind=kind,
        at=at,
        channel=channel,
        pays=pays,
        offer_id=offer_id,
        reorder=Reorder(windows=metric.reorder_windows(mart, as_of)),
    )


def reach(settings: Settings, mart: Mart, audience: Audience, as_of: date, message: Message) -> Reach:
    """How many of an audience a message may go to, and how many each rule holds back."""
    with reading(order_database(settings)) as connection:
        live = listed(connection, message)
        rules = read_rules(connection)
    counts: dict[Held | None, int] = {}
    stops_all = rules.most_messages < 1

    def add(care: Care, known: Iterable[Held], customers: int) -> None:
        reason = _first(message, care, {*known, *([Held.TOO_OFTEN] if stops_all else [])})
        counts[reason] = counts.get(reason, 0) + customers

    for group in metric.care(mart, audience, as_of):
        add(group, (), group.customers)
    by_customer: dict[int, set[Held]] = {}
    for reason, ids in live.items():
        for customer_id in ids:
            by_customer.setdefault(customer_id, set()).add(reason)
    # Who is held back for what only the order database knows was counted as if it were not so.
    for customer_id, care in metric.care_of(mart, audience, by_customer, as_of).items():
        add(care, (), -1)
        add(care, by_customer[customer_id], 1)
    free = counts.pop(None, 0)
    held = tuple(
        HeldBack(reason=reason.value, words=WORDS[reason], customers=counts[reason])
        for reason in message.reasons
        if counts.get(reason)
    )
    return Reach(total=free + sum(one.customers for one in held), free=free, held=held, rules=rules)


def _first(message: Message, care: Care, live: set[Held]) -> Held | None:
    """The first reason that holds, in the order of the rules."""
    holds = {
        Held.NO_ADDRESS: not care.has_address,
        Held.NO_CONSENT: not care.has_consent,
        Held.LATE_PARCEL: care.has_late_parcel,
        Held.OPEN_TICKET: care.has_open_ticket,
        Held.OPEN_RETURN: care.has_open_return,
        Held.REORDER_DUE: care.is_due,
    }
    return next((reason for reason in message.reasons if holds.get(reason, False) or reason in live), None)
