"""The rows behind what is shown: always from the facts, and they add up to it."""

from collections.abc import Sequence
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
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.visitors import replacement_traverse

from lib.mart.schema import fact_order
from lib.metrics.catalogue import with_checked
from lib.metrics.definition import Age, Combined, Mart, Metric, Part, Ratio, Scope, Spread, Unit, Worked
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What finds the rows behind one part of a figure, and how their amounts are to be read.

    ``statement`` selects COLUMNS and the columns named in ``more`` (column, heading); it holds its own values.
    ``adds_up``: the amounts add up to the part; else they are the single values of a median or a mean.
    """

    statement: Select[Any]
    unit: Unit
    more: tuple[tuple[str, str], ...] = ()
    adds_up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One signed sum among those that a part is put together from, asked of its own days."""

    sign: int
    metric: Metric
    scope: Scope
    what: str = ""


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


def page(mart: Mart, behind: Behind | None, *, offset: int = 0, limit: int | None = 50) -> Rows:
    """One page of the rows behind a part; ``limit`` None gives all, nothing behind gives none."""
    if behind is None:
        return Rows(pd.DataFrame(columns=list(COLUMNS)), 0, 0)
    found = behind.statement.subquery("found")
    total = cast(func.sum(found.c.amount), BigInteger) if behind.adds_up else func.sum(found.c.amount)
    totals = mart.frame(select(cast(func.count(), BigInteger).label("n"), total.label("value")).select_from(found))
    columns = (*COLUMNS, *(name for name, _ in behind.more))
    asked = select(*(found.c[name] for name in columns)).order_by(
        found.c.day, found.c.what, found.c.order_id, found.c.row_id
    )
    if limit is not None:
        asked = asked.limit(limit).offset(offset)
    frame = mart.frame(asked)
    frame["day"] = [None if pd.isna(day) else day_of(int(day)) for day in frame["day"]]
    for name in ("order_id", "customer_id", "row_id"):
        frame[name] = frame[name].astype("Int64")
    value = totals["value"].iloc[0]
    number = 0 if pd.isna(value) else value
    return Rows(frame, int(totals["n"].iloc[0]), int(number) if behind.adds_up else float(number))


def behind_terms(mart: Mart, terms: Sequence[Term], unit: Unit) -> Behind:
    """The rows of several signed sums together; each may be asked of days and filters of its own."""
    parts = [_of_one(mart, term) for term in terms]
    together = union_all(*parts).subquery("parts") if len(parts) > 1 else parts[0].subquery("parts")
    return Behind(statement=select(together), unit=unit)


def terms_of(metric: Metric | Combined, scope: Scope) -> list[Term]:
    """The signed sums that a figure is put together from."""
    signs = [1] if isinstance(metric, Metric) else [sign for sign, _ in metric.terms]
    return [
        Term(sign=sign, metric=part, scope=scope, what=part.label)
        for sign, part in zip(signs, sums_of(metric), strict=True)
    ]


def behind_figure(mart: Mart, key: str, scope: Scope, part: Part = "numerator") -> Behind | None:
    """The rows behind a figure's numerator, denominator, or what it leaves out; None where it has no such part.

    Raises:
        UnknownFigure: a key, or a dimension that the figure cannot be filtered by.
    """
    metric = with_checked(key, scope)
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    if isinstance(metric, Worked):
        statement = None if metric.behind is None else metric.behind(metric, scope, part)
        top, bottom = metric.parts
        unit = {"numerator": top, "denominator": bottom, "left_out": Unit.COUNT}[part]
        return None if statement is None else Behind(statement=statement, unit=unit)
    if part == "left_out":
        left = [Term(sign=1, metric=counted, scope=scope, what=reason) for reason, counted in metric.left_out]
        return behind_terms(mart, left, Unit.COUNT) if left else None
    match metric:
        case Ratio():
            side = metric.top if part == "numerator" else metric.bottom
            return behind_terms(mart, terms_of(side, scope), side.unit)
        case _ if part == "denominator":
            return None
        case Metric() | Combined():
            return behind_terms(mart, terms_of(metric, scope), metric.unit)
        case Spread():
            return Behind(statement=_single_values(mart, metric, scope), unit=metric.unit, adds_up=False)
        case Age():
            return behind_terms(mart, terms_of(metric.cases, scope), Unit.COUNT)


def rows(
    mart: Mart, key: str, scope: Scope, *, offset: int = 0, limit: int | None = 50, part: Part = "numerator"
) -> Rows:
    """One page of the rows behind a figure's numerator, denominator, or what it leaves out.

    The amounts of all rows add up to that part of the figure, to the cent; of a median they are the
    single values. ``limit`` None gives all.

    Raises:
        UnknownFigure: a key, or a dimension that the figure cannot be filtered by.
    """
    return page(mart, behind_figure(mart, key, scope, part), offset=offset, limit=limit)


def bound(mart: Mart, statement: Select[Any], scope: Scope) -> Select[Any]:
    """The statement with the question's days in the places kept for them: two questions then fit into one."""
    values = parameters(mart, scope)

    def value_of(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key in values:
            return literal(values[element.key], element.type)
        return None

    found: Any = replacement_traverse(statement, {}, value_of)
    assert isinstance(found, Select)
    return found


def _of_one(mart: Mart, term: Term) -> Select[Any]:
    form = form_of(term.metric, term.scope)
    if not isinstance(form, Metric):
        raise TypeError("a sum is asked of its lines as a sum")
    what = term.what or term.metric.label
    amount = literal(1) if form.amount is None else form.amount
    counted = and_(_in_time(form, term.scope), condition(form), filters_of(form.over, term.scope))
    if form.amount is not None:
        counted = and_(counted, form.amount != 0)
    if form.distinct is not None:
        found = _distinct(what, term.sign, form, counted)
    else:
        found = _columns(what, form.over, cast(amount, BigInteger) * term.sign, form).where(counted)
    return bound(mart, found, term.scope)


def _single_values(mart: Mart, metric: Spread, scope: Scope) -> Select[Any]:
    cases = metric.cases
    counted = and_(_in_time(cases, scope), condition(cases), filters_of(metric.over, scope))
    found = _columns(metric.label, metric.over, cast(metric.amount, Double), cases).where(counted)
    return bound(mart, found, scope)


def _in_time(metric: Metric, scope: Scope) -> ColumnElement[bool]:
    start, end = days(scope)
    day = day_of_row(metric)
    return metric.over.c.day < AS_OF_DAY if day is None else and_(day >= start, day < end)


def _source(over: Table) -> tuple[Any, ColumnElement[Any]]:
    """Where a row of a table is read from, and the number of its order."""
    if over is fact_order:
        return over, fact_order.c.number
    if "order_id" in over.c:
        return over.join(fact_order, fact_order.c.order_id == over.c.order_id, isouter=True), fact_order.c.number
    return over, null()


def _columns(what: str, over: Table, amount: ColumnElement[Any], metric: Metric) -> Select[Any]:
    day = day_of_row(metric)
    source, number = _source(over)
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
    source, number = _source(over)
    columns: list[ColumnElement[Any]] = [
        literal(what).label("what"),
        cast(func.min(over.c.day), Integer).label("day"),
        cast(func.min(number), String).label("number"),
        cast(func.min(over.c.order_id), BigInteger).label("order_id"),
        cast(func.min(over.c.customer_id), BigInteger).label("customer_id"),
        cast(metric.distinct, BigInteger).label("row_id"),
        cast(literal(sign), BigInteger).label("amount"),
    ]
    return select(*columns).select_from(source).where(counted).group_by(metric.distinct)
