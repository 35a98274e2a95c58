"""Orders that an import could not take, and so are missing from every figure."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, func, or_, select

from lib.db.tables.store import rejected_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is not in the figures of a period: orders, and their money where the row told it."""

    orders: int
    amount_minor: int


def missing(connection: Connection, start: date, end: date) -> Missing:
    """The open rejected rows of orders that belong to ``[start, end)``, or to no known day."""
    row = rejected_rows.c
    dated = and_(row.placed_day >= start, row.placed_day < end)
    one = func.coalesce(row.external_id, row.fingerprint)
    found = connection.execute(
        select(func.count(func.distinct(one)), func.coalesce(func.sum(row.amount_minor), 0)).where(
            row.status == "open", row.kind == "order", or_(dated, row.placed_day.is_(None))
        )
    ).one()
    return Missing(orders=int(found[0]), amount_minor=int(found[1]))
