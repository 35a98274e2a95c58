"""Net sales and what they are made of.

Valid orders only. Money excludes tax. *Cash* refunds count on the day of the refund, *behaviour* refunds
against the day of the order.
"""

from typing import Any

from sqlalchemy import and_, func, not_

from lib.mart.schema import by_day, fact_item, fact_order, fact_refund
from lib.metrics.definition import Combined, Metric, Ratio, Unit
from lib.metrics.orders import LEFT_OUT_ORDERS, ORDERS

_order = fact_order.c
_line = fact_item.c
_refund = fact_refund.c


def _of_orders(key: str, label: str, meaning: str, column: str, *, lines: bool = False) -> Metric:
    """A sum of one amount of the valid orders; ``lines``: the lines carry it too."""
    return Metric(
        key=key,
        label=label,
        unit=Unit.MONEY,
        meaning=meaning,
        over=fact_order,
        amount=_order[column],
        where=_order.is_valid,
        prepared=func.sum(by_day.c[column]),
        per_line=Metric(
            key=key,
            label=label,
            unit=Unit.MONEY,
            meaning=meaning,
            over=fact_item,
            amount=_line[column],
            where=_line.is_valid,
        )
        if lines
        else None,
        cases=ORDERS,
        left_out=LEFT_OUT_ORDERS,
    )


GROSS_SALES = _of_orders(
    "gross_sales",
    "Gross sales",
    "Price times quantity of the goods, before discounts, refunds, tax and shipping.",
    "gross_minor",
    lines=True,
)
DISCOUNTS = _of_orders("discounts", "Discounts", "Discounts on orders and lines.", "discount_minor", lines=True)

_COUNTED_REFUND = _refund.is_valid
REFUNDED_ITEMS = Metric(
    key="refunded_items",
    label="Refunded items",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Refunded items, on the day of the refund.",
    over=fact_refund,
    where=and_(_COUNTED_REFUND, _refund.goods_minor != 0),
)


def _refunds_counted(key: str, meaning: str, day: Any = "day", known: tuple[Any, ...] = ()) -> Metric:
    """How many refunds: one of several items is one."""
    return Metric(
        key=key,
        label="Refunds made",
        unit=Unit.COUNT,
        meaning=meaning,
        over=fact_refund,
        distinct=_refund.refund_id,
        where=and_(_COUNTED_REFUND, _refund.goods_minor != 0),
        day=day,
        known=known,
    )


_LEFT_OUT_REFUNDS = (
    (
        "refund of a left-out order",
        Metric(
            key="left_out_refunds",
            label="Refunded items of left-out orders",
            unit=Unit.COUNT,
            meaning="Refunded items of orders that do not count.",
            over=fact_refund,
            where=not_(_refund.is_valid),
        ),
    ),
)
_OF_NO_ORDER = (
    "refund of no known order",
    Metric(
        key="unmatched_refunds",
        label="Refunded items of no known order",
        unit=Unit.COUNT,
        meaning="Items refunded in the period that fit no known order; they count in cash only.",
        over=fact_refund,
        where=and_(_COUNTED_REFUND, _refund.order_day.is_(None), _refund.goods_minor != 0),
    ),
)
REFUNDS = Metric(
    key="refunds",
    label="Refunds (cash)",
    unit=Unit.MONEY,
    good_is="down",
    meaning="Refunded goods, on the day of the refund.",
    over=fact_refund,
    amount=_refund.goods_minor,
    where=_COUNTED_REFUND,
    prepared=func.sum(by_day.c.refund_cash_minor),
    cases=_refunds_counted("refunds_made", "Refunds of goods, on the day of the refund."),
    left_out=_LEFT_OUT_REFUNDS,
)
REFUNDS_BEHAVIOUR = Metric(
    key="refunds_behaviour",
    label="Refunds (behaviour)",
    unit=Unit.MONEY,
    good_is="down",
    meaning="Refunded goods, set against the day of the order they belong to, whenever they were refunded.",
    over=fact_refund,
    amount=_refund.goods_minor,
    where=_COUNTED_REFUND,
    day=_refund.order_day,
    known=(_refund.day,),
    note="Refunds made on or after the as-of day are not known yet.",
    left_out=(*_LEFT_OUT_REFUNDS, _OF_NO_ORDER),
    cases=_refunds_counted(
        "refunds_of_orders", "Refunds of goods of the period's orders.", _refund.order_day, (_refund.day,)
    ),
)
NET_SALES = Combined(
    key="net_sales",
    label="Net sales",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Goods sold, less discounts and the refunds made in the period (cash).",
    terms=((1, GROSS_SALES), (-1, DISCOUNTS), (-1, REFUNDS)),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
NET_SALES_BEHAVIOUR = Combined(
    key="net_sales_behaviour",
    label="Net sales (behaviour)",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Goods sold, less discounts and what was refunded of these same orders, whenever.",
    terms=((1, GROSS_SALES), (-1, DISCOUNTS), (-1, REFUNDS_BEHAVIOUR)),
    cases=ORDERS,
    left_out=(*LEFT_OUT_ORDERS, _OF_NO_ORDER),
)


def _refunded(key: str, label: str, column: str, prepared: str) -> Metric:
    return Metric(
        key=key,
        label=label,
        unit=Unit.MONEY,
        meaning=f"{label}, on the day of the refund.",
        over=fact_refund,
        amount=_refund[column],
        where=_COUNTED_REFUND,
        prepared=func.sum(by_day.c[prepared]),
    )


SHIPPING_CHARGED = _of_orders(
    "shipping_charged", "Shipping charged", "Shipping charged to customers.", "shipping_minor"
)
TAX_CHARGED = _of_orders("tax_charged", "Tax charged", "Tax charged to customers.", "tax_minor")
SHIPPING_REFUNDED = _refunded("shipping_refunded", "Shipping refunded", "shipping_minor", "shipping_refund_minor")
TAX_REFUNDED = _refunded("tax_refunded", "Tax refunded", "tax_minor", "tax_refund_minor")
SHIPPING = Combined(
    key="shipping",
    label="Shipping",
    unit=Unit.MONEY,
    meaning="Shipping charged, less shipping refunded in the period.",
    terms=((1, SHIPPING_CHARGED), (-1, SHIPPING_REFUNDED)),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
TAX = Combined(
    key="tax",
    label="Tax",
    unit=Unit.MONEY,
    meaning="Tax charged, less tax refunded in the period.",
    terms=((1, TAX_CHARGED), (-1, TAX_REFUNDED)),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
TOTAL_SALES = Combined(
    key="total_sales",
    label="Total sales",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Net sales plus shipping and tax, each less what was refunded in the period.",
    terms=(*NET_SALES.terms, *SHIPPING.terms, *TAX.terms),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
FEES = _of_orders("fees", "Fees", "Fees charged to customers that are neither goods, shipping nor tax.", "fees_minor")
AVERAGE_ORDER_VALUE = Ratio(
    key="average_order_value",
    label="Average order value",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Net sales divided by orders.",
    top=NET_SALES,
    bottom=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
