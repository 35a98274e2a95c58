"""An offer as its result is read: what was planned before the start, and what of it each decision changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, func, select

from lib.db.tables.offers import contact_events, offer_looks, offer_versions, offers, what_ifs
from lib.errors import InvalidInput
from lib.metrics.offer_result import Costs, Trial
from lib.offer import Plan
from lib.periods import day_index, store_day

# The look that a decision was made on, beside the planned ones that count from 1.
AT_DECISION = 0
RAN = ("running", "paused", "stopped", "finished")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOffer:
    """An offer that was sent, as its result needs it. ``plan`` is null where it was not planned in Encore.

    ``doubt``: why its result did not carry the last decision; empty where it did.
    ``since_roll_out``: the customers assigned after it was rolled out, with their own small holdout.
    """

    offer_id: int
    name: str
    kind: str
    status: str
    decision: str
    version: int
    plan: Plan | None
    trial: Trial
    since_roll_out: Trial | None
    doubt: str = ""

    @property
    def is_over(self) -> bool:
        """Nobody new is assigned any more."""
        return self.status in {"stopped", "finished"}


def all_tested(conn: Connection, zone: ZoneInfo, *, offer_id: int | None = None) -> list[SentOffer]:
    """Every offer that ever went out, or the one; oldest first."""
    one, version, look = offers.c, offer_versions.c, offer_looks.c
    # The version that goes out; of an offer from before there were approvals its first.
    statement = (
        select(offers, version.settings, look.result)
        .outerjoin(
            offer_versions,
            and_(
                version.offer_id == one.offer_id,
                version.number == func.coalesce(one.approved_number, 1),
            ),
        )
        .outerjoin(offer_looks, and_(look.offer_id == one.offer_id, look.number == AT_DECISION))
        .where(one.status.in_(RAN))
        .order_by(one.starts_at, one.offer_id)
    )
    if offer_id is not None:
        statement = statement.where(one.offer_id == offer_id)
    return [_tested(dict(row), zone) for row in conn.execute(statement).mappings()]


def one_tested(conn: Connection, offer_id: int, zone: ZoneInfo) -> SentOffer | None:
    """One of them; null when it never went out."""
    return next(iter(all_tested(conn, zone, offer_id=offer_id)), None)


def due_what_ifs(conn: Connection, *, at: datetime) -> list[tuple[int, int]]:
    """What-ifs that foretold an offer and have come due without being scored: their keys and the offers'."""
    one = what_ifs.c
    rows = conn.execute(
        select(one.what_if_id, one.offer_id)
        .where(one.is_scored.is_(False), one.offer_id.is_not(None), one.due_at <= at)
        .order_by(one.what_if_id)
    )
    return [(row.what_if_id, row.offer_id) for row in rows]


def complaints_of(conn: Connection, offer_id: int) -> int:
    """How many customers complained or unsubscribed because of an offer."""
    one = contact_events.c
    return int(
        conn.scalar(
            select(func.count(one.customer_id.distinct())).where(
                one.offer_id == offer_id, one.kind.in_(("unsubscribed", "complained"))
            )
        )
        or 0
    )


def _tested(row: Mapping[str, Any], zone: ZoneInfo) -> SentOffer:
    plan = _plan(row["settings"] or {})
    starts, ends = row["starts_at"], row["ends_at"]
    first = day_index(store_day(starts, zone)) if starts else None
    last = day_index(store_day(ends - timedelta(microseconds=1), zone)) if ends else None
    if last is None and first is not None and row["planned_looks"]:
        last = first + 7 * int(row["planned_looks"]) - 1
    told = row["result"] or {}
    cut = int(told["rolled_out_on"]) if told.get("rolled_out_on") is not None else None
    trial = Trial(
        offer_id=row["offer_id"],
        name=row["name"],
        window_days=row["window_days"],
        holdout_share=float(told.get("holdout_share", row["holdout_share"])),
        first_day=int(told["first_day"]) if told.get("first_day") is not None else first,
        last_day=int(told["last_day"]) if told.get("last_day") is not None else last,
        costs=Costs.of(plan),
        until=cut,
    )
    after = None
    if cut is not None:
        after = Trial(
            offer_id=trial.offer_id,
            name=trial.name,
            window_days=trial.window_days,
            holdout_share=float(row["holdout_share"]),
            first_day=cut,
            costs=trial.costs,
            since=cut,
        )
    return SentOffer(
        offer_id=row["offer_id"],
        name=row["name"],
        kind=row["kind"],
        status=row["status"],
        decision=row["decision"] or "",
        version=row["version"],
        plan=plan,
        trial=trial,
        since_roll_out=after,
        doubt=str(told.get("doubt", "")) if row["decision"] else "",
    )


def _plan(settings: Mapping[str, Any]) -> Plan | None:
    try:
        return Plan.from_json(settings)
    except InvalidInput:
        return None
