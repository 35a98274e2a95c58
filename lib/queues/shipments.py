"""Parcels that should have arrived and have not."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select

from lib.db.tables.orders import orders
from lib.db.tables.shipments import UNDELIVERED, shipments
from lib.queues.listing import MOST, RECENT, Need, Page, count_up_to, counted, read_page

KEY = "parcels"
_OVER = ("delivered", "lost", "damaged")


def _late(today: date, *columns: Any) -> Select[Any]:
    # Late by the promised day: the day itself is still on time.
    return select(*columns).where(
        UNDELIVERED,
        shipments.c.promised_day >= today - RECENT,
        shipments.c.promised_day < today,
        shipments.c.status.not_in(_OVER),
    )


def need(connection: Connection, today: date) -> Need | None:
    """How many are late now, and with which carrier most of them are; null when none is."""
    count = count_up_to(connection, _late(today, shipments.c.shipment_id))
    if not count:
        return None
    some = _late(today, shipments.c.carrier).limit(MOST).subquery()
    carrier, most = connection.execute(
        select(some.c.carrier, func.count().label("n"))
        .group_by(some.c.carrier)
        .order_by(func.count().desc(), some.c.carrier)
    ).first() or (None, 0)
    name = carrier or "no named carrier"
    if count == 1:
        detail = f"With {name}"
    elif most == count:
        detail = f"All with {name}"
    else:
        detail = f"{most:,} of them with {name}"
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "parcel late now", "parcels late now"),
        detail=detail,
        is_urgent=True,
    )


def waiting(connection: Connection, today: date, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The parcels late now, the longest overdue first."""
    statement = _late(
        today,
        shipments.c.promised_day.label("Promised"),
        orders.c.number.label("Order"),
        shipments.c.carrier.label("Carrier"),
        shipments.c.tracking_number.label("Tracking"),
        shipments.c.status.label("Status"),
        shipments.c.shipped_at.label("Shipped"),
    ).join_from(shipments, orders, orders.c.order_id == shipments.c.order_id)
    order = (shipments.c.promised_day, shipments.c.shipment_id)
    return read_page(connection, statement, order=order, after=after, limit=limit)
