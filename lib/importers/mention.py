"""A person as a record names them, ready to be written, and the keys that person is known by."""

from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from lib.db.identities import EMAIL, normalise_email
from lib.importers.batch import STORED, Outcome, clip, clip_often, country_code
from lib.importers.records import AddressRecord, CustomerRecord
from lib.importers.writer import instant

FACTS: Final = (
    "email",
    "email_normalised",
    "name",
    "phone",
    "country",
    "region",
    "city",
    "language",
    "registered_at",
    "is_guest",
    "is_test",
    "tags",
    "note",
)
IS_GUEST: Final = FACTS.index("is_guest")
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
class Person:
    """A customer's record as the loader writes it.

    ``facts`` are the values of ``FACTS``, ``addresses`` pairs of a kind and the values of ``ADDRESS``,
    ``consents`` triples of channel, state and when it was stated.
    """

    external_id: str
    email: str | None
    facts: tuple[Any, ...]
    addresses: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    consents: tuple[tuple[str, str, datetime | None], ...] = ()


@dataclass(slots=True)
class Mention:
    """A person as a record names them, at an instant.

    ``is_full`` when the record is about the person; ``fingerprint`` is then that of the record.
    """

    person: Person
    at: datetime | None = None
    is_full: bool = False
    fingerprint: str = ""
    keys: list[Key] = field(default_factory=list)
    customer_id: int | None = None
    is_new_key: bool = False
    outcome: Outcome = STORED


def person_of(record: CustomerRecord) -> Person:
    """What is written of a person."""
    email = normalise_email(record.email)
    return Person(
        record.external_id,
        email,
        (
            clip(record.email),
            email,
            clip(record.name),
            clip(record.phone),
            country_code(record.country),
            clip_often(record.region),
            clip_often(record.city),
            clip(record.language, 10),
            instant(record.registered_at),
            record.is_guest,
            record.is_test,
            record.tags or None,
            record.note or None,
        ),
        tuple((each.kind, _address(each)) for each in record.addresses),
        tuple((each.channel, each.state, each.stated_at) for each in record.consents),
    )


def _address(record: AddressRecord) -> tuple[Any, ...]:
    return (
        clip(record.name),
        record.street or None,
        clip_often(record.city),
        clip_often(record.region),
        clip(record.postal_code),
        country_code(record.country),
        clip(record.phone),
    )


def mentioned(record: CustomerRecord, at: datetime) -> Mention:
    """A person whom a record about something else names."""
    return Mention(person_of(record), at=at)


def keys_of(person: Person, source: str) -> list[Key]:
    """The keys a person is known by, the platform's own first."""
    keys: list[Key] = []
    if person.external_id:
        keys.append((source, person.external_id))
    if person.email:
        keys.append((EMAIL, person.email))
    return keys


def plain(record: CustomerRecord) -> tuple[Any, ...]:
    """All that a record says, as plain values in tuples."""
    return (
        *_said(record),
        instant(record.registered_at),
        [_said_address(address) for address in record.addresses],
        [(consent.channel, consent.state, instant(consent.stated_at)) for consent in record.consents],
    )
