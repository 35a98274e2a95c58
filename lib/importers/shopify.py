"""Shopify's exports: orders, customers and products (CSV), told apart by their columns."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lib.errors import UnknownFormat
from lib.importers.amounts import minor
from lib.importers.cells import cell, yes
from lib.importers.decimals import decimals_of
from lib.importers.records import (
    AddressRecord,
    ConsentRecord,
    CustomerRecord,
    ProductRecord,
    ReadContext,
    Record,
    Rejected,
)
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.shopify_orders import first_currency, is_orders_export, read_orders
from lib.importers.source_file import SourceFile


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[Record | Rejected]:
    """Yield the records of Shopify exports: products, then customers, then orders, so that each finds the other.

    Raises:
        UnknownFormat: a file is none of the three.
    """
    kinds: dict[str, list[SourceFile]] = {"products": [], "customers": [], "orders": []}
    for file in files:
        kinds[_kind(file)].append(file)
    if not context.currency and kinds["orders"]:
        # Prices of products name no currency: it is that of the orders beside them.
        context = replace(context, currency=first_currency(kinds["orders"][0]))
    for file in kinds["products"]:
        yield from read_products(file, context)
    for file in kinds["customers"]:
        yield from read_customers(file)
    for file in kinds["orders"]:
        yield from read_orders(file, context)


def _kind(file: SourceFile) -> str:
    header = read_rows(file).header
    if is_orders_export(header):
        return "orders"
    if "Handle" in header and "Title" in header:
        return "products"
    if "Email" in header and ("Total Spent" in header or "Accepts Email Marketing" in header):
        return "customers"
    raise UnknownFormat(
        f"{file.name} is no Shopify export of orders, customers or products. Its columns: {', '.join(header[:12])} … "
        "Any other table can be imported with `import table`."
    )


def read_customers(file: SourceFile) -> Iterator[CustomerRecord | Rejected]:
    """Yield one record per customer; both the current columns and the older ones."""
    rows = read_rows(file)
    for row in rows:
        if row.problem:
            yield rows.rejected(row, "customer", row.problem)
            continue
        number, email = cell(rows, row, "Customer ID"), cell(rows, row, "Email")
        if not number and not email:
            yield rows.rejected(row, "customer", "neither a customer number nor an e-mail address")
            continue
        yield replace(_customer(rows, row, number or "", email), origin=rows.origin(row))


def _customer(rows: Rows, row: Row, number: str, email: str | None) -> CustomerRecord:
    def get(*names: str) -> str | None:
        return next((text for name in names if (text := cell(rows, row, name))), None)

    name = " ".join(part for part in (get("First Name"), get("Last Name")) if part) or None
    country = get("Default Address Country Code", "Country Code")
    street = " ".join(
        part
        for part in (get("Default Address Address1", "Address1"), get("Default Address Address2", "Address2"))
        if part
    )
    city = get("Default Address City", "City")
    region = get("Default Address Province Code", "Province Code", "Province")
    phone = get("Phone", "Default Address Phone")
    consents = [
        ConsentRecord(channel, "given" if yes(stated) else "never")
        for channel, column in (
            ("email", "Accepts Email Marketing"),
            ("sms", "Accepts SMS Marketing"),
            ("whatsapp", "Accepts WhatsApp Marketing"),
        )
        if (stated := get(column))
    ]
    address = AddressRecord(
        kind="default",
        name=name,
        street=street or None,
        city=city,
        region=region,
        postal_code=get("Default Address Zip", "Zip"),
        country=country.upper() if country and len(country) == 2 else None,
        phone=phone,
    )
    return CustomerRecord(
        external_id=number,
        email=email,
        name=name,
        phone=phone,
        country=address.country,
        region=region,
        city=city,
        tags=get("Tags"),
        note=get("Note"),
        addresses=(address,) if street or city else (),
        consents=tuple(consents),
    )


def read_products(file: SourceFile, context: ReadContext) -> Iterator[ProductRecord | Rejected]:
    """Yield one record per variant; rows that only carry an image are part of the variant before."""
    rows = read_rows(file)
    decimal = decimals_of(file, ["Variant Price", "Cost per item", "Variant Compare At Price"])
    title = vendor = category = handle = tags = None
    is_active, is_goods = True, True
    for row in rows:
        if row.problem:
            yield rows.rejected(row, "product", row.problem)
            continue
        if cell(rows, row, "Handle") != handle or cell(rows, row, "Title"):
            handle = cell(rows, row, "Handle")
            title = cell(rows, row, "Title")
            vendor, tags = cell(rows, row, "Vendor"), cell(rows, row, "Tags")
            category = cell(rows, row, "Type") or _leaf(cell(rows, row, "Product Category"))
            is_active = (cell(rows, row, "Status") or "active").lower() == "active"
            is_goods = not yes(cell(rows, row, "Gift Card"))
        options = [text for n in (1, 2, 3) if (text := cell(rows, row, f"Option{n} Value")) and text != "Default Title"]
        price, sku = cell(rows, row, "Variant Price"), cell(rows, row, "Variant SKU")
        if price is None and sku is None and not options and cell(rows, row, "Title") is None:
            # A row that only adds an image belongs to the variant above it.
            continue
        if not handle or not title:
            yield rows.rejected(row, "product", "the product's first row, with its title, is missing")
            continue
        name = f"{title} - {' / '.join(options)}" if options else title
        currency = context.currency or None
        cost = cell(rows, row, "Cost per item")
        stock = cell(rows, row, "Variant Inventory Qty")
        try:
            yield ProductRecord(
                external_id=sku or "#".join([handle, *options]),
                name=name,
                handle=handle,
                sku=sku,
                parent_name=title,
                category=category,
                vendor=vendor,
                currency=currency,
                price_minor=minor(price, currency, decimal) if price and currency else None,
                cost_minor=minor(cost, currency, decimal) if cost and currency else None,
                stock=int(stock) if stock and stock.lstrip("-").isdigit() else None,
                is_goods=is_goods,
                is_active=is_active,
                tags=tags,
                origin=rows.origin(row),
            )
        except ValueError as error:
            yield rows.rejected(row, "product", str(error))


def _leaf(category: str | None) -> str | None:
    """``Home & Garden > Decor > Candles`` is a path; its end says what it is."""
    return category.rsplit(">", 1)[-1].strip() if category else None
