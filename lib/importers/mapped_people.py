"""Make customers, products, reviews, tickets, parcels and refunds of the rows of a mapped table."""

import hashlib

from lib.importers.cell_reading import CellReading, Cells
from lib.importers.records import (
    ConsentRecord,
    CustomerRecord,
    MessageRecord,
    ProductRecord,
    RefundRecord,
    ReplyRecord,
    ReviewRecord,
    ShipmentRecord,
    TicketRecord,
)
from lib.money import to_minor

REVIEW_STATES = ("published", "pending", "spam", "unpublished")
TICKET_CHANNELS = ("chat", "email", "phone", "social", "form", "sms", "other")
TICKET_STATUSES = ("open", "waiting_for_customer", "closed", "spam")
TICKET_PRIORITIES = ("low", "normal", "high", "urgent")
SHIPMENT_STATUSES = (
    "pending",
    "info_received",
    "in_transit",
    "out_for_delivery",
    "attempt_failed",
    "available_for_pickup",
    "delivered",
    "exception",
    "lost",
    "damaged",
    "expired",
)
_CLOSED = ("closed", "solved", "resolved", "geschlossen", "gelöst", "fermé", "cerrado", "gesloten", "done", "erledigt")
_WAITING = ("waiting", "pending", "waiting on customer", "wartet", "en attente")
_CHANNELS = {
    "e-mail": "email",
    "mail": "email",
    "live chat": "chat",
    "whatsapp": "chat",
    "telephone": "phone",
    "telefon": "phone",
    "call": "phone",
    "voice": "phone",
    "facebook": "social",
    "instagram": "social",
    "twitter": "social",
    "web": "form",
    "contact form": "form",
    "kontaktformular": "form",
}


def build_customer(cells: Cells, reading: CellReading) -> CustomerRecord:
    """Raises ValueError where the row names neither a key nor an e-mail address, or a cell cannot be read."""
    key, email = cells.get("customer_id", ""), cells.get("email", "")
    if email and "@" not in email:
        raise ValueError(f"{email[:60]!r} is no e-mail address.")
    if not key and not email:
        raise ValueError("The row names neither a customer's key nor an e-mail address.")
    parts = [part for name in ("first_name", "last_name") if (part := reading.text(cells, name))]
    consents: tuple[ConsentRecord, ...] = ()
    if cells.get("accepts_marketing"):
        consents = (ConsentRecord("email", "given" if reading.flag(cells, "accepts_marketing") else "never"),)
    return CustomerRecord(
        external_id=key,
        email=email or None,
        name=reading.text(cells, "name") or " ".join(parts) or None,
        phone=reading.text(cells, "phone"),
        country=reading.country(cells),
        region=reading.text(cells, "region"),
        city=reading.text(cells, "city"),
        language=reading.text(cells, "language"),
        registered_at=reading.at(cells, "registered_at"),
        tags=reading.text(cells, "tags"),
        note=reading.text(cells, "note"),
        consents=consents,
    )


def build_product(cells: Cells, reading: CellReading) -> ProductRecord:
    """Raises ValueError where key or name are missing, or a cell cannot be read."""
    price, cost = reading.exact(cells, "price"), reading.exact(cells, "cost")
    currency = reading.currency(cells) if price is not None or cost is not None else None
    return ProductRecord(
        external_id=_needed(cells, "product_id", reading),
        name=_needed(cells, "name", reading),
        handle=reading.text(cells, "handle"),
        sku=reading.text(cells, "sku"),
        category=reading.text(cells, "category"),
        vendor=reading.text(cells, "vendor"),
        currency=currency,
        price_minor=None if price is None or currency is None else to_minor(price, currency),
        cost_minor=None if cost is None or currency is None else to_minor(cost, currency),
        stock=reading.count(cells, "stock"),
        tags=reading.text(cells, "tags"),
    )


def build_review(cells: Cells, reading: CellReading) -> ReviewRecord:
    """A review without a key of its own is known by who wrote what about which product, and when.

    Raises:
        ValueError: no date, stars that are not 1 to 5, or a cell that cannot be read.
    """
    stars = reading.count(cells, "rating")
    if stars is None or not 1 <= stars <= 5:
        raise ValueError(f"{cells.get('rating', '')!r} is not a number of stars from 1 to 5.")
    state = (reading.text(cells, "state") or "published").casefold()
    told = [cells.get(n, "") for n in ("product_id", "handle", "sku", "product_name", "order_id", "customer_email")]
    told += [cells.get(n, "") for n in ("customer_id", "reviewer_name", "written_at", "title", "body")]
    made = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:32]
    reply = reading.text(cells, "reply")
    return ReviewRecord(
        external_id=cells.get("review_id") or made,
        rating=stars,
        written_at=reading.needed_at(cells, "written_at"),
        title=reading.text(cells, "title"),
        body=reading.text(cells, "body"),
        language=reading.text(cells, "language"),
        reviewer_name=reading.text(cells, "reviewer_name"),
        customer=reading.customer(cells),
        order_id=cells.get("order_id") or None,
        product_id=cells.get("product_id") or None,
        product_handle=cells.get("handle") or None,
        product_sku=cells.get("sku") or None,
        product_name=cells.get("product_name") or None,
        state=state if state in REVIEW_STATES else "published",
        is_verified=reading.flag(cells, "is_verified"),
        reply=ReplyRecord(reply, reading.at(cells, "replied_at")) if reply else None,
    )


def build_ticket(cells: Cells, reading: CellReading) -> TicketRecord:
    """Raises ValueError where key or date are missing, or a cell cannot be read."""
    opened_at = reading.needed_at(cells, "opened_at")
    channel = (reading.text(cells, "channel") or "other").casefold()
    channel = _CHANNELS.get(channel, channel)
    status = (reading.text(cells, "status") or "open").casefold()
    if status not in TICKET_STATUSES:
        status = "closed" if status in _CLOSED else "waiting_for_customer" if status in _WAITING else "open"
    priority = (reading.text(cells, "priority") or "normal").casefold()
    body, satisfaction = reading.text(cells, "body"), reading.count(cells, "satisfaction")
    if satisfaction is not None and not 1 <= satisfaction <= 5:
        raise ValueError(f"{satisfaction} is not a satisfaction from 1 to 5.")
    return TicketRecord(
        external_id=_needed(cells, "ticket_id", reading),
        opened_at=opened_at,
        channel=channel if channel in TICKET_CHANNELS else "other",
        status=status,
        priority=priority if priority in TICKET_PRIORITIES else "normal",
        subject=reading.text(cells, "subject"),
        topic=reading.text(cells, "topic"),
        tags=reading.text(cells, "tags"),
        customer=reading.customer(cells),
        order_id=cells.get("order_id") or None,
        first_response_at=reading.at(cells, "first_response_at"),
        closed_at=reading.at(cells, "closed_at"),
        satisfaction=satisfaction,
        assignee=reading.text(cells, "assignee"),
        messages=(MessageRecord("customer", opened_at, body),) if body else (),
    )


def build_shipment(cells: Cells, reading: CellReading) -> ShipmentRecord:
    """Raises ValueError where the order is missing, or a cell cannot be read."""
    order_id = _needed(cells, "order_id", reading)
    shipped, delivered = reading.at(cells, "shipped_at"), reading.at(cells, "delivered_at")
    status = (reading.text(cells, "status") or "").casefold().replace(" ", "_")
    if delivered:
        status = "delivered"
    elif status not in SHIPMENT_STATUSES or status == "delivered":
        status = "in_transit" if shipped else "pending"
    return ShipmentRecord(
        external_id=cells.get("shipment_id") or cells.get("tracking_number") or order_id,
        order_id=order_id,
        status=status,
        carrier=reading.text(cells, "carrier"),
        tracking_number=reading.text(cells, "tracking_number"),
        shipped_at=shipped,
        first_attempted_at=reading.at(cells, "first_attempted_at"),
        delivered_at=delivered,
        promised_day=reading.day(cells, "promised_day"),
    )


def build_refund(cells: Cells, reading: CellReading) -> RefundRecord:
    """A refund of which the parts are known, or the sum alone: then it is for goods.

    Raises:
        ValueError: key, date or amount are missing, a part is more than the whole, or a cell cannot be read.
    """
    currency = reading.currency(cells)
    total = reading.minor(cells, "amount", currency)
    if total is None:
        raise ValueError("The row says no amount.")
    shipping, tax = (abs(reading.minor(cells, name, currency) or 0) for name in ("shipping", "tax"))
    goods = abs(total) - shipping - tax
    if goods < 0:
        raise ValueError("Shipping and tax are more than the whole refund.")
    return RefundRecord(
        external_id=_needed(cells, "refund_id", reading),
        order_id=cells.get("order_id") or None,
        refunded_at=reading.needed_at(cells, "refunded_at"),
        currency=currency,
        goods_minor=goods,
        shipping_minor=shipping,
        tax_minor=tax,
        total_minor=abs(total),
        customer=reading.customer(cells),
        reason=reading.text(cells, "reason"),
    )


def _needed(cells: Cells, name: str, reading: CellReading) -> str:
    value = cells.get(name, "")
    if not value:
        raise ValueError(f"There is no {reading.mapping.columns.get(name, name)}.")
    return value
