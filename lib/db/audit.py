"""The log of who did what: it only grows, and each entry's hash covers the one before.

Values that are personal (a name, an address, the words of a customer) are sealed under a key of that
person; erasing the person destroys the key, and the chain still verifies because it covers the sealed
text. Write through ``record`` alone, in the transaction of the action itself.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, delete, insert, select, text

from lib.db.tables.customers import person_keys
from lib.db.tables.staff import audit_log
from lib.staff import Staff

FIRST = "0" * 64
# Any number will do, as long as nobody else uses it: writers of the log take turns on PostgreSQL.
_LOCK = 71_503_118
# What a reader sees in place of personal values whose key was destroyed.
ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that does not fit the chain, and why."""

    audit_id: int
    reason: str


def record(
    connection: Connection,
    by: Staff,
    action: str,
    subject: str,
    *,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    about: int | None = None,
    personal: Mapping[str, Any] | None = None,
) -> int:
    """Add an entry and return its key.

    Args:
        action: ``<noun>.<what happened>``, such as ``review.replied``.
        subject: ``<noun>:<key>``, such as ``review:17``.
        before, after: what changed, as JSON; nothing personal.
        about: the customer whom ``personal`` is about; without one, ``personal`` must be empty.
        personal: values to seal under that customer's key.
    """
    if personal and about is None:
        raise ValueError("personal values are sealed under somebody's key: name the customer")
    _take_turns(connection)
    details = {key: dict(value) for key, value in (("before", before), ("after", after)) if value is not None}
    values: dict[str, Any] = {
        "at": at,
        "staff_id": by.staff_id,
        "actor": by.name,
        "action": action,
        "subject": subject,
        "address": by.address,
        "details": details or None,
        "customer_id": about,
        "sealed": _seal(connection, about, personal, at) if personal and about is not None else None,
        "previous_hash": connection.scalar(select(audit_log.c.hash).order_by(audit_log.c.audit_id.desc()).limit(1))
        or FIRST,
    }
    values["hash"] = digest(values)
    (key,) = connection.execute(insert(audit_log).values(**values)).inserted_primary_key or (0,)
    return int(key)


def digest(entry: Mapping[str, Any]) -> str:
    """The hash of an entry: SHA-256 over its values as canonical JSON, the hash before it included."""
    covered = {
        "at": entry["at"].isoformat(timespec="microseconds"),
        **{
            key: entry[key]
            for key in (
                "staff_id",
                "actor",
                "action",
                "subject",
                "address",
                "details",
                "customer_id",
                "sealed",
                "previous_hash",
            )
        },
    }
    return hashlib.sha256(json.dumps(covered, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def verify(connection: Connection) -> Broken | None:
    """Walk the whole chain; null when every entry fits the one before it."""
    previous = FIRST
    for row in _in_order(connection):
        if row["previous_hash"] != previous:
            return Broken(row["audit_id"], "an entry before it was removed, added or changed")
        if row["hash"] != digest(row):
            return Broken(row["audit_id"], "the entry itself was changed")
        previous = row["hash"]
    return None


def unsealed(connection: Connection, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The personal values of an entry; null when it has none or the person was erased."""
    if not entry["sealed"]:
        return None
    key = connection.scalar(select(person_keys.c.secret).where(person_keys.c.customer_id == entry["customer_id"]))
    if key is None:
        return None
    try:
        opened = json.loads(Fernet(key.encode()).decrypt(entry["sealed"].encode()))
    except InvalidToken:
        return None
    return dict(opened)


def destroy_key(connection: Connection, customer_id: int) -> None:
    """Make every personal value of a customer in the log unreadable, for good."""
    connection.execute(delete(person_keys).where(person_keys.c.customer_id == customer_id))


def _take_turns(connection: Connection) -> None:
    # On SQLite a writer holds the only lock already.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _seal(connection: Connection, customer_id: int, personal: Mapping[str, Any], at: datetime) -> str:
    key = connection.scalar(select(person_keys.c.secret).where(person_keys.c.customer_id == customer_id))
    if key is None:
        key = Fernet.generate_key().decode()
        connection.execute(insert(person_keys).values(customer_id=customer_id, secret=key, created_at=at))
    return Fernet(key.encode()).encrypt(json.dumps(dict(personal), ensure_ascii=False).encode()).decode()


def _in_order(connection: Connection) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        rows = (
            connection.execute(
                select(audit_log).where(audit_log.c.audit_id > after).order_by(audit_log.c.audit_id).limit(5_000)
            )
            .mappings()
            .all()
        )
        if not rows:
            return
        yield from (dict(row) for row in rows)
        after = rows[-1]["audit_id"]
