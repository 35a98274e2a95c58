"""All that ever happened with one customer, on one timeline: every kind by itself, or all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from lib.db.tables.orders import order_items
from lib.queues import customer_bought, customer_said
from lib.queues.customer_event import Happened, Kind, Place
from lib.queues.listing import MOST

# In the order in which things of the same moment stand, the first on top.
KINDS: dict[str, Kind] = {
    "refund": customer_bought.REFUND,
    "return": customer_bought.RETURN,
    "ticket": customer_said.TICKET,
    "review": customer_said.REVIEW,
    "question": customer_said.QUESTION,
    "survey": customer_said.SURVEY,
    "message": customer_said.MESSAGE,
    "offer": customer_said.OFFER,
    "parcel": customer_bought.PARCEL,
    "points": customer_bought.POINTS,
    "order": customer_bought.ORDER,
    "cart": customer_bought.CART,
}
# So many lines of an order are named.
MOST_GOODS = 4
# A moment, a kind and a key: where a reading of the timeline stopped.
After = tuple[datetime, str, int]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some of what happened, newest first, and the place to go on from; null at the end."""

    rows: list[Happened]
    after: After | None


def timeline(
    connection: Connection,
    customer_id: int,
    place: Place,
    *,
    kinds: Sequence[str] = (),
    after: After | None = None,
    limit: int = 25,
) -> Timeline:
    """What happened with a customer, newest first: of some kinds, or of all.

    Each kind is asked for no more rows than the page holds, from where the last page stopped.
    """
    found: list[Happened] = []
    names = list(KINDS)
    for name in (kind for kind in names if not kinds or kind in kinds):
        beyond = None if after is None else _beyond(name, after)
        found += read_kind(connection, name, customer_id, place, limit=limit + 1, beyond=beyond)
    found.sort(key=lambda one: (one.at, -names.index(one.kind), one.key), reverse=True)
    last = found[limit - 1] if len(found) > limit else None
    return Timeline(_with_goods(connection, found[:limit]), None if last is None else (last.at, last.kind, last.key))


def _with_goods(connection: Connection, rows: list[Happened]) -> list[Happened]:
    """The same, with the goods of each order."""
    item = order_items.c
    keys = [one.key for one in rows if one.kind == "order"]
    goods: dict[int, list[str]] = {}
    asked = select(item.order_id, item.name, item.quantity).where(item.order_id.in_(keys), item.kind == "goods")
    for row in connection.execute(asked.order_by(item.order_id, item.line_number)) if keys else ():
        goods.setdefault(row.order_id, []).append(row.name if row.quantity == 1 else f"{row.quantity:,} × {row.name}")
    return [
        replace(one, detail=f"{one.detail}: {_listed(goods[one.key])}")
        if one.kind == "order" and one.key in goods
        else one
        for one in rows
    ]


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_GOODS
    return ", ".join(names[:MOST_GOODS]) + (f" and {more:,} more" if more > 0 else "")


def counts(connection: Connection, customer_id: int) -> dict[str, int]:
    """How much of each kind there is; more than ``MOST`` reads as "more than"."""
    found = {name: _count(connection, name, customer_id) for name in KINDS}
    return {name: count for name, count in found.items() if count}


def read_kind(
    connection: Connection,
    name: str,
    customer_id: int,
    place: Place,
    *,
    limit: int,
    beyond: ColumnElement[bool] | None = None,
) -> list[Happened]:
    """The newest things of one kind, ``beyond`` a place where an earlier reading stopped."""
    kind = KINDS[name]
    asked = kind.rows if beyond is None else kind.rows.where(beyond)
    found = connection.execute(asked.order_by(kind.at.desc(), kind.key.desc()).limit(limit), {"me": customer_id})
    return [kind.tell(row, place) for row in found]


def _count(connection: Connection, name: str, customer_id: int) -> int:
    kind = KINDS[name]
    some = kind.rows.with_only_columns(kind.key).limit(MOST + 1).subquery()
    return connection.execute(select(func.count()).select_from(some), {"me": customer_id}).scalar_one()


def _beyond(name: str, after: After) -> ColumnElement[bool]:
    """Whether a row of a kind stands behind a place of the timeline: earlier, or at the same moment further down."""
    kind, (at, stopped, key) = KINDS[name], after
    names = list(KINDS)
    mine, theirs = names.index(name), names.index(stopped)
    if mine < theirs:
        return kind.at < at
    return kind.at <= at if mine > theirs else and_(kind.at <= at, or_(kind.at < at, kind.key < key))
