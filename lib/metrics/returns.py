"""Returns: what comes back, of which orders, and what stays as exchange or credit.

Return rates set the return against the day of its order (behaviour); the refund rate sets the refunds of a
period against the sales of that same period.
"""

from sqlalchemy import and_

from lib.mart.schema import fact_return
from lib.metrics.definition import AnyMetric, Combined, Metric, Ratio, Spread, Unit
from lib.metrics.measure import AS_OF_DAY
from lib.metrics.net_sales import DISCOUNTS, GROSS_SALES, REFUNDS
from lib.metrics.orders import LEFT_OUT_ORDERS, ORDERS, UNITS

_return = fact_return.c
_COUNTS = and_(_return.is_valid, _return.status != "rejected")
_REFUNDED = and_(
    _COUNTS, _return.hours_to_refund.is_not(None), _return.day + _return.hours_to_refund / 24.0 < AS_OF_DAY
)

SALES_BEFORE_REFUNDS = Combined(
    key="sales_before_refunds",
    label="Sales before refunds",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Goods sold, less discounts.",
    terms=((1, GROSS_SALES), (-1, DISCOUNTS)),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
_REJECTED = (
    "rejected",
    Metric(
        key="rejected_returns",
        label="Rejected returns",
        unit=Unit.COUNT,
        meaning="Requests that were rejected.",
        over=fact_return,
        where=and_(_return.is_valid, _return.status == "rejected"),
    ),
)
RETURNS = Metric(
    key="returns",
    label="Returns",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Returns requested in the period, not rejected.",
    over=fact_return,
    where=_COUNTS,
    left_out=(_REJECTED,),
)


def _returned(key: str, label: str, unit: Unit, column: str) -> Metric:
    return Metric(
        key=key,
        label=label,
        unit=unit,
        good_is="down",
        meaning=f"{label}, set against the day of the order.",
        over=fact_return,
        amount=_return[column],
        where=_COUNTS,
        day=_return.order_day,
        known=(_return.day,),
    )


RETURNED_VALUE = _returned("returned_value", "Value of returned goods", Unit.MONEY, "value_minor")
RETURNED_UNITS = _returned("returned_units", "Returned units", Unit.COUNT, "units")
RETURNED_ORDERS = Metric(
    key="returned_orders",
    label="Orders with a return",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Valid orders of the period of which something was returned, whenever.",
    over=fact_return,
    distinct=_return.order_id,
    where=_COUNTS,
    day=_return.order_day,
    known=(_return.day,),
)
_NOTE = "Young orders may still be returned."
RETURN_RATE_BY_VALUE = Ratio(
    key="return_rate_by_value",
    label="Return rate by value",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Value of the goods returned of the period's orders divided by those orders' sales after discounts.",
    top=RETURNED_VALUE,
    bottom=SALES_BEFORE_REFUNDS,
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
    note=_NOTE,
)
RETURN_RATE_BY_UNITS = Ratio(
    key="return_rate_by_units",
    label="Return rate by units",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Units returned of the period's orders divided by the units in those orders.",
    top=RETURNED_UNITS,
    bottom=UNITS,
    left_out=LEFT_OUT_ORDERS,
    note=_NOTE,
)
RETURN_RATE_BY_ORDERS = Ratio(
    key="return_rate_by_orders",
    label="Return rate by orders",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Orders of the period with a return divided by those orders.",
    top=RETURNED_ORDERS,
    bottom=ORDERS,
    left_out=LEFT_OUT_ORDERS,
    has_interval=True,
    note=_NOTE,
)
REFUND_RATE = Ratio(
    key="refund_rate",
    label="Refund rate (refund date)",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Refunds made in the period divided by the sales after discounts of the same period; may exceed 100 %.",
    top=REFUNDS,
    bottom=SALES_BEFORE_REFUNDS,
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)


def _settled(key: str, label: str, amount: str) -> Metric:
    terms = _return.exchange_minor + _return.credit_minor
    return Metric(
        key=key,
        label=label,
        unit=Unit.MONEY,
        meaning=f"{label} of returns requested in the period.",
        over=fact_return,
        amount=terms if amount == "kept" else terms + _return.refund_minor,
        where=_COUNTS,
        cases=RETURNS,
    )


RETAINED_REVENUE = Ratio(
    key="retained_revenue",
    label="Retained revenue",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Exchanges and store credit divided by exchanges, store credit and refunds, of returns requested in "
    "the period.",
    top=_settled("retained", "Exchanges and store credit", "kept"),
    bottom=_settled("settled", "Exchanges, store credit and refunds", "all"),
    cases=RETURNS,
    left_out=(_REJECTED,),
    note="What was settled is known as of the last refresh.",
)
_REFUNDED_RETURNS = Metric(
    key="refunded_returns",
    label="Returns refunded",
    unit=Unit.COUNT,
    meaning="Returns requested in the period that were refunded.",
    over=fact_return,
    where=_REFUNDED,
)
_NOT_REFUNDED = Metric(
    key="returns_without_refund",
    label="Returns not refunded",
    unit=Unit.COUNT,
    meaning="Returns requested in the period without a refund so far.",
    over=fact_return,
    where=and_(
        _COUNTS,
        _return.hours_to_refund.is_(None) | (_return.day + _return.hours_to_refund / 24.0 >= AS_OF_DAY),
    ),
)
DAYS_TO_REFUND = tuple(
    Spread(
        key=f"days_to_refund{suffix}",
        label=f"Days from request to refund, {named}",
        unit=Unit.DAYS,
        good_is="down",
        meaning=f"From the return's request to its refund, in days of 24 hours: {named}.",
        over=fact_return,
        amount=_return.hours_to_refund / 24.0,
        at=at,
        cases=_REFUNDED_RETURNS,
        left_out=(("not refunded", _NOT_REFUNDED), _REJECTED),
    )
    for suffix, named, at in (("", "median", 0.5), ("_p90", "90 % quantile", 0.9))
)

METRICS: tuple[AnyMetric, ...] = (
    RETURNS,
    RETURNED_VALUE,
    RETURNED_UNITS,
    RETURNED_ORDERS,
    SALES_BEFORE_REFUNDS,
    RETURN_RATE_BY_VALUE,
    RETURN_RATE_BY_UNITS,
    RETURN_RATE_BY_ORDERS,
    REFUND_RATE,
    RETAINED_REVENUE,
    *DAYS_TO_REFUND,
)
