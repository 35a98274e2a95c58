"""Erase a person from the order database, in the current transaction: her rows lose whatever is personal.

What was bought, given back, rated and answered stays, without whose it was, so that every figure stays. What lies
outside the database (files, old snapshots of the mart, free pages) is cleaned afterwards, and ``erasures`` notes
what of that is still to be done. Asking whether somebody may is the workflow's (``lib.workflows.erasure``).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from lib.db.identities import EMAIL, normalise_email, suppression_hash
from lib.db.person import Person, find, parts, rows_of
from lib.db.personal import GOES, Fate, columns_of, tables_with
from lib.db.signs import ERASED, Signs, blot_out, is_named, naming, signs_of, without
from lib.db.tables.customers import customer_identities, customers, erasures, suppressions
from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import rejected_rows
from lib.db.tables.tickets import attachments, ticket_messages, tickets

# Why a message does not leave.
NOT_SENT = "The customer was erased."
# Erased columns that are short and written by people; no other short one can hold the address of somebody else.
_HEADLINES = frozenset({"file_name", "outcome", "subject", "title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What an erasure did: rows per table that were emptied or removed; ``words`` of others that named the person."""

    rows: Mapping[str, int]
    words: int


def erase(connection: Connection, person: Person, *, at: datetime) -> Gone:
    """Take everything personal out of a person's rows, and remember her as forgotten.

    Twice is once: where nothing is left that could go, nothing is written.
    """
    rows = rows_of(connection, person)
    signs = signs_of(connection, person, rows)
    files = _files(connection, rows["attachments"])
    _remember(connection, person, at)
    _cancel(connection, rows["outbox_messages"])
    kept = tables_with(Fate.KEPT, Fate.SOLD, Fate.KEY)
    words = sum(_empty_what_names_her(connection, table, rows[table.name], signs) for table in kept)
    emptied = {
        table.name: _empty(connection, table, rows[table.name], at)
        for table in tables_with(Fate.ERASED)
        if rows[table.name]
    }
    words += sum(_empty_anything(connection, table, signs) for table in tables_with(Fate.ANYTHING))
    words += sum(_blot_out(connection, table, signs.emails) for table in tables_with(Fate.ERASED))
    gone = Gone(rows={name: count for name, count in emptied.items() if count}, words=words)
    if gone.rows or words:
        connection.execute(insert(erasures).values(customer_id=person.customer_id, erased_at=at, files=files))
    return gone


def left_of(connection: Connection, rows: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Per table how many of a person's rows still hold something personal."""
    found: dict[str, int] = {}
    for table in tables_with(Fate.ERASED):
        (key,) = table.primary_key.columns
        something = [key.is_not(None)] if table.name in GOES else [_has_something(table)]
        count = sum(
            connection.scalar(select(func.count()).select_from(table).where(key.in_(some), *something)) or 0
            for some in parts(rows[table.name])
        )
        if count:
            found[table.name] = count
    return found


def replay(connection: Connection, since: Mapping[str, datetime]) -> int:
    """Erase again whom a backup brought back; returns how many.

    Args:
        since: hashes of the forgotten, and since when they are.
    """
    if not since:
        return 0
    found: dict[int, datetime] = {}
    identity = customer_identities.c
    everyone = select(identity.customer_id, identity.source, identity.external_id).execution_options(yield_per=10_000)
    for customer_id, source, external_id in connection.execute(everyone):
        if (at := since.get(suppression_hash(source, external_id))) is not None:
            found[customer_id] = max(at, found.get(customer_id, at))
    for customer_id, at in sorted(found.items()):
        person = find(connection, customer_id)
        assert person is not None  # its identity was just read
        erase(connection, person, at=at)
    alone = _forgotten_addresses(connection, since)
    for email, at in sorted(alone.items()):
        # What the address wrote later is a new contact.
        erase(connection, Person(customer_id=None, emails=frozenset({email}), until=at), at=at)
    return len(found) + len(alone)


def _forgotten_addresses(connection: Connection, since: Mapping[str, datetime]) -> dict[str, datetime]:
    """Forgotten addresses that wrote, or were written to, before they were forgotten."""
    found: dict[str, datetime] = {}
    for column, when in (
        (tickets.c.requester_email, tickets.c.opened_at),
        (ticket_messages.c.from_email, ticket_messages.c.sent_at),
        (outbox_messages.c.recipient, outbox_messages.c.queued_at),
    ):
        known = select(column, func.min(when)).where(column.is_not(None)).group_by(column)
        for address, first in connection.execute(known):
            email = normalise_email(address)
            at = since.get(suppression_hash(EMAIL, email)) if email else None
            if email and at is not None and first <= at:
                found[email] = at
    return found


def _remember(connection: Connection, person: Person, at: datetime) -> None:
    """Keep hashes of her keys, so that no import brings her back."""
    hashes = {suppression_hash(EMAIL, email) for email in person.emails}
    hashes |= {suppression_hash(*key) for key in person.keys}
    known = set(
        connection.scalars(select(suppressions.c.email_hash).where(suppressions.c.email_hash.in_(sorted(hashes))))
    )
    if new := sorted(hashes - known):
        connection.execute(insert(suppressions), [{"email_hash": each, "erased_at": at} for each in new])


def _files(connection: Connection, keys: Sequence[int]) -> list[str]:
    kept = attachments.c
    return sorted(
        {
            sha256
            for some in parts(keys)
            for sha256 in connection.scalars(
                select(kept.sha256).where(kept.attachment_id.in_(some), kept.refusal.is_(None))
            )
        }
    )


def _cancel(connection: Connection, keys: Sequence[int]) -> None:
    """What has not left stays here; what is being handed over at this moment cannot be called back."""
    row = outbox_messages.c
    waits = row.status.in_(("queued", "sending", "failed"))
    for some in parts(keys):
        connection.execute(
            update(outbox_messages)
            .where(row.outbox_message_id.in_(some), waits)
            .values(status="held_back", lease_until=None)
        )


def _empty(connection: Connection, table: Table, keys: Sequence[int], at: datetime) -> int:
    """Empty, or remove, a person's rows of a table; returns how many had something to lose."""
    (key,) = table.primary_key.columns
    if table.name in GOES:
        return sum(connection.execute(delete(table).where(key.in_(some))).rowcount for some in parts(keys))
    values: dict[str, Any] = {column.name: _nothing(column) for column in columns_of(table, Fate.ERASED)}
    if table is customers:
        values["erased_at"] = at
    if "version" in table.c:
        # Whoever has it open is told when they act on it.
        values["version"] = table.c.version + 1
    return sum(
        connection.execute(update(table).where(key.in_(some), _has_something(table)).values(**values)).rowcount
        for some in parts(keys)
    )


def _has_something(table: Table) -> ColumnElement[bool]:
    """Whether a row of a table still holds something personal."""
    tests = []
    for column in columns_of(table, Fate.ERASED):
        value = cast(column, Text) if isinstance(column.type, JSON) else column
        tests.append(and_(value.is_not(None), value != _left_behind(column)))
    return or_(*tests)


def _left_behind(column: Column[Any]) -> Any:
    """What an emptied column holds, besides null."""
    if column.name == "fingerprint":
        return ""
    if column is customers.c.external_id:
        return "erased:" + cast(customers.c.customer_id, String)
    if column is outbox_messages.c.failure:
        return NOT_SENT
    if isinstance(column.type, JSON):
        return "null"
    return ERASED if isinstance(column.type, String) else null()


def _nothing(column: Column[Any]) -> Any:
    if column is outbox_messages.c.failure:
        # A reason may name the address; why it is held back stands for good.
        return case((outbox_messages.c.status == "held_back", NOT_SENT), else_=null())
    return null() if column.nullable else _left_behind(column)


def _empty_what_names_her(connection: Connection, table: Table, keys: Sequence[int], signs: Signs) -> int:
    """Empty what is kept of her rows where it happens to name her; returns how many rows."""
    (key,) = table.primary_key.columns
    kept, sold, own = (columns_of(table, fate) for fate in (Fate.KEPT, Fate.SOLD, Fate.KEY))
    changed = 0
    for some in parts(keys):
        for row in connection.execute(select(key, *kept, *sold, *own).where(key.in_(some))).mappings().all():
            values = {
                column.name: None if column.nullable else ERASED
                for column in (*kept, *sold)
                if row[column.name] and is_named(signs, row[column.name], also_by_name=column in kept)
            }
            values |= {
                column.name: key_instead(row[column.name])
                for column in own
                if any(email in (row[column.name] or "").casefold() for email in signs.emails)
            }
            if values:
                connection.execute(update(table).where(key == row[key.name]).values(**values))
                changed += 1
    return changed


def _empty_anything(connection: Connection, table: Table, signs: Signs) -> int:
    """Empty what shops and staff wrote about anything, in whatever row, where it names her; returns how many rows."""
    (key,) = table.primary_key.columns
    changed = 0
    for row, hers in naming(connection, table, signs):
        # What a row put aside says and why it was put aside are about the same person.
        names = hers | {"external_id", "reason", "text"} if table is rejected_rows else hers
        values: dict[str, Any] = {name: None if table.c[name].nullable else ERASED for name in names}
        values |= {name: without(signs, row[name]) for name in names if isinstance(table.c[name].type, JSON)}
        connection.execute(update(table).where(key == row[key.name]).values(**values))
        changed += 1
    return changed


def _blot_out(connection: Connection, table: Table, emails: Iterable[str]) -> int:
    """Take her address out of the words of others; returns how many rows."""
    emails = sorted(emails)
    columns = [
        column
        for column in columns_of(table, Fate.ERASED)
        if isinstance(column.type, Text | JSON) or column.name in _HEADLINES
    ]
    if not emails or not columns:
        return 0
    (key,) = table.primary_key.columns
    places = [func.lower(cast(column, Text)).contains(email, autoescape=True) for column in columns for email in emails]
    found = connection.execute(select(key, *columns).where(or_(*places))).mappings().all()
    for row in found:
        values: dict[str, Any] = {}
        for column in columns:
            text = row[column.name]
            if isinstance(column.type, JSON):
                values[column.name] = None
            elif text and (cut := blot_out(text, emails, ERASED)) != text:
                values[column.name] = cut
        connection.execute(update(table).where(key == row[key.name]).values(**values))
    return len(found)


def key_instead(external_id: str) -> str:
    """What stands for a source's key that held an address: always the same for the same key."""
    return f"erased:{hashlib.sha256(external_id.encode()).hexdigest()[:32]}"


def unfinished(connection: Connection) -> list[tuple[int, list[str]]]:
    """Erasures after which something is still to be cleaned: their keys, and the files to delete."""
    rows = connection.execute(select(erasures.c.erasure_id, erasures.c.files).where(erasures.c.cleaned_at.is_(None)))
    return [(row.erasure_id, list(row.files)) for row in rows]


def note_cleaned(connection: Connection, keys: Sequence[int], *, at: datetime) -> None:
    """Nothing is left to be cleaned after these erasures."""
    connection.execute(update(erasures).where(erasures.c.erasure_id.in_(keys)).values(cleaned_at=at, files=[]))
