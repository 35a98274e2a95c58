"""Read a column's dates: by a declared format, or by one that the column itself proves; never by guess.

03/04/2025 is two days. A column that holds a 25/04/2025 is day first; one that holds nothing of the
kind is ambiguous and the reader must ask (``AmbiguousDates``). Years first (2025-04-03), names of months
and Unix seconds leave nothing open; numbers parted by points (03.04.2025) are day first, as in every
locale of Unicode's CLDR that ends its short date with the year.

A time with an offset is an instant; one without is the store's own time. A date without a time is a
store day, placed at noon store time: so its day stays right in the store's zone, whatever the season.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale

from lib.errors import AmbiguousDates
from lib.importers.records import ReadContext

DAY_FIRST = "day-first"
MONTH_FIRST = "month-first"
NOON = time(12)
LANGUAGES = ("en", "de", "fr", "es", "nl", "it", "pt")

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?!\d)")
_NAMED = re.compile(
    r"(?:[^\W\d]+\.?,\s+)?"  # a weekday
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th|\.|º)?[\s-]+(?:de\s+)?(?P<m1>[^\W\d]+)\.?,?[\s-]+(?:de\s+)?"
    r"|(?P<m2>[^\W\d]+)\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s+)"
    r"(?P<year>\d{4})(?!\d)"
)
_CLOCK = re.compile(
    r"(?:[T\s,]|\bat\b|\bum\b|\bà\b)*(?P<h>\d{1,2})[:.](?P<m>\d{2})(?:[:.](?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?P<zone>.*)",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{2}):?(\d{2})?(?:\s*(?:UTC|GMT))?", re.IGNORECASE)
_UNIX = {10: 1, 13: 1_000, 16: 1_000_000}
_KEPT = 65_536


class DateReader:
    """Reads the texts of one column as instants and as store days."""

    __slots__ = ("_instants", "_order", "_pattern", "_zone")

    def __init__(self, zone: ZoneInfo, *, order: str = "", pattern: str = "") -> None:
        """``order``: day-first, month-first or empty; ``pattern``: a declared strptime format or empty."""
        self._zone = zone
        self._order = order
        self._pattern = pattern
        self._instants: dict[str, datetime] = {}

    def at(self, text: str) -> datetime:
        """The instant, in UTC, that a text names.

        Raises:
            ValueError: not a date, or one that the column's order does not allow.
        """
        known = self._instants.get(text)
        if known is None:
            day, clock = self._parts(text)
            if clock is None:
                clock = NOON
            moment = datetime.combine(day, clock)
            try:
                known = (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
            except OverflowError as error:
                raise ValueError(f"{text!r} is out of range for a date") from error
            if len(self._instants) >= _KEPT:
                self._instants.clear()
            self._instants[text] = known
        return known

    def day(self, text: str) -> date:
        """The store day that a text names: as written, or that of its instant where it carries an offset.

        Raises:
            ValueError: as for ``at``.
        """
        day, clock = self._parts(text)
        if clock is None or clock.tzinfo is None:
            return day
        return datetime.combine(day, clock).astimezone(self._zone).date()

    def _parts(self, text: str) -> tuple[date, time | None]:
        """A day and a clock time; the time is None where the text has none, aware where it has an offset."""
        written = text.strip()
        if self._pattern:
            try:
                moment = datetime.strptime(written, self._pattern)  # noqa: DTZ007 - the zone is added by the caller
            except ValueError:
                pass
            else:
                has_clock = any(sign in self._pattern for sign in ("%H", "%I", "%c", "%X", "%s"))
                return _plausible(moment.date(), text), moment.timetz() if has_clock else None
        if match := _YEAR_FIRST.match(written):
            year, _, month, day = match.groups()
            return _rest(text, written[match.end() :], _date(text, int(year), int(month), int(day)))
        if match := _YEAR_LAST.match(written):
            return _rest(text, written[match.end() :], self._year_last(text, match))
        if match := _NAMED.match(written):
            found = _named(text, match)
            return _rest(text, written[match.end() :], found)
        if written.isdecimal() and written.isascii():
            return _number(text, written)
        raise ValueError(f"{_shown(text)} is not a date")

    def _year_last(self, text: str, match: re.Match[str]) -> date:
        first, sign, second, year_text = match.groups()
        year = int(year_text) if len(year_text) == 4 else _century(int(year_text))
        a, b = int(first), int(second)
        order = self._order or (DAY_FIRST if sign == "." else "")
        if order == DAY_FIRST or (not order and a > 12):
            return _date(text, year, b, a)
        if order == MONTH_FIRST or (not order and b > 12):
            return _date(text, year, a, b)
        if a == b:
            return _date(text, year, a, b)
        raise ValueError(f"{_shown(text)} could be two days; declare day-first or month-first")


def date_reader(values: Iterable[str], context: ReadContext, *, column: str = "", file: str = "") -> DateReader:
    """Find how a column writes its dates, from its values, and make a reader of them.

    Give all values of the column, or as many as can be had: only what is seen can prove an order.

    Raises:
        AmbiguousDates: every value could be two days, or the values contradict each other.
    """
    return reader_for(DateOrder() if context.date_format else date_order(values), context, column=column, file=file)


def reader_for(found: "DateOrder", context: ReadContext, *, column: str = "", file: str = "") -> DateReader:
    """Make a reader of what a column's values proved; a declared format comes before.

    Raises:
        AmbiguousDates: as for ``date_reader``.
    """
    declared = context.date_format.strip()
    zone = ZoneInfo(context.time_zone)
    if declared in (DAY_FIRST, MONTH_FIRST):
        return DateReader(zone, order=declared)
    if declared:
        return DateReader(zone, pattern=declared)
    if found.is_open:
        place = f"column {column!r}" if column else ""
        place = f"{place} of {file}".strip() if file else place
        why = "some are day first, some month first" if found.contradicts else "no value tells which"
        raise AmbiguousDates(
            f"The dates {'in ' + place + ' ' if place else ''}can be read in two ways: {found.example} may be "
            f"{found.readings}; {why}. Say which: --dates day-first or --dates month-first, "
            "or a format such as --dates %d/%m/%Y."
        )
    return DateReader(zone, order=found.order)


class DateOrder:
    """What a column's values prove about the order of day and month."""

    __slots__ = ("contradicts", "day_first", "example", "month_first", "undecided")

    def __init__(self) -> None:
        self.day_first = 0
        self.month_first = 0
        self.undecided = 0
        self.example = ""
        self.contradicts = False

    def see(self, text: str) -> None:
        """Take one value into account."""
        match = _YEAR_LAST.match(text.strip())
        if match is None or match[2] == ".":
            return
        a, b = int(match[1]), int(match[3])
        if a > 12 >= b:
            self.day_first += 1
        elif b > 12 >= a:
            self.month_first += 1
        elif a != b:
            self.undecided += 1
            self.example = self.example or match[0]
        self.contradicts = bool(self.day_first and self.month_first)

    @property
    def order(self) -> str:
        """day-first, month-first, or empty where nothing hangs on it."""
        if self.contradicts:
            return ""
        return DAY_FIRST if self.day_first else MONTH_FIRST if self.month_first else ""

    @property
    def is_open(self) -> bool:
        """Whether values were seen whose day only a person can tell."""
        return bool(self.undecided) and not self.order

    @property
    def readings(self) -> str:
        """Both readings of the example, in words."""
        match = _YEAR_LAST.match(self.example)
        if match is None:
            return ""
        year = int(match[4]) if len(match[4]) == 4 else _century(int(match[4]))
        one, two = date(year, int(match[3]), int(match[1])), date(year, int(match[1]), int(match[3]))
        return f"{one.day} {one:%B %Y} or {two.day} {two:%B %Y}"


def date_order(values: Iterable[str]) -> DateOrder:
    """What the values prove about the order of day and month."""
    order = DateOrder()
    for value in values:
        order.see(value)
    return order


def is_date(text: str) -> bool:
    """Whether a text is written as a date, whichever order its day and month have.

    Bare numbers are none here: they may be anything.
    """
    if text.strip().isdecimal():
        return False
    for order in (DAY_FIRST, MONTH_FIRST):
        try:
            DateReader(ZoneInfo("UTC"), order=order).at(text)
        except ValueError:
            continue
        return True
    return False


def _rest(text: str, rest: str, day: date) -> tuple[date, time | None]:
    """Read what follows the date: nothing, or a clock time with or without an offset."""
    if not rest.strip(" ,"):
        return day, None
    match = _CLOCK.fullmatch(rest)
    if match is None:
        raise ValueError(f"{_shown(text)} is not a date")
    hour, minute, second = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{_shown(text)} has no such hour")
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    micro = int((match["f"] or "0")[:6].ljust(6, "0"))
    if hour == 24 and minute == second == micro == 0:
        day, hour = day + timedelta(days=1), 0
    try:
        clock = time(hour, minute, second, micro)
    except ValueError as error:
        raise ValueError(f"{_shown(text)} has no such time") from error
    zone = match["zone"].strip()
    if not zone:
        return day, clock
    if zone.upper() in ("Z", "UTC", "GMT"):
        return day, clock.replace(tzinfo=UTC)
    offset = _OFFSET.fullmatch(zone)
    if offset is None or int(offset[2]) > 15:
        raise ValueError(f"{_shown(text)} names a time zone that is not known; use an offset such as +02:00")
    shift = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return day, clock.replace(tzinfo=timezone(-shift if offset[1] == "-" else shift))


def _number(text: str, digits: str) -> tuple[date, time | None]:
    """20251206, or seconds, milliseconds or microseconds since 1970."""
    if len(digits) == 8:
        return _date(text, int(digits[:4]), int(digits[4:6]), int(digits[6:])), None
    scale = _UNIX.get(len(digits))
    if scale is None:
        raise ValueError(f"{_shown(text)} is not a date")
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(digits) * (1_000_000 // scale))
    return _plausible(moment.date(), text), moment.timetz()


def _named(text: str, match: re.Match[str]) -> date:
    month = _months().get((match["m1"] or match["m2"]).lower().rstrip("."))
    if month is None:
        raise ValueError(f"{_shown(text)} names no month that is known")
    return _date(text, int(match["year"]), month, int(match["d1"] or match["d2"]))


@cache
def _months() -> dict[str, int]:
    """Names and abbreviations of the months in the languages that exports are written in."""
    names: dict[str, int] = {}
    for language in LANGUAGES:
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in Locale(language).months[form][width].items():
                    names.setdefault(name.lower().rstrip("."), number)
    return names | {"sept": 9}


def _century(year: int) -> int:
    return 2000 + year if year < 70 else 1900 + year


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        return _plausible(date(year, month, day), text)
    except ValueError as error:
        raise ValueError(f"{_shown(text)} is no day of the calendar") from error


def _plausible(day: date, text: str) -> date:
    if not 1900 <= day.year <= 2200:
        raise ValueError(f"{_shown(text)} is out of range for a date")
    return day


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "…")
