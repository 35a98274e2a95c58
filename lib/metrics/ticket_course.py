"""Tickets beyond single figures: when they arrive, and how fast each channel is answered."""

import pandas as pd
from sqlalchemy import BigInteger, and_, case, cast, func, select

from lib.mart.schema import fact_ticket
from lib.metrics.definition import Mart, Scope
from lib.metrics.measure import days, parameters
from lib.metrics.tickets import COUNTS, DUE, IN_TIME
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
        ``channel``, ``n`` (tickets), ``due`` (whose target has passed), ``in_time``, ``share`` (in_time ÷ due; NaN
        without any), ``low``, ``high`` (Wilson, 95 %).
    """
    start, end = days(scope)
    found = mart.frame(
        select(
            _ticket.channel,
            cast(func.count(), BigInteger).label("n"),
            cast(func.sum(case((DUE, 1), else_=0)), BigInteger).label("due"),
            cast(func.sum(case((and_(DUE, IN_TIME), 1), else_=0)), BigInteger).label("in_time"),
        )
        .where(COUNTS, _ticket.day >= start, _ticket.day < end)
        .group_by(_ticket.channel),
        **parameters(mart, scope),
    )
    found = found.sort_values(["n", "channel"], ascending=[False, True], ignore_index=True)
    due = found["due"].astype("float64").replace(0, float("nan"))
    low, high = wilson_columns(found["in_time"].astype("float64"), found["due"].astype("float64"))
    return found.assign(share=found["in_time"].astype("float64") / due, low=low, high=high)
