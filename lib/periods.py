"""Days, months and periods of the store.

A *day* is the number of days since 1970-01-01, in the store's time zone; a *month* is ``12 × year +
month - 1``; a *week* counts ISO weeks (Monday first). Periods are half-open: ``[start, end)``.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)
_EPOCH_ORDINAL = EPOCH.toordinal()


def day_index(day: date) -> int:
    """The number of days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def day_of(index: int) -> date:
    """The date of a day index."""
    return date.fromordinal(index + _EPOCH_ORDINAL)


def month_index(day: date) -> int:
    """The month number ``12 × year + month - 1``."""
    return day.year * 12 + day.month - 1


def month_start(index: int) -> date:
    """The first day of a month number."""
    return date(index // 12, index % 12 + 1, 1)


def store_day(at: datetime, zone: ZoneInfo) -> date:
    """The store's day of an instant. ``at`` must carry a time zone."""
    return at.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a store day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """The store days from ``start`` up to, not including, ``end``."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("a period cannot end before it starts")

    @classmethod
    def last(cls, days: int, *, before: date) -> Self:
        """The ``days`` complete days that end the day before ``before``."""
        return cls(before - timedelta(days=days), before)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def previous(self) -> "Period":
        """As many days, directly before."""
        return Period(self.start - timedelta(days=self.days), self.start)

    def year_before(self) -> "Period":
        """The same weekdays 52 weeks earlier."""
        return Period(self.start - timedelta(weeks=52), self.end - timedelta(weeks=52))

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end
