"""Sales: the figures, and the questions that need several of them at once."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, case, cast, func, or_, select

from lib.errors import UnknownFigure
from lib.mart.schema import DIMENSIONS, NARROW_DIMENSIONS, fact_item, product_day
from lib.metrics import margin, net_sales, orders
from lib.metrics.definition import Mart, Metric, Scope
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


def best_sellers(
    mart: Mart, scope: Scope, before: Scope, limit: int = 8, *, only: tuple[int | None, str] | None = None
) -> pd.DataFrame:
    """The products that sold most in the period, against another period.

    Money is net on the behaviour basis, with refunds as known at the last refresh.

    Args:
        only: number (null where it has none) and name of the one product asked for.
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
    if only is not None:
        number, name = only
        unnumbered = and_(line.product_id.is_(None), line.product == name)
        best = best.where(unnumbered if number is None else line.product_id == number)
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
