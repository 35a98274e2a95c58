"""The store's clock inside the mart's engine: instants in UTC to days, weeks, months and hours.

The offsets come from Python's own zone data, the same that every other part of Encore uses, so that no
day differs between an importer and the mart; a tree of comparisons is also several times faster than
the engine's own zone functions.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2060, 1, 1, tzinfo=UTC)


def _offset(at: datetime, zone: ZoneInfo) -> int:
    shift = at.astimezone(zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


@cache
def transitions(time_zone: str) -> tuple[int, tuple[tuple[datetime, int], ...]]:
    """The offset before the first change, and each change of it from 1970 to 2060.

    Returns:
        seconds east of UTC at the start, and pairs of instant (UTC, naive) and seconds east from then on.
    """
    zone = ZoneInfo(time_zone)
    found: list[tuple[datetime, int]] = []
    at, before = _FIRST, _offset(_FIRST, zone)
    start = before
    while at < _LAST:
        following = at + timedelta(days=1)
        after = _offset(following, zone)
        if after != before:
            low, high = 0, 86_400
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(at + timedelta(seconds=middle), zone) == before:
                    low = middle
                else:
                    high = middle
            found.append(((at + timedelta(seconds=high)).replace(tzinfo=None), after))
            before = after
        at = following
    return start, tuple(found)


def _tree(changes: tuple[tuple[datetime, int], ...], before: int) -> str:
    if not changes:
        return str(before)
    middle = len(changes) // 2
    at, after = changes[middle]
    return (
        f"CASE WHEN instant < TIMESTAMP '{at}' THEN {_tree(changes[:middle], before)} "
        f"ELSE {_tree(changes[middle + 1 :], after)} END"
    )


def clock_macros(time_zone: str) -> list[str]:
    """The statements that teach the engine ``store_time``, ``store_day``, ``day_of``, ``week_of``, ``month_of``.

    ``store_day(instant)`` is the day index of an instant; ``day_of(date)`` that of a date; ``week_of(day)``
    counts ISO weeks since the one that holds 1970-01-01; ``month_of(day)`` is ``12 × year + month - 1``.
    """
    start, changes = transitions(time_zone)
    return [
        f"CREATE TEMP MACRO store_time(instant) AS instant + to_seconds({_tree(changes, start)})",
        "CREATE TEMP MACRO day_of(a_date) AS CAST(date_diff('day', DATE '1970-01-01', a_date) AS INTEGER)",
        "CREATE TEMP MACRO store_day(instant) AS day_of(CAST(store_time(instant) AS DATE))",
        "CREATE TEMP MACRO week_of(a_day) AS CAST(floor((a_day + 3) / 7) AS INTEGER)",
        "CREATE TEMP MACRO date_of(a_day) AS DATE '1970-01-01' + a_day",
        "CREATE TEMP MACRO month_of(a_day) AS CAST(year(date_of(a_day)) * 12 + month(date_of(a_day)) - 1 AS INTEGER)",
        "CREATE TEMP MACRO hours_between(sooner, later) AS (epoch_us(later) - epoch_us(sooner)) / 3600000000.0",
    ]


def offset_at(time_zone: str, at: datetime) -> int:
    """Seconds east of UTC at an instant (UTC, naive), as the macros see it."""
    start, changes = transitions(time_zone)
    place = bisect_right([change for change, _ in changes], at)
    return changes[place - 1][1] if place else start
