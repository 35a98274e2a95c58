"""Segments that staff keep under a name: saved, changed, retired. An offer copies the rules: its own do not change."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.audience import Audience
from lib.db import audit
from lib.db.tables.offers import audiences
from lib.errors import Conflict, InvalidInput
from lib.staff import May, Staff

LONGEST_NAME = 80
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def save_audience(conn: Connection, by: Staff, name: str, audience: Audience, *, at: datetime) -> int:
    """Keep a segment under a name, and return its key.

    Raises:
        InvalidInput: no name, no rules, a rule that makes no sense, or the name is taken.
    """
    by.must(May.PLAN_OFFERS)
    values = _values(name, audience)
    try:
        with conn.begin_nested():
            made = conn.execute(insert(audiences).values(**values, author_id=by.staff_id, updated_at=at))
    except IntegrityError as error:
        raise InvalidInput(_TAKEN) from error
    audience_id = int((made.inserted_primary_key or (0,))[0])
    audit.record(conn, by, "audience.saved", f"audience:{audience_id}", at=at, after=values)
    return audience_id


def change_audience(
    conn: Connection, by: Staff, audience_id: int, name: str, audience: Audience, *, version: int, at: datetime
) -> None:
    """Give a segment another name or other rules. Offers that copied it keep what they have.

    Raises:
        Conflict: somebody changed it since ``version``.
        InvalidInput: as for ``save_audience``.
    """
    by.must(May.PLAN_OFFERS)
    values = _values(name, audience)
    row = _locked(conn, audience_id, version)
    try:
        with conn.begin_nested():
            _update(conn, audience_id, values, at)
    except IntegrityError as error:
        raise InvalidInput(_TAKEN) from error
    before = {key: row[key] for key in values}
    audit.record(conn, by, "audience.changed", f"audience:{audience_id}", at=at, before=before, after=values)


def retire_audience(
    conn: Connection, by: Staff, audience_id: int, *, version: int, at: datetime, is_active: bool = False
) -> None:
    """Stop offering a segment, or offer it again; it is never deleted.

    Raises:
        Conflict: somebody changed it since ``version``.
    """
    by.must(May.PLAN_OFFERS)
    row = _locked(conn, audience_id, version)
    _update(conn, audience_id, {"is_active": is_active}, at)
    audit.record(
        conn,
        by,
        "audience.restored" if is_active else "audience.retired",
        f"audience:{audience_id}",
        at=at,
        before={"is_active": row["is_active"]},
        after={"is_active": is_active},
    )


_TAKEN = "There is a segment of that name already, perhaps a retired one. Choose another name."


def _values(name: str, audience: Audience) -> dict[str, Any]:
    kept = " ".join(_CONTROL.sub(" ", name).split())
    if not kept or len(kept) > LONGEST_NAME:
        raise InvalidInput(f"A segment needs a name of at most {LONGEST_NAME} characters.")
    if not audience.rules:
        raise InvalidInput("A segment needs a rule: without one it is everybody.")
    return {"name": kept, "rules": [rule.checked().to_json() for rule in audience.rules]}


def _locked(conn: Connection, audience_id: int, version: int) -> Mapping[str, Any]:
    row = (
        conn.execute(select(audiences).where(audiences.c.audience_id == audience_id).with_for_update())
        .mappings()
        .first()
    )
    if row is None or row["version"] != version:
        raise Conflict("Somebody changed this segment meanwhile. Open it again; your rules are still in the builder.")
    return dict(row)


def _update(conn: Connection, audience_id: int, values: Mapping[str, Any], at: datetime) -> None:
    conn.execute(
        update(audiences)
        .where(audiences.c.audience_id == audience_id)
        .values(**values, version=audiences.c.version + 1, updated_at=at)
    )
