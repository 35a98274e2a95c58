"""A product opened: its order lines with their discounts and refunds, which add up to its net sales."""

from sqlalchemy import ColumnElement, and_

from lib.errors import UnknownFigure
from lib.mart.schema import fact_item
from lib.metrics.account import REFUNDS_KNOWN_NOW, Account, Number, counted_in, left_out_of
from lib.metrics.definition import Combined, Mart, Metric, Scope, Unit
from lib.metrics.drill import Behind, behind_terms, terms_of
from lib.metrics.measure import measure, value_of
from lib.metrics.sales import best_sellers

_line = fact_item.c


def product_account(mart: Mart, scope: Scope, before: Scope, product_id: int | None, product: str) -> Account:
    """A row of :func:`lib.metrics.sales.best_sellers` with the order lines behind it.

    Args:
        product_id: null for lines whose product is known by its name alone.
    Raises:
        UnknownFigure: the product was not sold in the period.
    """
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    found = best_sellers(mart, scope, before, limit=1, only=(product_id, product))
    if found.empty:
        raise UnknownFigure(f"{product} was not sold in these days.")
    row = found.iloc[0]
    same = _line.product_id == product_id if product_id is not None else _line.product == product
    if product_id is None:
        same = and_(_line.product_id.is_(None), same)
    net, units, orders = _net_sales(same), _sum("Units", "quantity", same, Unit.COUNT), _orders(same)
    then = Scope(period=before.period, as_of=before.as_of, filters=before.filters)
    left_out, out = _left_out(mart, scope, same)
    gross, discounts, refunds = (term for _, term in net.terms)
    answers = measure(mart, [gross, discounts, refunds], scope)
    earlier = int(row["net_before_minor"])
    return Account(
        key=f"product_{product_id or 'by_name'}",
        label=product,
        period=scope.period,
        value=int(row["net_minor"]),
        unit=Unit.MONEY,
        meaning="Price times quantity of this product in the period's valid orders, less the discounts on it and what "
        "has been refunded of it since (behaviour).",
        formula="Gross sales of its lines − their discounts − what was refunded of them",
        counted=f"{counted_in(scope)}. {REFUNDS_KNOWN_NOW}",
        worked="{t0} − {t1} − {t2}",
        numbers=(
            *(
                Number(name=f"t{place}", label=m.label, value=value_of(m, answers, ("all",)), unit=Unit.MONEY)
                for place, m in enumerate((gross, discounts, refunds))
            ),
            Number(name="units", label="Units", value=int(row["units"]), unit=Unit.COUNT),
            Number(name="orders", label="Orders", value=int(row["orders"]), unit=Unit.COUNT),
            Number(name="before", label="Net sales, compared with", value=earlier, unit=Unit.MONEY),
        ),
        n=int(row["orders"]),
        left_out=left_out,
        parts={
            "Net sales": behind_terms(mart, terms_of(net, scope), Unit.MONEY),
            "Units": behind_terms(mart, terms_of(units, scope), Unit.COUNT),
            "Orders": behind_terms(mart, terms_of(orders, scope), Unit.COUNT),
            "Net sales, compared with": behind_terms(mart, terms_of(net, then), Unit.MONEY),
            **out,
        },
    )


def _sum(label: str, column: str, same: ColumnElement[bool], unit: Unit) -> Metric:
    return Metric(
        key=f"product_{column}",
        label=label,
        unit=unit,
        meaning=label,
        over=fact_item,
        amount=_line[column],
        where=and_(_line.is_valid, same),
    )


def _net_sales(same: ColumnElement[bool]) -> Combined:
    columns = ((1, "Gross sales", "gross_minor"), (-1, "Discounts", "discount_minor"))
    lost = (-1, "Refunded since", "refund_minor")
    terms = tuple((sign, _sum(label, column, same, Unit.MONEY)) for sign, label, column in (*columns, lost))
    return Combined(key="product_net", label="Net sales", unit=Unit.MONEY, meaning="Net sales", terms=terms)


def _orders(same: ColumnElement[bool]) -> Metric:
    return Metric(
        key="product_orders",
        label="Orders",
        unit=Unit.COUNT,
        meaning="Orders with a line of it.",
        over=fact_item,
        distinct=_line.order_id,
        where=and_(_line.is_valid, same),
    )


def _left_out(mart: Mart, scope: Scope, same: ColumnElement[bool]) -> tuple[dict[str, int], dict[str, Behind]]:
    """Its lines in orders that do not count."""
    lines = Metric(
        key="product_left_out",
        label="Lines of left-out orders",
        unit=Unit.COUNT,
        meaning="Lines of orders that do not count.",
        over=fact_item,
        where=and_(~_line.is_valid, same),
    )
    return left_out_of(mart, (("line of an order that does not count", lines),), scope)
