"""Who must not be contacted now, and why: asked of the order database as it is at this moment.

Asked before the lot is drawn, identically for both arms, and once more by whoever writes a list. The rules, in the
order in which they are told: nobody who was erased, or has no address; nobody who unsubscribed, complained or did not
agree, but for messages about her own order; no favour is asked while a parcel is late or a ticket or return is open;
no discount when she is likely to order anyway; not more messages than set; one offer a day, by priority.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, func, select

from lib.db.among import among
from lib.db.tables.offers import offers, outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.returns import returns
from lib.db.tables.shipments import shipments
from lib.db.tables.store import store
from lib.db.tables.tickets import tickets
from lib.offer import KINDS, Channel, Pays
from lib.outbox.consent import Held, agreed, came_back, nobody
from lib.outbox.rules import ContactRules, read_rules
from lib.periods import day_index, store_day

# What asks the customer for something: never while she waits for us.
FAVOURS = frozenset({"review_request", "survey", "share"})
DISCOUNTS = frozenset({Pays.PERCENT, Pays.AMOUNT, Pays.SHIPPING})
SERVICES = tuple(kind.name for kind in KINDS.values() if kind.is_service)
# A parcel that nothing is heard of for so long is lost to the carrier's data, not on its way.
LATE_FOR = timedelta(days=60)
# Asked of so many at once.
BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder:
    """When customers order again by themselves: from so many days after the last purchase to so many."""

    least: int
    most: int


def held_back(
    connection: Connection,
    customer_ids: Collection[int],
    *,
    kind: str,
    at: datetime,
    channel: Channel = Channel.EMAIL,
    pays: Pays | None = None,
    offer_id: int | None = None,
    reorder: Reorder | None = None,
) -> dict[int, str]:
    """The first reason that holds back each customer who must not be contacted; the others are absent.

    Args:
        kind: of the offer (``lib.offer.KINDS``).
        channel: a gift in the parcel needs neither an address nor a consent to mail.
        pays: what it rewards with; by default what its kind usually does.
        offer_id: its own messages do not count against it.
        reorder: when customers of this store order by themselves (``lib.metrics.audience``); null: not asked.
    """
    ids, found = sorted(set(customer_ids)), {}
    rules = read_rules(connection)
    asked = _Asked(
        rules=rules,
        kind=kind,
        at=at,
        zone=ZoneInfo(connection.scalar(select(store.c.time_zone)) or "UTC"),
        channel=channel,
        pays=pays or (KINDS[kind].pays[0] if kind in KINDS else Pays.NOTHING),
        offer_id=offer_id,
        reorder=reorder,
    )
    for start in range(0, len(ids), BATCH):
        found.update(_held(connection, ids[start : start + BATCH], asked))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    rules: ContactRules
    kind: str
    at: datetime
    zone: ZoneInfo
    channel: Channel
    pays: Pays
    offer_id: int | None
    reorder: Reorder | None

    @property
    def is_service(self) -> bool:
        return self.kind in SERVICES


def _held(connection: Connection, ids: Collection[int], asked: _Asked) -> dict[int, str]:
    found: dict[int, str] = {}
    left = set(ids)

    def hold(held: dict[int, Held]) -> None:
        for customer_id, reason in held.items():
            if customer_id in left:
                found[customer_id] = reason.value
                left.discard(customer_id)

    def hold_all(held: Iterable[int], reason: Held) -> None:
        hold(dict.fromkeys(held, reason))

    by_mail, by_parcel = asked.channel is Channel.EMAIL, asked.channel is Channel.PARCEL
    hold(nobody(connection, left, needs_address=by_mail))
    if not by_parcel:
        hold(came_back(connection, left, only_bounces=asked.is_service))
        if not asked.is_service:
            hold_all(left - agreed(connection, left), Held.NO_CONSENT)
    if asked.kind in FAVOURS:
        hold_all(_ids(connection, _late(asked), orders.c.customer_id, left), Held.LATE_PARCEL)
        hold_all(_with_ticket(connection, left), Held.OPEN_TICKET)
        hold_all(_with_return(connection, left), Held.OPEN_RETURN)
    if asked.pays in DISCOUNTS and asked.reorder is not None:
        hold_all(_due(connection, left, asked, asked.reorder), Held.REORDER_DUE)
    if not asked.is_service and not by_parcel:
        if asked.rules.most_messages < 1:
            hold_all(set(left), Held.TOO_OFTEN)
        hold_all(_ids(connection, _too_often(asked), outbox_messages.c.customer_id, left), Held.TOO_OFTEN)
        hold_all(_ids(connection, _today(asked), outbox_messages.c.customer_id, left), Held.ANOTHER_FIRST)
    return found


def _ids(
    connection: Connection, statement: Select[tuple[int]], column: ColumnElement[int], left: Collection[int]
) -> set[int]:
    return set(connection.scalars(statement.where(among(connection, column, left)))) if left else set()  # type: ignore[arg-type]  # a column


def _late(asked: _Asked) -> Select[tuple[int]]:
    """Whose parcel was promised before today and has not arrived."""
    today = store_day(asked.at, asked.zone)
    return (
        select(orders.c.customer_id)
        .join(shipments, shipments.c.order_id == orders.c.order_id)
        .where(
            orders.c.cancelled_at.is_(None),
            shipments.c.delivered_at.is_(None),
            shipments.c.first_attempted_at.is_(None),
            shipments.c.status != "expired",
            shipments.c.promised_day < today,
            shipments.c.promised_day >= today - LATE_FOR,
        )
        .distinct()
    )


def _with_ticket(connection: Connection, left: Collection[int]) -> set[int]:
    """Who wrote a ticket that is not closed, or whose order one is about."""
    is_open = (tickets.c.status.in_(("open", "waiting_for_customer")), tickets.c.merged_into_id.is_(None))
    own = select(tickets.c.customer_id).where(*is_open)
    about = select(orders.c.customer_id).join(tickets, tickets.c.order_id == orders.c.order_id).where(*is_open)
    return _ids(connection, own, tickets.c.customer_id, left) | _ids(connection, about, orders.c.customer_id, left)


def _with_return(connection: Connection, left: Collection[int]) -> set[int]:
    is_open = returns.c.status.in_(("requested", "approved", "in_transit", "received"))
    about = select(orders.c.customer_id).join(returns, returns.c.order_id == orders.c.order_id).where(is_open)
    return _ids(connection, about, orders.c.customer_id, left)


def _due(connection: Connection, left: Collection[int], asked: _Asked, reorder: Reorder) -> set[int]:
    """Whose last purchase lies as long back as customers take to order again by themselves."""
    if not left:
        return set()
    rows = connection.execute(
        select(orders.c.customer_id, func.max(orders.c.placed_at).label("last_at"))
        .where(
            among(connection, orders.c.customer_id, left),
            orders.c.cancelled_at.is_(None),
            orders.c.payment_status != "voided",
            ~orders.c.is_test,
            orders.c.gross_minor > orders.c.discount_minor,
        )
        .group_by(orders.c.customer_id)
    )
    today = day_index(store_day(asked.at, asked.zone))
    return {
        row.customer_id
        for row in rows
        if reorder.least <= today - day_index(store_day(row.last_at, asked.zone)) <= reorder.most
    }


def _messages(asked: _Asked) -> Select[tuple[int]]:
    """Messages of other offers that went out or will; those about the customer's own order do not count."""
    message = outbox_messages.c
    statement = (
        select(message.customer_id)
        .join(offers, offers.c.offer_id == message.offer_id)
        .where(message.status.in_(("queued", "sending", "sent")), offers.c.kind.not_in(SERVICES))
    )
    return statement if asked.offer_id is None else statement.where(message.offer_id != asked.offer_id)


def _too_often(asked: _Asked) -> Select[tuple[int]]:
    since = asked.at - timedelta(days=asked.rules.most_days)
    return (
        _messages(asked)
        .where(_moment() > since)
        .group_by(outbox_messages.c.customer_id)
        .having(func.count() >= asked.rules.most_messages)
    )


def _today(asked: _Asked) -> Select[tuple[int]]:
    """Who has another offer's message on this store day already: the one with the higher priority was first."""
    start = asked.at.astimezone(asked.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return _messages(asked).where(_moment() >= start).distinct()


def _moment() -> ColumnElement[datetime]:
    message = outbox_messages.c
    return func.coalesce(message.sent_at, message.due_at, message.queued_at, type_=message.sent_at.type)
