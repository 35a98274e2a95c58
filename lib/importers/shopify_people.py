"""The people in Shopify's orders export: who bought, and where they live."""

from lib.importers.records import AddressRecord, ConsentRecord, CustomerRecord
from lib.importers.rows import Row
from lib.importers.shopify_cells import OrderCells

PHONES = ("Phone", "Billing Phone", "Shipping Phone")


def buyer(cells: OrderCells, row: Row) -> CustomerRecord | None:
    """The person an order names; None without an e-mail address."""
    email = cells.text(row, "Email")
    if email is None:
        return None
    accepts = (cells.text(row, "Accepts Marketing") or "").lower()
    state = {"yes": "given", "true": "given", "no": "never", "false": "never"}.get(accepts)
    addresses = tuple(a for a in (_address(cells, row, "Billing"), _address(cells, row, "Shipping")) if a)
    return CustomerRecord(
        email=email,
        name=cells.text(row, "Billing Name") or cells.text(row, "Shipping Name"),
        phone=cells.text(row, "Phone") or cells.text(row, "Billing Phone") or cells.text(row, "Shipping Phone"),
        country=country(cells, row),
        region=cells.text(row, "Shipping Province") or cells.text(row, "Billing Province"),
        city=cells.text(row, "Shipping City") or cells.text(row, "Billing City"),
        is_guest=True,
        addresses=addresses,
        consents=(ConsentRecord(channel="email", state=state),) if state else (),
    )


def _address(cells: OrderCells, row: Row, side: str) -> AddressRecord | None:
    street = cells.text(row, f"{side} Address1") or cells.text(row, f"{side} Street")
    city = cells.text(row, f"{side} City")
    code = cells.text(row, f"{side} Country")
    if not (street or city):
        return None
    return AddressRecord(
        kind=side.lower(),
        name=cells.text(row, f"{side} Name"),
        street=street,
        city=city,
        region=cells.text(row, f"{side} Province"),
        postal_code=cells.text(row, f"{side} Zip"),
        country=code.upper() if code and len(code) == 2 else None,
        phone=cells.text(row, f"{side} Phone"),
    )


def country(cells: OrderCells, row: Row) -> str | None:
    """Where the order goes, else where it is billed: an ISO code of two letters."""
    code = cells.text(row, "Shipping Country") or cells.text(row, "Billing Country")
    return code.upper() if code and len(code) == 2 else None
