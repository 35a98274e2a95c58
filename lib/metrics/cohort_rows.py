"""The rows behind a cell of the cohort triangle: always from the facts, and they add up to it."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, String, and_, cast, func, literal, select

from lib.mart.schema import dim_customer, fact_order
from lib.metrics.definition import Mart, Scope
from lib.metrics.drill import Rows
from lib.periods import day_of


def cell_rows(
    mart: Mart, scope: Scope, month: int, k: int, *, is_money: bool, offset: int = 0, limit: int | None = 50
) -> Rows:
    """A page of what stands behind a cell of :func:`lib.metrics.cohorts.cohorts`; the amounts of all rows add up to it.

    Args:
        month: the cohort's month index.
        k: months since the first order.
        is_money: the orders of months 0 to k with their net sales; else the customers who bought in month k,
            one row each, on the day of their first order of that month.
    """
    order, person = fact_order.c, dim_customer.c
    source = fact_order.join(dim_customer, order.customer_id == person.customer_id)
    in_time = order.month.between(month, month + k) if is_money else order.month == month + k
    counted = and_(
        order.is_valid,
        order.cohort_month == month,
        in_time,
        *(person[f"first_{name}"] == value for name, value in scope.filters),
    )
    once: Any = (lambda column: column) if is_money else func.min
    amount = order.net_minor if is_money else literal(1)
    columns = (
        literal("order" if is_money else "customer").label("what"),
        once(order.day).label("day"),
        cast(once(order.number), String).label("number"),
        cast(once(order.order_id), BigInteger).label("order_id"),
        cast(order.customer_id, BigInteger).label("customer_id"),
        cast(order.order_id if is_money else order.customer_id, BigInteger).label("row_id"),
        cast(amount, BigInteger).label("amount"),
    )
    statement: Any = select(*columns).select_from(source).where(counted)
    if not is_money:
        statement = statement.group_by(order.customer_id)
    found = statement.subquery("found")
    counts: Any = select(
        cast(func.count(), BigInteger).label("n"), cast(func.sum(found.c.amount), BigInteger).label("value")
    ).select_from(found)
    totals = mart.frame(counts)
    page = select(found).order_by(found.c.day, found.c.row_id)
    if limit is not None:
        page = page.limit(limit).offset(offset)
    frame = mart.frame(page).copy()
    frame["day"] = [None if pd.isna(day) else day_of(int(day)) for day in frame["day"]]
    for name in ("order_id", "customer_id", "row_id"):
        frame[name] = frame[name].astype("Int64")
    value = totals["value"].iloc[0]
    return Rows(frame, int(totals["n"].iloc[0]), 0 if pd.isna(value) else int(value))
