"""UCI Online Retail and Online Retail II: the invoice lines of a British gift wholesaler, as CSV.

One line per row, in pounds. Every invoice becomes one record, so that all its money is kept:

- ``536365`` a purchase → an order. A purchase worth nothing (samples, and some 1,300 stock corrections with
  negative pieces and no price) is an order of zero value: it is kept, and counts nowhere as a purchase.
  Lines that take pieces out of stock are no goods sold; the order's note says them.
- ``C536379`` a cancellation → a refund, matched line by line to the purchase that it undoes. It names none.
- ``A563185`` an adjustment of bad debt → a refund of fees alone (a negative one where it adds), never an order.

What is not goods, by stock code: ``POST``, ``DOT`` and ``C2`` (postage, web-shop postage, carriage) are
shipping; ``gift_0001_…`` are gift cards, booked as fees until spent; ``M`` (entered by hand), ``D``
(discount given afterwards), ``S`` (samples), ``B`` (bad debt), ``BANK CHARGES``, ``AMAZONFEE``, ``CRUK``
(a charity's share), ``ADJUST…`` and ``TEST…`` are fees. ``PADS``, ``DCGS…`` and ``SP1002`` are goods.

Times are the store's own. Rows without a customer belong to an unknown customer. Rows of an invoice may
be parted by a few other invoices (the file is sorted by minute); far apart, the later ones are rejected.

Data: D. Chen, S. L. Sain, K. Guo (2012), UCI Machine Learning Repository, doi:10.24432/C5BW33, CC BY 4.0.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from zoneinfo import ZoneInfo

from lib.errors import UnknownFormat
from lib.importers.amounts import amount, decimal_sign, whole
from lib.importers.countries import country_code
from lib.importers.dates import DateReader, date_order, date_reader
from lib.importers.records import (
    CustomerRecord,
    ItemRecord,
    OrderRecord,
    Origin,
    ReadContext,
    RefundItemRecord,
    RefundRecord,
    Rejected,
)
from lib.importers.rows import read_rows
from lib.importers.source_file import SourceFile
from lib.money import to_minor
from lib.periods import store_day

CURRENCY = "GBP"
COLUMNS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "stock_code": ("StockCode",),
    "name": ("Description",),
    "quantity": ("Quantity",),
    "at": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}
SHIPPING = frozenset({"POST", "DOT", "C2"})
FEES = frozenset({"M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "ADJUST", "ADJUST2"})
# How many invoices may be open at once: their rows are parted by those of others of the same minute.
OPEN_INVOICES = 256
SAMPLE = 5_000


@dataclass(slots=True)
class _Line:
    code: str
    name: str
    kind: str
    quantity: int
    price: int
    amount: int


@dataclass(slots=True)
class _Invoice:
    """The rows of one invoice while they come in."""

    number: str
    at: datetime
    customer: str
    country: str
    file: str
    line: int
    header: str
    lines: list[_Line] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    reason: str = ""


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[OrderRecord | RefundRecord | Rejected]:
    """Yield one record per invoice.

    Raises:
        MissingColumns: a file lacks one of the eight columns, in either edition's spelling.
        AmbiguousDates: the dates are like 03/04/2011 and none proves the order of day and month.
    """
    opened: OrderedDict[str, _Invoice] = OrderedDict()
    zone = ZoneInfo(context.time_zone)
    with closing(sqlite3.connect("")) as seen:  # a temporary file: which invoices were finished
        seen.execute("PRAGMA journal_mode=OFF")
        seen.execute("CREATE TABLE seen (number TEXT PRIMARY KEY) WITHOUT ROWID")
        for file in files:
            for entry in _rows(file, context):
                if isinstance(entry, Rejected):
                    yield entry
                    continue
                invoice, line, text, reason = entry
                known = opened.get(invoice.number)
                if known is None:
                    known = opened[invoice.number] = invoice
                    if len(opened) > OPEN_INVOICES:
                        yield _finish(opened.popitem(last=False)[1], seen, zone)
                known.texts.append(text)
                known.reason = known.reason or reason
                if line is not None:
                    known.lines.append(line)
        while opened:
            yield _finish(opened.popitem(last=False)[1], seen, zone)


def _rows(file: SourceFile, context: ReadContext) -> Iterator[tuple[_Invoice, _Line | None, str, str] | Rejected]:
    """Yield each row as an empty invoice to open, its line, its text and what is wrong with it."""
    rows = read_rows(file)
    where = {name: rows.column(*spellings) for name, spellings in COLUMNS.items()}
    dates, sign = _formats(file, where, context)
    c_invoice, c_code, c_name, c_quantity = where["invoice"], where["stock_code"], where["name"], where["quantity"]
    c_at, c_price, c_customer, c_country = where["at"], where["price"], where["customer"], where["country"]
    prices: dict[str, Decimal] = {}
    minors: dict[tuple[str, str], tuple[int, int, int]] = {}
    nowhere = datetime.min  # noqa: DTZ901 - stands for no time at all; such an invoice is rejected
    for row in rows:
        values = row.values
        number = values[c_invoice].strip().upper()
        if not number:
            yield rows.rejected(row, "order", row.problem or "The row has no invoice number.")
            continue
        customer = values[c_customer].strip().removesuffix(".0")
        invoice = _Invoice(number, nowhere, customer, values[c_country], file.name, row.line, rows.header_text)
        line, reason = None, row.problem
        try:
            invoice.at = dates.at(values[c_at])
            if not reason:
                key = (values[c_quantity], values[c_price])
                known = minors.get(key)
                if known is None:
                    price = prices.setdefault(key[1], amount(key[1], sign))
                    quantity = whole(key[0], sign)
                    known = (quantity, to_minor(price, CURRENCY), to_minor(price * quantity, CURRENCY))
                    if len(minors) >= 65_536:
                        minors.clear()
                        prices.clear()
                    minors[key] = known
                code = values[c_code].strip()
                line = _Line(code, values[c_name].strip() or code or "?", _kind(code), *known)
        except ValueError as error:
            reason = reason or f"Line {row.line}: {error}."
        yield invoice, line, row.text, reason


def _formats(file: SourceFile, where: dict[str, int], context: ReadContext) -> tuple[DateReader, str]:
    """How this copy writes its dates and prices: the first rows tell, or else all of them."""
    sample = [row.values for row in islice(read_rows(file), SAMPLE) if not row.problem]
    dates = [values[where["at"]] for values in sample]
    if not context.date_format and date_order(dates).is_open:
        dates_of_all: Iterator[str] = (row.values[where["at"]] for row in read_rows(file) if not row.problem)
        reader = date_reader(dates_of_all, context, column="InvoiceDate", file=file.name)
    else:
        reader = date_reader(dates, context, column="InvoiceDate", file=file.name)
    try:
        sign = decimal_sign(values[where["price"]] for values in sample)
    except ValueError as error:
        raise UnknownFormat(f"The prices of {file.name} cannot be read: {error}. Export it again.") from error
    return reader, sign or "."


def _kind(code: str) -> str:
    name = code.upper()
    if name in SHIPPING:
        return "shipping"
    if name.startswith("GIFT_"):
        return "gift_card"
    return "fee" if name in FEES or name.startswith("TEST") else "goods"


def _finish(invoice: _Invoice, seen: sqlite3.Connection, zone: ZoneInfo) -> OrderRecord | RefundRecord | Rejected:
    is_new = seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (invoice.number,)).rowcount
    reason = invoice.reason
    if not is_new:
        reason = "Rows of this invoice came before, far above; they must stand together. Sort the file by invoice."
    lines = invoice.lines
    is_purchase = invoice.number[0] not in "CA"
    goods = [line.amount for line in lines if line.kind == "goods"]
    if not reason and is_purchase and min(goods, default=0) < 0:
        reason = "Goods of negative value in a purchase; a cancellation's number begins with C."
    if not reason and not is_purchase and max(goods, default=0) > 0:
        reason = "Goods of positive value in a cancellation; its pieces must be negative."
    if reason:
        return Rejected(
            kind="order" if is_purchase else "refund",
            file=invoice.file,
            line=invoice.line,
            reason=reason,
            text=_text(invoice),
            header=invoice.header,
            external_id=invoice.number,
            placed_day=None if invoice.at.tzinfo is None else store_day(invoice.at, zone),
            amount_minor=sum(line.amount for line in lines),
        )
    return _order(invoice) if is_purchase else _refund(invoice)


def _customer(invoice: _Invoice) -> CustomerRecord | None:
    if not invoice.customer:
        return None
    return CustomerRecord(external_id=invoice.customer, country=country_code(invoice.country))


def _order(invoice: _Invoice) -> OrderRecord:
    items = tuple(
        ItemRecord(
            name=line.name,
            quantity=line.quantity,
            unit_price_minor=line.price,
            gross_minor=line.amount,
            kind=line.kind,
            external_id=str(position),
            product_id=line.code if line.kind == "goods" else None,
            sku=line.code,
        )
        for position, line in enumerate(invoice.lines, 1)
        if line.quantity > 0
    )
    gross, shipping, fees = _sums(invoice.lines)
    taken = "; ".join(f"{line.quantity} × {line.code} {line.name}" for line in invoice.lines if line.quantity <= 0)
    country = country_code(invoice.country)
    return OrderRecord(
        external_id=invoice.number,
        number=invoice.number,
        placed_at=invoice.at,
        currency=CURRENCY,
        gross_minor=gross,
        shipping_minor=shipping,
        fees_minor=fees,
        total_minor=gross + shipping + fees,
        customer=_customer(invoice),
        country=country,
        region=None if country else invoice.country.strip() or None,
        tags="stock correction" if taken else None,
        note=f"Stock correction: {taken}"[:2000] if taken else None,
        items=items,
        origin=Origin(invoice.file, invoice.line, _text(invoice), invoice.header),
    )


def _refund(invoice: _Invoice) -> RefundRecord:
    goods, shipping, fees = _sums(invoice.lines)
    items = tuple(
        RefundItemRecord(
            name=line.name,
            quantity=abs(line.quantity),
            goods_minor=abs(line.amount),
            sku=line.code,
            product_id=line.code,
            unit_price_minor=line.price,
        )
        for line in invoice.lines
        if line.kind == "goods"
    )
    is_cancellation = invoice.number[0] == "C"
    return RefundRecord(
        external_id=invoice.number,
        refunded_at=invoice.at,
        currency=CURRENCY,
        goods_minor=-goods,
        shipping_minor=-shipping,
        fees_minor=-fees,
        total_minor=-(goods + shipping + fees),
        customer=_customer(invoice),
        match_purchase=is_cancellation,
        reason=None if is_cancellation else "; ".join(line.name for line in invoice.lines),
        items=items,
        origin=Origin(invoice.file, invoice.line, _text(invoice), invoice.header),
    )


def _text(invoice: _Invoice) -> str:
    return "\n".join(text.rstrip("\r\n") for text in invoice.texts)


def _sums(lines: Sequence[_Line]) -> tuple[int, int, int]:
    """Goods, shipping and fees; gift cards count as fees until they are spent."""
    goods = sum(line.amount for line in lines if line.kind == "goods")
    shipping = sum(line.amount for line in lines if line.kind == "shipping")
    return goods, shipping, sum(line.amount for line in lines) - goods - shipping
