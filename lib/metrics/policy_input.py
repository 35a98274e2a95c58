"""What a change of delivery or of returns is reckoned from: who was late, or sent something back, and bought again.

A relation, like compared with like (country, quarter, first or later order, value), and no proof of a cause.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, case, cast, false, func, select

from lib.errors import NotEnoughData
from lib.mart.schema import fact_order, fact_return
from lib.metrics.definition import Mart
from lib.periods import day_index
from lib.stats.adjust import Adjusted, mantel_haenszel

# Bought again within so many days of the delivery.
WITHIN = 90
# Returns until this day count; purchases after it, up to the other: else who buys at once could not have returned yet.
LANDMARK, UNTIL = 30, 120
A_YEAR = 365

_order = fact_order.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A relation and what it acts on: ``a_year`` orders of the last year, ``share`` of them exposed."""

    relation: Adjusted
    unexposed_share: float
    a_year: int
    share: float


def lateness(mart: Mart, as_of: date) -> Measured:
    """Whether customers whose parcel came late buy again within 90 days of it.

    Raises:
        NotEnoughData: nobody to compare.
    """
    today = day_index(as_of)
    next_day = _order.day + _order.next_gap
    known = and_(_order.is_late.is_not(None), _order.delivered_day.is_not(None), _order.delivered_day < today)
    waited = and_(
        known,
        _order.delivered_day + WITHIN < today,
        # Who bought again before it came was not moved by its coming.
        func.coalesce(next_day >= _order.delivered_day, True),
    )
    again = func.coalesce(next_day <= _order.delivered_day + WITHIN, false())
    return _measured(mart, fact_order, exposed=_order.is_late, again=again, among=waited, counted=known, today=today)


def returning(mart: Mart, as_of: date) -> Measured:
    """Whether customers who sent something back by day 30 buy again from day 31 to day 120.

    Raises:
        NotEnoughData: nobody to compare.
    """
    today = day_index(as_of)
    sent = (
        select(fact_return.c.order_id, func.min(fact_return.c.day).label("day"))
        .where(fact_return.c.is_valid, fact_return.c.status != "rejected")
        .group_by(fact_return.c.order_id)
        .subquery("sent")
    )
    source = fact_order.outerjoin(sent, sent.c.order_id == _order.order_id)
    exposed = func.coalesce(sent.c.day <= _order.day + LANDMARK, false())
    waited = and_(_order.day + UNTIL < today, func.coalesce(_order.next_gap > LANDMARK, True))
    again = func.coalesce(_order.next_gap <= UNTIL, false())
    counted = _order.day + LANDMARK < today
    return _measured(mart, source, exposed=exposed, again=again, among=waited, counted=counted, today=today)


def _measured(
    mart: Mart,
    source: Any,
    *,
    exposed: ColumnElement[bool],
    again: ColumnElement[bool],
    among: ColumnElement[bool],
    counted: ColumnElement[bool],
    today: int,
) -> Measured:
    valid = [_order.is_valid, _order.is_first_of_day, _order.customer_id.is_not(None), _order.day < today]
    like = [
        _order.country.label("country"),
        cast(func.floor(_order.month / 3.0), Integer).label("quarter"),
        (_order.occasion == 1).label("is_first"),
        cast(func.floor(func.ln(1.0 * _order.gross_minor) / 0.7), Integer).label("value"),
    ]
    strata = mart.frame(
        select(
            *like,
            _count(and_(exposed, again)).label("exposed_cases"),
            _count(exposed).label("exposed"),
            _count(and_(~exposed, again)).label("unexposed_cases"),
            _count(~exposed).label("unexposed"),
        )
        .select_from(source)
        .where(*valid, among)
        .group_by(*like)
    )
    if strata.empty:
        raise NotEnoughData("Nobody has been followed long enough to compare.")
    relation = mantel_haenszel(strata)
    sides: list[ColumnElement[Any]] = [_count(exposed).label("exposed"), _count(~exposed).label("rest")]
    year = mart.frame(select(*sides).select_from(source).where(*valid, counted, _order.day >= today - A_YEAR)).iloc[0]
    hit, rest = (0 if value != value else int(value) for value in (year["exposed"], year["rest"]))
    return Measured(
        relation=relation,
        unexposed_share=float(strata["unexposed_cases"].sum()) / max(float(strata["unexposed"].sum()), 1.0),
        a_year=hit + rest,
        share=hit / (hit + rest) if hit + rest else 0.0,
    )


def _count(holds: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(case((holds, 1), else_=0)), 0), BigInteger)
