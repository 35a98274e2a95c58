"""Repeat purchase: six different figures with six different names, and what lies behind them."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, and_, case, cast, func, not_, or_, select

from lib.errors import UnknownFigure
from lib.mart.schema import by_day, customer_day, fact_item, fact_order, next_purchase
from lib.metrics import cohorts as _cohorts
from lib.metrics import lifetime as _lifetime
from lib.metrics import second_order as _second
from lib.metrics.cohorts import cohorts, worth
from lib.metrics.definition import AnyMetric, Mart, Metric, Ratio, Scope, Unit
from lib.metrics.lifetime import lifetime
from lib.metrics.measure import AS_OF_DAY, measure, value_of
from lib.metrics.orders import (
    CUSTOMERS,
    FIRST_IN_PERIOD,
    LEFT_OUT_ORDERS,
    NEW_CUSTOMERS,
    RETURNING_ORDERS,
    START,
    UNKNOWN,
)
from lib.metrics.second_order import shares, spells

__all__ = ["METRICS", "cohorts", "lifetime", "next_purchases", "one_time_share", "shares", "spells", "worth"]

_order = fact_order.c
_KNOWN = and_(_order.is_valid, _order.customer_id.is_not(None))

RETURNING_CUSTOMERS = Metric(
    key="returning_customers",
    label="Returning customers",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Distinct customers who bought in the period on an occasion that was not their first.",
    over=fact_order,
    distinct=_order.customer_id,
    where=and_(_KNOWN, _order.occasion > 1),
    prepared=func.sum(case((FIRST_IN_PERIOD, customer_day.c.returning_customers), else_=customer_day.c.after_first)),
    prepared_daily=func.sum(customer_day.c.returning_customers),
    per_line=Metric(
        key="returning_customers",
        label="Returning customers",
        unit=Unit.COUNT,
        meaning="Returning customers, by the lines of their orders.",
        over=fact_item,
        distinct=fact_item.c.customer_id,
        where=and_(fact_item.c.is_valid, fact_item.c.customer_id.is_not(None), fact_item.c.occasion > 1),
    ),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)
NEW_AND_RETURNING = Metric(
    key="new_and_returning_customers",
    label="New and returning in one period",
    unit=Unit.COUNT,
    meaning="Customers whose first and a later purchase occasion both fall in the period.",
    over=fact_order,
    where=and_(_KNOWN, _order.is_first_of_day, _order.occasion == 2, _order.previous_day >= START),
    prepared=func.sum(case((FIRST_IN_PERIOD, 0), else_=customer_day.c.after_first)),
    prepared_dimensions=(),
    left_out=(UNKNOWN,),
)
RETURNING_SHARE_OF_CUSTOMERS = Ratio(
    key="returning_share_of_customers",
    label="Returning share of customers",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Of the distinct customers who bought in the period, the share who bought on an occasion that was "
    "not their first.",
    top=RETURNING_CUSTOMERS,
    bottom=CUSTOMERS,
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
    beside=(("new", NEW_CUSTOMERS), ("new and returning", NEW_AND_RETURNING)),
    has_interval=True,
    note="New and returning overlap when both happen in one period. Left out are counted in orders.",
)
KNOWN_ORDERS = Metric(
    key="orders_of_known_customers",
    label="Orders of known customers",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Valid orders that are matched to a customer.",
    over=fact_order,
    where=_KNOWN,
    prepared=func.sum(by_day.c.orders) - func.sum(by_day.c.unknown_orders),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)
RETURNING_SHARE_OF_ORDERS = Ratio(
    key="returning_share_of_orders",
    label="Returning share of orders",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Orders that were not of their customer's first purchase occasion divided by orders of known customers.",
    top=RETURNING_ORDERS,
    bottom=KNOWN_ORDERS,
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
    has_interval=True,
)
# A one-time customer's only occasion is the first, with none after it that is known.
_ONE_TIME = and_(
    _KNOWN, _order.occasion == 1, or_(_order.next_gap.is_(None), _order.day + _order.next_gap >= AS_OF_DAY)
)
ONE_TIME_SALES = Metric(
    key="one_time_sales",
    label="Net sales of one-time customers",
    unit=Unit.MONEY,
    meaning="Net sales (behaviour) of customers with a single purchase occasion before the as-of day.",
    over=fact_order,
    amount=_order.net_minor,
    where=_ONE_TIME,
    cases=Metric(
        key="one_time_orders",
        label="Orders of one-time customers",
        unit=Unit.COUNT,
        meaning="Valid orders of customers with a single purchase occasion before the as-of day.",
        over=fact_order,
        where=_ONE_TIME,
    ),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
    note="Refunds are as known at the last refresh.",
)
KNOWN_SALES = Metric(
    key="known_sales",
    label="Net sales of known customers",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Net sales (behaviour) of orders that are matched to a customer.",
    over=fact_order,
    amount=_order.net_minor,
    where=_KNOWN,
    cases=KNOWN_ORDERS,
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
    note="Refunds are as known at the last refresh.",
)
REPEAT_SALES = Metric(
    key="repeat_sales",
    label="Net sales of repeat customers",
    unit=Unit.MONEY,
    meaning="Net sales (behaviour) of customers with two or more purchase occasions before the as-of day.",
    over=fact_order,
    amount=_order.net_minor,
    where=and_(_KNOWN, not_(_ONE_TIME)),
    note="Refunds are as known at the last refresh.",
)
UNKNOWN_SALES = Metric(
    key="unknown_sales",
    label="Net sales of unknown customers",
    unit=Unit.MONEY,
    meaning="Net sales (behaviour) of orders that cannot be matched to a customer.",
    over=fact_order,
    amount=_order.net_minor,
    where=and_(_order.is_valid, _order.customer_id.is_(None)),
)
ONE_TIME_SHARE_OF_SALES = Ratio(
    key="one_time_share_of_sales",
    label="One-time customers' share of sales",
    unit=Unit.SHARE,
    meaning="Net sales (behaviour) of customers with a single purchase occasion before the as-of day, divided by "
    "those of all known customers.",
    top=ONE_TIME_SALES,
    bottom=KNOWN_SALES,
    cases=KNOWN_ORDERS,
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
    note="Refunds are as known at the last refresh.",
)


def one_time_share(mart: Mart, scope: Scope) -> pd.DataFrame:
    """Net sales (behaviour) of one-time, repeat and unknown customers in the period.

    Returns:
        three rows: ``kind`` (one-time, repeat, unknown), ``orders``, ``net_minor``, ``share`` (of all net
        sales; NaN when there are none).
    """
    one_time_orders = ONE_TIME_SALES.cases or KNOWN_ORDERS
    metrics = [ONE_TIME_SALES, KNOWN_SALES, UNKNOWN_SALES, one_time_orders, KNOWN_ORDERS, UNKNOWN[1]]
    answers = measure(mart, metrics, Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters))
    one, known, unknown, one_n, known_n, unknown_n = (value_of(metric, answers, ("all",)) for metric in metrics)
    found = pd.DataFrame(
        {
            "kind": ["one-time", "repeat", "unknown"],
            "orders": [one_n, known_n - one_n, unknown_n],
            "net_minor": [one, known - one, unknown],
        }
    )
    whole = known + unknown
    found["share"] = found["net_minor"] / whole if whole else float("nan")
    return found


def next_purchases(
    mart: Mart, scope: Scope, dimension: str = "category", limit: int = 12, *, only: str | None = None
) -> pd.DataFrame:
    """What first orders lead to second ones: by first category or product.

    The shares are of mature customers whose first order is in the period; what they bought next is counted
    over all second orders up to the last refresh.

    Args:
        only: the one first category or product asked for.
    Returns:
        rows of ``first``, ``customers``, ``mature_90``, ``share_90``, ``low_90``, ``high_90``, the same of
        180 days, ``next`` (what most second orders held), ``next_n`` and ``second_orders`` (how many held it, of
        how many) and ``next_share``; most customers first.
    Raises:
        UnknownFigure: neither category nor product.
    """
    if dimension not in ("category", "product"):
        raise UnknownFigure(f"What comes next is known by category or product, not by {dimension!r}.")
    found = shares(mart, scope, (90, 180), dimension)
    parts = {within: found[found["days"] == within].set_index("slice") for within in (90, 180)}
    customers = (parts[90]["mature"] + parts[90]["immature"]).rename("customers")
    columns = [part[["mature", "share", "low", "high"]].add_suffix(f"_{within}") for within, part in parts.items()]
    wide = pd.concat([customers, *columns], axis=1)
    wide = wide if only is None else wide[wide.index == only]
    wide = wide.sort_values("customers", ascending=False, kind="stable").head(limit).rename_axis("first").reset_index()
    after = next_purchase.c
    pieces: Any = mart.frame(
        select(after.first, after.second, cast(after.n, BigInteger).label("n")).where(
            after.dimension == dimension, after.first.in_(wide["first"].tolist())
        )
    )
    pieces = pieces.sort_values(["n", "second"], ascending=[False, True], kind="stable")
    totals = pieces.groupby("first")["n"].sum()
    most = pieces.drop_duplicates("first").set_index("first")
    wide["next"] = wide["first"].map(most["second"])
    for name, counts in (("next_n", most["n"]), ("second_orders", totals)):
        wide[name] = wide["first"].map(counts).astype("Int64")
    wide["next_share"] = wide["first"].map(most["n"] / totals)
    return wide


METRICS: tuple[AnyMetric, ...] = (
    *_second.REPEAT_WITHIN,
    _second.TIME_TO_SECOND_ORDER,
    _second.TIME_TO_SECOND_ORDER_P25,
    _second.TIME_TO_SECOND_ORDER_P10,
    RETURNING_CUSTOMERS,
    NEW_AND_RETURNING,
    RETURNING_SHARE_OF_CUSTOMERS,
    KNOWN_ORDERS,
    RETURNING_SHARE_OF_ORDERS,
    _cohorts.COHORT_RETENTION,
    _cohorts.COHORT_REVENUE,
    _second.LIFETIME_REPEATERS,
    *_lifetime.METRICS,
    ONE_TIME_SALES,
    KNOWN_SALES,
    ONE_TIME_SHARE_OF_SALES,
)
