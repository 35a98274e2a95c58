"""Orders that nobody has paid for yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from lib.db.tables.customers import customers
from lib.db.tables.orders import AWAITING_PAYMENT, orders
from lib.money import format_money
from lib.queues.listing import MOST, RECENT, Need, Page, count_up_to, counted, read_page

KEY = "unpaid"


def _unpaid(at: datetime, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        AWAITING_PAYMENT,
        orders.c.placed_at > at - RECENT,
        orders.c.placed_at <= at,
        orders.c.cancelled_at.is_(None),
        orders.c.is_test.is_(False),
        orders.c.total_minor > 0,
    )


def need(connection: Connection, at: datetime) -> Need | None:
    """How many orders wait for their money, and how much; null when none does."""
    count = count_up_to(connection, _unpaid(at, orders.c.order_id))
    if not count:
        return None
    some = _unpaid(at, orders.c.currency, orders.c.total_minor, orders.c.paid_minor).limit(MOST + 1).subquery()
    owed = func.sum(some.c.total_minor - func.coalesce(some.c.paid_minor, 0))
    sums = connection.execute(select(some.c.currency, owed).group_by(some.c.currency)).all()
    amount = " and ".join(format_money(int(minor), currency, cents=False) for currency, minor in sums)
    detail = f"{amount} still to come in" if count <= MOST else "The oldest first in the list"
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "order not paid yet", "orders not paid yet"),
        detail=detail,
        is_urgent=False,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The unpaid orders, oldest first."""
    statement = _unpaid(
        at,
        orders.c.placed_at.label("Placed"),
        orders.c.number.label("Order"),
        customers.c.name.label("Customer"),
        orders.c.payment_status.label("Payment"),
        orders.c.payment_method.label("Method"),
        orders.c.total_minor.label("Total"),
        orders.c.currency.label("Currency"),
    ).outerjoin_from(orders, customers, customers.c.customer_id == orders.c.customer_id)
    return read_page(connection, statement, order=(orders.c.placed_at, orders.c.order_id), after=after, limit=limit)
