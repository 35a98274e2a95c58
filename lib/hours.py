"""Business hours: how much of a span of time the store was open, and when a promise of open time is used up.

A week is seven entries, Monday first: ``["09:00", "18:00"]`` by the store's own clock, or ``None`` for closed.
``"24:00"`` is the end of the day; an end at or before the start runs past midnight. Hours are read on the wall:
the night a clock is put forward or back is as long as it really was.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from lib.errors import InvalidInput

# A store closed for longer than this has no hours at all: a deadline would never come.
_FURTHEST_DAYS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a store, and the days on which it stays closed whatever the weekday."""

    zone: ZoneInfo
    week: tuple[tuple[str, str] | None, ...]
    closed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise InvalidInput("Business hours name seven days, Monday first.")
        for entry in self.week:
            if entry is not None:
                for clock in entry:
                    _minutes(clock)

    @classmethod
    def of(cls, zone: ZoneInfo, week: Sequence[Sequence[str] | None], closed: Sequence[date] = ()) -> "Hours":
        """From what the store's row holds.

        Raises:
            InvalidInput: not seven days, or a time that is none.
        """
        pairs = tuple((str(entry[0]), str(entry[1])) if entry else None for entry in week)
        return cls(zone, pairs, frozenset(closed))

    @property
    def is_ever_open(self) -> bool:
        return any(self.week)

    @property
    def minutes_of_week(self) -> int:
        """How many minutes of an ordinary week the store is open."""
        monday = date(2024, 1, 1)
        utc = Hours(ZoneInfo("UTC"), self.week)
        start = datetime.combine(monday + 7 * _DAY, time(), tzinfo=UTC)
        return int(utc.between(start, start + 7 * _DAY).total_seconds() // 60)

    def due(self, at: datetime, minutes: float) -> datetime:
        """When ``minutes`` of open time have passed since an instant; in UTC.

        Raises:
            InvalidInput: the store is never open, so the time never comes.
        """
        left = timedelta(minutes=minutes)
        day = at.astimezone(self.zone).date() - _DAY
        for opens, closes in self.spans(day, day + _FURTHEST_DAYS * _DAY):
            begin = max(opens, at)
            if begin + left <= closes:
                return begin + left
            left -= max(timedelta(), closes - begin)
        raise InvalidInput("The business hours are closed on every day: open at least one, or use the calendar clock.")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much of ``[start, end)`` the store was open."""
        if end <= start or not self.is_ever_open:
            return timedelta()
        days = start.astimezone(self.zone).date() - _DAY, end.astimezone(self.zone).date()
        each = (min(closes, end) - max(opens, start) for opens, closes in self.spans(*days))
        return sum((max(timedelta(), span) for span in each), timedelta())

    def spans(self, day: date, last: date) -> Iterator[tuple[datetime, datetime]]:
        """When the store is open, from a day to a last one, in UTC: in order, and where spans overlap told once."""
        told = None
        while day <= last:
            span = self._span(day)
            day += _DAY
            if span is None or (told is not None and span[1] <= told):
                continue
            yield span if told is None else (max(span[0], told), span[1])
            told = span[1]

    def _span(self, day: date) -> tuple[datetime, datetime] | None:
        """The open span that begins on a day, in UTC; null when closed."""
        entry = self.week[day.weekday()]
        if entry is None or day in self.closed:
            return None
        return _instants(self.zone, day, *entry)


@lru_cache(maxsize=4096)
def _instants(zone: ZoneInfo, day: date, opens: str, closes: str) -> tuple[datetime, datetime]:
    start, end = _minutes(opens), _minutes(closes)
    return _at(zone, day, start), _at(zone, day if end > start else day + _DAY, end)


def _at(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    if minutes == 24 * 60:
        day, minutes = day + _DAY, 0
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)
    return wall.astimezone(UTC)


def _minutes(clock: str) -> int:
    try:
        hours, minutes = (int(part) for part in clock.split(":"))
    except ValueError as error:
        raise InvalidInput(f"{clock!r} is no time of day. Write one such as 09:00.") from error
    if not (0 <= hours <= 24 and 0 <= minutes < 60 and hours * 60 + minutes <= 24 * 60):
        raise InvalidInput(f"{clock!r} is no time of day. Write one such as 09:00.")
    return hours * 60 + minutes


class OpenTime:
    """The open time of many spans at once: spans of a period laid end to end, so that each costs two look-ups."""

    def __init__(self, hours: Hours, start: datetime, end: datetime) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        self._before: list[float] = [0.0]
        days = start.astimezone(hours.zone).date() - _DAY, end.astimezone(hours.zone).date()
        for opens, closes in hours.spans(*days):
            self._starts.append(opens)
            self._ends.append(closes)
            self._before.append(self._before[-1] + (closes - opens).total_seconds())

    def until(self, at: datetime) -> float:
        """Open seconds from the beginning of the period until an instant of it."""
        place = bisect_right(self._starts, at)
        if not place:
            return 0.0
        inside = (min(at, self._ends[place - 1]) - self._starts[place - 1]).total_seconds()
        return self._before[place - 1] + inside

    def seconds(self, start: datetime, end: datetime) -> float:
        """Open seconds of a span; both ends lie in the period."""
        return max(0.0, self.until(end) - self.until(start))
