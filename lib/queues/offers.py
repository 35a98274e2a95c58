"""The store's offers: the list, one of them, and its versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from lib.db.tables.offers import offer_assignments, offer_versions, offers
from lib.db.tables.staff import staff
from lib.errors import InvalidInput
from lib.offer import KINDS, Plan

# So many are listed, the newest first; no store runs more at a time.
MOST = 500
OVER = ("stopped", "finished")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One offer. ``number`` is that of its newest version, whose ``settings`` these are.

    ``plan`` is null where it was not planned in Encore: then it is context and cannot be changed.
    """

    offer_id: int
    name: str
    kind: str
    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    window_days: int
    holdout_share: float
    salt: str
    approved_number: int | None
    approved_at: datetime | None
    pause_reason: str
    planned_looks: int | None
    decision: str
    version: int
    number: int
    settings: Mapping[str, Any]

    @property
    def plan(self) -> Plan | None:
        return plan_of(self.settings)

    @property
    def label(self) -> str:
        """What its kind is called."""
        return KINDS[self.kind].label

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def waits(self) -> bool:
        """Whether its newest version waits for somebody's approval."""
        return not self.is_over and self.number != self.approved_number and self.plan is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an offer. ``author`` is empty where nobody had an account."""

    number: int
    settings: Mapping[str, Any]
    author: str
    author_id: int | None
    created_at: datetime

    @property
    def plan(self) -> Plan | None:
        return plan_of(self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How many an offer has reached so far."""

    treated: int = 0
    held_out: int = 0
    sent: int = 0
    redeemed: int = 0


def offer_list(connection: Connection, *, statuses: tuple[str, ...] = (), most: int = MOST) -> list[Offer]:
    """The offers, those that begin last first, drafts without days before them."""
    statement = _newest().order_by(offers.c.starts_at.is_not(None), offers.c.starts_at.desc(), offers.c.offer_id.desc())
    if statuses:
        statement = statement.where(offers.c.status.in_(statuses))
    return [_offer(dict(row)) for row in connection.execute(statement.limit(most)).mappings()]


def one_offer(connection: Connection, offer_id: int) -> Offer | None:
    """One offer; null when there is none of that key."""
    row = connection.execute(_newest().where(offers.c.offer_id == offer_id)).mappings().first()
    return _offer(dict(row)) if row is not None else None


def versions(connection: Connection, offer_id: int) -> list[Version]:
    """Every version of an offer, newest first."""
    one = offer_versions.c
    rows = connection.execute(
        select(one.number, one.settings, one.author_id, one.created_at, staff.c.name)
        .outerjoin(staff, staff.c.staff_id == one.author_id)
        .where(one.offer_id == offer_id)
        .order_by(one.number.desc())
    )
    return [
        Version(
            number=row.number,
            settings=row.settings,
            author=row.name or "",
            author_id=row.author_id,
            created_at=row.created_at,
        )
        for row in rows
    ]


def reached(connection: Connection, offer_id: int) -> Reached:
    """How many were assigned, sent something and redeemed it so far."""
    one = offer_assignments.c
    rows = connection.execute(
        select(one.arm, func.count(), func.count(one.sent_at), func.count(one.redeemed_at))
        .where(one.offer_id == offer_id)
        .group_by(one.arm)
    ).all()
    by = {row[0]: row for row in rows}
    treated, held = by.get("treatment"), by.get("holdout")
    return Reached(
        treated=treated[1] if treated else 0,
        held_out=held[1] if held else 0,
        sent=treated[2] if treated else 0,
        redeemed=treated[3] if treated else 0,
    )


def plan_of(settings: Mapping[str, Any]) -> Plan | None:
    """The plan in a version's settings; null where it was not planned in Encore."""
    try:
        return Plan.from_json(settings)
    except InvalidInput:
        return None


def _newest() -> Select[Any]:
    last = (
        select(offer_versions.c.offer_id, func.max(offer_versions.c.number).label("number"))
        .group_by(offer_versions.c.offer_id)
        .subquery()
    )
    version = offer_versions.c
    return (
        select(offers, version.number, version.settings)
        .outerjoin(last, last.c.offer_id == offers.c.offer_id)
        .outerjoin(offer_versions, and_(version.offer_id == last.c.offer_id, version.number == last.c.number))
    )


def _offer(row: Mapping[str, Any]) -> Offer:
    told = {
        name: row[name]
        for name in (
            "offer_id",
            "name",
            "kind",
            "status",
            "starts_at",
            "ends_at",
            "window_days",
            "holdout_share",
            "approved_number",
            "approved_at",
            "planned_looks",
            "version",
        )
    }
    return Offer(
        **told,
        salt=row["salt"] or "",
        pause_reason=row["pause_reason"] or "",
        decision=row["decision"] or "",
        number=row["number"] or 0,
        settings=row["settings"] or {},
    )
