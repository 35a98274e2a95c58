"""A person as a record names them, and the keys that person is known by."""

from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from lib.db.identities import EMAIL, normalise_email
from lib.importers.batch import STORED, Outcome
from lib.importers.records import CustomerRecord
from lib.importers.writer import instant

ADDRESS: Final = ("name", "street", "city", "region", "postal_code", "country", "phone")
_said = attrgetter(
    "external_id",
    "email",
    "name",
    "phone",
    "country",
    "region",
    "city",
    "language",
    "is_guest",
    "is_test",
    "tags",
    "note",
)
_said_address = attrgetter("kind", *ADDRESS)

Key = tuple[str, str]


@dataclass(slots=True)
class Mention:
    """A person as a record names them, at an instant; ``is_full`` when the record is about the person."""

    record: CustomerRecord
    at: datetime | None = None
    is_full: bool = False
    keys: list[Key] = field(default_factory=list)
    customer_id: int | None = None
    is_new_key: bool = False
    outcome: Outcome = STORED


def keys_of(record: CustomerRecord, source: str) -> list[Key]:
    """The keys a person is known by, the platform's own first."""
    keys: list[Key] = []
    if record.external_id:
        keys.append((source, record.external_id))
    if record.email and (email := normalise_email(record.email)):
        keys.append((EMAIL, email))
    return keys


def plain(record: CustomerRecord) -> tuple[Any, ...]:
    """All that a record says, as plain values in tuples."""
    return (
        *_said(record),
        instant(record.registered_at),
        [_said_address(address) for address in record.addresses],
        [(consent.channel, consent.state, instant(consent.stated_at)) for consent in record.consents],
    )
