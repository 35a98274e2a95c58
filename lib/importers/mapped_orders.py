"""Make an order of the rows of a mapped table: one row, or one for each of its lines.

- A line is worth ``unit_price × quantity``; where the table also holds ``line_total`` and it is less, the line was
  lowered by the difference. ``line_total`` alone is what is left after ``line_discount``.
- An order without lines is one line called "Not itemised", worth ``subtotal``, else what the total leaves.
- Where a table has no column for discounts and the total is lower than its parts, the difference is a
  discount; where it is higher, a fee. Where a column is mapped, the sums must meet to the cent, within rounding.
- Tax that prices include is taken out of goods and shipping: by its column, else by ``tax_percent``.
- Lines of negative quantity are goods that came back: they become a refund on their own date.
- ``refunded`` is a refund set against goods first, on ``refunded_at``, else on an estimated day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from lib.importers.cell_reading import CANCELLED, PAID, PENDING, REFUNDED, CellReading, Cells, says
from lib.importers.records import (
    DiscountRecord,
    ItemRecord,
    OrderRecord,
    RefundItemRecord,
    RefundRecord,
    ShipmentRecord,
)
from lib.importers.settlement import (
    ROUNDING,
    DoesNotAddUp,
    PrintedLine,
    PrintedOrder,
    Settlement,
    settle,
    share_of_goods,
)
from lib.money import allocate, to_minor

NOT_ITEMISED = "Not itemised"
LINE_FIELDS = ("item_name", "sku", "product_id", "quantity", "unit_price", "line_total")
ORDER_AMOUNTS = ("subtotal", "discount", "shipping", "tax", "fees", "total", "paid", "refunded")


@dataclass(frozen=True, slots=True)
class _Line:
    cells: Cells
    name: str
    quantity: int
    unit_price: int
    amount: int
    discount: int


def build_order(rows: Sequence[Cells], reading: CellReading) -> OrderRecord | RefundRecord:
    """Make one record of the rows of one order; a refund where all its lines came back.

    Raises:
        ValueError: a cell cannot be read, or the amounts do not meet; its text says which.
    """
    first = _whole(rows)
    currency = reading.currency(first)
    placed_at = reading.needed_at(first, "placed_at")
    order_id = first["order_id"]
    lines = [_line(cells, reading, currency) for cells in rows if any(cells.get(name) for name in LINE_FIELDS)]
    back = [line for line in lines if line.quantity < 0]
    sold = [line for line in lines if line.quantity > 0]
    amounts = {name: _order_amount(rows, name, reading, currency) for name in ORDER_AMOUNTS}
    returned = _returned(order_id, back, reading, currency, placed_at) if back else None
    if returned is not None and not sold:
        return replace(
            returned, external_id=order_id, order_id=None, match_purchase=True, customer=reading.customer(first)
        )
    if returned is not None and amounts["total"] is not None:
        amounts["total"] += returned.total_minor
    settled = _settle(sold, amounts, reading)
    items = tuple(
        ItemRecord(
            name=line.name,
            quantity=line.quantity,
            unit_price_minor=line.unit_price if line.amount else part.gross // line.quantity,
            gross_minor=part.gross,
            discount_minor=part.discount,
            tax_minor=part.tax,
            cost_minor=_cost(line, reading, currency),
            external_id=line.cells.get("line_id") or str(place),
            product_id=line.cells.get("product_id") or None,
            sku=reading.text(line.cells, "sku"),
            category=reading.text(line.cells, "category"),
        )
        for place, (line, part) in enumerate(zip(sold or [_lump(settled)], settled.lines, strict=True), 1)
    )
    status, paid_status = reading.text(first, "status"), reading.text(first, "payment_status")
    cancelled_at = reading.at(first, "cancelled_at")
    if cancelled_at is None and (reading.flag(first, "cancelled") or says(CANCELLED, status, paid_status)):
        cancelled_at = placed_at
    refunds = [] if returned is None else [returned]
    if amounts["refunded"]:
        at = reading.at(first, "refunded_at")
        refunds.append(
            _refund(order_id, abs(amounts["refunded"]), settled, currency, at or cancelled_at or placed_at, at is None)
        )
    code = reading.text(first, "discount_code")
    return OrderRecord(
        external_id=order_id,
        number=first.get("number") or order_id,
        placed_at=placed_at,
        currency=currency,
        gross_minor=settled.gross,
        discount_minor=settled.discount,
        shipping_minor=settled.shipping,
        tax_minor=settled.tax,
        fees_minor=settled.fees,
        total_minor=settled.total,
        paid_minor=amounts["paid"],
        customer=reading.customer(first),
        cancelled_at=cancelled_at,
        payment_status=_payment(status, paid_status, bool(amounts["refunded"])),
        fulfillment_status=reading.text(first, "fulfillment_status"),
        is_test=reading.flag(first, "is_test"),
        is_tax_included=settled.is_tax_included,
        channel=reading.text(first, "channel"),
        country=reading.country(first),
        region=reading.text(first, "region"),
        city=reading.text(first, "city"),
        device=reading.text(first, "device"),
        payment_method=reading.text(first, "payment_method"),
        delivery_type=reading.text(first, "delivery_type"),
        tags=reading.text(first, "tags"),
        note=reading.text(first, "note"),
        items=items,
        discounts=(DiscountRecord(code, settled.discount + settled.shipping_discount),) if code else (),
        refunds=tuple(refunds),
        shipments=_shipments(order_id, first, reading),
    )


def _whole(rows: Sequence[Cells]) -> Cells:
    """The order's own cells: of each, the first that is not empty."""
    first = dict(rows[0])
    for cells in rows[1:]:
        for name, value in cells.items():
            if value and not first.get(name):
                first[name] = value
    return first


def _order_amount(rows: Sequence[Cells], name: str, reading: CellReading, currency: str) -> int | None:
    """An amount of the order: the one that its lines repeat, or the sum of what stands on them."""
    found = [value for cells in rows if (value := reading.minor(cells, name, currency)) is not None]
    if not found:
        return None
    if reading.mapping.order_amounts == "repeated" and reading.mapping.shape == "line":
        if len(set(found)) > 1:
            told = " and ".join(dict.fromkeys(cells[name] for cells in rows if cells.get(name)))
            column = reading.mapping.columns.get(name, name)
            raise ValueError(f"{column}: the lines of one order say {told}; they should repeat one amount.")
        return found[0]
    return sum(found)


def _line(cells: Cells, reading: CellReading, currency: str) -> _Line:
    written = reading.count(cells, "quantity")
    quantity = 1 if written is None else written
    price, total = reading.exact(cells, "unit_price"), reading.exact(cells, "line_total")
    lowered = abs(reading.minor(cells, "line_discount", currency) or 0)
    name = reading.text(cells, "item_name") or reading.text(cells, "sku") or cells.get("product_id") or NOT_ITEMISED
    if quantity == 0:
        raise ValueError(f"The quantity of {name!r} is 0.")
    if price is not None and price < 0:
        raise ValueError(f"The price of {name!r} is negative.")
    if price is None and total is None:
        return _Line(cells, name, quantity, 0, 0, 0)
    paid = None if total is None else abs(to_minor(total, currency))
    if price is None:
        amount = (paid or 0) + lowered
        return _Line(cells, name, quantity, amount // abs(quantity), amount, lowered)
    amount = to_minor(price * abs(quantity), currency)
    if paid is not None and "line_discount" not in reading.mapping.columns:
        if paid > amount + ROUNDING + abs(quantity):
            raise ValueError(f"The line total of {name!r} is more than its price × quantity.")
        lowered = max(amount - paid, 0)
        amount = max(amount, paid)
    return _Line(cells, name, quantity, to_minor(price, currency), amount, lowered)


def _lump(settled: Settlement) -> _Line:
    amount = settled.lines[0].gross
    return _Line({}, NOT_ITEMISED, 1, amount, amount, 0)


def _cost(line: _Line, reading: CellReading, currency: str) -> int | None:
    cost = reading.exact(line.cells, "cost")
    return None if cost is None else to_minor(cost * line.quantity, currency)


def _settle(lines: Sequence[_Line], amounts: dict[str, int | None], reading: CellReading) -> Settlement:
    """Bring the printed amounts together; what is not in the table is worked out of what is."""
    mapping, included = reading.mapping, reading.mapping.prices_include_tax
    shipping, fees = amounts["shipping"] or 0, amounts["fees"] or 0
    charges = shipping + fees + (0 if included else amounts["tax"] or 0)
    discount, own = abs(amounts["discount"] or 0), sum(line.discount for line in lines)
    total = amounts["total"]
    printed = [PrintedLine(line.amount, line.discount) for line in lines]
    if not any(line.amount for line in lines):
        worth = _worth(amounts["subtotal"], discount, charges, total)
        shares = allocate(worth, [line.quantity for line in lines]) if lines else [worth]
        printed = [PrintedLine(share) for share in shares]
    goods = sum(line.amount for line in printed)
    if total is not None and "discount" not in mapping.columns:
        missing = goods - own + charges - total
        if not included and amounts["tax"] and abs(missing - amounts["tax"]) <= ROUNDING:
            raise ValueError("The amounts meet only if prices include tax; the mapping says that they exclude it.")
        if missing > ROUNDING and missing + own <= goods:
            discount = missing + own
    if discount < own or (own and total is not None and abs(goods - discount + charges - total) > ROUNDING):
        discount += own  # the order's discount stands beside those of its lines
    if discount > goods:
        raise ValueError("The discounts are more than the goods are worth.")
    tax = amounts["tax"]
    if tax is None:
        percent = mapping.tax_percent or Decimal(0)
        tax = _round((goods - discount + shipping) * percent / (100 + percent if included else 100))
        charges += 0 if included else tax
    if total is None:
        total = goods - discount + charges
    try:
        settled = settle(PrintedOrder(printed, total, discount=discount, shipping=shipping, tax=tax, duties=fees))
    except DoesNotAddUp as error:
        raise ValueError(f"The amounts do not add up: {error}.") from error
    if tax and settled.is_tax_included != included:
        told = "include" if included else "exclude"
        raise ValueError(f"The amounts meet only if prices do not {told} tax; the mapping says that they {told} it.")
    return settled


def _worth(subtotal: int | None, discount: int, charges: int, total: int | None) -> int:
    """What the goods of an order without priced lines cost before discounts."""
    if subtotal is None:
        return max((total or 0) - charges + discount, 0)
    if total is not None and abs(subtotal + charges - total) <= ROUNDING:
        return subtotal + discount  # the subtotal is after discounts
    return subtotal


def _round(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _returned(
    order_id: str, lines: Sequence[_Line], reading: CellReading, currency: str, placed_at: datetime
) -> RefundRecord:
    goods = sum(line.amount - line.discount for line in lines)
    at = reading.at(lines[0].cells, "placed_at") or placed_at
    percent = reading.mapping.tax_percent
    tax = 0
    if reading.mapping.prices_include_tax and percent:
        tax = _round(goods * percent / (100 + percent))
    items = tuple(
        RefundItemRecord(
            name=line.name,
            quantity=-line.quantity,
            goods_minor=line.amount - line.discount,
            sku=reading.text(line.cells, "sku"),
            product_id=line.cells.get("product_id") or None,
            unit_price_minor=line.unit_price,
        )
        for line in lines
    )
    return RefundRecord(
        external_id=f"{order_id}:returned",
        order_id=order_id,
        refunded_at=at,
        currency=currency,
        goods_minor=goods - tax,
        tax_minor=tax,
        total_minor=goods,
        items=() if tax else items,
    )


def _refund(
    order_id: str, amount: int, settled: Settlement, currency: str, at: datetime, is_estimated: bool
) -> RefundRecord:
    """A refund of which only the sum is known: goods with their tax first, then shipping, then the rest."""
    goods_tax = sum(line.tax for line in settled.lines)
    goods = settled.gross - settled.discount
    with_tax, rest = share_of_goods(amount, [goods + goods_tax, amount])
    tax = with_tax * goods_tax // (goods + goods_tax) if goods + goods_tax else 0
    shipping, shipping_tax, fees = share_of_goods(rest, [settled.shipping, settled.tax - goods_tax, 0])
    return RefundRecord(
        external_id=f"{order_id}:refunded",
        order_id=order_id,
        refunded_at=at,
        is_date_estimated=is_estimated,
        currency=currency,
        goods_minor=with_tax - tax,
        shipping_minor=shipping,
        tax_minor=tax + shipping_tax,
        fees_minor=fees,
        total_minor=amount,
    )


def _payment(status: str | None, paid: str | None, is_refunded: bool) -> str:
    texts = (paid,) if paid else (status,)
    told = (paid or status or "").casefold().replace(" ", "_")
    if told in ("partially_paid", "partially_refunded", "authorized", "voided", "refunded", "paid", "pending"):
        return told
    if says(REFUNDED, *texts):
        return "refunded"
    if says(CANCELLED, *texts):
        return "voided"
    if says(PENDING, *texts):
        return "pending"
    if says(PAID, *texts):
        return "paid"
    return "partially_refunded" if is_refunded else "unknown"


def _shipments(order_id: str, cells: Cells, reading: CellReading) -> tuple[ShipmentRecord, ...]:
    shipped, delivered = reading.at(cells, "shipped_at"), reading.at(cells, "delivered_at")
    promised, tracking = reading.day(cells, "promised_day"), reading.text(cells, "tracking_number")
    if not (shipped or delivered or promised or tracking):
        return ()
    return (
        ShipmentRecord(
            external_id=order_id,
            order_id=order_id,
            status="delivered" if delivered else "in_transit" if shipped else "pending",
            carrier=reading.text(cells, "carrier"),
            tracking_number=tracking,
            shipped_at=shipped,
            delivered_at=delivered,
            promised_day=promised,
        ),
    )
