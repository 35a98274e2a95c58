"""Amounts of another currency in the store's own, so that their parts still add up."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from sqlalchemy import Connection, select

from lib.db.tables.orders import exchange_rates
from lib.importers.records import ItemRecord, OrderRecord, RefundItemRecord, RefundRecord
from lib.money import convert, exponent


class NoRate(Exception):
    """There is no exchange rate for a currency and a day; its text is the reason shown."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The exchange rates into one currency: per currency days, as text, and rates, both in order of days."""

    target: str
    days: dict[str, list[str]]
    rates: dict[str, list[Decimal]]

    def rate(self, currency: str, day: date) -> Decimal:
        """What one unit of ``currency`` was worth on a day: the latest rate known by then.

        Raises:
            NoRate: none is known that early.
        """
        if currency == self.target:
            return Decimal(1)
        at = bisect_right(self.days.get(currency, []), day.isoformat())
        if at == 0:
            raise NoRate(
                f"No rate for {currency} on {day.isoformat()}: import rates with `python -m lib import rates FILE`."
            )
        return self.rates[currency][at - 1]


def read_rates(connection: Connection, target: str) -> Rates:
    """Read every rate into ``target``; there are few."""
    days: dict[str, list[str]] = defaultdict(list)
    rates: dict[str, list[Decimal]] = defaultdict(list)
    rows = connection.execute(
        select(exchange_rates.c.currency, exchange_rates.c.valid_from, exchange_rates.c.rate)
        .where(exchange_rates.c.target == target)
        .order_by(exchange_rates.c.currency, exchange_rates.c.valid_from)
    )
    for currency, valid_from, rate in rows:
        days[currency].append(valid_from)
        rates[currency].append(Decimal(rate))
    return Rates(target, dict(days), dict(rates))


def converted_parts(parts: Sequence[int], rate: Decimal, total: int, *, source: str, target: str) -> list[int]:
    """Convert signed parts so that they add up to ``total``, each within one minor unit of its exact value.

    What rounding leaves over goes to the parts with the largest remainders; a part of zero stays zero.
    """
    factor = rate * (Decimal(10) ** exponent(target)) / (Decimal(10) ** exponent(source))
    exact = [part * factor for part in parts]
    floors = [int(value.to_integral_value(ROUND_FLOOR)) for value in exact]
    missing = total - sum(floors)
    movable = sorted((i for i, part in enumerate(parts) if part), key=lambda i: (floors[i] - exact[i], i))
    while missing and movable:
        step = 1 if missing > 0 else -1
        for i in movable if step > 0 else reversed(movable):
            if not missing:
                break
            floors[i] += step
            missing -= step
    return floors


def convert_order(order: OrderRecord, rate: Decimal, target: str) -> OrderRecord:
    """The order in ``target``; sums hold as before, and goods lines still add up to the order's amounts."""
    source = order.currency

    def parts(values: Sequence[int], total: int) -> list[int]:
        return converted_parts(values, rate, total, source=source, target=target)

    def one(value: int | None) -> int | None:
        return None if value is None else convert(value, rate, source=source, target=target)

    total = convert(order.total_minor, rate, source=source, target=target)
    gross, discount, shipping, tax, fees = parts(
        (order.gross_minor, -order.discount_minor, order.shipping_minor, order.tax_minor, order.fees_minor), total
    )
    if -discount > gross:
        # Both were rounded, away from each other: a discount never exceeds what it lowers.
        gross, fees = -discount, fees - (-discount - gross)
    goods = [item for item in order.items if item.kind == "goods"]
    grosses = iter(parts([item.gross_minor for item in goods], gross))
    discounts = iter(parts([item.discount_minor for item in goods], -discount))

    def item(record: ItemRecord) -> ItemRecord:
        is_goods = record.kind == "goods"
        return replace(
            record,
            unit_price_minor=one(record.unit_price_minor) or 0,
            gross_minor=next(grosses) if is_goods else one(record.gross_minor) or 0,
            discount_minor=next(discounts) if is_goods else one(record.discount_minor) or 0,
            tax_minor=one(record.tax_minor) or 0,
            cost_minor=one(record.cost_minor),
        )

    return replace(
        order,
        gross_minor=gross,
        discount_minor=-discount,
        shipping_minor=shipping,
        tax_minor=tax,
        fees_minor=fees,
        total_minor=total,
        paid_minor=one(order.paid_minor),
        items=tuple(item(record) for record in order.items),
        discounts=tuple(replace(used, amount_minor=one(used.amount_minor) or 0) for used in order.discounts),
        refunds=tuple(
            convert_refund(refund, rate, target) if refund.currency == source else refund for refund in order.refunds
        ),
    )


def convert_refund(refund: RefundRecord, rate: Decimal, target: str) -> RefundRecord:
    """The refund in ``target``; its parts and its items still add up."""
    source = refund.currency
    total = convert(refund.total_minor, rate, source=source, target=target)
    goods, shipping, tax, fees = converted_parts(
        (refund.goods_minor, refund.shipping_minor, refund.tax_minor, refund.fees_minor),
        rate,
        total,
        source=source,
        target=target,
    )
    listed = sum(item.goods_minor for item in refund.items)
    whole = goods if listed == refund.goods_minor else convert(listed, rate, source=source, target=target)
    amounts = converted_parts([item.goods_minor for item in refund.items], rate, whole, source=source, target=target)

    def item(record: RefundItemRecord, amount: int) -> RefundItemRecord:
        price = record.unit_price_minor
        return replace(
            record,
            goods_minor=amount,
            unit_price_minor=None if price is None else convert(price, rate, source=source, target=target),
        )

    return replace(
        refund,
        currency=target,
        goods_minor=goods,
        shipping_minor=shipping,
        tax_minor=tax,
        fees_minor=fees,
        total_minor=total,
        items=tuple(item(record, amount) for record, amount in zip(refund.items, amounts, strict=True)),
    )
