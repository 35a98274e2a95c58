"""Shopify's orders export (CSV): every variant of its columns from 46 (2012) to 79 (2025).

An order's own fields stand on its first row only; the rows after it, of the same ``Name``, are further
lines. The order's key is its ``Name``: older exports have no ``Id``, and the two must meet.

What the file does not say, and what is done instead:
    - whether prices include tax: found from the sums (see lib.importers.settlement);
    - the day of a refund: the day of cancellation, else of the last known step, marked as estimated;
    - which lines were refunded: the amount is set against goods first, then shipping;
    - who a customer without an e-mail address is: an unknown customer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lib.errors import MissingColumns
from lib.importers.records import (
    AddressRecord,
    ConsentRecord,
    CustomerRecord,
    DiscountRecord,
    ItemRecord,
    OrderRecord,
    ReadContext,
    RefundRecord,
    Rejected,
    ShipmentRecord,
)
from lib.importers.rows import Row, read_rows
from lib.importers.settlement import DoesNotAddUp, PrintedLine, PrintedOrder, Settlement, settle, share_of_goods
from lib.importers.source_file import SourceFile
from lib.money import currencies, to_minor
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


class _Untrusted(ValueError):
    """A row of an order cannot be trusted; the order is put aside whole."""

    def __init__(self, reason: str, row: Row) -> None:
        super().__init__(reason)
        self.row = row


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
    reader = _OrderReader(file.name, rows.header, rows.header_text, context)
    name_at = rows.header.index("Name")
    block: list[Row] = []
    for row in rows:
        if block and row.values[name_at].strip() != block[0].values[name_at].strip():
            yield reader.order(block)
            block = []
        block.append(row)
    if block:
        yield reader.order(block)


@dataclass(frozen=True, slots=True)
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
    """Turns the rows of one order into a record. Holds the places of the columns, and no order."""

    def __init__(self, file: str, header: list[str], header_text: str, context: ReadContext) -> None:
        self.file = file
        self.header_text = header_text
        self.places = {name.strip(): place for place, name in reversed(list(enumerate(header)))}
        self.zone = ZoneInfo(context.time_zone)
        self.context = context

    def order(self, block: list[Row]) -> OrderRecord | Rejected:
        """Read one order's rows."""
        try:
            return self._order(block)
        except _Untrusted as error:
            return self.rejected(block, str(error), error.row)
        except (DoesNotAddUp, ValueError) as error:
            return self.rejected(block, str(error), block[0])

    def rejected(self, block: list[Row], reason: str, at: Row) -> Rejected:
        """Keep an order's rows aside, with what is known of its day and worth."""
        first = block[0]
        day = amount = None
        try:
            day = store_day(self._instant(first, "Created at") or datetime.now(UTC), self.zone)
            amount = self._amount(first, "Total", self._currency(first))
        except ValueError:
            pass
        return Rejected(
            kind="order",
            file=self.file,
            line=at.line,
            reason=reason,
            text="".join(row.text if row.text.endswith("\n") else row.text + "\n" for row in block),
            header=self.header_text,
            external_id=self._text(first, "Name") or "",
            placed_day=day,
            amount_minor=amount,
        )

    def _text(self, row: Row, name: str) -> str | None:
        place = self.places.get(name)
        if place is None:
            return None
        text = row.values[place].strip()
        # Shopify writes '560029 so that a spreadsheet keeps it as text.
        if len(text) > 1 and text[0] == "'" and text[1] in "0123456789=+-@":
            text = text[1:]
        return text or None

    def _amount(self, row: Row, name: str, currency: str) -> int | None:
        text = self._text(row, name)
        if text is None:
            return None
        try:
            return to_minor(text, currency)
        except ValueError as error:
            raise _Untrusted(f"{name} {text!r} is not an amount", row) from error

    def _instant(self, row: Row, name: str) -> datetime | None:
        text = self._text(row, name)
        if text is None:
            return None
        try:
            # 2025-12-06 10:37:33 -0500
            at = datetime.fromisoformat(text[:19] + text[20:] if text[19:20] == " " else text)
        except ValueError as error:
            raise _Untrusted(
                f"{name} {text!r} is not a time such as 2025-12-06 10:37:33 -0500; a spreadsheet may have changed it",
                row,
            ) from error
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)

    def _currency(self, row: Row) -> str:
        code = (self._text(row, "Currency") or self.context.currency).upper()
        if not code:
            raise _Untrusted("the order names no currency; set ENCORE_STORE_CURRENCY", row)
        if code not in currencies():
            raise _Untrusted(f"{code!r} is no currency", row)
        return code

    def _line(self, row: Row, currency: str) -> _Line:
        if row.problem:
            raise _Untrusted(row.problem, row)
        name = self._text(row, "Lineitem name")
        price = self._amount(row, "Lineitem price", currency)
        text = self._text(row, "Lineitem quantity")
        if name is None or price is None or text is None:
            raise _Untrusted("a line without name, price or quantity", row)
        try:
            quantity = int(text)
        except ValueError as error:
            raise _Untrusted(f"Lineitem quantity {text!r} is not a whole number", row) from error
        if quantity <= 0:
            raise _Untrusted(f"Lineitem quantity {quantity} is not positive", row)
        is_shipped = self._text(row, "Lineitem requires shipping") != "false"
        kind = "goods"
        if not is_shipped and name.lower() == "tip":
            kind = "tip"
        elif not is_shipped and "gift card" in name.lower():
            kind = "gift_card"
        return _Line(
            row=row,
            name=name,
            sku=self._text(row, "Lineitem sku"),
            quantity=quantity,
            unit_price=price,
            kind=kind,
            printed=PrintedLine(
                amount=price * quantity,
                discount=self._amount(row, "Lineitem discount", currency) or 0,
                is_goods=kind == "goods",
                is_taxable=self._text(row, "Lineitem taxable") != "false",
            ),
        )

    def _order(self, block: list[Row]) -> OrderRecord:
        first = block[0]
        name = self._text(first, "Name")
        if name is None:
            raise _Untrusted("the order has no name", first)
        currency = self._currency(first)
        placed_at = self._instant(first, "Created at")
        if placed_at is None:
            raise _Untrusted("the order has no time in 'Created at'", first)
        total = self._amount(first, "Total", currency)
        if total is None:
            raise _Untrusted("the order's first row is missing: this row has no total", first)
        lines = [self._line(row, currency) for row in block]
        status = (self._text(first, "Financial Status") or "unknown").lower()
        settled = settle(
            PrintedOrder(
                lines=[line.printed for line in lines],
                total=total,
                subtotal=self._amount(first, "Subtotal", currency),
                discount=self._amount(first, "Discount Amount", currency) or 0,
                shipping=self._amount(first, "Shipping", currency) or 0,
                tax=self._amount(first, "Taxes", currency) or 0,
                duties=self._amount(first, "Duties", currency) or 0,
            )
        )
        cancelled_at = self._instant(first, "Cancelled at")
        outstanding = self._amount(first, "Outstanding Balance", currency)
        customer = self._customer(first)
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
            fulfillment_status=self._text(first, "Fulfillment Status"),
            is_tax_included=settled.is_tax_included,
            channel=self._channel(first),
            country=self._country(first),
            region=self._text(first, "Shipping Province") or self._text(first, "Billing Province"),
            city=self._text(first, "Shipping City") or self._text(first, "Billing City"),
            payment_method=self._text(first, "Payment Method"),
            delivery_type=self._text(first, "Shipping Method"),
            tags=self._text(first, "Tags"),
            note=self._text(first, "Notes"),
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
            shipments=self._shipments(first, name),
        )

    def _customer(self, row: Row) -> CustomerRecord | None:
        email = self._text(row, "Email")
        if email is None:
            return None
        accepts = (self._text(row, "Accepts Marketing") or "").lower()
        state = {"yes": "given", "true": "given", "no": "never", "false": "never"}.get(accepts)
        addresses = tuple(a for a in (self._address(row, "Billing"), self._address(row, "Shipping")) if a)
        return CustomerRecord(
            email=email,
            name=self._text(row, "Billing Name") or self._text(row, "Shipping Name"),
            phone=self._text(row, "Phone") or self._text(row, "Billing Phone") or self._text(row, "Shipping Phone"),
            country=self._country(row),
            region=self._text(row, "Shipping Province") or self._text(row, "Billing Province"),
            city=self._text(row, "Shipping City") or self._text(row, "Billing City"),
            is_guest=True,
            addresses=addresses,
            consents=(ConsentRecord(channel="email", state=state),) if state else (),
        )

    def _address(self, row: Row, side: str) -> AddressRecord | None:
        street = self._text(row, f"{side} Address1") or self._text(row, f"{side} Street")
        city = self._text(row, f"{side} City")
        code = self._text(row, f"{side} Country")
        if not (street or city):
            return None
        return AddressRecord(
            kind=side.lower(),
            name=self._text(row, f"{side} Name"),
            street=street,
            city=city,
            region=self._text(row, f"{side} Province"),
            postal_code=self._text(row, f"{side} Zip"),
            country=code.upper() if code and len(code) == 2 else None,
            phone=self._text(row, f"{side} Phone"),
        )

    def _country(self, row: Row) -> str | None:
        code = self._text(row, "Shipping Country") or self._text(row, "Billing Country")
        return code.upper() if code and len(code) == 2 else None

    def _channel(self, row: Row) -> str | None:
        source = self._text(row, "Source")
        if source is None:
            return None
        return CHANNELS.get(source.lower(), f"app {source}" if source.isdigit() else source)

    def _discounts(self, row: Row, settled: Settlement) -> tuple[DiscountRecord, ...]:
        code = self._text(row, "Discount Code")
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
        refunded = self._amount(row, "Refunded Amount", currency) or 0
        if refunded <= 0:
            return ()
        goods = settled.gross - settled.discount
        lines_tax = sum(line.tax for line in settled.lines)
        with_tax, rest = share_of_goods(refunded, [goods + lines_tax, max(settled.total - goods - lines_tax, 0)])
        tax = with_tax * lines_tax // (goods + lines_tax) if goods + lines_tax else 0
        shipping_tax = settled.tax - lines_tax
        shipping, on_shipping, fees = share_of_goods(rest, [max(settled.shipping, 0), max(shipping_tax, 0), 0])
        steps = [at for name_ in ("Fulfilled at", "Paid at") if (at := self._instant(row, name_))]
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

    def _shipments(self, row: Row, name: str) -> tuple[ShipmentRecord, ...]:
        shipped_at = self._instant(row, "Fulfilled at")
        if shipped_at is None:
            return ()
        return (
            ShipmentRecord(external_id=f"{name}/parcel", order_id=name, status="in_transit", shipped_at=shipped_at),
        )
