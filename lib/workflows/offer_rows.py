"""An offer's rows, as the workflows read, lock and write them."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from lib.db.tables.offers import offer_versions, offers
from lib.errors import Conflict, InvalidInput
from lib.staff import Staff
from lib.workflows.offer_terms import Terms

SOURCE = "encore"
_TERMS = ("name", "starts_at", "ends_at", "window_days", "holdout_share")


def insert_offer(conn: Connection, terms: Terms, *, at: datetime) -> int:
    """A draft's row, with what its lot will be drawn with."""
    told = {"source": SOURCE, "external_id": secrets.token_hex(12), "fingerprint": SOURCE}
    values = {**told, "salt": secrets.token_hex(16), "status": "draft", "updated_at": at}
    (key,) = conn.execute(insert(offers).values(**values, **columns(terms))).inserted_primary_key or (0,)
    return int(key)


def locked(conn: Connection, offer_id: int, version: int) -> Mapping[str, Any]:
    """The offer's row, held until the end of the transaction.

    Raises:
        Conflict: somebody changed it since ``version``.
    """
    row = conn.execute(select(offers).where(offers.c.offer_id == offer_id).with_for_update()).mappings().first()
    if row is None or row["version"] != version:
        raise Conflict("Somebody changed this offer meanwhile. Look at it again; what you typed is still there.")
    return dict(row)


def newest(conn: Connection, offer_id: int) -> Mapping[str, Any]:
    """The newest version: ``number`` and ``settings``, with what the offer's own row says.

    Raises:
        InvalidInput: there is no such offer.
    """
    one = offer_versions.c
    row = (
        conn.execute(
            select(one.number, one.settings, *(offers.c[name] for name in _TERMS))
            .join(offers, offers.c.offer_id == one.offer_id)
            .where(one.offer_id == offer_id)
            .order_by(one.number.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise InvalidInput("There is no such offer.")
    return dict(row)


def add_version(conn: Connection, by: Staff, offer_id: int, number: int, terms: Terms, at: datetime) -> None:
    """Write down one version."""
    values = {"offer_id": offer_id, "number": number, "settings": terms.to_json()}
    conn.execute(insert(offer_versions).values(**values, author_id=by.staff_id, created_at=at, updated_at=at))


def change(conn: Connection, offer_id: int, at: datetime, **values: Any) -> None:
    """Change columns of an offer that is locked; the second of two who change it is told."""
    statement = update(offers).where(offers.c.offer_id == offer_id)
    conn.execute(statement.values(**values, version=offers.c.version + 1, updated_at=at))


def authors(conn: Connection, offer_id: int, *, after: int) -> set[int | None]:
    """Who wrote the versions after a number; null: the person at this machine while nobody had an account."""
    one = offer_versions.c
    return set(conn.scalars(select(one.author_id).where(one.offer_id == offer_id, one.number > after)))


def sharing_code(conn: Connection, offer_id: int, code: str) -> str | None:
    """The name of another offer, approved or out, whose code for all is the same; null without one."""
    if not code:
        return None
    one, version = offers.c, offer_versions.c
    rows = conn.execute(
        select(one.name, version.settings)
        .join(offer_versions, (version.offer_id == one.offer_id) & (version.number == one.approved_number))
        .where(one.status.in_(("approved", "running", "paused")), one.offer_id != offer_id)
    )
    for name, settings in rows:
        if (settings.get("code") or {}).get("shared") == code:
            return str(name)
    return None


def columns(terms: Terms) -> dict[str, Any]:
    """What of the terms stands on the offer's own row, for lists and for the run."""
    return {
        "name": terms.name,
        "kind": terms.plan.kind,
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
        "window_days": terms.window_days,
        "holdout_share": terms.holdout_share,
    }


def subject(offer_id: int) -> str:
    """How the log names it."""
    return f"offer:{offer_id}"
