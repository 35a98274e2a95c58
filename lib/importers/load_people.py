"""Customers: known again by a platform's key or an e-mail address, and stored once.

A person is one row of ``customers`` and one row of ``customer_identities`` per key. When a key and an
address turn out to belong to one person, the older row stays and everything of the other moves to it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import select

from lib.db.identities import EMAIL, suppression_hash
from lib.db.tables.customers import customer_identities, customers
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, fingerprint
from lib.importers.forgotten import anybody, known_hashes
from lib.importers.load_contacts import write_addresses, write_consents
from lib.importers.mention import FACTS, IS_GUEST, Key, Mention, keys_of, person_of, plain
from lib.importers.merge_people import merge
from lib.importers.records import CustomerRecord
from lib.importers.writer import instant

NEW: Final = ("customer_id", "source", "external_id", "fingerprint", "updated_at", *FACTS)
# Where the facts begin in a row of NEW, and what stands before them.
_FACTS_AT: Final = NEW.index(FACTS[0])
_SOURCE, _EXTERNAL_ID, _FINGERPRINT, _UPDATED_AT = range(1, _FACTS_AT)
_IS_GUEST: Final = _FACTS_AT + IS_GUEST
_REGISTERED_AT: Final = NEW.index("registered_at")

Row = list[Any]


def load_customers(batch: Batch, records: Sequence[CustomerRecord]) -> list[Outcome]:
    """Store records that are about people; what they say replaces what was known."""
    outcomes: list[Outcome] = []
    mentions: list[Mention] = []
    for record in records:
        reason = bad_customer(batch, record)
        outcomes.append(Refused(reason) if reason else STORED)
        if not reason:
            person = person_of(record)
            written = fingerprint(plain(record), keys_of(person, batch.source))
            mentions.append(Mention(person, is_full=True, fingerprint=written))
    resolve(batch, mentions)
    stored = iter(mentions)
    return [outcome if isinstance(outcome, Refused) else next(stored).outcome for outcome in outcomes]


def bad_customer(batch: Batch, record: CustomerRecord) -> str:
    """Why a customer cannot be stored; empty when it can."""
    keys = keys_of(person_of(record), batch.source)
    if not keys:
        return "The customer has neither a key nor a valid e-mail address, so nobody could be known again."
    return bad_key(keys[0][1], "customer") or batch.bad_instant(record.registered_at, "registration date")


def resolve(batch: Batch, mentions: Sequence[Mention]) -> None:
    """Find, make, complete or merge the people mentioned; sets each mention's ``customer_id`` and outcome.

    An erased person stays erased: the mention gets no customer, and nothing is stored.
    """
    for mention in mentions:
        mention.keys = keys_of(mention.person, batch.source)
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
    _write_people(batch, live, old - set(merges))
    identities = [(final(customer_id), *key) for key, customer_id in fresh]
    batch.writer.insert(customer_identities, ("customer_id", "source", "external_id"), identities)
    write_addresses(batch, live)
    write_consents(batch, live)


def _forget_erased(batch: Batch, mentions: Sequence[Mention]) -> None:
    if not anybody(batch.connection):
        return
    erased = known_hashes(batch, {suppression_hash(*key) for mention in mentions for key in mention.keys})
    for mention in mentions:
        if any(suppression_hash(*key) in erased for key in mention.keys):
            mention.keys = []
            mention.outcome = UNCHANGED
            batch.forgotten += mention.is_full


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
        found.update({(source, external_id): customer_id for external_id, customer_id in rows.all()})
    return found


def _write_people(batch: Batch, live: Sequence[Mention], old: set[int]) -> None:
    """Insert and update the people themselves."""
    rows = _stored_people(batch, old)
    new: list[Row] = []
    is_new: set[int] = set()
    changed: dict[int, Row] = {}
    for mention in live:
        customer_id = mention.customer_id or 0
        known = rows.get(customer_id)
        if known is None:
            known = [customer_id, *_own_key(batch, mention), mention.fingerprint, batch.stamp, *mention.person.facts]
            rows[customer_id] = known
            new.append(known)
            is_new.add(customer_id)
        elif _told(batch, mention, known):
            known[_UPDATED_AT] = batch.stamp
            if customer_id not in is_new:
                changed[customer_id] = known
    batch.writer.insert(customers, NEW, new)
    batch.writer.update(customers, NEW[1:], [(*row[1:], key) for key, row in changed.items()])


def _stored_people(batch: Batch, wanted: set[int]) -> dict[int, Row]:
    if not wanted:
        return {}
    query = select(*(customers.c[name] for name in NEW)).where(batch.writer.among(customers.c.customer_id, wanted))
    rows = {found[0]: list(found) for found in batch.connection.execute(query).all()}
    for row in rows.values():
        row[_REGISTERED_AT] = instant(row[_REGISTERED_AT])
    return rows


def _told(batch: Batch, mention: Mention, known: Row) -> bool:
    """Complete or replace what is known of a person by what a mention says; returns whether that changed anything.

    A record about the person that changed nothing, and named no new key, was stored before: its outcome says so.
    """
    is_changed = False
    if mention.is_full and (
        not known[_FINGERPRINT] or (known[_SOURCE], known[_EXTERNAL_ID]) == _own_key(batch, mention)
    ):
        if known[_FINGERPRINT] == mention.fingerprint:
            mention.outcome = UNCHANGED
            return False
        # The first record that is about a person, and no later one of another key, says how the row reads.
        known[_SOURCE], known[_EXTERNAL_ID] = _own_key(batch, mention)
        known[_FINGERPRINT] = mention.fingerprint
        is_changed = True
        for place, value in enumerate(mention.person.facts, _FACTS_AT):
            if value is not None:
                known[place] = value
    else:
        for place, value in enumerate(mention.person.facts, _FACTS_AT):
            if value is not None and known[place] is None:
                known[place] = value
                is_changed = True
        # Once registered, a person is a guest no more; one order that is a test says nothing of others.
        if known[_IS_GUEST] and not mention.person.facts[IS_GUEST]:
            known[_IS_GUEST] = False
            is_changed = True
    if mention.is_full and not is_changed and not mention.is_new_key:
        mention.outcome = UNCHANGED
    return is_changed


def _own_key(batch: Batch, mention: Mention) -> Key:
    """The key of a person's row: the platform's, else the address."""
    source, external_id = mention.keys[0]
    return batch.source, external_id if source != EMAIL else f"{EMAIL}:{external_id}"
