"""Pause an offer that crossed one of its limits: Encore does it, staff decide what follows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from lib.db import audit
from lib.db.tables.offers import CROSSED, offers
from lib.metrics.offer_guardrails import Limit
from lib.money import format_money
from lib.staff import ENCORE


def pause_where_crossed(
    conn: Connection, offer_id: int, found: Sequence[Limit], *, currency: str, at: datetime
) -> str | None:
    """Pause a running offer when any of its limits is crossed; returns why, or null when nothing was done.

    Nobody new gets it until somebody resumes it; who was assigned stays in her arm and is measured on.
    """
    crossed = [limit for limit in found if limit.is_crossed]
    if not crossed:
        return None
    row = conn.execute(select(offers.c.status).where(offers.c.offer_id == offer_id).with_for_update()).first()
    if row is None or row.status != "running":
        return None
    reason = f"{CROSSED}. " + "; ".join(_told(limit, currency) for limit in crossed) + "."
    conn.execute(
        update(offers)
        .where(offers.c.offer_id == offer_id, offers.c.status == "running")
        .values(status="paused", pause_reason=reason, version=offers.c.version + 1, updated_at=at)
    )
    audit.record(
        conn,
        ENCORE,
        "offer.paused",
        f"offer:{offer_id}",
        at=at,
        before={"status": "running"},
        after={"status": "paused", "reason": reason, "limits": [limit.name for limit in crossed]},
    )
    return reason


def _told(limit: Limit, currency: str) -> str:
    now = limit.now or 0.0
    if limit.is_money:
        values = [format_money(round(value), currency or "EUR") for value in (limit.limit, now)]
    else:
        values = [f"{value * 100:.1f}%" for value in (limit.limit, now)]
    return f"{limit.label} {values[0]}: now {values[1]}"
