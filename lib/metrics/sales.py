"""Sales: what was ordered, what it was worth, and what came back in money.

Valid orders only. Money excludes tax. *Cash* refunds count on the day of the refund, *behaviour* refunds
against the day of the order.
"""

from sqlalchemy import Column, and_, bindparam, func, not_, or_

from lib.mart.schema import by_day, fact_item, fact_order, fact_refund
from lib.metrics.definition import Combined, Metric, Ratio, Unit

# The first day of the period asked for.
START = bindparam("start_day", type_=by_day.c.day.type)

_order = fact_order.c
_line = fact_item.c
_refund = fact_refund.c


def _left_out(reason: str, prepared: Column[int]) -> tuple[str, Metric]:
    return (
        reason,
        Metric(
            key=f"left_out_{reason.replace(' ', '_')}",
            label=f"Left out: {reason}",
            unit=Unit.COUNT,
            meaning=f"Orders that do not count: {reason}.",
            over=fact_order,
            where=and_(not_(_order.is_valid), _order.why_left_out == reason),
            prepared=func.sum(prepared),
        ),
    )


LEFT_OUT_ORDERS = (
    _left_out("cancelled", by_day.c.cancelled_orders),
    _left_out("voided", by_day.c.voided_orders),
    _left_out("test", by_day.c.test_orders),
    _left_out("zero value", by_day.c.zero_orders),
)
UNKNOWN_ORDERS = Metric(
    key="orders_of_unknown_customers",
    label="Orders of unknown customers",
    unit=Unit.COUNT,
    meaning="Valid orders that cannot be matched to a customer.",
    over=fact_order,
    where=and_(_order.is_valid, _order.customer_id.is_(None)),
    prepared=func.sum(by_day.c.unknown_orders),
)
UNKNOWN = ("unknown customer", UNKNOWN_ORDERS)

ORDERS = Metric(
    key="orders",
    label="Orders",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Valid orders placed: not cancelled, voided or a test, and worth more than zero.",
    over=fact_order,
    where=_order.is_valid,
    prepared=func.sum(by_day.c.orders),
    left_out=LEFT_OUT_ORDERS,
)
CUSTOMERS = Metric(
    key="customers",
    label="Customers",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Distinct known customers with a valid order in the period.",
    over=fact_order,
    distinct=_order.customer_id,
    where=and_(_order.is_valid, _order.customer_id.is_not(None)),
    once=and_(_order.is_first_of_day, or_(_order.previous_day.is_(None), _order.previous_day < START)),
    prepared_daily=func.sum(by_day.c.customers),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)
NEW_CUSTOMERS = Metric(
    key="new_customers",
    label="New customers",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Known customers whose first valid order was placed in the period, counted with that order.",
    over=fact_order,
    where=and_(_order.is_valid, _order.customer_id.is_not(None), _order.occasion == 1, _order.is_first_of_day),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)


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
    cases=REFUNDED_ITEMS,
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
    cases=Metric(
        key="refunded_items_behaviour",
        label="Refunded items",
        unit=Unit.COUNT,
        meaning="Refunded items of the period's orders.",
        over=fact_refund,
        where=and_(_COUNTED_REFUND, _refund.goods_minor != 0),
        day=_refund.order_day,
        known=(_refund.day,),
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
    left_out=LEFT_OUT_ORDERS,
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
PAYMENTS = Metric(
    key="payments",
    label="Payments",
    unit=Unit.MONEY,
    meaning="Money received for the orders placed in the period, whatever became of them; tests excluded.",
    over=fact_order,
    amount=func.coalesce(_order.paid_minor, 0),
    where=or_(_order.why_left_out.is_(None), _order.why_left_out != "test"),
    left_out=(
        (
            "no payment recorded",
            Metric(
                key="left_out_unpaid",
                label="No payment recorded",
                unit=Unit.COUNT,
                meaning="Orders whose source says nothing of a payment.",
                over=fact_order,
                where=_order.paid_minor.is_(None),
            ),
        ),
        LEFT_OUT_ORDERS[2],
    ),
    note="Includes tax, shipping and what was refunded later; known as of the last refresh.",
)
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
UNITS = Metric(
    key="units",
    label="Units",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Pieces of goods in valid orders.",
    over=fact_order,
    amount=_order.units,
    where=_order.is_valid,
    prepared=func.sum(by_day.c.units),
    per_line=Metric(
        key="units",
        label="Units",
        unit=Unit.COUNT,
        meaning="Pieces of goods in valid orders.",
        over=fact_item,
        amount=_line.quantity,
        where=_line.is_valid,
    ),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
UNITS_PER_ORDER = Ratio(
    key="units_per_order",
    label="Units per order",
    unit=Unit.RATIO,
    good_is="up",
    meaning="Pieces of goods divided by orders.",
    top=UNITS,
    bottom=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
UNPAID_ORDERS = Metric(
    key="unpaid_orders",
    label="Unpaid orders",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Valid orders that are pending, only authorised or partly paid.",
    over=fact_order,
    where=and_(_order.is_valid, _order.is_unpaid),
    prepared=func.sum(by_day.c.unpaid_orders),
    left_out=LEFT_OUT_ORDERS,
    note="Payment is known as of the last refresh.",
)
UNPAID_SHARE = Ratio(
    key="unpaid_share",
    label="Unpaid share",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Valid orders not fully paid divided by valid orders.",
    top=UNPAID_ORDERS,
    bottom=ORDERS,
    left_out=LEFT_OUT_ORDERS,
    has_interval=True,
    note="Payment is known as of the last refresh.",
)

LINES = Metric(
    key="lines",
    label="Lines",
    unit=Unit.COUNT,
    meaning="Lines of goods of valid orders.",
    over=fact_item,
    where=_line.is_valid,
)
COSTED_LINES = Metric(
    key="lines_with_cost",
    label="Lines with a known cost",
    unit=Unit.COUNT,
    meaning="Lines of goods of valid orders whose cost is known.",
    over=fact_item,
    where=and_(_line.is_valid, _line.cost_minor.is_not(None)),
)
_UNCOSTED = (
    "cost unknown",
    Metric(
        key="lines_without_cost",
        label="Lines without a known cost",
        unit=Unit.COUNT,
        meaning="Lines of goods of valid orders whose cost is not known.",
        over=fact_item,
        where=and_(_line.is_valid, _line.cost_minor.is_(None)),
    ),
)
COSTED_SHARE = Ratio(
    key="costed_share",
    label="Share of lines with a known cost",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Lines whose cost is known divided by all lines of goods.",
    top=COSTED_LINES,
    bottom=LINES,
)
_COST_NOTE = "Only lines whose cost is known; refunds are set against their order and known as of the last refresh."


def _costed(key: str, label: str, meaning: str, column: str) -> Metric:
    amount = _line.net_minor if column == "costed_net_minor" else func.coalesce(_line.cost_minor, 0)
    return Metric(
        key=key,
        label=label,
        unit=Unit.MONEY,
        meaning=meaning,
        over=fact_item,
        amount=amount,
        where=and_(_line.is_valid, _line.cost_minor.is_not(None)),
        prepared=func.sum(by_day.c[column]),
        cases=COSTED_LINES,
        note=_COST_NOTE,
    )


COSTED_NET_SALES = _costed(
    "costed_net_sales",
    "Net sales with a known cost",
    "Net sales (behaviour) of the lines whose cost is known.",
    "costed_net_minor",
)
COST_OF_GOODS = _costed("cost_of_goods", "Cost of goods", "Cost of the lines whose cost is known.", "cost_minor")
GROSS_MARGIN = Combined(
    key="gross_margin",
    label="Gross margin",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Net sales (behaviour) less cost of goods, of the lines whose cost is known.",
    terms=((1, COSTED_NET_SALES), (-1, COST_OF_GOODS)),
    cases=COSTED_LINES,
    left_out=(_UNCOSTED,),
    note=_COST_NOTE,
)
GROSS_MARGIN_SHARE = Ratio(
    key="gross_margin_share",
    label="Gross margin, share of net sales",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Gross margin divided by net sales, both of the lines whose cost is known.",
    top=GROSS_MARGIN,
    bottom=COSTED_NET_SALES,
    cases=COSTED_LINES,
    left_out=(_UNCOSTED,),
    note=_COST_NOTE,
)

RETURNING_ORDERS = Metric(
    key="returning_orders",
    label="Returning orders",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Valid orders of known customers that were not of their first purchase occasion.",
    over=fact_order,
    where=and_(_order.is_valid, _order.occasion > 1),
    prepared=func.sum(by_day.c.returning_orders),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)

METRICS = (
    ORDERS,
    CUSTOMERS,
    NEW_CUSTOMERS,
    UNKNOWN_ORDERS,
    GROSS_SALES,
    DISCOUNTS,
    REFUNDS,
    REFUNDS_BEHAVIOUR,
    NET_SALES,
    NET_SALES_BEHAVIOUR,
    SHIPPING,
    TAX,
    TOTAL_SALES,
    FEES,
    PAYMENTS,
    AVERAGE_ORDER_VALUE,
    UNITS,
    UNITS_PER_ORDER,
    UNPAID_ORDERS,
    UNPAID_SHARE,
    COST_OF_GOODS,
    COSTED_SHARE,
    GROSS_MARGIN,
    GROSS_MARGIN_SHARE,
    REFUNDED_ITEMS,
    RETURNING_ORDERS,
)
