"""Olist's Brazilian e-commerce: a folder of CSVs, under Kaggle's names or plain ones (told apart by columns).

- A customer is ``customer_unique_id``; ``customer_id`` is new with every order and no person.
- Items are one piece each; their price is the order's gross, their freight its shipping. Payments (with the
  interest on instalments) are what was paid, never the total; the method is that of the largest payment.
- ``canceled`` and ``unavailable`` are cancelled, at the last time that the order has: no file tells when.
- Each order not cancelled is one shipment; the estimated date is its promised day. An order that is called
  delivered without a time of delivery is on its way, as far as anybody can tell.
- A review is a survey: ``review_answer_timestamp`` is when the customer answered, nobody's reply.
- Products have no names: they are called by their category (in English) and the first letters of their key.

Items, payments and reviews of an order that the orders' file does not hold are rejected as one, with their
rows. Geolocation, sellers and marketing leads are left aside. Times are the store's own.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime

from lib.errors import MissingColumns, UnknownFormat
from lib.importers.amounts import minor, whole
from lib.importers.dates import DateReader, date_reader
from lib.importers.gather import Gatherer, Kept, Lookup
from lib.importers.records import (
    CustomerRecord,
    ItemRecord,
    OrderRecord,
    Origin,
    ProductRecord,
    ReadContext,
    Rejected,
    ReviewRecord,
    ShipmentRecord,
)
from lib.importers.rows import Rows
from lib.importers.source_file import SourceFile
from lib.importers.table_rows import table_rows

CURRENCY = "BRL"
# What tells a file: its own columns. The columns that a reader needs, in the order it takes them.
PARTS = {
    "orders": (
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ),
    "items": ("order_id", "order_item_id", "product_id", "price", "freight_value"),
    "payments": ("order_id", "payment_type", "payment_value"),
    "reviews": (
        "order_id",
        "review_id",
        "review_score",
        "review_comment_title",
        "review_comment_message",
        "review_answer_timestamp",
    ),
    "customers": ("customer_id", "customer_unique_id", "customer_city", "customer_state"),
    "products": ("product_id", "product_category_name"),
    "translation": ("product_category_name", "product_category_name_english"),
}
MARKS = {
    "orders": "order_purchase_timestamp",
    "items": "order_item_id",
    "payments": "payment_value",
    "reviews": "review_score",
    "customers": "customer_unique_id",
    "products": "product_photos_qty",
    "translation": "product_category_name_english",
}
ASIDE = ("geolocation_lat", "seller_zip_code_prefix", "mql_id")
CANCELLED = frozenset({"canceled", "unavailable"})
SHIPMENT_STATUSES = {"shipped": "in_transit", "delivered": "in_transit"}
PAYMENT_METHODS = {"not_defined": None}

OlistRecord = ProductRecord | OrderRecord | ReviewRecord | Rejected


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[OlistRecord]:
    """Yield the products, then each order followed by its reviews.

    Raises:
        UnknownFormat: a file that is none of Olist's.
        MissingColumns: orders, items or customers are missing, or one of their columns.
    """
    parts = _tell_apart(files)
    with ExitStack() as stack:
        customers, products = stack.enter_context(Lookup()), stack.enter_context(Lookup())
        headers: dict[str, str] = {}
        words = _translation(parts)
        yield from _products(parts, words, products)
        for rows, where in parts["customers"]:
            for row in rows:
                values = [row.values[i].strip() for i in where]
                if row.problem or not values[0] or not customers.keep(values[0], values[1:]):
                    yield rows.rejected(row, "customer", row.problem or "No customer_id, or one that came before.")
        gatherer = stack.enter_context(Gatherer())
        for part in ("orders", "items", "payments", "reviews"):
            for rows, where in parts.get(part, []):
                headers[part] = rows.header_text
                for row in rows:
                    values = [row.values[i].strip() for i in where]
                    if not values[0]:
                        kind = "review" if part == "reviews" else "order"
                        yield rows.rejected(row, kind, row.problem or "The row has no order_id.")
                        continue
                    kept = Kept(part, rows.file.name, row.line, row.text.rstrip("\r\n"), values[1:], row.problem)
                    gatherer.keep(values[0], kept)
        dates = date_reader([], context)
        for order_id, kept_rows in gatherer.groups():
            yield from _whole(order_id, kept_rows, headers, dates, customers, products)


def _tell_apart(files: Sequence[SourceFile]) -> dict[str, list[tuple[Rows, list[int]]]]:
    parts: dict[str, list[tuple[Rows, list[int]]]] = {}
    for file in files:
        rows = table_rows(file)
        part = next((name for name, mark in MARKS.items() if rows.has(mark)), "")
        if part:
            parts.setdefault(part, []).append((rows, [rows.column(name) for name in PARTS[part]]))
        elif not any(rows.has(name) for name in ASIDE):
            raise UnknownFormat(
                f"{file.name} is none of Olist's files; its columns are {', '.join(rows.header[:10])}. "
                "Name the folder with orders, order_items, order_payments, customers and products."
            )
    missing = [part for part in ("orders", "items", "customers") if part not in parts]
    if missing:
        raise MissingColumns(
            f"Olist's {' and '.join(missing)} file is missing. Name the folder that holds orders, items and customers."
        )
    return parts


def _translation(parts: dict[str, list[tuple[Rows, list[int]]]]) -> dict[str, str]:
    """English words for the categories, a few dozen."""
    return {
        row.values[where[0]].strip(): row.values[where[1]].strip()
        for rows, where in parts.get("translation", [])
        for row in rows
        if not row.problem
    }


def _products(
    parts: dict[str, list[tuple[Rows, list[int]]]], words: dict[str, str], products: Lookup
) -> Iterator[ProductRecord | Rejected]:
    for rows, where in parts.get("products", []):
        for row in rows:
            key, category = (row.values[i].strip() for i in where)
            if row.problem or not key:
                yield rows.rejected(row, "product", row.problem or "The row has no product_id.")
                continue
            category = words.get(category, category).replace("_", " ").capitalize()
            if products.keep(key, [category]):
                origin = Origin(rows.file.name, row.line, row.text.rstrip("\r\n"), rows.header_text)
                yield ProductRecord(
                    key, _product_name(key, category), category=category or None, currency=CURRENCY, origin=origin
                )
            else:
                yield rows.rejected(row, "product", f"Product {key} came before.", external_id=key)


def _product_name(key: str, category: str) -> str:
    return f"{category or 'Product'} {key[:8]}"


def _whole(
    order_id: str, kept: list[Kept], headers: dict[str, str], dates: DateReader, customers: Lookup, products: Lookup
) -> Iterator[OlistRecord]:
    """One order with its items and payments, then its reviews; or all its rows as rejected."""
    of = {part: [row for row in kept if row.part == part] for part in headers}
    orders, reviews = of["orders"], of.get("reviews", [])
    own = [row for row in kept if row.part != "reviews"]
    items: list[ItemRecord] = []
    customer = None
    reason = next((f"Line {row.line} of {row.file}: {row.problem}" for row in own if row.problem), "")
    if not orders:
        reason = "The orders' file does not hold this order."
    elif len(orders) > 1:
        reason = f"The orders' file holds this order {len(orders)} times."
    if own:
        try:
            if reason:
                raise ValueError(reason)
            items = [_item(row, products) for row in of["items"]]
            customer = _customer(orders[0].values[0], customers)
            yield _order(order_id, orders[0], of, items, customer, dates, _origin(own, headers))
        except ValueError as error:
            text = "\n".join(row.text for row in own)
            first = own[0]
            yield Rejected(
                "order", first.file, first.line, str(error), text, header=headers[first.part], external_id=order_id
            )
    bought = {item.product_id for item in items}
    product_id = bought.pop() if len(bought) == 1 else None
    for row in reviews:
        try:
            if row.problem:
                raise ValueError(row.problem)
            yield _review(order_id, row, dates, customer, product_id, headers)
        except ValueError as error:
            yield Rejected("review", row.file, row.line, str(error), row.text, header=headers["reviews"])


def _origin(rows: list[Kept], headers: dict[str, str]) -> Origin:
    return Origin(rows[0].file, rows[0].line, "\n".join(row.text for row in rows), headers[rows[0].part])


def _customer(customer_id: str, customers: Lookup) -> CustomerRecord | None:
    found = customers.find(customer_id)
    if found is None or not found[0]:
        return None
    return CustomerRecord(external_id=found[0], country="BR", city=found[1] or None, region=found[2] or None)


def _item(row: Kept, products: Lookup) -> ItemRecord:
    number, product_id, price_text, _ = row.values
    price = minor(price_text, CURRENCY)
    found = products.find(product_id)
    category = found[0] if found else ""
    return ItemRecord(
        name=_product_name(product_id, category),
        quantity=1,
        unit_price_minor=price,
        gross_minor=price,
        external_id=str(whole(number)),
        product_id=product_id or None,
        category=category or None,
    )


def _order(
    order_id: str,
    row: Kept,
    of: dict[str, list[Kept]],
    items: list[ItemRecord],
    customer: CustomerRecord | None,
    dates: DateReader,
    origin: Origin,
) -> OrderRecord:
    _, status, placed, approved, shipped, delivered, promised = row.values
    gross = sum(item.gross_minor for item in items)
    freight = sum(minor(item.values[3], CURRENCY) for item in of["items"])
    payments = [(minor(payment.values[1], CURRENCY), payment.values[0]) for payment in of.get("payments", [])]
    method = max(payments, key=lambda payment: payment[0])[1] if payments else ""
    placed_at = dates.at(placed)
    shipped_at, delivered_at = (dates.at(text) if text else None for text in (shipped, delivered))
    is_cancelled = status in CANCELLED
    known = [placed_at, dates.at(approved) if approved else None, shipped_at, delivered_at]
    return OrderRecord(
        external_id=order_id,
        number=order_id,
        placed_at=placed_at,
        currency=CURRENCY,
        gross_minor=gross,
        shipping_minor=freight,
        total_minor=gross + freight,
        paid_minor=sum(amount for amount, _ in payments) if payments else None,
        customer=customer,
        cancelled_at=_latest(known) if is_cancelled else None,
        payment_status="paid" if approved else "pending",
        fulfillment_status=status or None,
        country="BR",
        region=customer.region if customer else None,
        city=customer.city if customer else None,
        payment_method=PAYMENT_METHODS.get(method, method) or None,
        items=tuple(items),
        shipments=()
        if is_cancelled and shipped_at is None
        else (
            ShipmentRecord(
                external_id=order_id,
                order_id=order_id,
                status="delivered" if delivered_at else SHIPMENT_STATUSES.get(status, "pending"),
                shipped_at=shipped_at,
                delivered_at=delivered_at,
                promised_day=dates.day(promised) if promised else None,
            ),
        ),
        origin=origin,
    )


def _latest(instants: list[datetime | None]) -> datetime:
    return max(instant for instant in instants if instant is not None)


def _review(
    order_id: str,
    row: Kept,
    dates: DateReader,
    customer: CustomerRecord | None,
    product_id: str | None,
    headers: dict[str, str],
) -> ReviewRecord:
    """One survey's answer. A review that covers several orders comes once for each, so the order is in its key."""
    review_id, score, title, message, answered = row.values
    stars = whole(score)
    if not 1 <= stars <= 5:
        raise ValueError(f"{stars} is not a number of stars from 1 to 5")
    if not review_id:
        raise ValueError("The row has no review_id.")
    return ReviewRecord(
        external_id=f"{review_id}:{order_id}",
        rating=stars,
        written_at=dates.at(answered),
        title=title or None,
        body=message or None,
        language="pt",
        customer=customer,
        order_id=order_id,
        product_id=product_id,
        is_survey=True,
        is_verified=True,
        origin=Origin(row.file, row.line, row.text, headers["reviews"]),
    )
