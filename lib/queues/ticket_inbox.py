"""The pages of the inbox of tickets: who waits longest past their time comes first.

Each page costs the same in any shop: those who wait are read by their deadline, the rest by a partial index or
the day of opening. Words, channels and the like are looked for in no more than ``WINDOW`` tickets at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from lib.db.tables.customers import customers
from lib.db.tables.staff import staff
from lib.db.tables.tickets import WITH_CUSTOMER, ticket_messages, tickets
from lib.queues.listing import beyond, count_up_to, read_rows

# A search that no index helps looks at so many tickets at once.
WINDOW = 20_000


class View(StrEnum):
    """The saved views of the inbox."""

    DUE = "due"
    UNOWNED = "unowned"
    MINE = "mine"
    WITH_CUSTOMER = "with_customer"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the inbox is asked for besides a view. Empty or null: any."""

    channels: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: datetime | None = None
    words: str = ""
    tag: str = ""

    @property
    def needs_looking(self) -> bool:
        """Whether no index knows the answer: it may be rare, or nowhere."""
        return bool(self.words.strip() or self.tag or self.channels or self.priorities or self.statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One ticket of the list."""

    ticket_id: int
    version: int
    subject: str
    channel: str
    priority: str
    status: str
    requester: str
    opened_at: datetime
    waiting_since: datetime | None
    response_due_at: datetime | None
    owner: str
    tags: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of tickets; ``after`` goes on. ``looked_back_to``: a search stopped there, with more behind."""

    lines: list[Line]
    after: tuple[Any, ...] | None
    looked_back_to: datetime | None = None


def inbox(
    connection: Connection,
    view: View,
    asked: Asked,
    *,
    at: datetime,
    staff_id: int | None,
    after: tuple[Any, ...] | None = None,
    limit: int = 20,
) -> Found:
    """A page of a view."""
    row = tickets.c
    is_due = view in {View.DUE, View.UNOWNED}
    order: tuple[ColumnElement[Any], ...] = (row.response_due_at if is_due else row.opened_at, row.ticket_id)
    floor = None
    if asked.needs_looking and not is_due:
        floor = _floor(connection, view, asked, at=at, staff_id=staff_id, after=after)
    statement = _lines(view, asked, at=at, staff_id=staff_id)
    if floor is not None:
        statement = statement.where(row.opened_at >= floor)
    rows, more = read_rows(connection, statement, order=order, after=after, limit=limit, newest_first=not is_due)
    texts = ("subject", "requester", "owner", "tags")
    lines = [Line(**{**one, **{name: one[name] or "" for name in texts}}) for one in rows]
    if more is None and floor is not None:
        return Found(lines, (floor, 0), floor)
    return Found(lines, more)


def counts(connection: Connection, *, at: datetime, staff_id: int | None) -> dict[View, int]:
    """How many tickets wait in each view, each counted no further than needed; all of them are not work."""
    return {
        view: count_up_to(connection, _question(view, Asked(), at, staff_id, tickets.c.ticket_id))
        for view in View
        if view is not View.ALL
    }


def overdue(connection: Connection, at: datetime) -> int:
    """How many wait past their time, counted no further than needed."""
    late = _question(View.DUE, Asked(), at, None, tickets.c.ticket_id).where(tickets.c.response_due_at < at)
    return count_up_to(connection, late)


def tags(connection: Connection) -> list[str]:
    """The tags of the newest tickets, by name."""
    newest = select(tickets.c.tags, tickets.c.opened_at).order_by(tickets.c.opened_at.desc()).limit(2_000).subquery()
    found = connection.scalars(select(newest.c.tags).where(newest.c.tags.is_not(None)).distinct())
    return sorted({tag.strip() for text in found for tag in text.split(",")} - {""})


def topics(connection: Connection) -> list[str]:
    """The topics of the newest tickets, the most frequent first."""
    newest = select(tickets.c.topic, tickets.c.opened_at).order_by(tickets.c.opened_at.desc()).limit(2_000).subquery()
    rows = connection.execute(
        select(newest.c.topic)
        .where(newest.c.topic.is_not(None))
        .group_by(newest.c.topic)
        .order_by(func.count().desc(), newest.c.topic)
        .limit(40)
    )
    return [str(one[0]) for one in rows]


def _question(view: View, asked: Asked, at: datetime, staff_id: int | None, *columns: Any) -> Select[Any]:
    row = tickets.c
    # What was merged away is closed and has no deadline: only the view of all shows it.
    awake = or_(row.snoozed_until.is_(None), row.snoozed_until <= at)
    where: list[ColumnElement[bool]] = []
    if view in {View.DUE, View.UNOWNED}:
        where += [row.response_due_at.is_not(None), row.status == "open", awake]
        if view is View.UNOWNED:
            # Said so that no index of owners, where most have none, is taken for that of deadlines.
            where.append(func.coalesce(row.owner_id, 0) == 0)
    elif view is View.MINE:
        where += [row.owner_id == staff_id, row.status.in_(("open", "waiting_for_customer")), awake]
    elif view is View.WITH_CUSTOMER:
        where.append(WITH_CUSTOMER)  # type: ignore[arg-type]  # the very words of the index
    if asked.since is not None:
        where.append(row.opened_at > asked.since)
    if asked.channels:
        where.append(row.channel.in_(asked.channels))
    if asked.priorities:
        where.append(row.priority.in_(asked.priorities))
    if asked.statuses:
        where.append(row.status.in_(asked.statuses))
    if asked.tag:
        where.append(or_(*(row.tags.like(pattern, escape="!") for pattern in _tag_patterns(asked.tag))))
    where += [_has(word) for word in asked.words.split()[:8]]
    return select(*columns).where(*where)


def _lines(view: View, asked: Asked, *, at: datetime, staff_id: int | None) -> Select[Any]:
    row = tickets.c
    statement = _question(
        view,
        asked,
        at,
        staff_id,
        row.ticket_id,
        row.version,
        row.subject,
        row.channel,
        row.priority,
        row.status,
        func.coalesce(row.requester_name, customers.c.name, row.requester_email).label("requester"),
        row.opened_at,
        row.waiting_since,
        row.response_due_at,
        staff.c.name.label("owner"),
        row.tags,
    )
    return statement.select_from(
        tickets.outerjoin(customers, customers.c.customer_id == row.customer_id).outerjoin(
            staff, staff.c.staff_id == row.owner_id
        )
    )


def _floor(
    connection: Connection,
    view: View,
    asked: Asked,
    *,
    at: datetime,
    staff_id: int | None,
    after: tuple[Any, ...] | None,
) -> datetime | None:
    """How far back a search may look from its place; null: to the end."""
    statement = _question(view, Asked(since=asked.since), at, staff_id, tickets.c.opened_at)
    if after is not None:
        statement = statement.where(beyond((tickets.c.opened_at, tickets.c.ticket_id), after, newest_first=True))
    edge = statement.order_by(tickets.c.opened_at.desc(), tickets.c.ticket_id.desc()).offset(WINDOW).limit(1)
    found: datetime | None = connection.execute(edge).scalar()
    return found


def _has(word: str) -> ColumnElement[bool]:
    """Whether subject, messages or name hold a word; SQLite folds only ASCII letters, so others are asked each way."""
    cases = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    row, message = tickets.c, ticket_messages.c
    patterns = [f"%{_literal(case)}%" for case in sorted(cases)]
    said = select(message.ticket_message_id).where(
        message.ticket_id == row.ticket_id, or_(*(message.body.ilike(pattern, escape="!") for pattern in patterns))
    )
    named = select(customers.c.customer_id).where(
        customers.c.customer_id == row.customer_id,
        or_(*(customers.c.name.ilike(pattern, escape="!") for pattern in patterns)),
    )
    # Not EXISTS: PostgreSQL would look through the messages of all tickets to know those of a few.
    found = [one.correlate(tickets).limit(1).scalar_subquery().is_not(None) for one in (named, said)]
    places = (row.subject, row.requester_name, row.requester_email)
    own = [place.ilike(pattern, escape="!") for place in places for pattern in patterns]
    return or_(*own, *found)


def _tag_patterns(tag: str) -> Iterator[str]:
    held = _literal(tag)
    yield from (held, f"{held}, %", f"%, {held}", f"%, {held}, %")


def _literal(text: str) -> str:
    for sign in ("!", "%", "_"):
        text = text.replace(sign, f"!{sign}")
    return text
