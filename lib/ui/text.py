"""How values are written for people, and how other people's words are kept from being read as markup."""

import re
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_symbol

from lib.metrics.definition import Unit
from lib.money import exponent, format_money
from lib.periods import Period

MISSING = "–"
NO_DATA = "no data"
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$^&])")

# What Markdown turns into a link by itself, escaped or not; a sign without width after it keeps it plain.
_LINK = re.compile(r"(@|://|www)(?=\S)", re.IGNORECASE)
# Control signs, directions of writing, joiners and other signs without a shape of their own.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\ufeff]"
)


def plain(words: object) -> str:
    """Words from data, escaped so that Markdown shows them as they are, on one line, and links to nowhere."""
    unlinked = _LINK.sub("\\1\u2060", " ".join(str(words).split()))
    return _MARKUP.sub(r"\\\1", unlinked)


def one_line(words: object, most: int) -> str:
    """Words from data on one line of a list: cut, without signs that turn or hide what stands beside them."""
    shown = " ".join(_UNSEEN.sub("", str(words)).split())
    return plain(shown if len(shown) <= most else shown[: most - 1].rstrip() + "…")


def unbroken(words: str) -> str:
    """Words that stay on one line: hard spaces, and no break after a dash."""
    return words.replace("–", "–\u2060").replace(" ", "\u00a0")


@cache
def symbol_of(currency: str) -> str:
    """The sign of a currency, ``€`` or ``CHF `` with the space that a word needs; empty without a currency."""
    if not currency:
        return ""
    symbol = get_currency_symbol(currency, locale="en")
    return f"{symbol} " if symbol[-1].isalpha() else symbol


def major(minor: float, currency: str) -> float:
    """Minor units as a number of whole units, for charts."""
    return minor / 10 ** exponent(currency) if currency else float(minor)


def written(value: float | int | None, unit: Unit, currency: str, *, exact: bool = False) -> str:
    """A value with its unit: ``€531,533``, ``7,899``, ``32.6%``, ``3.4 days``; ``exact`` keeps the cents."""
    if value is None or value != value:
        return MISSING
    match unit:
        case Unit.MONEY:
            whole = not exact and abs(value) >= 1000 * 10 ** exponent(currency or "EUR")
            return format_money(round(value), currency or "EUR", cents=not whole).replace("-", "−")
        case Unit.SHARE:
            return f"{value * 100:.{2 if exact else 1}f}%".replace("-", "−")
        case Unit.COUNT | Unit.POINTS:
            return f"{value:,.0f}"
        case Unit.STARS:
            return f"{value:.2f} of 5"
        case Unit.DAYS:
            return f"{value:.1f} days"
        case Unit.HOURS:
            return f"{value:.1f} hours"
        case Unit.SECONDS:
            return f"{value / 60:.1f} minutes" if value < 5400 else f"{value / 3600:.1f} hours"
        case _:
            return f"{value:,.2f}"


def change(now: float | None, before: float | None, unit: Unit) -> str | None:
    """The step from before to now: ``+7.7%``, or in points for a share; null when there is nothing to compare.

    A step down begins with a plain hyphen: the card reads its arrow and colour from it.
    """
    if now is None or before is None or now != now or before != before:
        return None
    if unit is Unit.SHARE:
        points = (now - before) * 100
        return None if round(points, 1) == 0 else f"{points:+.1f} pp"
    if before <= 0:
        return None
    share = (now - before) / before * 100
    return None if round(share, 1) == 0 else f"{share:+.1f}%"


def of_days(period: Period, *, year: bool | None = None) -> str:
    """``25 Oct – 21 Nov``, with the year where it is not plain."""
    first, last = period.start, period.end - timedelta(days=1)
    if period.days == 0:
        return "no day"
    with_year = first.year != last.year if year is None else year
    tail = f"{last:%-d %b %Y}" if with_year else f"{last:%-d %b}"
    if first == last:
        return tail
    if first.year == last.year and first.month == last.month:
        return f"{first.day} – {tail}"
    head = f"{first:%-d %b %Y}" if first.year != last.year else f"{first:%-d %b}"
    return f"{head} – {tail}"


def ago(at: datetime, now: datetime) -> str:
    """``3 minutes ago``, ``2 hours ago``, ``5 days ago``."""
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, one in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = minutes // size
            return f"{n} {one}{'' if n == 1 else 's'} ago"
    return "just now"


def clock(at: datetime, zone: ZoneInfo, today: date) -> str:
    """``14:20 today``, ``23:58 yesterday`` or ``23:58 on 14 Nov``, by the store's clock."""
    local = at.astimezone(zone)
    if local.date() == today:
        return f"{local:%H:%M} today"
    if local.date() == today - timedelta(days=1):
        return f"{local:%H:%M} yesterday"
    shown = f"{local:%-d %b}" if local.year == today.year else f"{local:%-d %b %Y}"
    return f"{local:%H:%M} on {shown}"
