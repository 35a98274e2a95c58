"""Before the start: how many customers an offer will draw until its last day, and what could be found with them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from lib.db.store import Store
from lib.errors import NotEnoughData
from lib.metrics.definition import Mart
from lib.metrics.moments import STANDING, reached
from lib.metrics.what_if_input import ground
from lib.periods import day_index, store_day
from lib.stats.power import EVEN, Detectable, detectable
from lib.stats.sequential import inflation
from lib.stats.waiting import waiting
from lib.workflows.offer_going import Going

# The stream of customers is told from so many days.
LOOKED_BACK = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a start can come to. ``per_day`` customers reach the moment, ``standing`` have reached it already.

    ``allowed`` is the share of them that the contact rules let through in the dry run; ``customers`` will be drawn in
    all, in both arms. ``baseline`` buys in the outcome window without any offer; null, with ``why_not`` in words,
    where that cannot be told. ``found`` says what can be detected; null likewise.
    """

    days: int
    per_day: float
    standing: int
    allowed: float
    customers: int
    looks: int
    baseline: float | None
    found: Detectable | None
    why_not: str = ""


def forecast(
    mart: Mart,
    going: Going,
    store: Store,
    *,
    due: int,
    drawn: int,
    held: int,
    at: datetime,
    hoped_uplift: float | None = None,
) -> Forecast:
    """Reckon from the last weeks and a dry run what a start would come to.

    Args:
        due, drawn, held: of the dry run: who is due, in either arm, and held back by a rule.
        hoped_uplift: by how much more customers are hoped to buy, relatively: 0.2 is a fifth more.
    """
    today = day_index(store_day(at, store.zone))
    begins = max(going.starts_at or at, at)
    days = max(1, ceil(((going.ends_at or begins + timedelta(days=LOOKED_BACK)) - begins) / timedelta(days=1)))
    last = today - going.plan.delay_days
    per_day = len(mart.frame(reached(going.plan, first=last - LOOKED_BACK, last=last - 1, today=today))) / LOOKED_BACK
    standing = due if going.plan.moment in STANDING else 0
    allowed = drawn / (drawn + held) if drawn + held else 1.0
    customers = round((standing + per_day * days) * allowed)
    looks = max(1, ceil(days / 7))
    baseline, why = _baseline(mart, going, store, at)
    found = None
    if baseline is not None:
        try:
            found = detectable(
                customers,
                baseline,
                holdout=going.holdout_share or EVEN,
                hoped_share=min(baseline * (1 + hoped_uplift), 0.999) if hoped_uplift else None,
                looks_cost=inflation([look / looks for look in range(1, looks + 1)]),
            )
        except NotEnoughData as refused:
            why = str(refused)
    return Forecast(
        days=days,
        per_day=per_day,
        standing=standing,
        allowed=allowed,
        customers=customers,
        looks=looks,
        baseline=baseline,
        found=found,
        why_not=why,
    )


def _baseline(mart: Mart, going: Going, store: Store, at: datetime) -> tuple[float | None, str]:
    """The share that buys in the outcome window anyway, or why that cannot be told."""
    try:
        read = ground(mart, going.plan.audience, going.plan.moment, store_day(at, store.zone))
        return waiting(read.spells, delay=going.plan.delay_days, expiry=going.window_days).bought, ""
    except NotEnoughData as refused:
        return None, str(refused)
