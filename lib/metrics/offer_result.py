"""What an offer brought: sums per arm and day of being assigned, from who was assigned and what they bought.

Per *assigned* customer, whether she got the message or not; over a fixed window from the instant of being assigned to
the end of the store day ``day + window_days``; refund-adjusted (behaviour); only customers whose window is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Double, and_, case, cast, func, literal, select

from lib.mart.schema import fact_assignment, fact_order
from lib.metrics.definition import Mart
from lib.offer import Channel, Pays, Plan

# What customers are split by, of their last order before they were assigned: never what they did afterwards.
SEGMENTS = {
    "purchases_before": "Purchases",
    "category": "Category",
    "channel": "Channel",
    "country": "Country",
    "device": "Device",
}
# The margin of lines whose cost is not known is taken from those of this many days whose cost is.
MARGIN_DAYS = 365
_one = fact_assignment.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What an offer costs beyond what net sales lost already (a discount is in them), in minor units.

    ``is_every_order``: without a code or the shop's word, every first order of a treated customer is taken to have
    had the reward, which is the worst case.
    """

    redemption: float = 0.0
    contact: float = 0.0
    is_every_order: bool = False

    @classmethod
    def of(cls, plan: Plan | None) -> "Costs":
        """Of a plan: a gift in the parcel costs each who is sent one; points count in full, as a debt."""
        if plan is None:
            return cls()
        reward, contact = plan.reward, float(plan.contact_cost_minor)
        match reward.pays:
            case Pays.SHIPPING | Pays.GIFT:
                each = float(reward.cost_minor)
            case Pays.POINTS:
                each = reward.points * reward.point_minor / 100
            case _:
                return cls(contact=contact)
        if plan.channel is Channel.PARCEL:
            return cls(contact=contact + each)
        return cls(redemption=each, contact=contact, is_every_order=not (plan.code.shared or plan.code.prefix))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An offer as its result is read: what was planned before the start, and what it costs.

    Days are store days (see lib.periods). ``first_day`` and ``last_day`` are those on which customers are assigned;
    null where nothing was planned. ``since`` and ``until``: of customers assigned from the one day on and before the
    other alone; null: of all.
    """

    offer_id: int
    name: str
    window_days: int
    holdout_share: float
    first_day: int | None = None
    last_day: int | None = None
    costs: Costs = Costs()
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Who is in an arm, mature or not: customers. ``bought`` and ``redeemed`` count those whose window is over."""

    assigned: int = 0
    mature: int = 0
    held_back: int = 0
    sent: int = 0
    opened: int = 0
    redeemed: int = 0
    bought: int = 0
    orders: int = 0
    net_minor: int = 0
    refund_minor: int = 0
    discount_minor: int = 0
    redeemed_net_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Both arms. ``left_out`` are test customers; ``first_day`` and ``last_day`` those of really being assigned."""

    treated: Arm
    holdout: Arm
    left_out: int
    first_day: int | None
    last_day: int | None

    @property
    def assigned(self) -> int:
        return self.treated.assigned + self.holdout.assigned

    @property
    def mature(self) -> int:
        return self.treated.mature + self.holdout.mature


def counts(mart: Mart, trial: Trial, as_of: int) -> Counts:
    """How many are in each arm and how far they came, as of the morning of a store day."""
    is_mature = _is_mature(as_of)

    def many(condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
        return cast(func.coalesce(func.sum(case((condition, 1), else_=0)), 0), BigInteger).label(name)

    def total(column: str, name: str) -> ColumnElement[Any]:
        amount = case((and_(_one.is_valid, is_mature), _one[column]), else_=0)
        return cast(func.coalesce(func.sum(amount), 0), BigInteger).label(name)

    flags = {
        "assigned": _one.is_valid,
        "mature": and_(_one.is_valid, is_mature),
        "held_back": and_(_one.is_valid, _one.is_held_back),
        "sent": and_(_one.is_valid, _one.is_sent),
        "opened": and_(_one.is_valid, _one.is_opened),
        "redeemed": and_(_one.is_valid, is_mature, _one.is_redeemed),
        "bought": and_(_one.is_valid, is_mature, _one.has_bought),
    }
    sums = {
        "orders": "orders",
        "net_minor": "net_minor",
        "refund_minor": "refund_minor",
        "redeemed_discount_minor": "discount_minor",
        "redeemed_net_minor": "redeemed_net_minor",
    }
    frame = mart.frame(
        select(
            _one.is_treated,
            *(many(condition, name) for name, condition in flags.items()),
            *(total(column, name) for column, name in sums.items()),
            many(~_one.is_valid, "left_out"),
            func.min(_one.day).label("first_day"),
            func.max(_one.day).label("last_day"),
        )
        .where(of_trial(trial))
        .group_by(_one.is_treated)
    )
    arms = {bool(row["is_treated"]): row for row in frame.to_dict("records")}
    names = (*flags, *sums.values())

    def arm(is_treated: bool) -> Arm:
        row = arms.get(is_treated)
        return Arm() if row is None else Arm(**{name: int(row[name]) for name in names})

    return Counts(
        treated=arm(True),
        holdout=arm(False),
        left_out=sum(int(row["left_out"]) for row in arms.values()),
        first_day=None if frame.empty else int(frame["first_day"].min()),
        last_day=None if frame.empty else int(frame["last_day"].max()),
    )


def margin_share(mart: Mart, as_of: int) -> float | None:
    """Gross margin as a share of net sales, of the year's orders whose cost is known; null where none is."""
    order = fact_order.c
    columns: list[ColumnElement[Any]] = [
        cast(func.sum(order.costed_net_minor), BigInteger).label("net"),
        cast(func.sum(order.cost_minor), BigInteger).label("cost"),
    ]
    recent = and_(order.is_valid, order.day < as_of, order.day >= as_of - MARGIN_DAYS)
    row = mart.frame(select(*columns).where(recent)).iloc[0]
    if pd.isna(row["net"]) or row["net"] <= 0:
        return None
    return float((row["net"] - row["cost"]) / row["net"])


def sums(mart: Mart, trial: Trial, as_of: int, margin: float | None, *, by: str = "") -> pd.DataFrame:
    """What the statistics need: sums over mature customers, by day of being assigned (or segment) and arm.

    Args:
        as_of: whose window was over on the morning of this store day.
        margin: of lines whose cost is not known; null: no cost is known at all, and ``profit`` is left out.
        by: one of ``SEGMENTS``; else by day.
    Returns:
        ``day`` or ``segment``, ``is_treated``, ``n``, ``x``, ``xx`` (net sales of the year before), ``buyers``, and for
        each measure m of ``orders``, ``net``, ``profit``: ``m``, ``m_m``, ``m_x``: Σm, Σm², Σm·x; minor units.
    Raises:
        ValueError: not a segment.
    """
    if by and by not in SEGMENTS:
        raise ValueError(f"{by} is no segment of customers when they were assigned")
    x = cast(_one.before_net_minor, Double)
    measures: dict[str, ColumnElement[Any]] = {
        "orders": cast(_one.orders, Double),
        "net": cast(_one.net_minor, Double),
    }
    if margin is not None:
        measures["profit"] = _profit(trial.costs, margin)
    keys = [_one[by].label("segment")] if by else [_one.day]
    columns: list[ColumnElement[Any]] = [
        cast(func.count(), BigInteger).label("n"),
        func.sum(x).label("x"),
        func.sum(x * x).label("xx"),
        cast(func.sum(case((_one.has_bought, 1), else_=0)), BigInteger).label("buyers"),
        func.sum(case((_one.has_bought, x), else_=0.0)).label("buyers_x"),
    ]
    for name, value in measures.items():
        columns += [
            func.sum(value).label(name),
            func.sum(value * value).label(f"{name}_m"),
            func.sum(value * x).label(f"{name}_x"),
        ]
    return mart.frame(
        select(*keys, _one.is_treated, *columns)
        .where(of_trial(trial), _one.is_valid, _is_mature(as_of))
        .group_by(*keys, _one.is_treated)
        .order_by(*keys, _one.is_treated)
    )


def _profit(costs: Costs, margin: float) -> ColumnElement[Any]:
    """Margin less the real cost of rewards and contacts, per customer in minor units."""
    uncosted = _one.net_minor - _one.costed_net_minor
    earned = cast(_one.costed_net_minor - _one.cost_minor, Double) + literal(margin, Double) * uncosted
    told = case((_one.is_redeemed, func.greatest(_one.redeemed_orders, 1)), else_=0)
    assumed = case((and_(_one.is_treated, _one.has_bought), 1), else_=0)
    redeemed = func.greatest(told, assumed) if costs.is_every_order else told
    rewards = literal(costs.redemption, Double) * redeemed
    return earned - rewards - literal(costs.contact, Double) * case((_one.is_sent, 1), else_=0)


def trials_of(mart: Mart, offer_ids: Sequence[int]) -> set[int]:
    """Which of these offers have assigned customers in both arms: the only ones that say anything of an effect."""
    frame = mart.frame(
        select(_one.offer_id)
        .where(_one.offer_id.in_(sorted(offer_ids)), _one.is_valid)
        .group_by(_one.offer_id)
        .having(func.count(_one.is_treated.distinct()) == 2)
    )
    return {int(key) for key in frame["offer_id"]}


def _is_mature(as_of: int) -> ColumnElement[bool]:
    return _one.day + _one.window_days < as_of


def of_trial(trial: Trial) -> ColumnElement[bool]:
    """The assignments that a trial is read from."""
    conditions = [_one.offer_id == trial.offer_id]
    if trial.since is not None:
        conditions.append(_one.day >= trial.since)
    if trial.until is not None:
        conditions.append(_one.day < trial.until)
    return and_(*conditions)
