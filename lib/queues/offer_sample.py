"""Real customers to try an offer's words on: those who bought last."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from lib.db.tables.customers import customers
from lib.db.tables.orders import orders

MOST = 12
# So many orders are looked through for them.
_LOOKED_THROUGH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Somebody who bought lately."""

    customer_id: int
    name: str
    language: str


def latest_customers(connection: Connection, *, most: int = MOST) -> list[Sample]:
    """The customers of the latest orders, the last first; nobody who was erased or is a test."""
    last = (
        select(orders.c.customer_id, orders.c.placed_at)
        .where(orders.c.customer_id.is_not(None), orders.c.cancelled_at.is_(None), orders.c.is_test.is_(False))
        .order_by(orders.c.placed_at.desc())
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    row = customers.c
    rows = connection.execute(
        select(row.customer_id, row.name, row.language, func.max(last.c.placed_at).label("bought_at"))
        .join(last, last.c.customer_id == row.customer_id)
        .where(row.erased_at.is_(None), row.is_test.is_(False))
        .group_by(row.customer_id, row.name, row.language)
        .order_by(func.max(last.c.placed_at).desc(), row.customer_id)
        .limit(most)
    )
    return [Sample(customer_id=one.customer_id, name=one.name or "", language=one.language or "") for one in rows]
