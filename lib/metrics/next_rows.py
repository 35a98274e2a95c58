"""What first orders lead to, opened: the customers who came back, and the second orders that say what came next."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, String, and_, cast, func, literal, select

from lib.errors import UnknownFigure
from lib.mart.schema import dim_customer, fact_order
from lib.metrics.account import Account, Number
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.drill import Behind, behind_figure
from lib.metrics.read import population
from lib.metrics.repeat import next_purchases

# What an order without a name of its own is called, as in the grouped table.
_NAMELESS = {"category": "uncategorised", "product": "unknown"}
WITHIN = (90, 180)


def next_account(mart: Mart, scope: Scope, dimension: str, first: str) -> Account:
    """A row of :func:`lib.metrics.repeat.next_purchases` with its customers and second orders.

    Raises:
        UnknownFigure: neither category nor product, or no such first order in the period.
    """
    found = next_purchases(mart, scope, dimension, only=first)
    if found.empty:
        raise UnknownFigure(f"Nobody began with {first} in these days.")
    row = found.iloc[0]
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=(*scope.filters, (dimension, first)))
    parts: dict[str, Behind] = {}
    numbers = [Number(name="customers", label="Customers", value=int(row["customers"]), unit=Unit.COUNT)]
    for within in WITHIN:
        key = f"repeat_within_{within}"
        mature = int(row[f"mature_{within}"])
        back, followed = f"Back within {within} days", f"Followed for {within} days"
        repeated = round(float(row[f"share_{within}"]) * mature) if mature else 0
        numbers.append(Number(name=f"back_{within}", label=back, value=repeated, unit=Unit.COUNT))
        numbers.append(Number(name=f"mature_{within}", label=followed, value=mature, unit=Unit.COUNT))
        for name, part in ((back, "numerator"), (followed, "denominator"), (f"Not yet {within} days", "left_out")):
            behind = behind_figure(mart, key, scope, part)  # type: ignore[arg-type]  # the three names of parts
            if behind is not None:
                parts[name] = behind
    total = 0 if pd.isna(row["second_orders"]) else int(row["second_orders"])
    if total:
        after, held = str(row["next"]), int(row["next_n"])
        numbers.append(Number(name="next", label=f"Second orders that held {after}", value=held, unit=Unit.COUNT))
        numbers.append(Number(name="seconds", label="Second orders", value=total, unit=Unit.COUNT))
        parts[f"Second orders: {after}"] = _second_orders(dimension, first, after)
        parts["All second orders"] = _second_orders(dimension, first, None)
    mature = int(row["mature_90"])
    low, high = (float(row[f"{side}_90"]) for side in ("low", "high"))
    return Account(
        key=f"next_after_{dimension}",
        label=first,
        period=scope.period,
        value=float(row["share_90"]) if mature else None,
        unit=Unit.SHARE,
        meaning=f"Of customers whose first order held {first} as its dearest {dimension} and who have been followed "
        "for more than 90 days, the share who bought again within 90 days; the same of 180 days. Next is what most of "
        "their second orders held, by their dearest line.",
        formula="Customers back within 90 days ÷ customers followed for 90 days",
        counted=f"{_told(scope)} What came next is counted over the second orders of all days and channels up to "
        "the last refresh.",
        worked="{back_90} ÷ {mature_90}" if mature else "",
        numbers=tuple(numbers),
        n=mature,
        low=low if mature else None,
        high=high if mature else None,
        left_out={
            f"not followed for {within} days yet": young
            for within in WITHIN
            if (young := int(row["customers"]) - int(row[f"mature_{within}"]))
        },
        parts=parts,
    )


def _told(scope: Scope) -> str:
    text = population("repeat_within_90", scope)
    return f"First orders of {text.split(': ', 1)[1].split('. ', 1)[0]}."


def _second_orders(dimension: str, first: str, held: str | None) -> Behind:
    """The second orders of customers who began so; ``held``: those alone whose dearest line was of it."""
    order, person = fact_order.c, dim_customer.c
    dearest = func.coalesce(order[f"main_{dimension}"], _NAMELESS[dimension])
    where: list[ColumnElement[bool]] = [order.is_valid, order.occasion == 2, order.is_first_of_day]
    where.append(person[f"first_{dimension}"] == first)
    if held is not None:
        where.append(dearest == held)
    columns: list[ColumnElement[Any]] = [
        dearest.label("what"),
        order.day,
        cast(order.number, String).label("number"),
        cast(order.order_id, BigInteger).label("order_id"),
        cast(order.customer_id, BigInteger).label("customer_id"),
        cast(order.order_id, BigInteger).label("row_id"),
        cast(literal(1), BigInteger).label("amount"),
    ]
    source = fact_order.join(dim_customer, order.customer_id == person.customer_id)
    return Behind(statement=select(*columns).select_from(source).where(and_(*where)), unit=Unit.COUNT)
