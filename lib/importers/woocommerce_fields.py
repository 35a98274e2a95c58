"""The fields of WooCommerce's JSON objects: numbers, texts, instants, currencies and people."""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lib.importers.records import AddressRecord, CustomerRecord, ReadContext
from lib.money import currencies

_TAG = re.compile(r"<[^>]*>")
Thing = Mapping[str, Any]


class Untrusted(ValueError):
    """An object cannot be trusted; it is put aside."""


def instant(thing: Thing, name: str, context: ReadContext) -> datetime | None:
    """An instant: the ``_gmt`` field where there is one, else the shop's own clock."""
    for field, zone in ((f"{name}_gmt", UTC), (name, ZoneInfo(context.time_zone))):
        text = thing.get(field)
        if text:
            at = datetime.fromisoformat(str(text))
            try:
                return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
            except OverflowError as error:
                raise Untrusted(f"{field} {text!r} is out of range for a time") from error
    return None


def needed_instant(thing: Thing, name: str, context: ReadContext) -> datetime:
    """An instant that must be there; Untrusted otherwise."""
    at = instant(thing, name, context)
    if at is None:
        raise Untrusted(f"no {name}")
    return at


def currency_of(thing: Thing, context: ReadContext) -> str:
    """The object's currency, else the store's; Untrusted when neither is one."""
    code = str(thing.get("currency") or context.currency).upper()
    if code not in currencies():
        raise Untrusted(f"{code!r} is no currency" if code else "no currency; set ENCORE_STORE_CURRENCY")
    return code


def number(thing: Thing, name: str) -> str:
    """A number as it is written; nothing is 0."""
    value = thing.get(name)
    return "0" if value in (None, "") else str(value)


def text(thing: Thing, name: str) -> str | None:
    """A text without entities; nothing is None."""
    value = thing.get(name)
    return html.unescape(str(value)).strip() or None if value not in (None, "") else None


def plain(text: str) -> str:
    """Text without tags and entities: what a customer wrote is data, not markup."""
    return html.unescape(_TAG.sub("", text)).strip()


def country(address: Thing) -> str | None:
    """An address's country: an ISO code of two letters."""
    code = str(address.get("country") or "").upper()
    return code if len(code) == 2 else None


def person(
    number: str, email: str | None, billing: Thing, delivery: Thing, *, is_guest: bool = False
) -> CustomerRecord:
    """A person with both addresses; ``number`` is the platform's own, empty for guests."""
    main = billing if any(billing.values()) else delivery
    name = " ".join(part for part in (text(main, "first_name"), text(main, "last_name")) if part)
    return CustomerRecord(
        external_id=number,
        email=email,
        name=name or None,
        phone=text(main, "phone"),
        country=country(delivery) or country(billing),
        region=text(main, "state"),
        city=text(main, "city"),
        is_guest=is_guest,
        addresses=tuple(
            AddressRecord(
                kind=kind,
                name=" ".join(p for p in (text(side, "first_name"), text(side, "last_name")) if p) or None,
                street=" ".join(p for p in (text(side, "address_1"), text(side, "address_2")) if p) or None,
                city=text(side, "city"),
                region=text(side, "state"),
                postal_code=text(side, "postcode"),
                country=country(side),
                phone=text(side, "phone"),
            )
            for kind, side in (("billing", billing), ("shipping", delivery))
            if text(side, "address_1") or text(side, "city")
        ),
    )
