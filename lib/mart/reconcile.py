"""Whether the mart equals the order database, to the cent, month by month.

The order database's side is asked in a way of its own: whether an order counts, and which month of the
store it falls into, is decided here anew and not taken from the mart's code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, cast, func, not_, or_, select

from lib.db.tables.customers import customers
from lib.db.tables.loyalty import loyalty_entries
from lib.db.tables.orders import orders, refunds
from lib.mart.schema import by_day, fact_order, fact_refund, points_day
from lib.mart.snapshot import Snapshot
from lib.periods import day_of, month_index, month_start, start_of_day, store_day

_AMOUNTS = ("gross_minor", "discount_minor", "shipping_minor", "tax_minor", "fees_minor", "total_minor")
_REFUND_AMOUNTS = ("goods_minor", "shipping_minor", "tax_minor", "fees_minor", "total_minor")
# Those that the grouped table by day must repeat: its column beside the order's.
_BY_DAY = {
    "orders": "orders",
    "gross_minor": "gross_minor",
    "discount_minor": "discount_minor",
    "shipping_minor": "shipping_minor",
    "fees_minor": "fees_minor",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that differs. ``month`` as in lib.periods; amounts in minor units of the store's currency."""

    month: int
    what: str
    in_database: int
    in_mart: int

    def __str__(self) -> str:
        return (
            f"{month_start(self.month):%Y-%m} {self.what}: {self.in_database} in the order database,"
            f" {self.in_mart} in the mart"
        )


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was compared and what differs. ``sums`` counts the pairs that were compared."""

    months: int
    orders: int
    sums: int
    differences: tuple[Difference, ...]


Sums = dict[tuple[int, str], int]


def reconcile(connection: Connection, mart: Snapshot) -> Reconciliation:
    """Compare orders, refunds and loyalty points of every month of the store.

    Args:
        connection: a transaction on the order database.
        mart: a snapshot refreshed after the last change.
    """
    zone = ZoneInfo(mart.about.time_zone)
    ours = {**_ordered(connection, zone), **_refunded(connection, zone), **_points(connection, zone)}
    theirs = {**_in_facts(mart), **_points_in_groups(mart)}
    found = _differences(ours, theirs)
    # The grouped table is compared with the facts, which were compared with the order database.
    grouped = _in_groups(mart)
    facts = {(month, f"{what} by day"): n for (month, what), n in theirs.items() if what in _BY_DAY}
    found += _differences(facts, grouped)
    return Reconciliation(
        months=len({month for month, _ in ours}),
        orders=sum(n for (_, what), n in ours.items() if what == "all orders"),
        sums=len(ours.keys() | theirs.keys()) + len(facts.keys() | grouped.keys()),
        differences=tuple(sorted(found, key=lambda difference: (difference.month, difference.what))),
    )


def _differences(ours: Sums, theirs: Sums) -> list[Difference]:
    return [
        Difference(*key, ours.get(key, 0), theirs.get(key, 0))
        for key in ours.keys() | theirs.keys()
        if ours.get(key, 0) != theirs.get(key, 0)
    ]


def _months(zone: ZoneInfo, first: datetime | None, last: datetime | None) -> Iterator[tuple[int, datetime, datetime]]:
    """The months of the store from one instant to another, each with the instants it lies between."""
    if first is None or last is None:
        return
    for month in range(month_index(store_day(first, zone)), month_index(store_day(last, zone)) + 1):
        yield month, start_of_day(month_start(month), zone), start_of_day(month_start(month + 1), zone)


def _ordered(connection: Connection, zone: ZoneInfo) -> Sums:
    counts = and_(
        orders.c.cancelled_at.is_(None),
        orders.c.payment_status != "voided",
        not_(orders.c.is_test),
        or_(orders.c.customer_id.is_(None), not_(customers.c.is_test)),
        orders.c.gross_minor > orders.c.discount_minor,
    )
    asked = select(
        func.count().label("all orders"),
        func.count().filter(counts).label("orders"),
        *(_whole(case((counts, orders.c[name]), else_=0)).label(name) for name in _AMOUNTS),
    ).select_from(orders.outerjoin(customers, orders.c.customer_id == customers.c.customer_id))
    first, last = connection.execute(select(func.min(orders.c.placed_at), func.max(orders.c.placed_at))).one()
    sums: Sums = {}
    for month, starts, ends in _months(zone, first, last):
        row = connection.execute(asked.where(orders.c.placed_at >= starts, orders.c.placed_at < ends)).mappings().one()
        sums.update({(month, what): int(n or 0) for what, n in row.items()})
    return sums


def _refunded(connection: Connection, zone: ZoneInfo) -> Sums:
    asked = select(
        func.count().label("refunds"),
        *(_whole(refunds.c[name]).label(f"refunded {name}") for name in _REFUND_AMOUNTS),
    )
    moments = select(func.min(refunds.c.refunded_at), func.max(refunds.c.refunded_at))
    first, last = connection.execute(moments).one()
    sums: Sums = {}
    for month, starts, ends in _months(zone, first, last):
        row = connection.execute(asked.where(refunds.c.refunded_at >= starts, refunds.c.refunded_at < ends))
        sums.update({(month, what): int(n or 0) for what, n in row.mappings().one().items()})
    return sums


def _points(connection: Connection, zone: ZoneInfo) -> Sums:
    entry = loyalty_entries.c
    asked = select(entry.kind, _whole(entry.points).label("points"), _whole(entry.value_minor).label("value"))
    first, last = connection.execute(select(func.min(entry.occurred_at), func.max(entry.occurred_at))).one()
    sums: Sums = {}
    for month, starts, ends in _months(zone, first, last):
        within = asked.where(entry.occurred_at >= starts, entry.occurred_at < ends).group_by(entry.kind)
        for row in connection.execute(within):
            sums[month, f"points {row.kind}"] = int(row.points)
            sums[month, f"value of points {row.kind}"] = int(row.value)
    return sums


def _points_in_groups(mart: Snapshot) -> Sums:
    kinds = ("issued", "redeemed", "expired")
    columns = {f"points {kind}": points_day.c[f"{kind}_points"] for kind in kinds}
    columns |= {f"value of points {kind}": points_day.c[f"{kind}_minor"] for kind in kinds}
    daily = select(points_day.c.day, *(column.label(what) for what, column in columns.items()))
    sums: Sums = {}
    for row in mart.frame(daily.where(points_day.c.dimension == "all")).to_dict("records"):
        month = month_index(day_of(int(row["day"])))
        for what in columns:
            sums[month, what] = sums.get((month, what), 0) + int(row[what])
    return {key: n for key, n in sums.items() if n}


def _in_facts(mart: Snapshot) -> Sums:
    counts = fact_order.c.is_valid
    ordered = select(
        fact_order.c.month,
        func.count().label("all orders"),
        _whole(case((counts, 1), else_=0)).label("orders"),
        *(_whole(case((counts, fact_order.c[name]), else_=0)).label(name) for name in _AMOUNTS),
    ).group_by(fact_order.c.month)
    refunded = select(
        fact_refund.c.month,
        func.count(fact_refund.c.refund_id.distinct()).label("refunds"),
        *(_whole(fact_refund.c[name]).label(f"refunded {name}") for name in _REFUND_AMOUNTS),
    ).group_by(fact_refund.c.month)
    sums: Sums = {}
    for statement in (ordered, refunded):
        for row in mart.frame(statement).to_dict("records"):
            sums.update({(int(row["month"]), str(what)): int(n) for what, n in row.items() if what != "month"})
    return sums


def _in_groups(mart: Snapshot) -> Sums:
    daily = select(
        by_day.c.day, *(_whole(by_day.c[column]).label(f"{what} by day") for what, column in _BY_DAY.items())
    )
    sums: Sums = {}
    for row in mart.frame(daily.where(by_day.c.dimension == "all").group_by(by_day.c.day)).to_dict("records"):
        month = month_index(day_of(int(row["day"])))
        for what, n in row.items():
            if what != "day":
                sums[month, str(what)] = sums.get((month, str(what)), 0) + int(n)
    return sums


def _whole(amount: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.sum(amount), BigInteger)
