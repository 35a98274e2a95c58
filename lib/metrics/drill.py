"""The rows behind a figure: always from the facts, and they add up to it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Select,
    String,
    Table,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from lib.mart.schema import fact_order
from lib.metrics.catalogue import with_checked
from lib.metrics.definition import Age, Combined, Mart, Metric, Part, Ratio, Scope, Spread, Worked
from lib.metrics.measure import (
    AS_OF_DAY,
    condition,
    day_of_row,
    days,
    filters_of,
    form_of,
    parameters,
    sums_of,
)
from lib.periods import day_of

# Which column names a row of each table, for people and for links.
COLUMNS = ("what", "day", "number", "order_id", "customer_id", "row_id", "amount")


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of the rows behind a figure.

    ``frame``: ``what`` (the term or the reason), ``day`` (date), ``number`` (of the order), ``order_id``,
    ``customer_id``, ``row_id`` (key in its own table), ``amount`` (what the row adds; minor units of money).
    ``total_rows`` and ``total_value`` are of all pages.
    """

    frame: pd.DataFrame
    total_rows: int
    total_value: float | int


def rows(
    mart: Mart, key: str, scope: Scope, *, offset: int = 0, limit: int | None = 50, part: Part = "numerator"
) -> Rows:
    """One page of the rows behind a figure's numerator, denominator, or what it leaves out.

    The amounts of all rows add up to that part of the figure, to the cent; of a median they are the
    single values. ``limit`` None gives all.

    Raises:
        UnknownFigure: a key or dimension, or a figure that has no such part.
    """
    metric = with_checked(key, scope)
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    if isinstance(metric, Worked):
        behind = None if metric.behind is None else metric.behind(metric, scope, part)
    else:
        behind = _behind(metric, scope, part)
    if behind is None:
        return Rows(pd.DataFrame(columns=list(COLUMNS)), 0, 0)
    found = behind.subquery("found")
    values = parameters(mart, scope)
    is_whole = not isinstance(metric, Spread) or part == "left_out"
    total = cast(func.sum(found.c.amount), BigInteger) if is_whole else func.sum(found.c.amount)
    totals = mart.frame(
        select(cast(func.count(), BigInteger).label("n"), total.label("value")).select_from(found), **values
    )
    page = select(*(found.c[name] for name in COLUMNS)).order_by(
        found.c.day, found.c.what, found.c.order_id, found.c.row_id
    )
    if limit is not None:
        page = page.limit(limit).offset(offset)
    frame = mart.frame(page, **values).copy()
    frame["day"] = [None if pd.isna(day) else day_of(int(day)) for day in frame["day"]]
    for name in ("order_id", "customer_id", "row_id"):
        frame[name] = frame[name].astype("Int64")
    value = totals["value"].iloc[0]
    number = 0 if pd.isna(value) else value
    return Rows(frame, int(totals["n"].iloc[0]), int(number) if is_whole else float(number))


def _behind(metric: Metric | Combined | Ratio | Spread | Age, scope: Scope, part: Part) -> Select[Any] | None:
    signed: list[tuple[str, int, Metric]]
    if part == "left_out":
        signed = [(reason, 1, counted) for reason, counted in metric.left_out]
    else:
        match metric:
            case Metric():
                signed = [(metric.label, 1, metric)] if part == "numerator" else []
            case Combined():
                signed = [(term.label, sign, term) for sign, term in metric.terms] if part == "numerator" else []
            case Ratio():
                side = metric.top if part == "numerator" else metric.bottom
                signs = [1] if isinstance(side, Metric) else [sign for sign, _ in side.terms]
                signed = [(term.label, sign, term) for sign, term in zip(signs, sums_of(side), strict=True)]
            case Spread():
                return _single_values(metric, scope) if part == "numerator" else None
            case Age():
                signed = [(metric.cases.label, 1, metric.cases)] if part == "numerator" else []
    if not signed:
        return None
    parts = [_of_one(what, sign, counted, scope) for what, sign, counted in signed]
    together = union_all(*parts).subquery("parts") if len(parts) > 1 else parts[0].subquery("parts")
    return select(together)


def _of_one(what: str, sign: int, metric: Metric, scope: Scope) -> Select[Any]:
    form = form_of(metric, scope)
    if not isinstance(form, Metric):
        raise TypeError("a sum is asked of its lines as a sum")
    over = form.over
    amount = literal(1) if form.amount is None else form.amount
    counted = and_(_in_time(form, scope), condition(form), filters_of(over, scope))
    if form.amount is not None:
        counted = and_(counted, form.amount != 0)
    if form.distinct is not None:
        return _distinct(what, sign, form, counted)
    return _columns(what, over, cast(amount, BigInteger) * sign, form).where(counted)


def _single_values(metric: Spread, scope: Scope) -> Select[Any]:
    cases = metric.cases
    counted = and_(_in_time(cases, scope), condition(cases), filters_of(metric.over, scope))
    return _columns(metric.label, metric.over, cast(metric.amount, Double), cases).where(counted)


def _in_time(metric: Metric, scope: Scope) -> ColumnElement[bool]:
    start, end = days(scope)
    day = day_of_row(metric)
    return metric.over.c.day < AS_OF_DAY if day is None else and_(day >= start, day < end)


def _columns(what: str, over: Table, amount: ColumnElement[Any], metric: Metric) -> Select[Any]:
    day = day_of_row(metric)
    source: Any = over
    number: ColumnElement[Any] = null()
    if over is fact_order:
        number = fact_order.c.number
    elif "order_id" in over.c:
        source = over.join(fact_order, fact_order.c.order_id == over.c.order_id, isouter=True)
        number = fact_order.c.number
    order_id = over.c.order_id if "order_id" in over.c else null()
    return select(
        literal(what).label("what"),
        cast(over.c.day if day is None else day, Integer).label("day"),
        cast(number, String).label("number"),
        cast(order_id, BigInteger).label("order_id"),
        cast(over.c.customer_id if "customer_id" in over.c else null(), BigInteger).label("customer_id"),
        cast(next(iter(over.c)), BigInteger).label("row_id"),
        amount.label("amount"),
    ).select_from(source)


def _distinct(what: str, sign: int, metric: Metric, counted: ColumnElement[bool]) -> Select[Any]:
    """One row for each distinct value, with its first day in the period."""
    over = metric.over
    columns: list[ColumnElement[Any]] = [
        literal(what).label("what"),
        cast(func.min(over.c.day), Integer).label("day"),
        cast(func.min(over.c.number) if "number" in over.c else null(), String).label("number"),
        cast(func.min(over.c.order_id), BigInteger).label("order_id"),
        cast(func.min(over.c.customer_id), BigInteger).label("customer_id"),
        cast(metric.distinct, BigInteger).label("row_id"),
        cast(literal(sign), BigInteger).label("amount"),
    ]
    return select(*columns).where(counted).group_by(metric.distinct)


def all_rows(mart: Mart, key: str, scope: Scope, part: Part = "numerator") -> pd.DataFrame:
    """All rows behind a part of a figure, as they are downloaded."""
    return rows(mart, key, scope, limit=None, part=part).frame
