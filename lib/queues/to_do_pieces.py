"""One thing that waits for staff, of whatever kind: read no more than ``MOST_OF_KIND`` and one at a time."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select

from lib.db.service import Promises, read_promises

# Of each kind so many are ranked, those due first: the list must cost the same in any shop.
MOST_OF_KIND = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is asked for: what waits at an instant, or (``asleep``) what was put off to later than that."""

    at: datetime
    zone: ZoneInfo
    asleep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One thing that waits. ``version`` 0: nobody touched it yet. ``order_minor``: what its order cost or owes.

    ``title`` and ``detail`` are plain text and hold words from data.
    """

    subject: str
    subject_id: int
    version: int
    owner_id: int | None
    snoozed_until: datetime | None
    due_at: datetime | None
    customer_id: int | None
    order_id: int | None
    order_minor: int | None
    currency: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of waiting; by ``since`` what is due first comes first. ``customer`` null: it is about nobody."""

    name: str
    subject: str
    statement: Callable[[Waiting], Select[Any]]
    key: ColumnElement[int]
    since: ColumnElement[Any]
    customer: ColumnElement[Any] | None
    due: Callable[[Any, Promises, ZoneInfo], datetime | None]
    words: Callable[[Any, Waiting], tuple[str, str]]


def pieces(
    connection: Connection,
    kind: Kind,
    waiting: Waiting,
    *,
    customer_ids: Collection[int] | None = None,
    subject_id: int | None = None,
) -> list[Piece]:
    """What waits of one kind, due first; one more than ``MOST_OF_KIND`` says that there is more."""
    if customer_ids is not None and kind.customer is None:
        return []
    statement = kind.statement(waiting)
    if customer_ids is not None and kind.customer is not None:
        statement = statement.where(kind.customer.in_(customer_ids))
    if subject_id is not None:
        statement = statement.where(kind.key == subject_id)
    rows = connection.execute(statement.order_by(kind.since, kind.key).limit(MOST_OF_KIND + 1)).all()
    if not rows:
        return []
    promises = read_promises(connection)
    return [_piece(kind, row, promises, waiting) for row in rows]


def _piece(kind: Kind, row: Any, promises: Promises, waiting: Waiting) -> Piece:
    title, detail = kind.words(row, waiting)
    return Piece(
        subject=kind.subject,
        subject_id=row.subject_id,
        version=row.version or 0,
        owner_id=row.owner_id,
        snoozed_until=row.snoozed_until,
        due_at=kind.due(row, promises, waiting.zone),
        customer_id=row.customer_id,
        order_id=row.order_id,
        order_minor=row.order_minor,
        currency=row.currency or "",
        title=title,
        detail=detail,
    )
