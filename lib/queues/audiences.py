"""The segments that staff keep under a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from lib.audience import Audience
from lib.db.tables.offers import audiences, offer_versions, offers
from lib.db.tables.staff import staff
from lib.errors import InvalidInput
from lib.offer import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAudience:
    """A segment; ``author`` is null where nobody had an account."""

    audience_id: int
    name: str
    audience: Audience
    author: str | None
    is_active: bool
    changed_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAudience:
    """Whom an offer is for that is running or about to, by the version that goes out."""

    offer_id: int
    name: str
    status: str
    plan: Plan


def saved_audiences(connection: Connection, *, with_retired: bool = False) -> list[SavedAudience]:
    """The segments, by name."""
    asked = select(audiences, staff.c.name.label("author")).outerjoin(staff, staff.c.staff_id == audiences.c.author_id)
    if not with_retired:
        asked = asked.where(audiences.c.is_active)
    return [
        SavedAudience(
            audience_id=row["audience_id"],
            name=row["name"],
            audience=Audience.from_json(row["rules"]),
            author=row["author"],
            is_active=row["is_active"],
            changed_at=row["updated_at"],
            version=row["version"],
        )
        for row in connection.execute(asked.order_by(audiences.c.is_active.desc(), audiences.c.name)).mappings()
    ]


def offers_out(connection: Connection, *, but: int | None = None) -> list[OfferAudience]:
    """The offers that are approved, running or paused, with whom they are for; ``but``: one that is left out.

    Offers that were not planned in Encore have no audience that could be compared.
    """
    rows = connection.execute(
        select(offers.c.offer_id, offers.c.name, offers.c.status, offer_versions.c.settings)
        .join(
            offer_versions,
            (offer_versions.c.offer_id == offers.c.offer_id) & (offer_versions.c.number == offers.c.approved_number),
        )
        .where(offers.c.status.in_(("approved", "running", "paused")))
        .order_by(offers.c.name)
    )
    found = []
    for row in rows:
        if row.offer_id == but:
            continue
        try:
            plan = Plan.from_json(row.settings)
        except InvalidInput:
            continue
        found.append(OfferAudience(offer_id=row.offer_id, name=row.name, status=row.status, plan=plan))
    return found
