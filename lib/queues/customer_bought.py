"""What a customer bought and what became of it: orders, parcels, returns, refunds, points and carts.

Each is asked by an index that begins with the customer, or with an order of hers.
"""

from typing import Any

from sqlalchemy import Row, func, select, union_all

from lib.db.tables.carts import carts
from lib.db.tables.customers import customers
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.orders import orders, refunds
from lib.db.tables.returns import returns
from lib.db.tables.shipments import shipments
from lib.money import format_money
from lib.periods import store_day
from lib.queues.customer_event import ME, WORDS, Happened, Kind, Place


def why_not_counted(row: Row[Any]) -> str:
    """Why an order is no valid one; empty when it is (see the definitions)."""
    if row.cancelled_at is not None:
        return "cancelled"
    if row.payment_status == "voided":
        return "voided"
    if row.is_test or row.is_tester:
        return "test"
    return "zero value" if row.gross_minor - row.discount_minor <= 0 else ""


_ORDERS = (
    select(orders, customers.c.is_test.label("is_tester"))
    .join(customers, customers.c.customer_id == orders.c.customer_id)
    .where(orders.c.customer_id == ME)
)


def _order(row: Row[Any], _: Place) -> Happened:
    left_out = why_not_counted(row)
    words = [format_money(row.total_minor, row.currency)]
    if left_out:
        words.append(f"{left_out}, not counted")
    elif row.payment_status in {"pending", "authorized", "partially_paid"}:
        words.append("not paid yet")
    return Happened(
        kind="order", key=row.order_id, at=row.placed_at, title=f"Order {row.number}", detail=", ".join(words)
    )


_PARCEL_AT = func.coalesce(shipments.c.delivered_at, shipments.c.shipped_at, orders.c.placed_at)


_PARCELS = (
    select(shipments, orders.c.number, _PARCEL_AT.label("happened_at"))
    .join(orders, orders.c.order_id == shipments.c.order_id)
    .where(orders.c.customer_id == ME)
)


def _parcel(row: Row[Any], place: Place) -> Happened:
    arrived = row.first_attempted_at or row.delivered_at
    day = store_day(arrived, place.zone) if arrived else place.today
    is_late = row.promised_day is not None and day > row.promised_day
    words = "delivered" if row.delivered_at else str(row.status).replace("_", " ")
    if is_late:
        days = (day - row.promised_day).days
        words += f", {days} day{'' if days == 1 else 's'} late"
    return Happened(
        kind="parcel",
        key=row.shipment_id,
        at=row.happened_at,
        title=f"Parcel of {row.number}",
        detail=f"{words}, {row.carrier}" if row.carrier else words,
        is_bad=is_late or row.status in ("lost", "damaged", "exception"),
    )


_RETURNS = (
    select(returns, orders.c.number)
    .join(orders, orders.c.order_id == returns.c.order_id)
    .where(orders.c.customer_id == ME)
)


def _return(row: Row[Any], _: Place) -> Happened:
    parts = [part.replace("_", " ") for part in (row.status, row.reason, row.resolution) if part]
    return Happened(
        kind="return",
        key=row.return_id,
        at=row.requested_at,
        title=f"Return from {row.number}",
        detail=", ".join(parts),
        words=(row.comment or "")[:WORDS],
    )


# A refund is its order's customer's; without one, of whom its source names.
_OF_ORDER = select(refunds, orders.c.number, orders.c.customer_id.label("buyer_id")).join(
    orders, orders.c.order_id == refunds.c.order_id
)
_OF_NOBODYS = (
    select(refunds, orders.c.number, refunds.c.customer_id.label("buyer_id"))
    .outerjoin(orders, orders.c.order_id == refunds.c.order_id)
    .where(orders.c.customer_id.is_(None))
)


_REFUND = union_all(
    _OF_ORDER.where(orders.c.customer_id == ME), _OF_NOBODYS.where(refunds.c.customer_id == ME)
).subquery("refund")


def _refund(row: Row[Any], _: Place) -> Happened:
    of = f"of {row.number}" if row.number else "of no known order"
    return Happened(
        kind="refund",
        key=row.refund_id,
        at=row.refunded_at,
        title=f"Refund {of}",
        detail=format_money(row.total_minor, row.currency) + (", day estimated" if row.is_date_estimated else ""),
        words=(row.reason or "")[:WORDS],
    )


_POINTS = (
    select(loyalty_entries)
    .join(loyalty_members, loyalty_members.c.loyalty_member_id == loyalty_entries.c.loyalty_member_id)
    .where(loyalty_members.c.customer_id == ME)
)


def _point(row: Row[Any], _: Place) -> Happened:
    return Happened(
        kind="points",
        key=row.loyalty_entry_id,
        at=row.occurred_at,
        title=f"{row.points:,} points {row.kind}",
        detail=f"worth {format_money(row.value_minor, row.currency)}" if row.value_minor else "",
    )


_CARTS = select(carts).where(carts.c.customer_id == ME)


def _cart(row: Row[Any], _: Place) -> Happened:
    end = "ordered" if row.ordered_at or row.order_id else "not ordered"
    return Happened(
        kind="cart",
        key=row.cart_id,
        at=row.last_event_at,
        title="Cart",
        detail=f"{format_money(row.value_minor, row.currency)}, {end}",
    )


REFUND = Kind(select(_REFUND), _REFUND.c.refunded_at, _REFUND.c.refund_id, _refund)
RETURN = Kind(_RETURNS, returns.c.requested_at, returns.c.return_id, _return)
PARCEL = Kind(_PARCELS, _PARCEL_AT, shipments.c.shipment_id, _parcel)
POINTS = Kind(_POINTS, loyalty_entries.c.occurred_at, loyalty_entries.c.loyalty_entry_id, _point)
ORDER = Kind(_ORDERS, orders.c.placed_at, orders.c.order_id, _order)
CART = Kind(_CARTS, carts.c.last_event_at, carts.c.cart_id, _cart)
