"""One list for the day: all that waits, joined per customer, what is due first before what is due later.

A customer's late parcel, ticket and review are one item. Items are ranked by the store day of their earliest
deadline, then by the money of the orders they are about, then by the deadline itself. Of each kind the
``MOST_OF_KIND`` due first are ranked; what else waits for a customer on the page is added to her item.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from lib.db.tables.customers import customers
from lib.db.tables.desk import SUBJECTS
from lib.db.tables.staff import audit_log
from lib.periods import store_day
from lib.queues.to_do_kinds import KINDS
from lib.queues.to_do_pieces import MOST_OF_KIND, Piece, Waiting, pieces

# Sorts what has no deadline behind everything that has one.
NEVER = datetime.max.replace(tzinfo=UTC)
_LOOSE = 10
Rank = tuple[object, ...]


class View(StrEnum):
    """Which items."""

    ALL = "all"
    OVERDUE = "overdue"
    NOBODYS = "nobodys"
    MINE = "mine"
    ASLEEP = "asleep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """All that waits for one customer, or one piece whose customer nobody knows.

    ``key``: ten times the customer's key, or of a loose piece ten times its own and the place of its kind.
    ``value_minor``: the orders it is about, each counted once; null where it is about none.
    """

    key: int
    customer_id: int | None
    name: str
    email: str
    language: str
    due_at: datetime | None
    value_minor: int | None
    currency: str
    pieces: tuple[Piece, ...]

    @property
    def owners(self) -> frozenset[int | None]:
        return frozenset(piece.owner_id for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of items, where the next begins (null: nowhere), and the kinds of which not all were looked at."""

    items: list[Item]
    after: Rank | None
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """How often somebody did something; ``action`` as in the audit log."""

    actor: str
    action: str
    count: int


def read_items(
    connection: Connection,
    view: View,
    *,
    at: datetime,
    zone: ZoneInfo,
    staff_id: int | None,
    after: Rank | None = None,
    limit: int = 20,
) -> Found:
    """The next items in the order of their rank."""
    found, cut = _ranked(connection, view, at=at, zone=zone, staff_id=staff_id)
    rest = [item for item in found if after is None or rank(item, zone) > after]
    shown = rest[:limit]
    last = rank(shown[-1], zone) if len(rest) > limit else None
    return Found(_named(connection, _completed(connection, view, shown, cut, at, zone)), last, cut)


def counts(connection: Connection, *, at: datetime, zone: ZoneInfo, staff_id: int | None) -> dict[View, int]:
    """How many items each view has, of those that are looked at."""
    found, _ = _ranked(connection, View.ALL, at=at, zone=zone, staff_id=staff_id)
    asleep, _ = _ranked(connection, View.ASLEEP, at=at, zone=zone, staff_id=staff_id)
    told = {view: sum(_is_in(view, item, at, staff_id) for item in found) for view in View}
    return told | {View.ASLEEP: len(asleep)}


def open_item(connection: Connection, key: int, *, at: datetime, zone: ZoneInfo) -> Item | None:
    """One item with all that waits for its customer, also what was put off; null when nothing does any more."""
    number, place = divmod(key, _LOOSE)
    found: list[Piece] = []
    for asleep in (False, True):
        waiting = Waiting(at=at, zone=zone, asleep=asleep)
        if place == 0:
            found += [piece for kind in KINDS for piece in pieces(connection, kind, waiting, customer_ids=[number])]
        elif place <= len(SUBJECTS):
            subject = SUBJECTS[place - 1]
            kinds = [kind for kind in KINDS if kind.subject == subject]
            found += [piece for kind in kinds for piece in pieces(connection, kind, waiting, subject_id=number)]
    items = [item for item in _joined(found) if item.key == key]
    return _named(connection, items)[0] if items else None


def done_between(connection: Connection, start: datetime, end: datetime) -> list[Deed]:
    """What was done to pieces of work from one instant to before another, by whom, the most often first."""
    log, many = audit_log.c, func.count().label("many")
    rows = connection.execute(
        select(log.actor, log.action, many)
        .where(log.at >= start, log.at < end)
        .group_by(log.actor, log.action)
        .order_by(log.actor, many.desc(), log.action)
    )
    return [Deed(r.actor, r.action, r.many) for r in rows if r.action.partition(".")[0] in SUBJECTS]


def rank(item: Item, zone: ZoneInfo) -> Rank:
    """What items are sorted by."""
    due = item.due_at or NEVER
    day = store_day(due, zone) if item.due_at else due.date()
    return (day, -(item.value_minor or 0), due, item.key)


def _ranked(
    connection: Connection, view: View, *, at: datetime, zone: ZoneInfo, staff_id: int | None
) -> tuple[list[Item], tuple[str, ...]]:
    waiting, found, cut = Waiting(at=at, zone=zone, asleep=view is View.ASLEEP), [], []
    for kind in KINDS:
        some = pieces(connection, kind, waiting)
        if len(some) > MOST_OF_KIND:
            cut.append(kind.name)
        found += some[:MOST_OF_KIND]
    items = [item for item in _joined(found) if _is_in(view, item, at, staff_id)]
    return sorted(items, key=lambda item: rank(item, zone)), tuple(cut)


def _is_in(view: View, item: Item, at: datetime, staff_id: int | None) -> bool:
    match view:
        case View.OVERDUE:
            return item.due_at is not None and item.due_at < at
        case View.NOBODYS:
            return item.owners == {None}
        case View.MINE:
            return staff_id is not None and staff_id in item.owners
        case _:
            return True


def _completed(
    connection: Connection, view: View, items: Sequence[Item], cut: Collection[str], at: datetime, zone: ZoneInfo
) -> list[Item]:
    """Add what else waits for these customers, of the kinds of which not all were looked at; the order stays."""
    who = [item.customer_id for item in items if item.customer_id is not None]
    if not who or not cut:
        return list(items)
    waiting = Waiting(at=at, zone=zone, asleep=view is View.ASLEEP)
    more = {
        (piece.subject, piece.subject_id): piece
        for kind in KINDS
        if kind.name in cut
        for piece in pieces(connection, kind, waiting, customer_ids=who)
    }
    more |= {(piece.subject, piece.subject_id): piece for item in items for piece in item.pieces}
    whole = {item.key: item for item in _joined(more.values())}
    return [whole[item.key] for item in items]


def _joined(found: Iterable[Piece]) -> list[Item]:
    by_key: dict[int, list[Piece]] = {}
    for piece in found:
        loose = piece.subject_id * _LOOSE + SUBJECTS.index(piece.subject) + 1
        key = loose if piece.customer_id is None else piece.customer_id * _LOOSE
        by_key.setdefault(key, []).append(piece)
    return [_item(key, some) for key, some in by_key.items()]


def _item(key: int, found: list[Piece]) -> Item:
    ordered = sorted(found, key=lambda piece: (piece.due_at or NEVER, piece.subject, piece.subject_id))
    values = order_values(ordered)
    return Item(
        key=key,
        customer_id=ordered[0].customer_id,
        name="",
        email="",
        language="",
        due_at=ordered[0].due_at,
        value_minor=sum(values.values()) if values else None,
        currency=next((piece.currency for piece in ordered if piece.order_id in values), ""),
        pieces=tuple(ordered),
    )


def order_values(found: Iterable[Piece]) -> Mapping[int, int]:
    """The money of each order that pieces are about, the order once: what is unpaid, else what it cost."""
    values: dict[int, int] = {}
    for piece in found:
        if piece.order_id is not None and piece.order_minor is not None:
            values[piece.order_id] = max(values.get(piece.order_id, 0), piece.order_minor)
    return values


def _named(connection: Connection, items: list[Item]) -> list[Item]:
    who = [item.customer_id for item in items if item.customer_id is not None]
    one = customers.c
    rows = connection.execute(
        select(one.customer_id, one.name, one.email, one.language).where(
            one.customer_id.in_(who), one.erased_at.is_(None)
        )
    )
    names = {row.customer_id: row for row in rows}
    return [
        replace(item, name=row.name or "", email=row.email or "", language=row.language or "")
        if item.customer_id is not None and (row := names.get(item.customer_id))
        else item
        for item in items
    ]
