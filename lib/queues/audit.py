"""The log of who did what: filtered, newest first, a page at a time; and one entry opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, select

from lib.db import audit
from lib.db.tables.staff import audit_log

BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: by the name of who did it, the action, the subject or its beginning, and store days."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as people read it. ``details`` has ``before`` and ``after``; ``is_sealed``: it has personal values."""

    audit_id: int
    at: datetime
    staff_id: int | None
    actor: str
    action: str
    subject: str
    address: str
    details: dict[str, Any]
    customer_id: int | None
    is_sealed: bool


def instants(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants between which the store days lie, the last included."""
    return (
        datetime.combine(first, time(), zone),
        datetime.combine(last + timedelta(days=1), time(), zone),
    )


def entries(
    connection: Connection, wanted: Wanted, *, before_id: int | None = None, limit: int = 50
) -> tuple[list[Entry], int | None]:
    """A page of entries, newest first, and where the next page begins; null after the last."""
    statement = _filtered(wanted).order_by(audit_log.c.audit_id.desc()).limit(limit + 1)
    if before_id is not None:
        statement = statement.where(audit_log.c.audit_id < before_id)
    found = connection.execute(statement).mappings().all()
    shown = [_entry(dict(row)) for row in found[:limit]]
    return shown, shown[-1].audit_id if len(found) > limit else None


def all_entries(connection: Connection, wanted: Wanted) -> Iterator[Entry]:
    """Every entry, newest first, read in batches."""
    before: int | None = None
    while True:
        page, before = entries(connection, wanted, before_id=before, limit=BATCH)
        yield from page
        if before is None:
            return


def entry(connection: Connection, audit_id: int, *, personal: bool) -> tuple[Entry, dict[str, Any] | None] | None:
    """One entry, and its personal values if they are asked for and the person was not erased."""
    row = connection.execute(select(audit_log).where(audit_log.c.audit_id == audit_id)).mappings().first()
    if row is None:
        return None
    return _entry(dict(row)), audit.unsealed(connection, dict(row)) if personal else None


def actors(connection: Connection) -> list[str]:
    """Whoever is in the log, by name."""
    return sorted(connection.scalars(select(audit_log.c.actor).distinct()))


def actions(connection: Connection) -> list[str]:
    """Every action that is in the log."""
    return sorted(connection.scalars(select(audit_log.c.action).distinct()))


def _filtered(wanted: Wanted) -> Select[Any]:
    statement = select(audit_log)
    if wanted.actor:
        statement = statement.where(audit_log.c.actor == wanted.actor)
    if wanted.action:
        statement = statement.where(audit_log.c.action == wanted.action)
    if wanted.subject:
        statement = statement.where(audit_log.c.subject.startswith(wanted.subject, autoescape=True))
    if wanted.since is not None:
        statement = statement.where(audit_log.c.at >= wanted.since)
    if wanted.before is not None:
        statement = statement.where(audit_log.c.at < wanted.before)
    return statement


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        audit_id=row["audit_id"],
        at=row["at"],
        staff_id=row["staff_id"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        address=row["address"] or "",
        details=row["details"] or {},
        customer_id=row["customer_id"],
        is_sealed=bool(row["sealed"]),
    )
