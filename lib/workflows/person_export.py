"""All that is known of a person, as JSON: what privacy law lets everybody ask for. It leaves a trace in the log."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, select

from lib.db import audit
from lib.db.person import Person, parts, rows_of
from lib.db.personal import Fate, tables_with
from lib.db.signs import naming, signs_of
from lib.db.tables.all import metadata
from lib.db.tables.staff import audit_log
from lib.db.tables.store import store
from lib.errors import Conflict
from lib.staff import May, Staff

FORMAT, VERSION = "encore-person", 1
# Keys to secrets, locks and hashes: nothing that anybody knows of her.
_NOT_HERS = frozenset({"person_keys", "work_locks", "received_mails"})
_NOT_TOLD = frozenset({"fingerprint", "version"})


def export_person(conn: Connection, by: Staff, person: Person, *, at: datetime) -> dict[str, Any]:
    """Everything that Encore knows of a person, by table; the files of her mails are listed, not included.

    Raises:
        NotAllowed: the role may not.
        Conflict: the person was erased: nothing is known any more.
    """
    by.must(May.EXPORT_PEOPLE)
    if person.erased_at is not None:
        raise Conflict(f"This person was erased on {person.erased_at:%-d %B %Y}: nothing is known any more.")
    rows = rows_of(conn, person)
    known = {
        name: _rows(conn, metadata.tables[name], keys)
        for name, keys in sorted(rows.items())
        if keys and name not in _NOT_HERS
    }
    signs = signs_of(conn, person, rows)
    for table in tables_with(Fate.ANYTHING):
        if told := [_told(row) for row, _ in naming(conn, table, signs)]:
            known[table.name] = told
    subject = f"customer:{person.customer_id}" if person.customer_id is not None else "person:without purchase"
    counts = {name: len(found) for name, found in known.items()}
    audit.record(conn, by, "person.exported", subject, at=at, after={"rows": counts}, about=person.customer_id)
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "exported_at": at.isoformat(),
        "store": conn.scalar(select(store.c.name)),
        "customer_id": person.customer_id,
        "emails": sorted(person.emails),
        "known": known,
        "log": _log(conn, person),
    }


def as_json(export: Mapping[str, Any]) -> bytes:
    """The export as a file."""
    return json.dumps(export, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _rows(conn: Connection, table: Table, keys: list[int]) -> list[dict[str, Any]]:
    (key,) = table.primary_key.columns
    return [
        _told(row)
        for some in parts(keys)
        for row in conn.execute(select(table).where(key.in_(some)).order_by(key)).mappings()
    ]


def _told(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(row[name]) for name in row if str(name) not in _NOT_TOLD}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _log(conn: Connection, person: Person) -> list[dict[str, Any]]:
    """What staff did about her and when, with the words that were sealed; who did it is theirs."""
    if person.customer_id is None:
        return []
    found = conn.execute(
        select(audit_log).where(audit_log.c.customer_id == person.customer_id).order_by(audit_log.c.audit_id)
    ).mappings()
    return [
        {
            "at": entry["at"].isoformat(),
            "action": entry["action"],
            "subject": entry["subject"],
            "details": entry["details"],
            "personal": audit.unsealed(conn, dict(entry)),
        }
        for entry in found.all()
    ]
