"""The bridge: from our net sales to what Shopify and WooCommerce call net sales, each difference one line of money."""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Column, ColumnElement, and_, func, select

from lib.errors import UnknownFigure
from lib.mart.schema import by_day, fact_order, fact_refund
from lib.metrics.account import Account, added_up, counted_in, left_out_of
from lib.metrics.definition import Mart, Metric, Scope, Unit
from lib.metrics.drill import Term, behind_terms
from lib.metrics.measure import measure, value_of
from lib.metrics.net_sales import NET_SALES
from lib.metrics.orders import LEFT_OUT_ORDERS, UNPAID_ORDERS

_CANCELLED = ("cancelled", "voided")
_UNPAID_ORDERS = select(fact_order.c.order_id).where(fact_order.c.is_valid, fact_order.c.is_unpaid)


def _money(key: str, label: str, amount: Column[Any], where: ColumnElement[bool], prepared: Column[Any]) -> Metric:
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
_LEFT_OUT_GROSS = _money(
    "cancelled_gross",
    "Goods of cancelled and voided orders",
    fact_order.c.gross_minor,
    _LEFT_OUT,
    by_day.c.left_out_gross_minor,
)
_LEFT_OUT_DISCOUNT = _money(
    "cancelled_discounts",
    "Discounts of cancelled and voided orders",
    fact_order.c.discount_minor,
    _LEFT_OUT,
    by_day.c.left_out_discount_minor,
)
_LEFT_OUT_REFUND = _money(
    "cancelled_refunds",
    "Refunds of cancelled and voided orders",
    fact_refund.c.goods_minor,
    fact_refund.c.why_left_out.in_(_CANCELLED),
    by_day.c.left_out_refund_minor,
)
# Unpaid orders: what WooCommerce's report leaves out and we count.
_IS_UNPAID = and_(fact_order.c.is_valid, fact_order.c.is_unpaid)
_UNPAID_GROSS = _money(
    "unpaid_gross", "Goods of unpaid orders", fact_order.c.gross_minor, _IS_UNPAID, by_day.c.unpaid_gross_minor
)
_UNPAID_DISCOUNT = _money(
    "unpaid_discounts",
    "Discounts of unpaid orders",
    fact_order.c.discount_minor,
    _IS_UNPAID,
    by_day.c.unpaid_discount_minor,
)
_UNPAID_REFUND = _money(
    "unpaid_refunds",
    "Refunds of unpaid orders",
    fact_refund.c.goods_minor,
    and_(fact_refund.c.is_valid, fact_refund.c.order_id.in_(_UNPAID_ORDERS)),
    by_day.c.unpaid_refund_minor,
)

Signed = tuple[tuple[int, Metric], ...]
_SHOPIFY: Signed = ((1, _LEFT_OUT_GROSS), (-1, _LEFT_OUT_DISCOUNT), (-1, _LEFT_OUT_REFUND))
_WOO: Signed = ((-1, _UNPAID_GROSS), (1, _UNPAID_DISCOUNT), (1, _UNPAID_REFUND))
_ALWAYS_OUT = tuple(pair for pair in LEFT_OUT_ORDERS if pair[0] not in _CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the bridge: the signed sums that make it, and the orders that it leaves out, by reason."""

    key: str
    label: str
    kind: Literal["total", "difference"]
    meaning: str
    terms: Signed
    left_out: tuple[tuple[str, Metric], ...] = ()

    def asked(self, scope: Scope) -> list[Term]:
        """The terms, each of the days and the filters of the question."""
        return [Term(sign=sign, metric=metric, scope=scope, what=metric.label) for sign, metric in self.terms]


def _difference(sign: int, metric: Metric, meaning: str) -> Line:
    return Line(key=metric.key, label=metric.label, kind="difference", meaning=meaning, terms=((sign, metric),))


_CALLED_OFF = "Orders that were cancelled or voided. Encore leaves them out; Shopify's reports count"
_WAITING = "Orders that wait for payment, in full or in part. Encore counts them; WooCommerce's reports leave out"
LINES = (
    Line(
        key="ours",
        label="Net sales",
        kind="total",
        meaning=NET_SALES.meaning,
        terms=NET_SALES.terms,
        left_out=LEFT_OUT_ORDERS,
    ),
    _difference(1, _LEFT_OUT_GROSS, f"{_CALLED_OFF} their goods on the day of the order."),
    _difference(-1, _LEFT_OUT_DISCOUNT, f"{_CALLED_OFF} their discounts too."),
    _difference(-1, _LEFT_OUT_REFUND, f"{_CALLED_OFF} their refunds on the day of the refund."),
    Line(
        key="shopify",
        label="Net sales, Shopify-style",
        kind="total",
        meaning="Goods of all orders but tests, cancelled and voided ones too, less discounts and refunds made in "
        "the period.",
        terms=(*NET_SALES.terms, *_SHOPIFY),
        left_out=_ALWAYS_OUT,
    ),
    Line(
        key="cancelled_again",
        label="Cancelled and voided orders, taken out again",
        kind="difference",
        meaning="What was added above for cancelled and voided orders: WooCommerce's reports leave them out, as Encore "
        "does.",
        terms=tuple((-sign, metric) for sign, metric in _SHOPIFY),
    ),
    _difference(-1, _UNPAID_GROSS, f"{_WAITING} their goods."),
    _difference(1, _UNPAID_DISCOUNT, f"{_WAITING} their discounts too."),
    _difference(1, _UNPAID_REFUND, f"{_WAITING} their refunds too."),
    Line(
        key="woocommerce",
        label="Net sales, WooCommerce-style",
        kind="total",
        meaning="Goods of orders that are paid, neither cancelled nor voided, less discounts and refunds made in the "
        "period.",
        terms=(*NET_SALES.terms, *_WOO),
        left_out=(*LEFT_OUT_ORDERS, ("unpaid", UNPAID_ORDERS)),
    ),
)
_BY_KEY = {line.key: line for line in LINES}


def bridge(mart: Mart, scope: Scope) -> pd.DataFrame:
    """From our net sales to what Shopify and WooCommerce call net sales.

    Shopify-style: cancelled and voided orders count, and their refunds count when they are made.
    WooCommerce-style: cancelled and voided orders do not count, nor do orders that wait for payment.

    Returns:
        rows of ``line``, ``label``, ``kind`` (total or difference), ``amount_minor``. A total is the one
        before it plus the differences between them, to the cent.
    """
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    answers = measure(mart, [metric for line in LINES for _, metric in line.terms], scope)
    rows = [
        (
            line.key,
            line.label,
            line.kind,
            sum(sign * value_of(metric, answers, ("all",)) for sign, metric in line.terms),
        )
        for line in LINES
    ]
    return pd.DataFrame(rows, columns=["line", "label", "kind", "amount_minor"])


def bridge_account(mart: Mart, scope: Scope, key: str) -> Account:
    """A line of the bridge with the orders and refunds that make it.

    Raises:
        UnknownFigure: no such line.
    """
    line = _BY_KEY.get(key)
    if line is None:
        raise UnknownFigure(f"The bridge has no line {key!r}; it has {', '.join(_BY_KEY)}.")
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    table = bridge(mart, scope).set_index("line")
    formula, worked, numbers = added_up(mart, line.asked(scope))
    left_out, out = left_out_of(mart, line.left_out, scope)
    return Account(
        key=f"bridge_{line.key}",
        label=line.label,
        period=scope.period,
        value=int(table.loc[line.key, "amount_minor"]),  # type: ignore[arg-type]  # a column of whole numbers
        unit=Unit.MONEY,
        meaning=line.meaning,
        formula=formula,
        counted=f"{counted_in(scope)}. Orders on their own day, refunds on the day they were made.",
        worked=worked if len(numbers) > 1 else "",
        numbers=numbers if len(numbers) > 1 else (),
        left_out=left_out,
        parts={"Counted": behind_terms(mart, line.asked(scope), Unit.MONEY), **out},
    )
