"""Sales: the figures, and the questions that need several of them at once."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Column, ColumnElement, Select, Table, and_, case, cast, func, or_, select

from lib.errors import UnknownFigure
from lib.mart.schema import DIMENSIONS, NARROW_DIMENSIONS, by_day, fact_item, fact_order, fact_refund, product_day
from lib.metrics import margin, net_sales, orders
from lib.metrics.definition import Mart, Metric, Scope, Unit
from lib.metrics.measure import days, filters_of, measure, parameters, value_of

METRICS = (
    orders.ORDERS,
    orders.CUSTOMERS,
    orders.NEW_CUSTOMERS,
    orders.UNKNOWN_ORDERS,
    net_sales.GROSS_SALES,
    net_sales.DISCOUNTS,
    net_sales.REFUNDS,
    net_sales.REFUNDS_BEHAVIOUR,
    net_sales.NET_SALES,
    net_sales.NET_SALES_BEHAVIOUR,
    net_sales.SHIPPING,
    net_sales.TAX,
    net_sales.TOTAL_SALES,
    net_sales.FEES,
    orders.PAYMENTS,
    net_sales.AVERAGE_ORDER_VALUE,
    orders.UNITS,
    orders.UNITS_PER_ORDER,
    orders.UNPAID_ORDERS,
    orders.UNPAID_SHARE,
    margin.COST_OF_GOODS,
    margin.COSTED_SHARE,
    margin.GROSS_MARGIN,
    margin.GROSS_MARGIN_SHARE,
    net_sales.REFUNDED_ITEMS,
    orders.RETURNING_ORDERS,
)


_CANCELLED = ("cancelled", "voided")
_UNPAID_ORDERS = select(fact_order.c.order_id).where(fact_order.c.is_valid, fact_order.c.is_unpaid)


def _line(key: str, label: str, amount: Column[Any], where: ColumnElement[bool], prepared: Column[Any]) -> Metric:
    return Metric(
        key=key,
        label=label,
        unit=Unit.MONEY,
        meaning=label,
        over=amount.table,
        amount=amount,
        where=where,
        prepared=func.sum(prepared),
    )


# Cancelled and voided orders: what Shopify's report counts and we do not.
_LEFT_OUT = fact_order.c.why_left_out.in_(_CANCELLED)
_LEFT_OUT_GROSS = _line(
    "cancelled_gross",
    "Goods of cancelled and voided orders",
    fact_order.c.gross_minor,
    _LEFT_OUT,
    by_day.c.left_out_gross_minor,
)
_LEFT_OUT_DISCOUNT = _line(
    "cancelled_discounts",
    "Discounts of cancelled and voided orders",
    fact_order.c.discount_minor,
    _LEFT_OUT,
    by_day.c.left_out_discount_minor,
)
_LEFT_OUT_REFUND = _line(
    "cancelled_refunds",
    "Refunds of cancelled and voided orders",
    fact_refund.c.goods_minor,
    fact_refund.c.why_left_out.in_(_CANCELLED),
    by_day.c.left_out_refund_minor,
)
# Unpaid orders: what WooCommerce's report leaves out and we count.
_IS_UNPAID = and_(fact_order.c.is_valid, fact_order.c.is_unpaid)
_UNPAID_GROSS = _line(
    "unpaid_gross", "Goods of unpaid orders", fact_order.c.gross_minor, _IS_UNPAID, by_day.c.unpaid_gross_minor
)
_UNPAID_DISCOUNT = _line(
    "unpaid_discounts",
    "Discounts of unpaid orders",
    fact_order.c.discount_minor,
    _IS_UNPAID,
    by_day.c.unpaid_discount_minor,
)
_UNPAID_REFUND = _line(
    "unpaid_refunds",
    "Refunds of unpaid orders",
    fact_refund.c.goods_minor,
    and_(fact_refund.c.is_valid, fact_refund.c.order_id.in_(_UNPAID_ORDERS)),
    by_day.c.unpaid_refund_minor,
)


def bridge(mart: Mart, scope: Scope) -> pd.DataFrame:
    """From our net sales to what Shopify and WooCommerce call net sales, each difference one line of money.

    Shopify-style: cancelled and voided orders count, and their refunds count when they are made.
    WooCommerce-style: cancelled and voided orders do not count, nor do orders that wait for payment.

    Returns:
        rows of ``line``, ``label``, ``kind`` (total or difference), ``amount_minor``. A total is the one
        before it plus the differences between them, to the cent.
    """
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    terms = [term for _, term in net_sales.NET_SALES.terms]
    shopify = [(1, _LEFT_OUT_GROSS), (-1, _LEFT_OUT_DISCOUNT), (-1, _LEFT_OUT_REFUND)]
    unpaid = [(-1, _UNPAID_GROSS), (1, _UNPAID_DISCOUNT), (1, _UNPAID_REFUND)]
    answers = measure(mart, [*terms, *(m for _, m in shopify), *(m for _, m in unpaid)], scope)
    at = ("all",)
    ours = value_of(net_sales.NET_SALES, answers, at)
    rows: list[tuple[str, str, str, int]] = [("ours", "Net sales", "total", ours)]
    for sign, metric in shopify:
        rows.append((metric.key, metric.label, "difference", sign * value_of(metric, answers, at)))
    like_shopify = sum(amount for *_, amount in rows)
    rows.append(("shopify", "Net sales, Shopify-style", "total", like_shopify))
    rows.append(("cancelled_again", "Cancelled and voided orders, taken out again", "difference", ours - like_shopify))
    for sign, metric in unpaid:
        rows.append((metric.key, metric.label, "difference", sign * value_of(metric, answers, at)))
    like_woo = ours + sum(sign * value_of(metric, answers, at) for sign, metric in unpaid)
    rows.append(("woocommerce", "Net sales, WooCommerce-style", "total", like_woo))
    return pd.DataFrame(rows, columns=["line", "label", "kind", "amount_minor"])


def best_sellers(mart: Mart, scope: Scope, before: Scope, limit: int = 8) -> pd.DataFrame:
    """The products that sold most in the period, against another period.

    Money is net on the behaviour basis, with refunds as known at the last refresh.

    Returns:
        rows of ``product_id``, ``product``, ``category``, ``orders``, ``units``, ``net_minor``,
        ``units_before``, ``net_before_minor``, most net sales first.
    """
    dimension, piece = scope.filters[0] if scope.filters else ("all", "all")
    if len(scope.filters) > 1 or dimension not in ("all", *NARROW_DIMENSIONS):
        lines = _lines_by_product(scope, before)
    else:
        when = or_(_between(product_day, scope), _between(product_day, before))
        lines = select(product_day).where(product_day.c.dimension == dimension, product_day.c.slice == piece, when)
    line = lines.subquery("line").c
    (now_from, now_to), (before_from, before_to) = days(scope), days(before)
    now, earlier = line.day.between(now_from, now_to - 1), line.day.between(before_from, before_to - 1)

    def total(column: Any, when: Any, label: str) -> Any:
        return cast(func.sum(case((when, column), else_=0)), BigInteger).label(label)

    best = (
        select(
            line.product_id,
            line.product,
            func.min(line.category).label("category"),
            total(line.orders, now, "orders"),
            total(line.units, now, "units"),
            total(line.net_minor, now, "net_minor"),
            total(line.units, earlier, "units_before"),
            total(line.net_minor, earlier, "net_before_minor"),
        )
        .group_by(line.product_id, line.product)
        .having(func.sum(case((now, line.orders), else_=0)) > 0)
        .order_by(func.sum(case((now, line.net_minor), else_=0)).desc(), line.product)
        .limit(limit)
    )
    return mart.frame(best, **parameters(mart, scope))


def _lines_by_product(scope: Scope, before: Scope) -> Select[Any]:
    """The same as ``product_day``, of the lines that the filters leave."""
    line = fact_item.c
    # Grouped by the product's number where it has one: names are slow to compare by the million.
    name = case((line.product_id.is_(None), line.product))
    return (
        select(
            line.day,
            line.product_id,
            func.max(line.product).label("product"),
            func.min(line.category).label("category"),
            func.count(func.distinct(line.order_id)).label("orders"),
            func.sum(line.quantity).label("units"),
            func.sum(line.net_minor).label("net_minor"),
        )
        .where(line.is_valid, filters_of(fact_item, scope))
        .where(or_(_between(fact_item, scope), _between(fact_item, before)))
        .group_by(line.day, line.product_id, name)
    )


def _between(table: Table, scope: Scope) -> ColumnElement[bool]:
    start, end = days(scope)
    return and_(table.c.day >= start, table.c.day < end)


def driver_totals(mart: Mart, scope: Scope) -> dict[str, float]:
    """What lib.stats.drivers.sales_drivers splits.

    Returns:
        ``customers``, ``orders`` and ``net`` of known customers, and ``unknown_net``. Net sales on the cash
        basis, in minor units; ``net + unknown_net`` is the figure net_sales.
    """
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    kinds = measure(mart, [*_net_terms(), orders.ORDERS], _split(scope, "customer_kind"))
    customers = measure(mart, [orders.CUSTOMERS], scope)[orders.CUSTOMERS].get(("all",)) or 0
    totals = {"customers": float(customers), "orders": 0.0, "net": 0.0, "unknown_net": 0.0}
    for at in {at for answer in kinds.values() for at in answer}:
        net = float(value_of(net_sales.NET_SALES, kinds, at))
        if at == ("unknown",):
            totals["unknown_net"] += net
        else:
            totals["net"] += net
            totals["orders"] += float(value_of(orders.ORDERS, kinds, at))
    return totals


def segment_totals(mart: Mart, scope: Scope, dimension: str) -> pd.DataFrame:
    """What lib.stats.drivers.mix_and_rate compares.

    Returns:
        rows of ``segment``, ``volume`` (orders; of categories units, since an order may be of several) and
        ``amount`` (net sales, cash, minor units), which add up to the figure net_sales.

    Raises:
        UnknownFigure: not one of the prepared dimensions.
    """
    if dimension not in DIMENSIONS:
        raise UnknownFigure(f"Net sales cannot be split by {dimension!r}; choose {', '.join(DIMENSIONS)}.")
    volume = orders.UNITS if dimension == "category" else orders.ORDERS
    answers = measure(mart, [*_net_terms(), volume], _split(scope, dimension))
    pieces = sorted({at for answer in answers.values() for at in answer})
    return pd.DataFrame(
        {
            "segment": [str(at[0]) for at in pieces],
            "volume": [float(value_of(volume, answers, at)) for at in pieces],
            "amount": [float(value_of(net_sales.NET_SALES, answers, at)) for at in pieces],
        }
    )


def _net_terms() -> list[Metric]:
    return [term for _, term in net_sales.NET_SALES.terms]


def _split(scope: Scope, dimension: str) -> Scope:
    return Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters, by=dimension)
