"""The limits of an offer against what happened so far: margin, budget, refunds, complaints."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Select, and_, case, cast, func, select

from lib.mart.schema import fact_assignment
from lib.metrics.definition import Mart
from lib.metrics.offer_result import Trial, of_trial
from lib.offer import Guardrails, Pays, Plan

# With fewer orders (or messages) a share jumps with each of them: nothing is judged.
ENOUGH_ORDERS = 20
ENOUGH_SENT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What happened to the treated so far, windows over or not; minor units.

    ``reward_minor`` is what rewards cost, discounts included; ``contact_minor`` what contacts cost. ``margin_minor``
    is the gross margin of ``costed_net_minor`` alone; discounts are off both.
    """

    orders: int
    sent: int
    net_minor: int
    refund_minor: int
    costed_net_minor: int
    margin_minor: int
    reward_minor: float
    extra_minor: float
    contact_minor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit: what it is at, and where the offer stands. ``state``: within, crossed, or too few to judge."""

    name: str
    label: str
    limit: float
    now: float | None
    is_crossed: bool
    is_money: bool = False

    @property
    def state(self) -> str:
        return "Too few yet" if self.now is None else "Crossed" if self.is_crossed else "Within"


def spent_so_far(mart: Mart, trial: Trial, plan: Plan) -> Spent:
    """Add up what the treated of an offer did and got so far."""
    one = fact_assignment.c

    def total(name: str, amount: Any) -> Any:
        return cast(func.coalesce(func.sum(amount), 0), BigInteger).label(name)

    told = case((one.is_redeemed, func.greatest(one.redeemed_orders, 1)), else_=0)
    bought = case((one.has_bought, 1), else_=0)
    redeemed = func.greatest(told, bought) if trial.costs.is_every_order else told
    statement: Select[Any] = select(
        total("orders", one.orders),
        total("sent", case((one.is_sent, 1), else_=0)),
        total("net_minor", one.net_minor),
        total("refund_minor", one.refund_minor),
        total("costed_net_minor", one.costed_net_minor),
        total("margin_minor", one.costed_net_minor - one.cost_minor),
        total("discount_minor", one.redeemed_discount_minor),
        total("redeemed", redeemed),
    ).where(and_(of_trial(trial), one.is_valid, one.is_treated))
    row = {name: int(value) for name, value in mart.frame(statement).iloc[0].items() if not pd.isna(value)}
    extra = trial.costs.redemption * row["redeemed"]
    cuts = row["discount_minor"] if plan.reward.pays in {Pays.PERCENT, Pays.AMOUNT} else 0
    return Spent(
        orders=row["orders"],
        sent=row["sent"],
        net_minor=row["net_minor"],
        refund_minor=row["refund_minor"],
        costed_net_minor=row["costed_net_minor"],
        margin_minor=row["margin_minor"],
        reward_minor=cuts + extra,
        extra_minor=extra,
        contact_minor=trial.costs.contact * row["sent"],
    )


def limits(spent: Spent, guardrails: Guardrails, *, complaints: int) -> list[Limit]:
    """Each limit that was set, against what happened so far.

    Margin: what is left of net sales of the orders with a known cost, after rewards; refunds: of what those orders
    sold; complaints and unsubscriptions: of the messages sent.

    Args:
        complaints: customers who complained or unsubscribed because of this offer.
    """
    found: list[Limit] = []
    is_enough = spent.orders >= ENOUGH_ORDERS
    if guardrails.margin_floor is not None:
        now = None
        if is_enough and spent.costed_net_minor > 0 and spent.net_minor > 0:
            # Rewards belong to all orders; only the part of those with a known cost is set against their margin.
            part = spent.costed_net_minor / spent.net_minor
            now = (spent.margin_minor - spent.extra_minor * part) / spent.costed_net_minor
        found.append(_limit("margin_floor", "Margin, at least", guardrails.margin_floor, now, is_floor=True))
    if guardrails.budget_minor is not None:
        cost = spent.reward_minor + spent.contact_minor
        found.append(_limit("budget", "Budget for rewards and contacts", guardrails.budget_minor, cost, is_money=True))
    if guardrails.refund_rate is not None:
        sold = spent.net_minor + spent.refund_minor
        rate = spent.refund_minor / sold if is_enough and sold > 0 else None
        found.append(_limit("refund_rate", "Refunds, at most", guardrails.refund_rate, rate))
    if guardrails.complaint_rate is not None:
        rate = complaints / spent.sent if spent.sent >= ENOUGH_SENT else None
        found.append(_limit("complaint_rate", "Complaints, at most", guardrails.complaint_rate, rate))
    return found


def _limit(
    name: str, label: str, limit: float, now: float | None, *, is_floor: bool = False, is_money: bool = False
) -> Limit:
    if now is None:
        is_crossed = False
    elif is_money:
        is_crossed = now >= limit
    else:
        is_crossed = now < limit if is_floor else now > limit
    return Limit(name=name, label=label, limit=limit, now=now, is_crossed=is_crossed, is_money=is_money)
