"""What the lifetime model is fitted to: each customer's purchases, read once and grouped by the engine."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Double, Integer, Subquery, and_, case, cast, func, select, tuple_

from lib.errors import UnknownFigure
from lib.mart.schema import FIRST_DIMENSIONS, dim_customer, fact_order
from lib.metrics.definition import Mart, Scope
from lib.metrics.measure import days

# Values within about 2 % of one another share a row of the value model's table.
_STEPS = 50.0


def known_orders(scope: Scope, cut: int) -> ColumnElement[bool]:
    """The orders of the customers whom the model counts at ``cut``: their first order lies before it, in the period."""
    order = fact_order.c
    start, end = days(scope)
    conditions = [order.is_valid, order.customer_id.is_not(None)]
    conditions += [order.first_day >= start, order.first_day < min(end, cut)]
    for name, piece in scope.filters:
        if name not in FIRST_DIMENSIONS:
            raise UnknownFigure(f"Customers are not split by {name!r} of their first order.")
        among = select(dim_customer.c.customer_id).where(dim_customer.c[f"first_{name}"] == piece)
        conditions.append(order.customer_id.in_(among))
    return and_(*conditions)


def customers(scope: Scope, cut: int, as_of: int) -> Subquery:
    """One row per customer known at ``cut``: repeat occasions and money before it, occasions after it."""
    order = fact_order.c
    before, later = order.day < cut, and_(order.day >= cut, order.day < as_of)

    def total(condition: Any, amount: Any) -> Any:
        return cast(func.sum(case((condition, amount), else_=0)), BigInteger)

    return (
        select(
            order.customer_id,
            func.min(order.first_day).label("first_day"),
            func.max(case((before, order.day))).label("last_day"),
            (total(and_(before, order.is_first_of_day), 1) - 1).label("x"),
            total(and_(later, order.is_first_of_day), 1).label("later"),
            total(and_(before, order.occasion > 1), order.net_minor).label("repeat_net"),
        )
        .where(known_orders(scope, cut))
        .group_by(order.customer_id)
        .subquery("customers")
    )


def first_day(mart: Mart, scope: Scope) -> int | None:
    """The first order day of the question's earliest customer; null when there is none."""
    start, end = days(scope)
    person = dim_customer.c
    among = [person[f"first_{name}"] == piece for name, piece in scope.filters if name in FIRST_DIMENSIONS]
    found = mart.frame(
        select(func.min(person.first_day).label("first_day")).where(
            person.first_day >= start, person.first_day < end, *among
        )
    )["first_day"].iloc[0]
    return None if pd.isna(found) else int(found)


def _people(scope: Scope, cut: int, as_of: int) -> Subquery:
    """One row per customer known at the as-of day, as she stands there and as she stood at ``cut``.

    ``x``, ``last_day``, ``repeat_net``: before the as-of day; ``x_cut``, ``last_cut``: before ``cut`` (null for who
    came later); ``later``: occasions since.
    """
    order = fact_order.c
    before = order.day < cut

    def total(condition: Any, amount: Any) -> Any:
        return cast(func.sum(case((condition, amount), else_=0)), BigInteger)

    x_cut = total(and_(before, order.is_first_of_day), 1) - 1
    return (
        select(
            func.min(order.first_day).label("first_day"),
            func.max(order.day).label("last_day"),
            (total(order.is_first_of_day, 1) - 1).label("x"),
            total(order.occasion > 1, order.net_minor).label("repeat_net"),
            func.max(case((before, order.day))).label("last_cut"),
            case((x_cut >= 0, x_cut)).label("x_cut"),
            total(and_(~before, order.is_first_of_day), 1).label("later"),
        )
        .where(known_orders(scope, as_of), order.day < as_of)
        .group_by(order.customer_id)
        .subquery("customers")
    )


# The three tables of one reading, as the engine's grouping() numbers them: a bit for each column left out.
NOW, THEN, WORTH = 0b00110, 0b11000, 0b01111


def read_input(mart: Mart, scope: Scope, as_of: int, cut: int) -> pd.DataFrame:
    """All that the fit needs, in one pass over the purchases.

    Returns:
        rows of ``kind``, ``x``, ``first_day``, ``last_day``, ``n``, ``later``, ``repeat_net``, ``mean``: customers as
        they stand at the as-of day (``NOW``), as they stood at ``cut`` (``THEN``), and repeat customers by
        occasions and steps of their mean value of an occasion (``WORTH``; minor units, 0 or less left out).
    """
    one = _people(scope, cut, as_of).c
    mean = case((and_(one.x > 0, one.repeat_net > 0), cast(one.repeat_net, Double) / cast(one.x, Double)))
    people = select(
        one.x,
        one.last_day,
        one.x_cut,
        one.last_cut,
        one.first_day,
        one.later,
        one.repeat_net,
        mean.label("mean"),
        cast(func.floor(func.ln(mean) * _STEPS), Integer).label("step"),
    ).subquery("people")
    of = people.c
    sets = ((of.first_day, of.x, of.last_day), (of.first_day, of.x_cut, of.last_cut), (of.x, of.step))
    # bits: x, last_day, x_cut, last_cut, first_day (and not step, which WORTH alone has)
    kind = func.grouping(of.x, of.last_day, of.x_cut, of.last_cut, of.first_day)

    def total(column: Any, label: str) -> Any:
        return cast(func.sum(column), BigInteger).label(label)

    frame = mart.frame(
        select(
            cast(kind, Integer).label("kind"),
            func.coalesce(of.x, of.x_cut).label("x"),
            of.first_day,
            func.coalesce(of.last_day, of.last_cut).label("last_day"),
            of.step,
            cast(func.count(), BigInteger).label("n"),
            total(of.later, "later"),
            total(of.repeat_net, "repeat_net"),
            func.avg(of.mean).label("mean"),
        ).group_by(func.grouping_sets(*(tuple_(*columns) for columns in sets)))
    )
    # Who came after the cut has no state there, and who is worth nothing (or never came back) no step.
    is_known = frame["x"].notna() & ((frame["kind"] != WORTH) | frame["step"].notna())
    return frame[is_known]
