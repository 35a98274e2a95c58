"""One offer read whole: its counts, its sums, and what may be said of it on a morning."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select

from lib.mart.schema import fact_assignment
from lib.metrics.definition import Mart
from lib.metrics.offer_result import Counts, Trial, counts, margin_share, of_trial, sums
from lib.stats.read_out import ReadOut, plan_of, read_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An offer's result as of the morning of ``today``.

    ``read`` is null where there is nothing to compare: nobody assigned, or nobody held out (``why_not`` says so).
    ``margin`` is what lines without a known cost are taken to earn; null: no cost is known, so neither is profit.
    ``costed_share`` is the part of the orders' net sales whose cost is known.
    """

    trial: Trial
    today: int
    counts: Counts
    margin: float | None
    costed_share: float | None
    read: ReadOut | None
    why_not: str = ""

    @property
    def days(self) -> int:
        """On how many days customers were assigned so far."""
        first, last = self.counts.first_day, self.counts.last_day
        return 0 if first is None or last is None else last - first + 1


def read_offer(mart: Mart, trial: Trial, *, today: int, is_over: bool) -> Reading:
    """Read an offer's result.

    Args:
        today: a store day; whose window was over before it is counted.
        is_over: nobody new is assigned any more.
    """
    found = counts(mart, trial, today)
    margin = margin_share(mart, today)
    told: dict[str, Any] = {"trial": trial, "today": today, "counts": found, "margin": margin}
    costed = _costed_share(mart, trial)
    if not found.assigned or found.first_day is None or found.last_day is None:
        return Reading(**told, costed_share=costed, read=None, why_not="Nobody was assigned yet.")
    if not found.holdout.assigned or not found.treated.assigned:
        why = (
            "Nobody was held out, so nothing can be said of what it changed: who got it may have bought anyway."
            if found.treated.assigned
            else "Nobody got it, so there is nothing to compare."
        )
        return Reading(**told, costed_share=costed, read=None, why_not=why)
    by_day = _assigned_by_day(mart, trial)
    first = found.first_day if trial.first_day is None else min(trial.first_day, found.first_day)
    last = found.last_day if trial.last_day is None else max(trial.last_day, first)
    plan = plan_of(
        first_day=first,
        last_day=last,
        window_days=trial.window_days,
        assigned_by_day=by_day,
        is_over=is_over or today > last,
    )
    read = read_out(
        sums(mart, trial, today, margin),
        plan=plan,
        window_days=trial.window_days,
        today=today,
        assigned=(found.treated.assigned, found.holdout.assigned),
        holdout_share=trial.holdout_share,
    )
    return Reading(**told, costed_share=costed, read=read)


def _assigned_by_day(mart: Mart, trial: Trial) -> pd.Series:
    one = fact_assignment.c
    statement: Select[Any] = select(one.day, cast(func.count(), BigInteger).label("n"))
    frame = mart.frame(statement.where(of_trial(trial), one.is_valid).group_by(one.day).order_by(one.day))
    return frame.set_index("day")["n"]


def _costed_share(mart: Mart, trial: Trial) -> float | None:
    one = fact_assignment.c
    columns: list[ColumnElement[Any]] = [
        cast(func.sum(one.net_minor), BigInteger).label("net"),
        cast(func.sum(one.costed_net_minor), BigInteger).label("costed"),
    ]
    row = mart.frame(select(*columns).where(of_trial(trial), one.is_valid)).iloc[0]
    return None if pd.isna(row["net"]) or row["net"] <= 0 else float(row["costed"] / row["net"])
