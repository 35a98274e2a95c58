"""Tickets beyond single figures: when they arrive, how fast each channel and person answers, and what stays open."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Column, ColumnElement, and_, case, cast, func, literal, select, union_all

from lib.mart.schema import fact_ticket
from lib.metrics.definition import Mart, Scope
from lib.metrics.measure import Quantile, days, parameters
from lib.metrics.tickets import ANSWERED, CLOSED, COUNTS, DUE, IN_TIME
from lib.stats.intervals import wilson_columns

_ticket = fact_ticket.c
# 1 January 1970 was a Thursday; Monday is 0.
_FIRST_WEEKDAY = 3


def arrivals(mart: Mart, scope: Scope) -> pd.DataFrame:
    """How many tickets come in each hour of the week, by the store's clock; spam and tickets of ours left out.

    Returns:
        168 rows: ``weekday`` (0 is Monday), ``hour``, ``n`` (tickets), ``weeks`` (how often that weekday lies in the
        period), ``per_hour`` (n ÷ weeks; NaN where the weekday does not occur).
    """
    start, end = days(scope)
    found = mart.frame(
        select(_ticket.day, _ticket.hour, cast(func.count(), BigInteger).label("n"))
        .where(COUNTS, _ticket.day >= start, _ticket.day < end)
        .group_by(_ticket.day, _ticket.hour)
    )
    weeks = [sum(1 for day in range(start, end) if (day + _FIRST_WEEKDAY) % 7 == weekday) for weekday in range(7)]
    counted: dict[tuple[int, int], int] = {}
    for day, hour, n in zip(found["day"], found["hour"], found["n"], strict=True):
        place = ((int(day) + _FIRST_WEEKDAY) % 7, int(hour))
        counted[place] = counted.get(place, 0) + int(n)
    rows = [(weekday, hour, counted.get((weekday, hour), 0)) for weekday in range(7) for hour in range(24)]
    frame = pd.DataFrame(rows, columns=["weekday", "hour", "n"])
    frame["weeks"] = [weeks[weekday] for weekday in frame["weekday"]]
    frame["per_hour"] = frame["n"] / frame["weeks"].where(frame["weeks"] > 0)
    return frame


def by_channel(mart: Mart, scope: Scope) -> pd.DataFrame:
    """How each channel is answered, the busiest first.

    Returns:
        ``channel``, and what ``_answering`` gives.
    """
    return _answering(mart, scope, _ticket.channel)


def by_person(mart: Mart, scope: Scope) -> pd.DataFrame:
    """How each person's tickets are answered, the busiest first.

    A ticket is its owner's; whoever answers one that is nobody's becomes its owner. Without an owner it is of whom
    the platform that it was imported from names.

    Returns:
        ``owner`` (key of staff as text, or ``nobody``), ``assignee`` (``unknown`` where an owner is known), and what
        ``_answering`` gives.
    """
    named = case((_ticket.owner == "nobody", _ticket.assignee), else_="unknown").label("assignee")
    return _answering(mart, scope, _ticket.owner, named)


def _answering(mart: Mart, scope: Scope, *split: ColumnElement[Any]) -> pd.DataFrame:
    """Of each part: how many tickets, and how they were answered.

    Returns:
        the columns of ``split``, ``n`` (tickets), ``due`` (whose target has passed), ``in_time``, ``share`` (in_time ÷
        due; NaN without any), ``low``, ``high`` (Wilson, 95 %), ``response`` and ``resolution`` (median seconds, the
        latter without waiting for the customer; NaN without any), ``reopened``.
    """
    start, end = days(scope)

    def median(what: ColumnElement[bool], amount: Column[float]) -> ColumnElement[float]:
        return Quantile(case((what, amount)), literal(0.5))

    found = mart.frame(
        select(
            *split,
            cast(func.count(), BigInteger).label("n"),
            cast(func.sum(case((DUE, 1), else_=0)), BigInteger).label("due"),
            cast(func.sum(case((and_(DUE, IN_TIME), 1), else_=0)), BigInteger).label("in_time"),
            median(ANSWERED, _ticket.seconds_to_response).label("response"),
            median(CLOSED, _ticket.seconds_to_close).label("resolution"),
            cast(func.sum(case((_ticket.is_reopened, 1), else_=0)), BigInteger).label("reopened"),
        )
        .where(COUNTS, _ticket.day >= start, _ticket.day < end)
        .group_by(*split),
        **parameters(mart, scope),
    )
    names = [str(column.key) for column in split]
    found = found.sort_values(["n", *names], ascending=[False, *(True for _ in names)], ignore_index=True)
    due = found["due"].astype("float64").replace(0, float("nan"))
    low, high = wilson_columns(found["in_time"].astype("float64"), found["due"].astype("float64"))
    return found.assign(share=found["in_time"].astype("float64") / due, low=low, high=high)


def backlog(mart: Mart, scope: Scope) -> pd.DataFrame:
    """How many tickets were open, and how many without a first answer, at the end of each day.

    As known at the refresh: a ticket that was opened again counts as open since it first came in.

    Returns:
        ``day``, ``opened``, ``closed`` (on that day), ``open`` and ``waiting`` (at its end).
    """
    start, end = days(scope)
    # Before the period, all in one day: what was open when it began.
    first = start - 1

    def moved(day: ColumnElement[int], name: str, *where: ColumnElement[bool]) -> list[ColumnElement[int]]:
        counted = [1 if name == one else 0 for one in ("opened", "closed", "heard")]
        return [case((day < start, first), else_=day).label("day"), *(literal(n) for n in counted)]

    # Nobody waits any more in a ticket that was closed without an answer.
    heard = func.least(
        func.coalesce(_ticket.answered_day, _ticket.closed_day), func.coalesce(_ticket.closed_day, _ticket.answered_day)
    )
    parts = [
        select(*moved(_ticket.day, "opened")).where(COUNTS, _ticket.day < end),
        select(*moved(_ticket.closed_day, "closed")).where(COUNTS, _ticket.closed_day < end),
        select(*moved(heard, "heard")).where(COUNTS, heard < end),
    ]
    steps = union_all(*parts).subquery("steps")
    columns = list(steps.c)
    sums = [
        cast(func.sum(column), BigInteger).label(name)
        for column, name in zip(columns[1:], ("opened", "closed", "heard"), strict=True)
    ]
    found = mart.frame(select(columns[0], *sums).group_by(columns[0])).set_index("day")
    found = found.reindex(range(first, end), fill_value=0)
    open_, waiting = (found["opened"] - found[gone] for gone in ("closed", "heard"))
    frame = found.assign(open=open_.cumsum(), waiting=waiting.cumsum()).loc[start:]
    return frame.reset_index(names="day")[["day", "opened", "closed", "open", "waiting"]]
