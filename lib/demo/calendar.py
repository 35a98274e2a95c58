"""The demo store's days: weekdays, seasons, holidays, growth, and a few days that were unlike the others.

Days count from 0, the first day of the store. ``pace`` is how fast customers buy on a day, relative to
an ordinary one; ``clock`` is its running sum, so that a waiting time drawn on the clock becomes a day.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

from lib.periods import start_of_day

WEEKDAYS = (1.08, 1.02, 1.00, 1.00, 0.93, 0.88, 1.09)
MONTHS = (0.94, 0.91, 0.95, 0.96, 1.00, 0.93, 0.89, 0.91, 0.98, 1.04, 1.22, 1.32)
GROWTH_PER_YEAR = 0.10
DAY_NOISE = 0.05
HISTORY_DAYS = 913
AFTER_DAYS = 150


@dataclass(frozen=True, slots=True)
class Unusual:
    """Days unlike the others; ``annotation`` is what staff wrote about them, if they did."""

    kind: str
    first: int
    last: int
    buying: float = 1.0
    joining: float = 1.0
    lateness: float = 1.0
    annotation: str | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days from the opening up to, not including, ``end``, and some beyond for parcels under way."""

    first: date
    end: date
    zone: ZoneInfo
    days: int
    starts: NDArray[Any]
    weekday: NDArray[Any]
    month: NDArray[Any]
    pace: NDArray[Any]
    clock: NDArray[Any]
    joining: NDArray[Any]
    lateness: NDArray[Any]
    is_black_friday: NDArray[Any]
    unusual: tuple[Unusual, ...]

    def at(self, day: NDArray[Any], fraction: NDArray[Any]) -> NDArray[Any]:
        """The instant, UTC microseconds, a fraction of the way through a day; also on days of 23 or 25 hours."""
        day = np.clip(day, 0, len(self.starts) - 2)
        start = self.starts[day]
        length = (self.starts[day + 1] - start).astype(np.int64)
        found: NDArray[Any] = start + (length * np.clip(fraction, 0.0, 0.999999)).astype(np.int64).astype("m8[us]")
        return found

    @property
    def now(self) -> Any:
        """The instant at which the store's record ends: the start of ``end``."""
        return self.starts[self.days]

    def date_of(self, day: int) -> date:
        return self.first + timedelta(days=int(day))

    def dates(self, day: NDArray[Any]) -> NDArray[Any]:
        return np.datetime64(self.first, "D") + day.astype("m8[D]")


def _black_friday(year: int) -> date:
    first = date(year, 11, 1)
    thursday = 1 + (3 - first.weekday()) % 7 + 21
    return date(year, 11, thursday + 1)


def unusual_days(days: int) -> tuple[Unusual, ...]:
    """What happened, placed by the distance to the last day; a short history has fewer."""
    found = (
        Unusual("viral_post", days - 505, days - 503, joining=2.6, annotation="A video of our candles went round"),
        Unusual("carrier_strike", days - 331, days - 320, lateness=3.0, annotation="Strike at Blitz Kurier"),
        Unusual("payment_outage", days - 203, days - 203, buying=0.45, joining=0.45),
        Unusual("viral_post", days - 141, days - 139, joining=2.4, annotation="Featured in a coffee newsletter"),
        Unusual("refund_wave", days - 112, days - 104, annotation=None),
        Unusual("stock_out", days - 76, days - 72, buying=0.70, joining=0.70, annotation="Espresso out of stock"),
        Unusual("slow_checkout", days - 24, days - 24, buying=0.55, joining=0.55),
    )
    return tuple(u for u in found if u.first >= 30)


def make_calendar(end: date, zone: ZoneInfo, seed: int, days: int = HISTORY_DAYS) -> Calendar:
    """Lay out the days before ``end``."""
    first = end - timedelta(days=days)
    total = days + AFTER_DAYS
    dates = [first + timedelta(days=i) for i in range(total + 1)]
    starts = np.array([start_of_day(d, zone).replace(tzinfo=None) for d in dates], dtype="M8[us]")
    weekday = np.array([d.weekday() for d in dates[:total]])
    month = np.array([d.month - 1 for d in dates[:total]])
    rng = np.random.default_rng([seed, 1])
    pace = np.array(WEEKDAYS)[weekday] * np.array(MONTHS)[month]
    closed = holidays.country_holidays("DE", years=range(first.year, dates[-1].year + 1))
    black = np.zeros(total, dtype=bool)
    fridays = {year: _black_friday(year) for year in range(first.year, dates[-1].year + 1)}
    for i, day in enumerate(dates[:total]):
        if day in closed:
            pace[i] *= 0.78
        if day.month == 12 and day.day >= 20:
            pace[i] *= 0.68
        since = (day - fridays[day.year]).days
        if -1 <= since <= 3:
            pace[i] *= (1.35, 2.3, 1.5, 1.4, 1.8)[since + 1]
            black[i] = True
    pace *= np.exp(rng.normal(0, DAY_NOISE, total))
    lateness = np.ones(total)
    extra = np.ones(total)
    found = unusual_days(days)
    for event in found:
        span = slice(event.first, event.last + 1)
        pace[span] *= event.buying
        extra[span] *= event.joining / event.buying
        lateness[span] *= event.lateness
    pace /= pace[:days].mean()
    age = np.arange(total)
    # A young shop lives on newcomers: more of them early, so that sales as a whole grow slowly.
    joining = pace * extra * np.exp(GROWTH_PER_YEAR * age / 365) * (1 + 0.9 * np.exp(-age / 120))
    return Calendar(
        first=first,
        end=end,
        zone=zone,
        days=days,
        starts=starts,
        weekday=weekday,
        month=month,
        pace=pace,
        clock=np.cumsum(pace),
        joining=joining[:days] / joining[:days].sum(),
        lateness=lateness,
        is_black_friday=black,
        unusual=found,
    )
