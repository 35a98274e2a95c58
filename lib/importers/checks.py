"""What must hold of a record before it is written: why it cannot be trusted, or nothing."""

from datetime import datetime
from typing import Protocol

from lib.db.tables.orders import ITEM_KINDS, PAYMENT_STATUSES
from lib.db.tables.shipments import SHIPMENT_STATUSES
from lib.importers.batch import bad_key
from lib.importers.records import OrderRecord, RefundRecord, ShipmentRecord
from lib.money import currencies, format_money

DISCOUNT_KINDS = ("code", "automatic", "manual", "line", "shipping")
# What a 64-bit column holds, with room for sums.
LARGEST = 10**17


class Clock(Protocol):
    """What knows which instants can be right: a batch, or the present alone."""

    def bad_instant(self, at: datetime | None, what: str) -> str:
        """Why an instant cannot be right; empty when it can."""
        ...


def bad_order(clock: Clock, order: OrderRecord) -> str:
    """Why an order cannot be stored; empty when it can."""
    code = order.currency
    if reason := bad_key(order.external_id, "order"):
        return reason
    if reason := clock.bad_instant(order.placed_at, "order date") or clock.bad_instant(
        order.cancelled_at, "cancellation date"
    ):
        return reason
    if code not in currencies():
        return f"{code!r} is no currency."
    if order.payment_status not in PAYMENT_STATUSES:
        return f"The payment status {order.payment_status!r} is unknown."
    total = order.gross_minor - order.discount_minor + order.shipping_minor + order.tax_minor + order.fees_minor
    if total != order.total_minor:
        return (
            f"The amounts do not add up: goods {_money(order.gross_minor, code)} less discounts"
            f" {_money(order.discount_minor, code)} plus shipping, tax and fees give {_money(total, code)},"
            f" the order says {_money(order.total_minor, code)}."
        )
    if order.gross_minor < 0:
        return "The goods are worth less than nothing."
    if not 0 <= order.discount_minor <= order.gross_minor:
        return f"A discount of {_money(order.discount_minor, code)} does not fit {_money(order.gross_minor, code)}."
    if max(order.gross_minor, abs(order.total_minor), abs(order.tax_minor), abs(order.shipping_minor)) > LARGEST:
        return "The amounts are too large to be true."
    gross = discount = 0
    for item in order.items:
        if item.quantity <= 0 or item.quantity > LARGEST:
            return f"The quantity of {item.name!r} is {item.quantity}."
        if item.kind not in ITEM_KINDS:
            return f"A line of the kind {item.kind!r} is unknown."
        if item.discount_minor < 0:
            return f"The discount on {item.name!r} is negative."
        if item.kind == "goods":
            if item.gross_minor < 0:
                return f"The price of {item.name!r} is negative."
            gross += item.gross_minor
            discount += item.discount_minor
    if gross != order.gross_minor:
        return f"The lines add up to {_money(gross, code)}, the order says {_money(order.gross_minor, code)}."
    if discount != order.discount_minor:
        return (
            f"The lines' discounts add up to {_money(discount, code)},"
            f" the order says {_money(order.discount_minor, code)}."
        )
    for used in order.discounts:
        if used.kind not in DISCOUNT_KINDS:
            return f"A discount of the kind {used.kind!r} is unknown."
    for refund in order.refunds:
        if reason := bad_refund(clock, refund):
            return reason
        if refund.currency != order.currency:
            return f"The order is in {order.currency}, its refund in {refund.currency}."
    for shipment in order.shipments:
        if reason := bad_shipment(clock, shipment):
            return reason
    return ""


def bad_refund(clock: Clock, refund: RefundRecord) -> str:
    """Why a refund cannot be stored; empty when it can."""
    if reason := bad_key(refund.external_id, "refund") or clock.bad_instant(refund.refunded_at, "refund date"):
        return reason
    code = refund.currency
    if code not in currencies():
        return f"{code!r} is no currency."
    if refund.goods_minor < 0:
        return "The refunded goods are worth less than nothing."
    total = refund.goods_minor + refund.shipping_minor + refund.tax_minor + refund.fees_minor
    if total != refund.total_minor:
        return (
            f"The refund does not add up: its parts give {_money(total, code)},"
            f" it says {_money(refund.total_minor, code)}."
        )
    if max(refund.goods_minor, abs(refund.total_minor)) > LARGEST:
        return "The amounts are too large to be true."
    listed = 0
    for item in refund.items:
        if item.quantity < 0 or item.quantity > LARGEST or item.goods_minor < 0:
            return f"The refund of {item.name!r} has a negative quantity or amount."
        listed += item.goods_minor
    if listed > refund.goods_minor:
        return (
            f"The refunded lines add up to {_money(listed, code)}, the refund says {_money(refund.goods_minor, code)}."
        )
    return ""


def bad_shipment(clock: Clock, shipment: ShipmentRecord) -> str:
    """Why a parcel cannot be stored; empty when it can."""
    instants: tuple[tuple[datetime | None, str], ...] = (
        (shipment.shipped_at, "shipping date"),
        (shipment.first_attempted_at, "date of the first attempt"),
        (shipment.delivered_at, "delivery date"),
    )
    reason = bad_key(shipment.external_id, "parcel")
    for at, what in instants:
        reason = reason or clock.bad_instant(at, what)
    if shipment.status not in SHIPMENT_STATUSES:
        return reason or f"The parcel's status {shipment.status!r} is unknown."
    if shipment.status == "delivered" and shipment.delivered_at is None:
        return reason or "The parcel is delivered, but nobody says when."
    for event in shipment.events:
        if event.status not in SHIPMENT_STATUSES:
            return reason or f"The carrier's report {event.status!r} is unknown."
        reason = reason or clock.bad_instant(event.occurred_at, "date of a carrier's report")
    return reason


def _money(minor: int, currency: str) -> str:
    return format_money(minor, currency)
