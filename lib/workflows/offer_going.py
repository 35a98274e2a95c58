"""Offers that are going out, as the run reads them: the version that was approved, and what its lot is drawn with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from lib.db.tables.offers import offer_versions, offers
from lib.errors import InvalidInput
from lib.offer import KINDS, Channel, Moment, Plan
from lib.workflows.offer_content import must_unsubscribe

# What the made-up store invented of its past is not gone on with.
INVENTED = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """An offer with the one version of it that goes out."""

    offer_id: int
    name: str
    status: str
    plan: Plan
    version_id: int
    number: int
    salt: str
    holdout_share: float
    window_days: int
    starts_at: datetime | None
    ends_at: datetime | None
    version: int

    def is_out(self, at: datetime) -> bool:
        """Whether somebody new may get it at this instant."""
        has_begun = self.starts_at is not None and self.starts_at <= at
        return self.status == "running" and has_begun and (self.ends_at is None or at < self.ends_at)

    @property
    def is_service(self) -> bool:
        kind = KINDS.get(self.plan.kind)
        return kind is not None and kind.is_service

    @property
    def goes_by_outbox(self) -> bool:
        """Whether it is a message of its own; else it is a line of a file, or lies in the parcel."""
        return self.plan.channel in {Channel.EMAIL, Channel.WEBHOOK}

    @property
    def unasked(self) -> str:
        """Why nobody can tell yet who is due for it; empty where that is known."""
        if self.plan.moment is Moment.NEXT_DUE:
            return "When a product is used up cannot be asked yet: start it from the last order instead."
        return ""

    def obstacle(self, *, public_url: str, is_demo: bool) -> str:
        """What keeps it from going out though it runs; empty when nothing does."""
        if not self.salt:
            return "It has no secret to draw its lot with; copy it and start the copy."
        if self.unasked:
            return self.unasked
        if self.goes_by_outbox and not self.plan.content:
            return "It says nothing in any language."
        if must_unsubscribe(self.plan) and not is_demo and not public_url.startswith("https://"):
            return (
                "Advertising by mail needs a link to unsubscribe that customers can open: set ENCORE_PUBLIC_URL to "
                "the https:// address of Encore."
            )
        return ""


def going_out(conn: Connection, *, at: datetime) -> tuple[list[Going], list[str]]:
    """The offers of which somebody may get something now, first come first, and what is wrong with others.

    Of two that are due for one customer the lower priority number goes first, then the one that was planned first.
    """
    found, wrong = [], []
    rows = conn.execute(_asked().where(offers.c.status == "running", offers.c.source != INVENTED)).mappings()
    for row in rows:
        try:
            one = _going(dict(row))
        except InvalidInput as refused:
            wrong.append(f"“{row['name']}”: {refused}")
            continue
        if one.is_out(at):
            found.append(one)
    return sorted(found, key=lambda one: (one.plan.priority, one.offer_id)), wrong


def as_it_goes(conn: Connection, offer_id: int, *, lock: bool = False) -> Going:
    """One offer, whatever its state: the approved version, else the newest.

    Args:
        lock: keep it as it is until the transaction ends, so that a pause waits for what is being written.
    Raises:
        InvalidInput: there is no such offer, or it was not planned in Encore.
    """
    asked = _asked(newest=True).where(offers.c.offer_id == offer_id)
    row = conn.execute(asked.with_for_update(of=offers) if lock else asked).mappings().first()
    if row is None:
        raise InvalidInput("There is no such offer.")
    return _going(dict(row))


def _asked(*, newest: bool = False) -> Select[Any]:
    one, version = offers.c, offer_versions.c
    last = (
        select(version.number)
        .where(version.offer_id == one.offer_id)
        .order_by(version.number.desc())
        .limit(1)
        .correlate(offers)
        .scalar_subquery()
    )
    number = func.coalesce(one.approved_number, last) if newest else one.approved_number
    return (
        select(
            *(one[name] for name in ("offer_id", "name", "status", "salt", "holdout_share", "window_days")),
            *(one[name] for name in ("starts_at", "ends_at", "version")),
            version.offer_version_id.label("version_id"),
            version.number,
            version.settings,
        )
        .join_from(offers, offer_versions, (version.offer_id == one.offer_id) & (version.number == number))
        .order_by(one.offer_id)
    )


def _going(row: dict[str, Any]) -> Going:
    plan = Plan.from_json(row.pop("settings"))
    return Going(**row | {"plan": plan, "salt": row["salt"] or ""})
