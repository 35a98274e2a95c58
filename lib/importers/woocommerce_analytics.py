"""WooCommerce's Analytics orders export (CSV): one row per order, with its net revenue and no more.

It names neither e-mail addresses nor prices: customers are unknown, and an order has one line that
carries its net revenue (goods after discounts and refunds, without tax and shipping).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lib.errors import AmbiguousDates, UnknownFormat
from lib.importers.amounts import minor
from lib.importers.decimals import decimals_of
from lib.importers.records import DiscountRecord, ItemRecord, OrderRecord, ReadContext, Rejected
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.source_file import SourceFile
from lib.money import currencies

PAYMENT_STATUS = {
    "pending": "pending",
    "pending payment": "pending",
    "on hold": "pending",
    "processing": "paid",
    "completed": "paid",
    "refunded": "refunded",
    "failed": "voided",
}


def read_analytics(file: SourceFile, context: ReadContext) -> Iterator[OrderRecord | Rejected]:
    """Yield one record per row of the export.

    Raises:
        UnknownFormat: the file is no orders export, or the store's currency is not known.
        AmbiguousDates: dates that are not year first.
    """
    rows = read_rows(file)
    if not (rows.has("Order #") and rows.has("N. Revenue")):
        raise UnknownFormat(
            f"{file.name} is not the Analytics › Orders export: it has no 'Order #' and 'N. Revenue'. "
            "The other Analytics exports are totals, which Encore computes itself."
        )
    if context.currency not in currencies():
        raise UnknownFormat(f"{file.name} names no currency. Set ENCORE_STORE_CURRENCY, such as EUR, and import again.")
    zone = ZoneInfo(context.time_zone)
    decimal = decimals_of(file, ["N. Revenue"])
    for row in rows:
        try:
            if row.problem:
                raise ValueError(row.problem)
            yield _order(rows, row, zone, context.currency, decimal)
        except ValueError as error:
            yield rows.rejected(row, "order", str(error), external_id=_text(rows, row, "Order #"))


def _text(rows: Rows, row: Row, name: str) -> str:
    return row.values[rows.column(name)].strip() if rows.has(name) else ""


def _placed_at(text: str, zone: ZoneInfo, file: str) -> datetime:
    if text[:4].isdigit():
        try:
            return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"the date {text!r} is out of range for a time") from error
    raise AmbiguousDates(f"{file}: the date {text!r} is not year first, as WooCommerce writes it. Export it again.")


def _order(rows: Rows, row: Row, zone: ZoneInfo, currency: str, decimal: str) -> OrderRecord:
    number = _text(rows, row, "Order #")
    if not number:
        raise ValueError("the row has no order number")
    placed_at = _placed_at(_text(rows, row, "Date"), zone, rows.file.name)
    net = minor(_text(rows, row, "N. Revenue"), currency, decimal)
    sold = _text(rows, row, "Items sold")
    quantity = max(int(sold), 1) if sold.lstrip("-").isdigit() else 1
    status = _text(rows, row, "Status").lower().removeprefix("wc-").replace("-", " ")
    goods = max(net, 0)
    products = _text(rows, row, "Product(s)")
    codes = [code.strip() for code in _text(rows, row, "Coupon(s)").split(",") if code.strip()]
    items = (
        ItemRecord(
            name=products[:400] or "Goods",
            quantity=quantity,
            unit_price_minor=goods // quantity,
            gross_minor=goods,
        ),
    )
    return OrderRecord(
        external_id=number,
        number=f"#{number}",
        placed_at=placed_at,
        currency=currency,
        gross_minor=goods,
        fees_minor=net - goods,
        total_minor=net,
        cancelled_at=placed_at if status == "cancelled" else None,
        payment_status=PAYMENT_STATUS.get(status, "unknown"),
        items=items,
        discounts=tuple(DiscountRecord(code, 0) for code in codes),
        origin=rows.origin(row),
    )
