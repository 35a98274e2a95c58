"""Who must not be contacted now, and why: asked of the order database as it is at this moment.

Asked before the lot is drawn, identically for both arms, and once more by whoever writes a list. The rules, in the
order in which they are told: nobody who was erased, or has no address; nobody who unsubscribed, complained or did not
agree, but for messages about her own order; no favour is asked while a parcel is late or a ticket or return is open;
no discount when she is likely to order anyway; not more messages than set; one offer a day, by priority.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, Connection, Select, func, select

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
from lib.periods import start_of_day, store_day

# What asks the customer for something: never while she waits for us.
FAVOURS = frozenset({"review_request", "survey", "share"})
DISCOUNTS = frozenset({Pays.PERCENT, Pays.AMOUNT, Pays.SHIPPING})
SERVICES = tuple(kind.name for kind in KINDS.values() if kind.is_service)
CAME_BACK = frozenset({Held.BOUNCED, Held.COMPLAINED, Held.UNSUBSCRIBED})
# A parcel that nothing is heard of for so long is lost to the carrier's data, not on its way.
LATE_FOR = timedelta(days=60)
# Asked of so many at once.
BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder:
    """When customers order again by themselves: from how many days after the last purchase to how many.

    ``windows``: by the number of purchases so far; the last stands for itself and all above it.
    """

    windows: Mapping[int, tuple[int, int]]

    def is_due(self, purchases: int, days_since_last: int) -> bool:
        """Whether she is likely to order now anyway."""
        window = self.windows.get(min(purchases, max(self.windows, default=0)))
        return window is not None and window[0] <= days_since_last <= window[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be sent, as far as the rules ask.

    ``channel``: a gift in the parcel needs neither an address nor a consent to mail. ``pays``: by default what its
    kind usually rewards with. ``offer_id``: its own messages do not count against it. ``reorder``: when customers of
    this store order by themselves (``lib.metrics.audience.reorder_windows``); null: not asked.
    """

    kind: str
    at: datetime
    channel: Channel = Channel.EMAIL
    pays: Pays | None = None
    offer_id: int | None = None
    reorder: Reorder | None = None

    @property
    def reasons(self) -> tuple[Held, ...]:
        """What can hold it back, in the order in which it is told."""
        is_service, by_parcel = self.kind in SERVICES, self.channel is Channel.PARCEL
        found = [Held.ERASED, Held.TEST]
        if self.channel is Channel.EMAIL:
            found.append(Held.NO_ADDRESS)
        if not by_parcel:
            found.append(Held.BOUNCED)
            found += [] if is_service else [Held.COMPLAINED, Held.UNSUBSCRIBED, Held.NO_CONSENT]
        if self.kind in FAVOURS:
            found += [Held.LATE_PARCEL, Held.OPEN_TICKET, Held.OPEN_RETURN]
        usual = KINDS[self.kind].pays[0] if self.kind in KINDS else Pays.NOTHING
        if self.reorder is not None and (self.pays or usual) in DISCOUNTS:
            found.append(Held.REORDER_DUE)
        if not is_service and not by_parcel:
            found += [Held.TOO_OFTEN, Held.ANOTHER_FIRST]
        return tuple(found)


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

    The arguments after the customers are those of :class:`Message`; a reason is a value of ``Held``.
    """
    message = Message(kind=kind, at=at, channel=channel, pays=pays, offer_id=offer_id, reorder=reorder)
    asked = _asked(connection, message)
    ids, found = sorted(set(customer_ids)), dict[int, str]()
    for start in range(0, len(ids), BATCH):
        found.update(_held(connection, ids[start : start + BATCH], asked))
    return found


def listed(connection: Connection, message: Message) -> dict[Held, set[int]]:
    """Everybody who is held back for what only the order database knows: what came back, and messages lately.

    One who is held back for several is named with each. What a refresh brings into the mart is counted there.
    """
    asked, found = _asked(connection, message), dict[Held, set[int]]()
    for customer_id, reason in came_back(connection, None, set(message.reasons) & CAME_BACK).items():
        found.setdefault(reason, set()).add(customer_id)
    if Held.TOO_OFTEN in message.reasons and asked.rules.most_messages > 0:
        found[Held.TOO_OFTEN] = set(connection.scalars(_too_often(asked)))
        found[Held.ANOTHER_FIRST] = set(connection.scalars(_today(asked)))
    return {reason: ids for reason, ids in found.items() if ids}


@dataclass(frozen=True, slots=True)
class _Asked:
    message: Message
    rules: ContactRules
    zone: ZoneInfo

    @property
    def at(self) -> datetime:
        return self.message.at


def _asked(connection: Connection, message: Message) -> _Asked:
    zone = ZoneInfo(connection.scalar(select(store.c.time_zone)) or "UTC")
    return _Asked(message, read_rules(connection), zone)


def _held(connection: Connection, ids: Collection[int], asked: _Asked) -> dict[int, str]:
    found: dict[int, str] = {}
    left, reasons = set(ids), asked.message.reasons

    def hold(held: Mapping[int, Held]) -> None:
        for customer_id, reason in held.items():
            if customer_id in left and reason in reasons:
                found[customer_id] = reason.value
                left.discard(customer_id)

    def hold_all(reason: Held, find: Callable[[], Iterable[int]]) -> None:
        if reason in reasons and left:
            hold(dict.fromkeys(find(), reason))

    hold(nobody(connection, left))
    if left and CAME_BACK & set(reasons):
        hold(came_back(connection, left, CAME_BACK & set(reasons)))
    hold_all(Held.NO_CONSENT, lambda: left - agreed(connection, left))
    hold_all(Held.LATE_PARCEL, lambda: _ids(connection, _late(asked), orders.c.customer_id, left))
    hold_all(Held.OPEN_TICKET, lambda: _with_ticket(connection, left))
    hold_all(Held.OPEN_RETURN, lambda: _with_return(connection, left))
    hold_all(Held.REORDER_DUE, lambda: _due(connection, left, asked))
    message = outbox_messages.c.customer_id
    if asked.rules.most_messages < 1:
        hold_all(Held.TOO_OFTEN, lambda: set(left))
    hold_all(Held.TOO_OFTEN, lambda: _ids(connection, _too_often(asked), message, left))
    hold_all(Held.ANOTHER_FIRST, lambda: _ids(connection, _today(asked), message, left))
    return found


def _ids(connection: Connection, statement: Select[tuple[int]], column: Column[int], left: Collection[int]) -> set[int]:
    return set(connection.scalars(statement.where(among(connection, column, left)))) if left else set()


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


def _due(connection: Connection, left: Collection[int], asked: _Asked) -> set[int]:
    """Whose last purchase lies as long back as customers take to order again by themselves."""
    reorder = asked.message.reorder
    if reorder is None or not reorder.windows:
        return set()
    today = store_day(asked.at, asked.zone)
    order = orders.c
    is_valid = (
        among(connection, order.customer_id, left),
        order.cancelled_at.is_(None),
        order.payment_status != "voided",
        ~order.is_test,
        order.gross_minor > order.discount_minor,
    )
    longest = start_of_day(today - timedelta(days=max(most for _, most in reorder.windows.values())), asked.zone)
    shortest = start_of_day(today - timedelta(days=min(least for least, _ in reorder.windows.values()) - 1), asked.zone)
    last = func.max(order.placed_at)
    rows = connection.execute(
        select(order.customer_id, func.count().label("orders"), last.label("last_at"))
        .where(*is_valid)
        .group_by(order.customer_id)
        .having(last >= longest, last < shortest)
    ).all()
    # Several orders of one day are one purchase.
    days: dict[int, set[date]] = {row.customer_id: {store_day(row.last_at, asked.zone)} for row in rows}
    several = [row.customer_id for row in rows if row.orders > 1]
    if several:
        placed = select(order.customer_id, order.placed_at).where(*is_valid[1:])
        for row in connection.execute(placed.where(among(connection, order.customer_id, several))):
            days[row.customer_id].add(store_day(row.placed_at, asked.zone))
    return {one for one, bought in days.items() if reorder.is_due(len(bought), (today - max(bought)).days)}


def _messages(asked: _Asked) -> Select[tuple[int]]:
    """Messages of other offers that went out or will; those about the customer's own order do not count."""
    message = outbox_messages.c
    statement = (
        select(message.customer_id)
        .join(offers, offers.c.offer_id == message.offer_id)
        .where(
            message.customer_id.is_not(None),
            message.status.in_(("queued", "sending", "sent")),
            offers.c.kind.not_in(SERVICES),
        )
    )
    mine = asked.message.offer_id
    return statement if mine is None else statement.where(message.offer_id != mine)


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
