"""When it is night where a customer lives: nothing of an offer is sent then.

A customer's zone is that of her country. Where a country has several, it is quiet as long as it is in any of them;
where nothing is left then, and where the country is not known, the store's own clock counts.
"""

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lib.outbox.rules import ContactRules

_ZONES = Path(__file__).with_name("zones.toml")
# Zones differ by quarters of an hour.
_STEP = timedelta(minutes=15)
_LONGEST = timedelta(days=2)


@cache
def zones_of(country: str) -> tuple[ZoneInfo, ...]:
    """The zones of a country (ISO 3166, two letters); none where it is not known."""
    found = []
    for name in _table().get(country.upper(), ()):
        try:
            found.append(ZoneInfo(name))
        except ZoneInfoNotFoundError:  # the machine's own zone data may be older
            continue
    return tuple(found)


def send_at(at: datetime, country: str | None, rules: ContactRules, store_zone: ZoneInfo) -> datetime:
    """The first instant from ``at`` on at which it is not quiet where the customer lives."""
    return _send_at(at, (country or "").upper(), rules.quiet_from, rules.quiet_to, store_zone)


@lru_cache(maxsize=2_000)
def _send_at(at: datetime, country: str, start: int, end: int, store_zone: ZoneInfo) -> datetime:
    for zones in (zones_of(country), (store_zone,)):
        if zones and (found := _first_loud(at, zones, start, end)) is not None:
            return found
    return at


def _first_loud(at: datetime, zones: Sequence[ZoneInfo], start: int, end: int) -> datetime | None:
    moment, last = at, at + _LONGEST
    while moment <= last:
        if not any(is_quiet(moment.astimezone(zone).hour, start, end) for zone in zones):
            return moment
        moment = _next_step(moment)
    return None


def _next_step(moment: datetime) -> datetime:
    whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return whole - timedelta(minutes=whole.minute % 15) + _STEP


def is_quiet(hour: int, start: int, end: int) -> bool:
    """Whether an hour lies within the quiet ones, which may run past midnight; equal ends: never.

    >>> is_quiet(23, 20, 8), is_quiet(8, 20, 8), is_quiet(13, 12, 14), is_quiet(3, 5, 5)
    (True, False, True, False)
    """
    if start == end:
        return False
    return start <= hour < end if start < end else hour >= start or hour < end


@cache
def _table() -> dict[str, list[str]]:
    return dict(tomllib.loads(_ZONES.read_text(encoding="utf-8")))
