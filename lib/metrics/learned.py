"""What the store's own finished offers taught, and the assumptions of the next what-if that come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log1p
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Double, and_, case, cast, func, select

from lib.errors import NotEnoughData
from lib.mart.schema import fact_assignment, fact_order
from lib.metrics.definition import Mart
from lib.metrics.offer_reading import Reading, read_offer
from lib.metrics.offer_result import Trial, of_trial
from lib.offer import Plan
from lib.stats.assumptions import Assumptions
from lib.stats.experiment import ArmSums, welch
from lib.stats.learning import Finished, Measured, finished_offer, learn, learn_share, pulled_forward, redeemed_anyway
from lib.stats.rewards import DEEPEST
from lib.stats.scenario import reward_of

# The year's orders say how large a basket is, and how many reach a minimum.
BASKET_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """An offer that may teach: its trial and the plan it followed."""

    trial: Trial
    plan: Plan
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one finished offer taught. ``effect`` is the measured answer; the others null where they were not."""

    offer_id: int
    name: str
    effect: Finished
    redeemed_anyway: Measured | None
    pulled_forward: Measured | None
    treated: tuple[int, int]
    holdout: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The assumptions with everything the offers taught, each lesson, and why the other offers taught nothing."""

    assumptions: Assumptions
    lessons: tuple[Lesson, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        return [lesson.name for lesson in self.lessons]


def learned(mart: Mart, offers: Sequence[Taught], *, today: int, prior: Assumptions | None = None) -> Learned:
    """Update the assumptions with every finished offer that had a holdout.

    Each offer counts once and by its precision, whatever it showed: leaving out those that failed would flatter. One
    whose windows are not all over, without a holdout, or whose split cannot be chance, teaches nothing.

    Args:
        offers: those that went out and were planned in Encore.
        today: a store day; what was mature on its morning is known.
        prior: what was assumed before any of them; Encore's own where null.
    """
    known = prior or Assumptions()
    lessons: list[Lesson] = []
    left_out: list[tuple[str, str]] = []
    for one in offers:
        try:
            lessons.append(_lesson(mart, one, today))
        except NotEnoughData as missing:
            left_out.append((one.trial.name, str(missing)))
    known = learn(known, [lesson.effect for lesson in lessons])
    for lesson in lessons:
        if (anyway := lesson.redeemed_anyway) is not None:
            share = learn_share(known.redeemed_anyway, share=anyway.share, se=anyway.se)
            known = replace(known, redeemed_anyway=share)
        if (forward := lesson.pulled_forward) is not None:
            known = replace(known, pulled_forward=learn_share(known.pulled_forward, share=forward.share, se=forward.se))
    return Learned(assumptions=known, lessons=tuple(lessons), left_out=tuple(left_out))


def _lesson(mart: Mart, one: Taught, today: int) -> Lesson:
    found = read_offer(mart, one.trial, today=today, is_over=one.is_over)
    _must_teach(found)
    treated, held = found.counts.treated, found.counts.holdout
    basket, qualifying = _basket(mart, one.plan.reward.minimum_basket_minor, today)
    depth = min(reward_of(one.plan.reward, basket).depth, DEEPEST) if basket > 0 else 0.0
    effect = finished_offer(
        treated=treated.mature,
        treated_buyers=treated.bought,
        holdout=held.mature,
        holdout_buyers=held.bought,
        v=-log1p(-depth) * qualifying,
    )
    return Lesson(
        offer_id=one.trial.offer_id,
        name=one.trial.name,
        effect=effect,
        redeemed_anyway=_redeemed(one, found, qualifying),
        pulled_forward=_pulled(mart, one.trial, today),
        treated=(treated.mature, treated.bought),
        holdout=(held.mature, held.bought),
    )


def _must_teach(found: Reading) -> None:
    """Refuse an offer that is no evidence yet, or none at all."""
    if found.read is None:
        raise NotEnoughData(found.why_not)
    if not found.read.is_over:
        raise NotEnoughData("Its last windows are not over yet.")
    if found.read.split is None or found.read.split.blocks:
        raise NotEnoughData("Its two groups are not as large as planned, so it says nothing of the offer.")


def _redeemed(one: Taught, found: Reading, qualifying: float) -> Measured | None:
    """Who redeemed and would have bought anyway: only where a code says who redeemed."""
    treated, held = found.counts.treated, found.counts.holdout
    if not (one.plan.code.shared or one.plan.code.prefix) or not treated.redeemed:
        return None
    try:
        return redeemed_anyway(
            treated=treated.mature,
            treated_buyers=treated.bought,
            redeemed=treated.redeemed,
            holdout=held.mature,
            holdout_buyers=held.bought,
            qualifying_share=qualifying,
        )
    except NotEnoughData:
        return None


def _pulled(mart: Mart, trial: Trial, today: int) -> Measured | None:
    """What was missing afterwards, from the same customers followed twice as long."""
    one = fact_assignment.c
    within = cast(one.orders, Double)
    longer = cast(one.orders + one.later_orders, Double)
    columns: list[ColumnElement[Any]] = [cast(func.count(), BigInteger).label("n")]
    for name, value in (("within", within), ("longer", longer)):
        columns += [func.sum(value).label(name), func.sum(value * value).label(f"{name}_m")]
    frame = mart.frame(
        select(one.is_treated, *columns)
        .where(of_trial(trial), one.is_valid, one.day + 2 * one.window_days < today)
        .group_by(one.is_treated)
    )
    arms = {bool(row["is_treated"]): row for row in frame.to_dict("records")}
    if len(arms) < 2:
        return None
    try:
        effects = {}
        for name in ("within", "longer"):
            treated, held = (
                ArmSums(n=int(row["n"]), y=row[name], yy=row[f"{name}_m"]) for row in (arms[True], arms[False])
            )
            effects[name] = welch(treated, held)
        return pulled_forward(
            in_window=effects["within"].difference,
            in_window_se=effects["within"].se,
            later=effects["longer"].difference,
            later_se=effects["longer"].se,
        )
    except NotEnoughData:
        return None


def _basket(mart: Mart, minimum: int, today: int) -> tuple[float, float]:
    """The mean net sales of an order that reaches the minimum, and the share of orders that do; of the last year."""
    order = fact_order.c
    reaches = order.gross_minor - order.discount_minor >= minimum
    columns: list[ColumnElement[Any]] = [
        cast(func.count(), BigInteger).label("orders"),
        cast(func.sum(case((reaches, 1), else_=0)), BigInteger).label("reaching"),
        cast(func.sum(case((reaches, order.net_minor), else_=0)), BigInteger).label("net"),
    ]
    recent = and_(order.is_valid, order.day < today, order.day >= today - BASKET_DAYS)
    row = mart.frame(select(*columns).where(recent)).iloc[0]
    if pd.isna(row["reaching"]) or not row["reaching"]:
        return 0.0, 0.0
    return float(row["net"] / row["reaching"]), float(row["reaching"] / row["orders"])
