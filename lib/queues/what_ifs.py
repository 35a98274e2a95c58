"""What-ifs that were kept, newest first, and one of them whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from lib.db.tables.offers import offers, what_ifs
from lib.db.tables.staff import staff

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedWhatIf:
    """A what-if as it was kept. ``forecast`` and ``actual`` as lib/workflows/what_ifs.py writes them.

    ``scenario`` is null where it was not worked out in Encore; a list leaves it and the assumptions out.
    """

    what_if_id: int
    name: str
    author: str
    created_at: datetime
    due_at: datetime | None
    offer_id: int | None
    offer: str
    forecast: Mapping[str, Any]
    actual: Mapping[str, Any] | None
    is_scored: bool
    is_open: bool
    scenario: Mapping[str, Any] | None = None
    assumptions: Mapping[str, Any] = field(default_factory=dict)


def saved_what_ifs(conn: Connection) -> list[SavedWhatIf]:
    """The newest ones, without what they were worked out from."""
    rows = conn.execute(_asked().order_by(what_ifs.c.created_at.desc(), what_ifs.c.what_if_id.desc()).limit(MOST))
    return [_told(row) for row in rows.mappings()]


def saved_what_if(conn: Connection, what_if_id: int) -> SavedWhatIf | None:
    """One of them, whole."""
    kept = what_ifs.c
    row = conn.execute(_asked(kept.scenario, kept.assumptions).where(kept.what_if_id == what_if_id)).mappings().first()
    return None if row is None else _told(row)


def _asked(*more: Any) -> Select[Any]:
    kept = what_ifs.c
    return (
        select(
            *(kept.what_if_id, kept.name, kept.created_at, kept.due_at, kept.forecast, kept.actual, kept.is_scored),
            kept.offer_id,
            staff.c.name.label("author"),
            offers.c.name.label("offer"),
            *more,
        )
        .outerjoin(staff, staff.c.staff_id == kept.author_id)
        .outerjoin(offers, offers.c.offer_id == kept.offer_id)
    )


def _told(row: RowMapping) -> SavedWhatIf:
    return SavedWhatIf(
        what_if_id=row["what_if_id"],
        name=row["name"],
        author=row["author"] or "",
        created_at=row["created_at"],
        due_at=row["due_at"],
        offer_id=row["offer_id"],
        offer=row["offer"] or "",
        forecast=row["forecast"] or {},
        actual=row["actual"],
        is_scored=bool(row["is_scored"]),
        is_open="profit" in (row["forecast"] or {}),
        scenario=row.get("scenario"),
        assumptions=row.get("assumptions") or {},
    )


def offers_to_foretell(conn: Connection) -> dict[int, str]:
    """Offers whose outcome is not known yet, newest first: their key and name."""
    is_open = offers.c.status.in_(("draft", "approved", "running", "paused"))
    rows = conn.execute(
        select(offers.c.offer_id, offers.c.name).where(is_open).order_by(offers.c.offer_id.desc()).limit(MOST)
    )
    return {int(row.offer_id): str(row.name) for row in rows}
