"""The cohorts opened: a cell of the triangle and a point of the worth curve, each with the rows that make it."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, cast, func, literal, null, select

from lib.errors import UnknownFigure
from lib.mart.schema import dim_customer, fact_order
from lib.metrics.account import REFUNDS_KNOWN_NOW, Account, Number
from lib.metrics.catalogue import find
from lib.metrics.cohorts import cohorts, worth
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.drill import Behind
from lib.metrics.read import named
from lib.periods import Period, day_index, month_start
from lib.stats.intervals import wilson

_order, _person = fact_order.c, dim_customer.c
WORTH = (
    "Net sales per customer up to and with month k since the first order, less refunds (behaviour). Each month counts "
    "the cohorts that are complete in it, so every cohort counts for as long as it has been followed."
)


def cell_account(mart: Mart, scope: Scope, month: int, k: int, *, is_money: bool) -> Account:
    """A complete cell of :func:`lib.metrics.cohorts.cohorts`, with its customers or orders.

    Args:
        month: the cohort's month index.
        k: months since the first order.
        is_money: net sales of months 0 to k together; else the customers who bought in month k.
    Raises:
        UnknownFigure: no such cell, or its month is not over.
    """
    metric = find("cohort_revenue" if is_money else "cohort_retention")
    cells = cohorts(mart, scope)
    rows = cells[(cells["cohort_month"] == month) & (cells["k"] == k)] if len(cells) else cells
    if rows.empty or not bool(rows["is_mature"].iloc[0]):
        raise UnknownFigure(f"Month {k} of the cohort {_written(month)} is not complete.")
    cell = rows.iloc[0]
    size, top = int(cell["size"]), int(cell["net_minor" if is_money else "customers"])
    low, high = (None, None) if is_money else wilson(top, size)
    unit = Unit.MONEY if is_money else Unit.COUNT
    what = f"Net sales of months 0 to {k}" if is_money else f"Customers who bought in month {k}"
    return Account(
        key=f"{metric.key}_{_written(month)}_month_{k}",
        label=f"{_written(month)}, month {k}",
        period=Period(month_start(month + (0 if is_money else k)), month_start(month + k + 1)),
        value=top / size,
        unit=metric.unit,
        meaning=f"{metric.meaning} {metric.note}",
        formula=f"{what} ÷ customers of the cohort",
        counted=f"Customers whose first order lies in {month_start(month):%B %Y}{_filtered(scope)}, as known before "
        f"{scope.as_of:%-d %b %Y}. Complete since {month_start(month + k + 1):%-d %b %Y}. {REFUNDS_KNOWN_NOW}",
        worked="{top} ÷ {bottom}",
        numbers=(
            Number(name="top", label=what, value=top, unit=unit),
            Number(name="bottom", label="Customers of the cohort", value=size, unit=Unit.COUNT),
        ),
        n=size,
        low=low,
        high=high,
        parts={
            what: Behind(statement=_bought(scope, month, k, is_money=is_money), unit=unit),
            "Customers of the cohort": Behind(
                statement=_customers(and_(_person.cohort_month == month, _filters(scope))), unit=Unit.COUNT
            ),
        },
    )


def worth_account(mart: Mart, scope: Scope, k: int) -> Account:
    """A point of the curve of :func:`lib.metrics.cohorts.worth`, with the orders and customers of its month.

    Raises:
        UnknownFigure: no cohort is complete in that month.
    """
    cells = cohorts(mart, scope)
    curve = worth(cells)
    rows = curve[curve["k"] == k]
    if rows.empty:
        raise UnknownFigure(f"No cohort has been followed for {k} months.")
    point = rows.iloc[0]
    mature = cells[cells["is_mature"].astype(bool) & (cells["k"] == k)]
    months = [int(month) for month in mature["cohort_month"]]
    young = cells[(cells["k"] == 0) & ~cells["cohort_month"].isin(months)]
    net, customers = int(mature["month_net_minor"].sum()), int(mature["size"].sum())
    before = float(point["net_per_customer_minor"]) - float(point["month_minor"])
    order_rows = _orders(
        and_(_order.cohort_month.in_(months), _order.month == _order.cohort_month + k, _filters(scope))
    )
    numbers = (
        Number(name="before", label=f"Per customer in months 0 to {k - 1}", value=before, unit=Unit.MONEY),
        Number(name="net", label=f"Net sales in month {k}", value=net, unit=Unit.MONEY),
        Number(name="customers", label=f"Customers followed for {k} months", value=customers, unit=Unit.COUNT),
    )
    return Account(
        key=f"worth_month_{k}",
        label=f"Worth after {k} months",
        period=Period(month_start(min(months)), month_start(max(months) + k + 1)),
        value=float(point["net_per_customer_minor"]),
        unit=Unit.MONEY,
        meaning=WORTH,
        formula="Worth up to the month before + net sales of month k ÷ customers followed so long",
        counted=f"Customers whose first order lies in {month_start(min(months)):%B %Y} to "
        f"{month_start(max(months)):%B %Y}"
        f"{_filtered(scope)}, as known before {scope.as_of:%-d %b %Y}. {REFUNDS_KNOWN_NOW}",
        worked="{before} + {net} ÷ {customers}" if k else "{net} ÷ {customers}",
        numbers=numbers if k else numbers[1:],
        n=customers,
        left_out={"not followed so long yet": int(young["size"].sum())} if len(young) else {},
        parts={
            f"Net sales in month {k}": Behind(statement=order_rows, unit=Unit.MONEY),
            "Customers followed": Behind(
                statement=_customers(and_(_person.cohort_month.in_(months), _filters(scope))), unit=Unit.COUNT
            ),
            **({"Left out": _left_out(scope, young["cohort_month"].tolist())} if len(young) else {}),
        },
    )


def _left_out(scope: Scope, months: list[int]) -> Behind:
    """The customers of cohorts that are too young, as known at the as-of day."""
    known = _person.first_day < day_index(scope.as_of)
    statement = _customers(and_(_person.cohort_month.in_(months), known, _filters(scope)))
    return Behind(statement=statement, unit=Unit.COUNT)


def _bought(scope: Scope, month: int, k: int, *, is_money: bool) -> Select[Any]:
    """The orders of months 0 to k with their net sales; else who bought in month k, on the first day they did."""
    in_time = _order.month.between(month, month + k) if is_money else _order.month == month + k
    where = and_(_order.cohort_month == month, in_time, _filters(scope))
    if is_money:
        return _orders(where)
    columns: list[ColumnElement[Any]] = [
        literal("customer").label("what"),
        func.min(_order.day).label("day"),
        cast(func.min(_order.number), String).label("number"),
        cast(func.min(_order.order_id), BigInteger).label("order_id"),
        cast(_order.customer_id, BigInteger).label("customer_id"),
        cast(_order.customer_id, BigInteger).label("row_id"),
        cast(literal(1), BigInteger).label("amount"),
    ]
    found = select(*columns).select_from(_of_people()).where(_order.is_valid, where)
    return found.group_by(_order.customer_id)


def _orders(where: ColumnElement[bool]) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [
        literal("order").label("what"),
        _order.day,
        cast(_order.number, String).label("number"),
        cast(_order.order_id, BigInteger).label("order_id"),
        cast(_order.customer_id, BigInteger).label("customer_id"),
        cast(_order.order_id, BigInteger).label("row_id"),
        cast(_order.net_minor, BigInteger).label("amount"),
    ]
    return select(*columns).select_from(_of_people()).where(_order.is_valid, where)


def _customers(where: ColumnElement[bool]) -> Select[Any]:
    """Customers, one row each, on the day of their first order."""
    columns: list[ColumnElement[Any]] = [
        literal("customer").label("what"),
        _person.first_day.label("day"),
        cast(null(), String).label("number"),
        cast(null(), BigInteger).label("order_id"),
        _person.customer_id,
        _person.customer_id.label("row_id"),
        cast(literal(1), BigInteger).label("amount"),
    ]
    return select(*columns).where(where)


def _of_people() -> Any:
    return fact_order.join(dim_customer, _order.customer_id == _person.customer_id)


def _filters(scope: Scope) -> ColumnElement[bool]:
    return and_(literal(True), *(_person[f"first_{name}"] == value for name, value in scope.filters))


def _filtered(scope: Scope) -> str:
    return f" ({named(scope.filters)})" if scope.filters else ""


def _written(month: int) -> str:
    return f"{month_start(month):%Y-%m}"
