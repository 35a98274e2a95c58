"""What needs somebody this morning, the most urgent first."""

from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pandas as pd
from sqlalchemy import Connection, select

from lib.db.tables.offers import offers
from lib.db.tables.store import annotations, goals
from lib.queues import orders, outbox, questions, returns, reviews, shipments, tickets
from lib.queues.listing import Need, Page, counted

ENDING = "ending"
# How many days ahead an end is worth a word.
SOON = timedelta(days=7)


class _List(Protocol):
    def __call__(
        self, connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50
    ) -> Page: ...


_LISTS: dict[str, _List] = {
    reviews.KEY: reviews.waiting,
    tickets.KEY: tickets.waiting,
    orders.KEY: orders.waiting,
    returns.KEY: returns.waiting,
    questions.KEY: questions.waiting,
    outbox.KEY: outbox.waiting,
}


def needs(connection: Connection, *, at: datetime, today: date) -> list[Need]:
    """Everything that waits, urgent things first, each kind once; kinds with nothing to do are left out."""
    found = [
        reviews.need(connection, at),
        tickets.need(connection, at),
        shipments.need(connection, today),
        orders.need(connection, at),
        returns.need(connection, at),
        questions.need(connection, at),
        outbox.need(connection, at),
        _ending(connection, at, today),
    ]
    return sorted((need for need in found if need), key=lambda need: not need.is_urgent)


def waiting(
    connection: Connection, key: str, *, at: datetime, today: date, after: tuple[Any, ...] | None, limit: int = 50
) -> Page:
    """The rows behind one need, a page at a time."""
    if key == ENDING:
        return _endings(connection, at, today)
    if key == shipments.KEY:
        return shipments.waiting(connection, today, after=after, limit=limit)
    return _LISTS[key](connection, at, after=after, limit=limit)


def _ending(connection: Connection, at: datetime, today: date) -> Need | None:
    rows = _endings(connection, at, today).rows
    if rows.empty:
        return None
    last = rows.iloc[0]
    days = (last["Last day"] - today).days
    when = "today" if days <= 0 else "tomorrow" if days == 1 else f"in {days} days"
    return Need(
        key=ENDING,
        count=len(rows),
        title=counted(len(rows), "goal or offer ends soon", "goals and offers end soon"),
        detail=f"{last['What']}: {when}",
        is_urgent=days <= 0,
    )


def _endings(connection: Connection, at: datetime, today: date) -> Page:

    ending_goals = connection.execute(
        select(goals.c.metric, goals.c.ends_day)
        .where(goals.c.ends_day > today, goals.c.ends_day <= today + SOON)
        .order_by(goals.c.ends_day)
    ).all()
    ending_offers = connection.execute(
        select(offers.c.name, offers.c.ends_at)
        .where(offers.c.status == "running", offers.c.ends_at > at, offers.c.ends_at <= at + SOON)
        .order_by(offers.c.ends_at)
    ).all()
    rows = [("Goal", metric.replace("_", " "), end - timedelta(days=1)) for metric, end in ending_goals]
    rows += [("Offer", name, end.date()) for name, end in ending_offers]
    rows.sort(key=lambda row: row[-1])
    frame = pd.DataFrame(rows, columns=["Kind", "What", "Last day"])
    return Page(frame, None)


def notes(connection: Connection, start: date, end: date) -> list[tuple[date, date, str, bool]]:
    """The store's own notes in time that touch ``[start, end)``: first day, end, words, whether unusual."""
    found = connection.execute(
        select(annotations.c.starts_day, annotations.c.ends_day, annotations.c.text, annotations.c.is_unusual)
        .where(annotations.c.starts_day < end, annotations.c.ends_day > start)
        .order_by(annotations.c.starts_day)
    ).all()
    return [(row.starts_day, row.ends_day, row.text, row.is_unusual) for row in found]


def current_goals(connection: Connection, today: date) -> list[tuple[str, date, date, int]]:
    """The goals that run on a day: metric, first day, end, target in the metric's unit."""
    found = connection.execute(
        select(goals.c.metric, goals.c.starts_day, goals.c.ends_day, goals.c.target)
        .where(goals.c.starts_day <= today, goals.c.ends_day > today)
        .order_by(goals.c.ends_day, goals.c.metric)
    ).all()
    return [(row.metric, row.starts_day, row.ends_day, row.target) for row in found]
