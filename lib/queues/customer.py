"""What a customer has been through, in one glance: orders, parcels, returns, tickets, points, reviews."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, case, false, func, select, true

from lib.db.tables.customers import customers
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.orders import orders
from lib.periods import store_day
from lib.queues.customer_event import Happened, Place
from lib.queues.customer_events import read_kind

# So many orders and other things are shown, times three; the rest is counted.
NEWEST = 3
# So many parcels, returns, tickets and reviews of one customer are looked at.
MOST_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A customer in one glance. Amounts are minor units of ``currency``; ``points`` is null for non-members."""

    customer_id: int
    name: str
    email: str
    city: str
    country: str
    is_erased: bool
    orders: int
    spent_minor: int
    currency: str
    first_order_at: datetime | None
    late_parcels: int
    returns: int
    open_tickets: int
    tickets: int
    reviews: int
    points: int | None
    newest: tuple[Happened, ...]


def story(
    connection: Connection, customer_id: int, *, at: datetime, zone: ZoneInfo, newest: int = NEWEST
) -> Story | None:
    """Read a customer's story; null when there is no such customer. ``zone`` is the store's: late is by its days."""
    who = connection.execute(select(customers).where(customers.c.customer_id == customer_id)).mappings().first()
    if who is None:
        return None
    sums = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(orders.c.total_minor), 0),
            func.min(orders.c.placed_at),
            func.max(orders.c.currency),
        ).where(orders.c.customer_id == customer_id, counted(who["is_test"]))
    ).one()
    place = Place(store_day(at, zone), zone)
    ordered, parcels, sent_back, asked, rated = (
        read_kind(connection, kind, customer_id, place, limit=most)
        for kind, most in (
            ("order", newest * 3),
            ("parcel", MOST_READ),
            ("return", MOST_READ),
            ("ticket", MOST_READ),
            ("review", MOST_READ),
        )
    )
    happened = [*ordered, *parcels, *sent_back, *asked, *rated]
    return Story(
        customer_id=customer_id,
        name=who["name"] or "",
        email=who["email"] or "",
        city=who["city"] or "",
        country=who["country"] or "",
        is_erased=who["erased_at"] is not None,
        orders=int(sums[0]),
        spent_minor=int(sums[1]),
        currency=sums[3] or "",
        first_order_at=sums[2],
        late_parcels=sum(parcel.is_bad for parcel in parcels),
        returns=len(sent_back),
        open_tickets=sum(one.is_bad for one in asked),
        tickets=len(asked),
        reviews=len(rated),
        points=_points(connection, customer_id),
        newest=tuple(sorted(happened, key=lambda one: one.at, reverse=True)[: newest * 3]),
    )


def counted(is_tester: bool) -> ColumnElement[bool]:
    """Whether an order of somebody is a valid one (see the definitions); a tester has none."""
    order = orders.c
    return and_(
        order.cancelled_at.is_(None),
        order.payment_status != "voided",
        order.is_test.is_(False),
        order.gross_minor > order.discount_minor,
        false() if is_tester else true(),
    )


def _points(connection: Connection, customer_id: int) -> int | None:
    """Points that can be spent now; null for who is no member."""
    entry = loyalty_entries.c
    signed = case((entry.kind == "issued", entry.points), else_=-entry.points)
    found = connection.execute(
        select(func.count(func.distinct(loyalty_members.c.loyalty_member_id)), func.coalesce(func.sum(signed), 0))
        .select_from(loyalty_members.outerjoin(loyalty_entries))
        .where(loyalty_members.c.customer_id == customer_id)
    ).one()
    return int(found[1]) if found[0] else None
