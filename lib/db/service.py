"""What the store promised its customers: how fast an answer comes, on which clock, and so until when.

A ticket whose customer waits carries ``waiting_since`` and ``response_due_at``; both are null while nobody
waits: answered, closed, spam, merged, or begun by the store. Whoever changes messages, status or targets
calls ``settle`` in the same transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select, update

from lib.db.store import BUSINESS_HOURS
from lib.db.tables.desk import targets
from lib.db.tables.store import store
from lib.db.tables.tickets import TICKET_CHANNELS, UNANSWERED, ticket_messages, tickets
from lib.errors import InvalidInput
from lib.hours import Hours

# The defaults of the definitions, in minutes.
DEFAULT_MINUTES = {
    **dict.fromkeys(TICKET_CHANNELS, 60),
    "chat": 5,
    "review": 48 * 60,
    "negative_review": 24 * 60,
    "question": 24 * 60,
}
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Target:
    """How fast an answer is promised for a kind of work; ``version`` 0: the default, never changed."""

    work: str
    minutes: int
    clock: str = "calendar"
    version: int = 0


@dataclass(frozen=True, slots=True)
class Promises:
    """Every target, and the hours that the business clock runs in."""

    targets: dict[str, Target]
    hours: Hours

    def due(self, work: str, since: datetime) -> datetime:
        """Until when an answer is promised to somebody who has waited since an instant."""
        target = self.targets.get(work) or self.targets["other"]
        # A store that never opens keeps its promises by the calendar.
        if target.clock == "business" and self.hours.is_ever_open:
            return self.hours.due(since, target.minutes)
        return since + timedelta(minutes=target.minutes)


def read_promises(connection: Connection) -> Promises:
    """The store's targets, with the defaults of the definitions where none is set."""
    found = {work: Target(work, minutes) for work, minutes in DEFAULT_MINUTES.items()}
    for row in connection.execute(select(targets)):
        found[row.work] = Target(row.work, row.minutes, row.clock, row.version)
    kept = connection.execute(select(store.c.time_zone, store.c.business_hours)).first()
    zone = ZoneInfo(kept.time_zone if kept else "UTC")
    return Promises(found, hours_of(zone, kept.business_hours if kept else None))


def hours_of(zone: ZoneInfo, week: Any) -> Hours:
    """The hours that a store's row holds; those of an office where it holds none that can be read."""
    try:
        return Hours.of(zone, week or BUSINESS_HOURS)
    except (InvalidInput, TypeError, IndexError):
        return Hours.of(zone, BUSINESS_HOURS)


def settle(connection: Connection, ticket_ids: Iterable[int], promises: Promises | None = None) -> None:
    """Work out anew since when and until when the customers of some tickets wait for an answer."""
    promises = promises or read_promises(connection)
    for some in _chunks(ticket_ids):
        since = _since(connection, some)
        changes = []
        for key, (channel, waits, before, due_before) in since.items():
            due = promises.due(channel, waits) if waits else None
            if (waits, due) != (before, due_before):
                changes.append({"key": key, "waits": waits, "due": due})
        if changes:
            connection.execute(
                update(tickets)
                .where(tickets.c.ticket_id == bindparam("key"))
                .values(waiting_since=bindparam("waits"), response_due_at=bindparam("due")),
                changes,
            )


def customer_wrote(connection: Connection, ticket_id: int, at: datetime) -> None:
    """A customer's words came in: her wait begins, unless she has waited already."""
    settle(connection, [ticket_id])


def has_unsettled(connection: Connection) -> bool:
    """Whether an open ticket has no deadline yet, such as one stored before there were deadlines."""
    return connection.execute(_unsettled().limit(1)).first() is not None


def settle_unsettled(connection: Connection) -> int:
    """Settle those, and return how many they were."""
    keys: list[int] = list(connection.scalars(_unsettled()))
    settle(connection, keys)
    return len(keys)


def _unsettled() -> Select[int]:
    return select(tickets.c.ticket_id).where(
        UNANSWERED,
        tickets.c.status == "open",
        tickets.c.is_started_by_us.is_(False),
        tickets.c.merged_into_id.is_(None),
        tickets.c.response_due_at.is_(None),
    )


def settle_open(connection: Connection) -> int:
    """Settle every open ticket: after targets or hours changed. Returns how many there are."""
    promises, after, count = read_promises(connection), 0, 0
    while True:
        some = connection.scalars(
            select(tickets.c.ticket_id)
            .where(tickets.c.status == "open", tickets.c.ticket_id > after)
            .order_by(tickets.c.ticket_id)
            .limit(_AT_ONCE)
        ).all()
        if not some:
            return count
        settle(connection, some, promises)
        after, count = some[-1], count + len(some)


def _since(
    connection: Connection, keys: Sequence[int]
) -> dict[int, tuple[str, datetime | None, datetime | None, datetime | None]]:
    """Of each ticket: channel, since when its customer waits (null: nobody does), and what is stored now."""
    ticket, message, own = tickets.c, ticket_messages.c, tickets.alias("own")
    # Merged tickets are one conversation: what was asked or answered in any of them counts for the one that stayed.
    merged = connection.scalars(select(ticket.ticket_id).where(ticket.merged_into_id.in_(keys))).all()
    talk = and_(own.c.ticket_id == message.ticket_id, message.ticket_id.in_({*keys, *merged}))
    home = func.coalesce(own.c.merged_into_id, own.c.ticket_id)
    said = (
        select(home.label("ticket_id"), func.max(message.sent_at).label("answered"))
        .join(own, talk)
        .where(message.author == "staff", message.is_public)
        .group_by(home)
        .subquery()
    )
    asked = (
        select(home.label("ticket_id"), func.min(message.sent_at).label("asked"))
        .join(own, talk)
        .outerjoin(said, said.c.ticket_id == home)
        .where(
            message.author == "customer",
            # What was said before somebody closed it was dealt with then.
            or_(own.c.reopened_at.is_(None), message.sent_at >= own.c.reopened_at),
            or_(said.c.answered.is_(None), message.sent_at > said.c.answered),
        )
        .group_by(home)
        .subquery()
    )
    rows = connection.execute(
        select(
            ticket.ticket_id,
            ticket.channel,
            ticket.status,
            ticket.opened_at,
            ticket.first_response_at,
            ticket.is_started_by_us,
            ticket.reopened_at,
            ticket.merged_into_id,
            ticket.waiting_since,
            ticket.response_due_at,
            asked.c.asked,
            said.c.answered,
        )
        .outerjoin(asked, asked.c.ticket_id == ticket.ticket_id)
        .outerjoin(said, said.c.ticket_id == ticket.ticket_id)
        .where(ticket.ticket_id.in_(keys))
    )
    found = {}
    for row in rows:
        waits = row.asked
        if waits is None and row.first_response_at is None and row.answered is None and not row.is_started_by_us:
            # Imported without its messages, or opened again by hand: nobody has answered since.
            waits = row.reopened_at or row.opened_at
        if row.status != "open" or row.merged_into_id is not None or (row.is_started_by_us and row.answered is None):
            waits = None
        elif waits is not None and row.first_response_at is not None and row.answered is None:
            # The platform knows of an answer whose words were not exported.
            waits = None if waits <= row.first_response_at else waits
        found[row.ticket_id] = (row.channel, waits, row.waiting_since, row.response_due_at)
    return found


def _chunks(keys: Iterable[int]) -> Iterator[list[int]]:
    walked = iter(keys)
    while some := list(islice(walked, _AT_ONCE)):
        yield some
