"""Returns on their way through the house."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from lib.db.tables.customers import customers
from lib.db.tables.orders import orders
from lib.db.tables.returns import PENDING, returns
from lib.queues.listing import RECENT, Need, Page, count_up_to, counted, read_page

KEY = "returns"


def _pending(at: datetime, *columns: Any) -> Select[Any]:
    return select(*columns).where(PENDING, returns.c.requested_at > at - RECENT, returns.c.requested_at <= at)


def need(connection: Connection, at: datetime) -> Need | None:
    """How many returns are open, and how many are new or have arrived; null when none is."""
    count = count_up_to(connection, _pending(at, returns.c.return_id))
    if not count:
        return None
    new = count_up_to(connection, _pending(at, returns.c.return_id).where(returns.c.status == "requested"))
    here = count_up_to(connection, _pending(at, returns.c.return_id).where(returns.c.status == "received"))
    parts = []
    if new:
        parts.append(counted(new, "to approve", "to approve"))
    if here:
        parts.append(counted(here, "to settle", "to settle"))
    detail = ", ".join(parts) or "All approved and on their way back"
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "return open", "returns open"),
        detail=detail[0].upper() + detail[1:],
        is_urgent=False,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The open returns, oldest first."""
    statement = _pending(
        at,
        returns.c.requested_at.label("Requested"),
        orders.c.number.label("Order"),
        customers.c.name.label("Customer"),
        returns.c.status.label("Status"),
        returns.c.reason.label("Reason"),
        returns.c.resolution.label("Wanted"),
    )
    statement = statement.select_from(
        returns.join(orders, orders.c.order_id == returns.c.order_id).outerjoin(
            customers, customers.c.customer_id == returns.c.customer_id
        )
    )
    order = (returns.c.requested_at, returns.c.return_id)
    return read_page(connection, statement, order=order, after=after, limit=limit)
