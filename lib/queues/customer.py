"""What a customer has been through, in one glance: orders, parcels, returns, tickets, points, reviews."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, case, func, select

from lib.db.tables.customers import customers
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.orders import orders
from lib.db.tables.products import products
from lib.db.tables.returns import returns
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.tickets import tickets
from lib.money import format_money
from lib.periods import store_day

# So many orders and other things are shown, times three; the rest is counted.
NEWEST = 3
# So many parcels, returns, tickets and reviews of one customer are looked at.
MOST_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing in a customer's story. ``kind`` is order, parcel, return, ticket or review; ``key`` its own."""

    kind: str
    key: int
    at: datetime
    title: str
    detail: str
    is_bad: bool = False


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
    order = orders.c
    is_valid = and_(order.cancelled_at.is_(None), order.is_test.is_(False), order.total_minor > 0)
    sums = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(order.total_minor), 0),
            func.min(order.placed_at),
            func.max(order.currency),
        ).where(order.customer_id == customer_id, is_valid)
    ).one()
    parcels = _parcels(connection, customer_id, store_day(at, zone), zone)
    sent_back = _returns(connection, customer_id)
    asked, is_open = _tickets(connection, customer_id)
    rated = _reviews(connection, customer_id)
    happened = [*_orders(connection, customer_id, newest), *parcels, *sent_back, *asked, *rated]
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
        open_tickets=is_open,
        tickets=len(asked),
        reviews=len(rated),
        points=_points(connection, customer_id),
        newest=tuple(sorted(happened, key=lambda one: one.at, reverse=True)[: newest * 3]),
    )


def _orders(connection: Connection, customer_id: int, most: int) -> list[Happened]:
    order = orders.c
    rows = connection.execute(
        select(order.order_id, order.placed_at, order.number, order.total_minor, order.currency, order.cancelled_at)
        .where(order.customer_id == customer_id)
        .order_by(order.placed_at.desc(), order.order_id.desc())
        .limit(most * 3)
    )
    return [
        Happened(
            kind="order",
            key=r.order_id,
            at=r.placed_at,
            title=f"Order {r.number}",
            detail=format_money(r.total_minor, r.currency) + (", cancelled" if r.cancelled_at else ""),
        )
        for r in rows
    ]


def _parcels(connection: Connection, customer_id: int, today: date, zone: ZoneInfo) -> list[Happened]:
    parcel = shipments.c
    rows = connection.execute(
        select(
            parcel.shipment_id,
            parcel.status,
            parcel.carrier,
            parcel.promised_day,
            parcel.shipped_at,
            parcel.first_attempted_at,
            parcel.delivered_at,
            orders.c.number,
            orders.c.placed_at,
        )
        .join(orders, orders.c.order_id == parcel.order_id)
        .where(orders.c.customer_id == customer_id)
        .order_by(parcel.shipment_id.desc())
        .limit(MOST_READ)
    )
    found = []
    for r in rows:
        arrived = r.first_attempted_at or r.delivered_at
        day = store_day(arrived, zone) if arrived else today
        is_late = r.promised_day is not None and day > r.promised_day
        words = "delivered" if r.delivered_at else str(r.status).replace("_", " ")
        if is_late and r.promised_day:
            days = (day - r.promised_day).days
            words += f", {days} day{'' if days == 1 else 's'} late"
        found.append(
            Happened(
                kind="parcel",
                key=r.shipment_id,
                at=r.delivered_at or r.shipped_at or r.placed_at,
                title=f"Parcel of {r.number}",
                detail=words,
                is_bad=is_late or r.status in ("lost", "damaged", "exception"),
            )
        )
    return found


def _returns(connection: Connection, customer_id: int) -> list[Happened]:
    back = returns.c
    rows = connection.execute(
        select(back.return_id, back.requested_at, back.status, back.reason, orders.c.number)
        .join(orders, orders.c.order_id == back.order_id)
        .where(orders.c.customer_id == customer_id)
        .order_by(back.requested_at.desc())
        .limit(MOST_READ)
    )
    return [
        Happened(
            kind="return",
            key=r.return_id,
            at=r.requested_at,
            title=f"Return from {r.number}",
            detail=", ".join(part.replace("_", " ") for part in (r.status, r.reason) if part),
        )
        for r in rows
    ]


def _tickets(connection: Connection, customer_id: int) -> tuple[list[Happened], int]:
    ticket = tickets.c
    rows = connection.execute(
        select(ticket.ticket_id, ticket.opened_at, ticket.subject, ticket.channel, ticket.status)
        .where(ticket.customer_id == customer_id)
        .order_by(ticket.opened_at.desc())
        .limit(MOST_READ)
    ).all()
    found = [
        Happened(
            kind="ticket",
            key=r.ticket_id,
            at=r.opened_at,
            title=r.subject or f"Ticket by {r.channel}",
            detail=r.status.replace("_", " "),
            is_bad=r.status == "open",
        )
        for r in rows
    ]
    return found, sum(r.status == "open" for r in rows)


def _reviews(connection: Connection, customer_id: int) -> list[Happened]:
    review = reviews.c
    rows = connection.execute(
        select(review.review_id, review.written_at, review.rating, review.title, products.c.name)
        .outerjoin(products, products.c.product_id == review.product_id)
        .where(review.customer_id == customer_id, review.state != "spam")
        .order_by(review.written_at.desc())
        .limit(MOST_READ)
    )
    return [
        Happened(
            kind="review",
            key=r.review_id,
            at=r.written_at,
            title=f"{r.rating} star{'' if r.rating == 1 else 's'}" + (f": {r.title}" if r.title else ""),
            detail=r.name or "",
            is_bad=r.rating <= 2,
        )
        for r in rows
    ]


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
