"""What a column of somebody's table can mean, by kind of table: read from ``fields.toml`` beside this file."""

import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path


class Holds(StrEnum):
    """What a field's cells look like."""

    TEXT = "text"
    KEY = "key"
    TIME = "time"
    AMOUNT = "amount"
    COUNT = "count"
    EMAIL = "email"
    CURRENCY = "currency"
    COUNTRY = "country"
    FLAG = "yes or no"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a column can mean. ``of_line``: it belongs to an order's line, not to the order."""

    name: str
    holds: Holds
    meaning: str
    headers: tuple[str, ...]
    is_needed: bool = False
    of_line: bool = False


@cache
def fields() -> dict[str, tuple[Field, ...]]:
    """The fields of each kind of table: orders, customers, products, reviews, tickets, shipments, refunds."""
    text = Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
    return {
        kind: tuple(
            Field(
                name=entry["name"],
                holds=Holds(entry["holds"]),
                meaning=entry["meaning"],
                headers=tuple(dict.fromkeys((plain(entry["name"]), *map(plain, entry.get("headers", ()))))),
                is_needed=entry.get("needed", False),
                of_line=entry.get("of_line", False),
            )
            for entry in entries
        )
        for kind, entries in tomllib.loads(text).items()
    }


def field_of(kind: str, name: str) -> Field | None:
    """The field of that name, or None."""
    return next((field for field in fields()[kind] if field.name == name), None)


def plain(header: str) -> str:
    """A header without case, accents and signs; words in ``camelCase`` are parted.

    >>> plain("Bestell-Nr."), plain("orderDate"), plain("Größe")
    ('bestell nr', 'order date', 'groesse')
    """
    for sign, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
        header = header.replace(sign, letters)
    parted = "".join(
        f" {sign}" if sign.isupper() and at and header[at - 1].islower() else sign for at, sign in enumerate(header)
    )
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", parted) if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in bare).casefold().split())
