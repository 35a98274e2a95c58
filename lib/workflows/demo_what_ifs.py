"""What the demo store's staff foretold of its offers: worked out from nothing but what was known before each began."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from lib.db.tables.offers import what_ifs
from lib.errors import NotEnoughData
from lib.metrics.definition import Mart
from lib.metrics.learned import Taught, learned
from lib.metrics.offer_result import Trial
from lib.metrics.what_if_input import ground
from lib.offer import Plan
from lib.periods import day_of, start_of_day
from lib.stats.forecast import Forecast, assumptions_to
from lib.stats.scenario import Scenario
from lib.workflows.offer_trials import SentOffer

# So many days before its start an offer was thought through.
BEFORE = 3


def foretold(mart: Mart, sent: Sequence[SentOffer], zone: ZoneInfo) -> list[dict[str, Any]]:
    """A what-if for every offer of the demo store, as rows to keep; takes a while, so nothing is locked meanwhile.

    Each stands on the orders before its day and on what the offers finished by then had taught.
    """
    taught = [Taught(trial=one.trial, plan=one.plan, is_over=True) for one in sent if one.plan is not None]
    rows = []
    for one in sent:
        first, last = one.trial.first_day, one.trial.last_day
        if one.plan is None or first is None or last is None:
            continue
        begun = first - BEFORE
        try:
            forecast = _forecast(mart, one.trial, one.plan, taught, begun, last - first + 1)
            told = forecast.told()
        except NotEnoughData:
            continue
        at = start_of_day(day_of(begun), zone) + timedelta(hours=10)
        over = last + one.trial.window_days + 1
        rows.append(
            {
                "name": one.name,
                "offer_id": one.offer_id,
                "scenario": forecast.to_json(),
                "assumptions": assumptions_to(forecast.assumptions),
                "forecast": told,
                "created_at": at,
                "due_at": start_of_day(day_of(over), zone),
                "updated_at": at,
            }
        )
    return rows


def nothing_kept(conn: Connection) -> bool:
    """Whether no what-if was kept yet."""
    return not conn.scalar(select(func.count()).select_from(what_ifs))


def keep_foretold(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep them, unless somebody was quicker."""
    if rows and nothing_kept(conn):
        conn.execute(insert(what_ifs), list(rows))


def _forecast(mart: Mart, trial: Trial, plan: Plan, taught: Sequence[Taught], begun: int, days: int) -> Forecast:
    scenario = Scenario(
        moment=plan.moment,
        group=trial.name,
        audience=plan.audience,
        # What is measured is who bought within the window.
        reward=replace(plan.reward, expiry_days=trial.window_days),
        delay_days=plan.delay_days,
        run_days=days,
        holdout=trial.holdout_share,
        contact_cost_minor=plan.contact_cost_minor,
    )
    return Forecast(
        scenario=scenario,
        ground=ground(mart, plan.audience, plan.moment, day_of(begun)),
        assumptions=learned(mart, taught, today=begun).assumptions,
    )
