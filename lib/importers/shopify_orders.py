"""Shopify's orders export (CSV): every variant of its columns from 46 (2012) to 79 (2025).

An order's own fields stand on its first row only; the rows after it, of the same ``Name``, are further
lines. The order's key is its ``Name``: older exports have no ``Id``, and the two must meet.

What the file does not say, and what is done instead:
    - whether prices include tax: found from the sums (see lib.importers.settlement);
    - how much was refunded, in the old exports: all of an order that is "refunded"; of others, nothing is said;
    - the day of a refund: the day of cancellation, else of the last known step, marked as estimated;
    - which lines were refunded: the amount is set against goods first, then shipping;
    - who a customer without an e-mail address is: an unknown customer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lib.errors import MissingColumns
from lib.importers.records import (
    DiscountRecord,
    ItemRecord,
    OrderRecord,
    Origin,
    ReadContext,
    RefundRecord,
    Rejected,
    ShipmentRecord,
)
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.settlement import DoesNotAddUp, PrintedLine, PrintedOrder, Settlement, settle, share_of_goods
from lib.importers.shopify_cells import OrderCells, Untrusted
from lib.importers.shopify_people import buyer, country
from lib.importers.source_file import SourceFile
from lib.money import currencies
from lib.periods import store_day

NEEDED = ("Name", "Created at", "Total", "Lineitem quantity", "Lineitem name", "Lineitem price")

PAYMENT_STATUS = {
    "pending": "pending",
    "authorized": "authorized",
    "partially_paid": "partially_paid",
    "paid": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
    "voided": "voided",
    "expired": "pending",
    "unpaid": "pending",
}
# Shopify's gateway for trying a shop out; no money moves.
TEST_GATEWAYS = {"bogus", "bogus gateway", "(for testing) bogus gateway"}
CHANNELS = {
    "web": "web",
    "pos": "pos",
    "shopify_draft_order": "draft order",
    "iphone": "shopify app",
    "android": "shopify app",
    "580111": "web",
    "129785": "pos",
    "1354745": "draft order",
}


def is_orders_export(header: Sequence[str]) -> bool:
    """Whether a header line is that of an orders export."""
    return "Lineitem name" in header and "Name" in header


def first_currency(file: SourceFile) -> str:
    """The currency of an export's first order; empty when it names none."""
    rows = read_rows(file)
    row = next(iter(rows), None)
    code = row.values[rows.column("Currency")].strip().upper() if row and rows.has("Currency") else ""
    return code if code in currencies() else ""


def read_orders(file: SourceFile, context: ReadContext) -> Iterator[OrderRecord | Rejected]:
    """Yield one record per order; an order that cannot be trusted becomes Rejected with all its rows.

    Raises:
        MissingColumns: the file is no orders export.
    """
    rows = read_rows(file)
    missing = [name for name in NEEDED if name not in rows.header]
    if missing:
        raise MissingColumns(
            f"{file.name} has no column {', '.join(missing)}. Export orders from Shopify as 'Plain CSV file'."
        )
    reader = _OrderReader(rows, context)
    name_at = rows.header.index("Name")
    block: list[Row] = []
    for row in rows:
        if block and row.values[name_at].strip() != block[0].values[name_at].strip():
            yield reader.order(block)
            block = []
        block.append(row)
    if block:
        yield reader.order(block)


@dataclass(slots=True)
class _Line:
    """A line item as it stands in the file."""

    row: Row
    name: str
    sku: str | None
    quantity: int
    unit_price: int
    kind: str
    printed: PrintedLine


class _OrderReader:
    """Turns the rows of one order into a record."""

    def __init__(self, rows: Rows, context: ReadContext) -> None:
        self.rows = rows
        self.cells = OrderCells(rows, context)

    def order(self, block: list[Row]) -> OrderRecord | Rejected:
        """Read one order's rows."""
        try:
            return self._order(block)
        except Untrusted as error:
            return self.rejected(block, str(error), error.row)
        except (DoesNotAddUp, ValueError) as error:
            return self.rejected(block, str(error), block[0])

    def rejected(self, block: list[Row], reason: str, at: Row) -> Rejected:
        """Keep an order's rows aside, with what is known of its day and worth."""
        first = self._first(block)
        day = amount = None
        try:
            placed_at = self.cells.instant(first, "Created at")
            day = store_day(placed_at, self.cells.zone) if placed_at else None
            amount = self.cells.amount(first, "Total", self.cells.currency(first))
        except ValueError:
            pass
        return Rejected(
            kind="order",
            file=self.rows.file.name,
            line=at.line,
            reason=reason,
            text=_text(block),
            header=self.rows.header_text,
            external_id=self.cells.text(first, "Name") or "",
            placed_day=day,
            amount_minor=amount,
        )

    def _line(self, row: Row, currency: str) -> _Line:
        if row.problem:
            raise Untrusted(row.problem, row)
        name = self.cells.text(row, "Lineitem name")
        price = self.cells.amount(row, "Lineitem price", currency)
        quantity = self.cells.pieces(row, "Lineitem quantity")
        if name is None or price is None or quantity is None:
            raise Untrusted("a line without name, price or quantity", row)
        if quantity < 0:
            raise Untrusted(f"Lineitem quantity {quantity} is negative", row)
        is_shipped = self.cells.text(row, "Lineitem requires shipping") != "false"
        kind = "goods"
        if not is_shipped and name.lower() == "tip":
            kind = "tip"
        elif not is_shipped and "gift card" in name.lower():
            kind = "gift_card"
        return _Line(
            row=row,
            name=name,
            sku=self.cells.text(row, "Lineitem sku"),
            quantity=quantity,
            unit_price=price,
            kind=kind,
            printed=PrintedLine(
                amount=price * quantity,
                discount=self.cells.amount(row, "Lineitem discount", currency) or 0,
                is_goods=kind == "goods",
                is_taxable=self.cells.text(row, "Lineitem taxable") != "false",
            ),
        )

    def _first(self, block: list[Row]) -> Row:
        """The row that carries the order's own fields; a file that was sorted may have it later."""
        return next((row for row in block if self.cells.text(row, "Total") is not None), block[0])

    def _order(self, block: list[Row]) -> OrderRecord:
        first = self._first(block)
        name = self.cells.text(first, "Name")
        if name is None:
            raise Untrusted("the order has no name", first)
        currency = self.cells.currency(first)
        placed_at = self.cells.instant(first, "Created at")
        if placed_at is None:
            raise Untrusted("the order has no time in 'Created at'", first)
        total = self.cells.amount(first, "Total", currency)
        if total is None:
            raise Untrusted("the order's first row is missing: this row has no total", first)
        # What an edit has taken off an order stays in the export with a quantity of 0.
        lines = [line for row in block if (line := self._line(row, currency)).quantity]
        status = (self.cells.text(first, "Financial Status") or "unknown").lower()
        settled = settle(
            PrintedOrder(
                lines=[line.printed for line in lines],
                total=total,
                subtotal=self.cells.amount(first, "Subtotal", currency),
                discount=self.cells.amount(first, "Discount Amount", currency) or 0,
                shipping=self.cells.amount(first, "Shipping", currency) or 0,
                tax=self.cells.amount(first, "Taxes", currency) or 0,
                duties=self.cells.amount(first, "Duties", currency) or 0,
            )
        )
        cancelled_at = self.cells.instant(first, "Cancelled at")
        outstanding = self.cells.amount(first, "Outstanding Balance", currency)
        customer = buyer(self.cells, first)
        return OrderRecord(
            external_id=name,
            number=name,
            placed_at=placed_at,
            currency=currency,
            gross_minor=settled.gross,
            discount_minor=settled.discount,
            shipping_minor=settled.shipping,
            tax_minor=settled.tax,
            fees_minor=settled.fees,
            total_minor=total,
            paid_minor=None if outstanding is None else total - outstanding,
            customer=customer,
            cancelled_at=cancelled_at,
            payment_status=PAYMENT_STATUS.get(status, "unknown"),
            fulfillment_status=self.cells.text(first, "Fulfillment Status"),
            is_test=(self.cells.text(first, "Payment Method") or "").lower() in TEST_GATEWAYS,
            is_tax_included=settled.is_tax_included,
            channel=self._channel(first),
            country=country(self.cells, first),
            region=self.cells.text(first, "Shipping Province") or self.cells.text(first, "Billing Province"),
            city=self.cells.text(first, "Shipping City") or self.cells.text(first, "Billing City"),
            payment_method=self.cells.text(first, "Payment Method"),
            delivery_type=self.cells.text(first, "Shipping Method"),
            tags=self.cells.text(first, "Tags"),
            note=self.cells.text(first, "Notes"),
            items=tuple(
                ItemRecord(
                    name=line.name,
                    sku=line.sku,
                    quantity=line.quantity,
                    unit_price_minor=line.unit_price,
                    gross_minor=net.gross,
                    discount_minor=net.discount,
                    tax_minor=net.tax,
                    kind=line.kind,
                )
                for line, net in zip(lines, settled.lines, strict=True)
            ),
            discounts=self._discounts(first, settled),
            refunds=self._refunds(first, name, currency, settled, cancelled_at or placed_at),
            says_refunds=self.cells.has("Refunded Amount") or self._is_refunded(first),
            shipments=self._shipments(first, name),
            origin=Origin(self.rows.file.name, first.line, _text(block), self.rows.header_text),
        )

    def _channel(self, row: Row) -> str | None:
        source = self.cells.text(row, "Source")
        if source is None:
            return None
        return CHANNELS.get(source.lower(), f"app {source}" if source.isdigit() else source)

    def _discounts(self, row: Row, settled: Settlement) -> tuple[DiscountRecord, ...]:
        code = self.cells.text(row, "Discount Code")
        lowered = sum(line.discount for line in settled.lines)
        found: list[DiscountRecord] = []
        if lowered:
            found.append(DiscountRecord(code or "automatic", lowered, "code" if code else "automatic"))
        if settled.shipping_discount:
            found.append(DiscountRecord(code or "automatic", settled.shipping_discount, "shipping"))
        if code and not found:
            found.append(DiscountRecord(code, 0))
        return tuple(found)

    def _refunds(
        self, row: Row, name: str, currency: str, settled: Settlement, otherwise: datetime
    ) -> tuple[RefundRecord, ...]:
        if self.cells.has("Refunded Amount"):
            refunded = self.cells.amount(row, "Refunded Amount", currency) or 0
        else:
            refunded = settled.total if self._is_refunded(row) else 0
        if refunded <= 0:
            return ()
        goods = settled.gross - settled.discount
        lines_tax = sum(line.tax for line in settled.lines)
        with_tax, rest = share_of_goods(refunded, [goods + lines_tax, max(settled.total - goods - lines_tax, 0)])
        tax = with_tax * lines_tax // (goods + lines_tax) if goods + lines_tax else 0
        shipping_tax = settled.tax - lines_tax
        shipping, on_shipping, fees = share_of_goods(rest, [max(settled.shipping, 0), max(shipping_tax, 0), 0])
        steps = [at for name_ in ("Fulfilled at", "Paid at") if (at := self.cells.instant(row, name_))]
        return (
            RefundRecord(
                external_id=f"{name}/refund",
                order_id=name,
                refunded_at=max([otherwise, *steps]),
                is_date_estimated=True,
                currency=currency,
                goods_minor=with_tax - tax,
                tax_minor=tax + on_shipping,
                shipping_minor=shipping,
                fees_minor=fees,
                total_minor=refunded,
            ),
        )

    def _is_refunded(self, row: Row) -> bool:
        return (self.cells.text(row, "Financial Status") or "").lower() == "refunded"

    def _shipments(self, row: Row, name: str) -> tuple[ShipmentRecord, ...]:
        shipped_at = self.cells.instant(row, "Fulfilled at")
        if shipped_at is None:
            return ()
        return (
            ShipmentRecord(external_id=f"{name}/parcel", order_id=name, status="in_transit", shipped_at=shipped_at),
        )


def _text(block: list[Row]) -> str:
    """An order's rows as they stand in the file."""
    return "".join(row.text if row.text.endswith("\n") else row.text + "\n" for row in block)
