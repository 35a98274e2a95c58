"""Customers: known again by a platform's key or an e-mail address, and stored once.

A person is one row of ``customers`` and one row of ``customer_identities`` per key. When a key and an
address turn out to belong to one person, the older row stays and everything of the other moves to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import select

from lib.db.identities import EMAIL, normalise_email, suppression_hash
from lib.db.tables.customers import addresses, consents, customer_identities, customers, suppressions
from lib.db.tables.orders import orders
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, clip, country_code, fingerprint
from lib.importers.merge_people import merge
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
NEW: Final = ("customer_id", "source", "external_id", "fingerprint", "updated_at", *FACTS)
KNOWN: Final = ("customer_id", "source", "external_id", "fingerprint", *FACTS)

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


def load_customers(batch: Batch, records: Sequence[CustomerRecord]) -> list[Outcome]:
    """Store records that are about people; what they say replaces what was known."""
    outcomes: list[Outcome] = []
    mentions: list[Mention] = []
    for record in records:
        reason = bad_customer(batch, record)
        outcomes.append(Refused(reason) if reason else STORED)
        if not reason:
            mentions.append(Mention(record, is_full=True))
    resolve(batch, mentions)
    stored = iter(mentions)
    return [outcome if isinstance(outcome, Refused) else next(stored).outcome for outcome in outcomes]


def bad_customer(batch: Batch, record: CustomerRecord) -> str:
    """Why a customer cannot be stored; empty when it can."""
    keys = keys_of(record, batch.source)
    if not keys:
        return "The customer has neither a key nor a valid e-mail address, so nobody could be known again."
    return bad_key(keys[0][1], "customer") or batch.bad_instant(record.registered_at, "registration date")


def resolve(batch: Batch, mentions: Sequence[Mention]) -> None:
    """Find, make, complete or merge the people mentioned; sets each mention's ``customer_id`` and outcome.

    An erased person stays erased: the mention gets no customer, and nothing is stored.
    """
    for mention in mentions:
        mention.keys = keys_of(mention.record, batch.source)
    _forget_erased(batch, mentions)
    live = [mention for mention in mentions if mention.keys]
    if not live:
        return
    owner = _owners(batch, {key for mention in live for key in mention.keys})
    old = set(owner.values())
    merged: dict[int, int] = {}
    fresh: list[tuple[Key, int]] = []

    def now_called(customer_id: int) -> int:
        while customer_id in merged:
            customer_id = merged[customer_id]
        return customer_id

    new_people = 0
    # Negative until the number of new people is known and their keys are drawn.
    for mention in live:
        found = sorted({now_called(owner[key]) for key in mention.keys if key in owner}, key=lambda i: (i < 0, abs(i)))
        if found:
            keep = found[0]
            merged.update(dict.fromkeys(found[1:], keep))
        else:
            new_people += 1
            keep = -new_people
        for key in mention.keys:
            if key not in owner:
                fresh.append((key, keep))
                mention.is_new_key = True
            owner[key] = keep
        mention.customer_id = keep
    drawn = dict(zip(range(-1, -new_people - 1, -1), batch.writer.next_keys(customers, new_people), strict=True))

    def final(customer_id: int) -> int:
        called = now_called(customer_id)
        return drawn.get(called, called)

    for mention in live:
        mention.customer_id = final(mention.customer_id or 0)
    merges = {loser: final(loser) for loser in merged if loser > 0}
    if merges:
        merge(batch, merges)
    rows = _write_people(batch, live, old - set(merges))
    identities = [(final(customer_id), *key) for key, customer_id in fresh]
    batch.writer.insert(customer_identities, ("customer_id", "source", "external_id"), identities)
    _write_addresses(batch, live, rows)
    _write_consents(batch, live)


def _forget_erased(batch: Batch, mentions: Sequence[Mention]) -> None:
    if batch.connection.scalar(select(suppressions.c.suppression_id).limit(1)) is None:
        return
    hashes = {suppression_hash(*key) for mention in mentions for key in mention.keys}
    erased = set(
        batch.connection.scalars(
            select(suppressions.c.email_hash).where(batch.writer.among(suppressions.c.email_hash, hashes))
        )
    )
    for mention in mentions:
        if any(suppression_hash(*key) in erased for key in mention.keys):
            mention.keys = []
            mention.outcome = UNCHANGED


def _owners(batch: Batch, keys: Iterable[Key]) -> dict[Key, int]:
    by_source: dict[str, set[str]] = {}
    for source, external_id in keys:
        by_source.setdefault(source, set()).add(external_id)
    found: dict[Key, int] = {}
    table = customer_identities.c
    for source, wanted in by_source.items():
        rows = batch.connection.execute(
            select(table.external_id, table.customer_id).where(
                table.source == source, batch.writer.among(table.external_id, wanted)
            )
        )
        found.update({(source, external_id): customer_id for external_id, customer_id in rows})
    return found


def _facts(record: CustomerRecord) -> dict[str, Any]:
    return {
        "email": clip(record.email),
        "email_normalised": normalise_email(record.email),
        "name": clip(record.name),
        "phone": clip(record.phone),
        "country": country_code(record.country),
        "region": clip(record.region),
        "city": clip(record.city),
        "language": clip(record.language, 10),
        "registered_at": instant(record.registered_at),
        "is_guest": record.is_guest,
        "is_test": record.is_test,
        "tags": record.tags or None,
        "note": record.note or None,
    }


def _write_people(batch: Batch, live: Sequence[Mention], old: set[int]) -> dict[int, dict[str, Any]]:
    """Insert and update the people themselves; returns each one's facts as they are now."""
    rows: dict[int, dict[str, Any]] = {}
    if old:
        wanted = select(*(customers.c[name] for name in KNOWN)).where(batch.writer.among(customers.c.customer_id, old))
        for found in batch.connection.execute(wanted):
            row = dict(zip(KNOWN, found, strict=True))
            rows[row["customer_id"]] = row | {"registered_at": instant(row["registered_at"])}
    new: dict[int, dict[str, Any]] = {}
    changed: dict[int, dict[str, Any]] = {}
    for mention in live:
        customer_id = mention.customer_id or 0
        known = rows.get(customer_id)
        facts = _facts(mention.record)
        written = ""
        if mention.is_full:
            written = fingerprint(plain(mention.record), mention.keys)
        if known is None:
            source, external_id = _own_key(batch, mention)
            row = {
                "customer_id": customer_id,
                "source": source,
                "external_id": external_id,
                "fingerprint": written,
                "updated_at": batch.stamp,
                **facts,
            }
            rows[customer_id] = new[customer_id] = row
            continue
        own = _own_key(batch, mention)
        is_own = (known["source"], known["external_id"]) == own
        if mention.is_full and (is_own or not known["fingerprint"]):
            if known["fingerprint"] == written:
                mention.outcome = UNCHANGED
                continue
            # The first record that is about a person, and no later one of another key, says how the row reads.
            update = {name: value for name, value in facts.items() if value is not None}
            update |= {"fingerprint": written, "source": own[0], "external_id": own[1]}
        else:
            update = {name: value for name, value in facts.items() if value is not None and known[name] is None}
            # Once registered, a person is a guest no more; one order that is a test says nothing of others.
            if known["is_guest"] and not mention.record.is_guest:
                update["is_guest"] = False
        is_changed = any(known[name] != value for name, value in update.items())
        if is_changed:
            known.update(update, updated_at=batch.stamp)
            if customer_id not in new:
                changed[customer_id] = known
        elif mention.is_full and not mention.is_new_key:
            mention.outcome = UNCHANGED
    batch.writer.insert(customers, NEW, [tuple(row[name] for name in NEW) for row in new.values()])
    columns = ("source", "external_id", "fingerprint", "updated_at", *FACTS)
    batch.writer.update(customers, columns, [(*(row[name] for name in columns), key) for key, row in changed.items()])
    return rows


def _own_key(batch: Batch, mention: Mention) -> Key:
    """The key of a person's row: the platform's, else the address."""
    source, external_id = mention.keys[0]
    return batch.source, external_id if source != EMAIL else f"{EMAIL}:{external_id}"


def _address(record: AddressRecord) -> tuple[Any, ...]:
    return (
        clip(record.name),
        record.street or None,
        clip(record.city),
        clip(record.region),
        clip(record.postal_code),
        country_code(record.country),
        clip(record.phone),
    )


def _write_addresses(batch: Batch, live: Sequence[Mention], rows: dict[int, dict[str, Any]]) -> None:
    """Keep the newest address of each kind: of the latest order, or as a record of the person says."""
    named = [mention for mention in live if mention.record.addresses and mention.outcome != UNCHANGED]
    if not named:
        return
    known: dict[tuple[int, str], tuple[int, tuple[Any, ...]]] = {}
    wanted = {mention.customer_id or 0 for mention in named}
    columns = (addresses.c[name] for name in ("customer_id", "kind", "address_id", *ADDRESS))
    stored = select(*columns).where(batch.writer.among(addresses.c.customer_id, wanted))
    for customer_id, kind, address_id, *written in batch.connection.execute(stored):
        known[customer_id, kind] = (address_id, tuple(written))
    new: dict[tuple[int, str], tuple[Any, ...]] = {}
    changed: dict[int, tuple[Any, ...]] = {}
    newest: dict[tuple[int, str], datetime] = {}
    for mention in named:
        for record in mention.record.addresses:
            place = (mention.customer_id or 0, record.kind)
            if mention.at is not None:
                if place in newest and mention.at <= newest[place]:
                    continue
                newest[place] = mention.at
            values = _address(record)
            if place not in known:
                new[place] = values
            elif known[place][1] != values and (mention.is_full or _is_latest(batch, place[0], mention.at)):
                changed[known[place][0]] = values
    batch.writer.insert(
        addresses,
        ("customer_id", "kind", "updated_at", *ADDRESS),
        [(*place, batch.stamp, *values) for place, values in new.items()],
    )
    batch.writer.update(
        addresses, ("updated_at", *ADDRESS), [(batch.stamp, *values, key) for key, values in changed.items()]
    )


def _is_latest(batch: Batch, customer_id: int, at: datetime | None) -> bool:
    """Whether no later order of the customer is stored, so that this one's address is the newest."""
    later = select(orders.c.order_id).where(orders.c.customer_id == customer_id, orders.c.placed_at > at).limit(1)
    return at is not None and batch.connection.scalar(later) is None


def _write_consents(batch: Batch, live: Sequence[Mention]) -> None:
    """Keep what a person said last; what was said at an unknown time never overrides what has a time."""
    named = [mention for mention in live if mention.record.consents and mention.outcome != UNCHANGED]
    if not named:
        return
    known: dict[tuple[int, str], dict[str, Any]] = {}
    wanted = {mention.customer_id or 0 for mention in named}
    columns = ("customer_id", "channel", "consent_id", "state", "stated_at")
    stored = select(*(consents.c[name] for name in columns)).where(batch.writer.among(consents.c.customer_id, wanted))
    for found in batch.connection.execute(stored):
        row = dict(zip(columns, found, strict=True))
        known[row["customer_id"], row["channel"]] = row
    new: dict[tuple[int, str], dict[str, Any]] = {}
    changed: dict[tuple[int, str], dict[str, Any]] = {}
    for mention in named:
        for record in mention.record.consents:
            place = (mention.customer_id or 0, record.channel)
            said = {"state": record.state, "stated_at": record.stated_at}
            before = new.get(place) or known.get(place)
            if before is None:
                new[place] = said
            elif (before["state"], before["stated_at"]) != (record.state, record.stated_at) and _supersedes(
                record.stated_at, before["stated_at"], is_full=mention.is_full
            ):
                if place in new:
                    new[place] = said
                else:
                    known[place].update(said)
                    changed[place] = known[place]
    batch.writer.insert(
        consents,
        ("customer_id", "channel", "state", "stated_at", "source", "updated_at"),
        [(*place, said["state"], instant(said["stated_at"]), batch.source, batch.stamp) for place, said in new.items()],
    )
    batch.writer.update(
        consents,
        ("state", "stated_at", "source", "updated_at"),
        [
            (said["state"], instant(said["stated_at"]), batch.source, batch.stamp, said["consent_id"])
            for said in changed.values()
        ],
    )


def _supersedes(at: datetime | None, before: datetime | None, *, is_full: bool) -> bool:
    if at is None:
        return is_full and before is None
    return before is None or at > before
