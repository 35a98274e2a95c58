"""WooCommerce's orders and refunds, as its REST API gives them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from lib.importers.records import (
    CustomerRecord,
    DiscountRecord,
    ItemRecord,
    OrderRecord,
    ReadContext,
    RefundItemRecord,
    RefundRecord,
)
from lib.importers.settlement import share_of_goods
from lib.importers.woocommerce_fields import (
    Thing,
    Untrusted,
    country,
    currency_of,
    instant,
    needed_instant,
    number,
    person,
    plain,
    text,
)
from lib.money import to_minor

PAYMENT_STATUS = {
    "pending": "pending",
    "on-hold": "pending",
    "processing": "paid",
    "completed": "paid",
    "refunded": "refunded",
    "failed": "voided",
}
NOT_ORDERS = {"checkout-draft", "auto-draft", "trash"}


def order(thing: Thing, context: ReadContext) -> OrderRecord:
    """Read an order; its refunds are as it lists them."""
    status = str(thing["status"]).removeprefix("wc-")
    if status in NOT_ORDERS:
        raise Untrusted(f"status {status}: not an order yet, or thrown away")
    currency = currency_of(thing, context)
    # What an edit has taken off an order may stay with a quantity of 0.
    items = [
        _item(line, currency)
        for line in thing["line_items"]
        if _pieces(line) or to_minor(number(line, "total"), currency)
    ]
    fees = [_charge(line, currency, "fee") for line in thing.get("fee_lines") or ()]
    gross = sum(item.gross_minor for item in items)
    discount = sum(item.discount_minor for item in items)
    shipping = to_minor(number(thing, "shipping_total"), currency)
    tax = to_minor(number(thing, "total_tax"), currency)
    total = to_minor(number(thing, "total"), currency)
    fee = total - (gross - discount) - shipping - tax
    known = sum(item.gross_minor for item in fees)
    if abs(fee - known) > 2 + len(items):
        raise Untrusted(
            f"goods {gross} - {discount} + shipping {shipping} + tax {tax} + fees {known}"
            f" do not meet total {total} (minor units)"
        )
    placed_at = needed_instant(thing, "date_created", context)
    modified_at = instant(thing, "date_modified", context) or placed_at
    external_id = str(thing["id"])
    billing, delivery = thing.get("billing") or {}, thing.get("shipping") or {}
    shipping_lines = thing.get("shipping_lines") or ()
    shipping_tax = to_minor(number(thing, "shipping_tax"), currency)
    paid_parts = (gross - discount, sum(item.tax_minor for item in items), shipping, shipping_tax)
    is_paid = instant(thing, "date_paid", context) is not None or status in ("processing", "completed", "refunded")
    return OrderRecord(
        external_id=external_id,
        number=f"#{thing.get('number') or external_id}",
        placed_at=placed_at,
        currency=currency,
        gross_minor=gross,
        discount_minor=discount,
        shipping_minor=shipping,
        tax_minor=tax,
        fees_minor=fee,
        total_minor=total,
        paid_minor=total if is_paid else 0,
        customer=_buyer(thing),
        cancelled_at=modified_at if status == "cancelled" else None,
        payment_status=PAYMENT_STATUS.get(status) or ("paid" if is_paid else "pending"),
        fulfillment_status="fulfilled" if status == "completed" else None,
        is_tax_included=bool(thing.get("prices_include_tax")),
        channel=_channel(str(thing.get("created_via") or "")),
        country=country(delivery) or country(billing),
        region=text(delivery, "state") or text(billing, "state"),
        city=text(delivery, "city") or text(billing, "city"),
        payment_method=text(thing, "payment_method_title") or text(thing, "payment_method"),
        delivery_type=text(shipping_lines[0], "method_title") if shipping_lines else None,
        note=text(thing, "customer_note"),
        items=(*items, *fees),
        discounts=tuple(
            DiscountRecord(str(line["code"]), to_minor(number(line, "discount"), currency))
            for line in thing.get("coupon_lines") or ()
        ),
        refunds=tuple(
            _listed_refund(each, external_id, currency, modified_at, paid_parts) for each in thing.get("refunds") or ()
        ),
    )


def _listed_refund(thing: Thing, order_id: str, currency: str, at: datetime, paid: Sequence[int]) -> RefundRecord:
    """A refund as its order lists it: an amount alone, set against goods first.

    ``paid``: what was paid for goods, for their tax, for shipping and for its tax.
    """
    amount = abs(to_minor(number(thing, "total"), currency))
    goods, goods_tax, shipping, shipping_tax = paid
    with_tax, rest = share_of_goods(amount, [goods + goods_tax, max(amount, 0)])
    tax = with_tax * goods_tax // (goods + goods_tax) if goods + goods_tax else 0
    on_shipping, on_shipping_tax, fees = share_of_goods(rest, [shipping, shipping_tax, 0])
    return RefundRecord(
        external_id=f"refund:{thing['id']}",
        order_id=order_id,
        refunded_at=at,
        is_date_estimated=True,
        currency=currency,
        goods_minor=with_tax - tax,
        shipping_minor=on_shipping,
        tax_minor=tax + on_shipping_tax,
        fees_minor=fees,
        total_minor=amount,
        reason=text(thing, "reason") or text(thing, "refund"),
    )


def refund(thing: Thing, context: ReadContext) -> RefundRecord:
    """Read a refund; what no line accounts for is taken to be for goods."""
    currency = currency_of(thing, context)
    order_id = str(thing.get("parent_id") or "") or _order_of(thing)
    total = abs(to_minor(number(thing, "amount"), currency))
    items = tuple(
        RefundItemRecord(
            name=plain(str(line.get("name") or "Refund")),
            quantity=abs(_pieces(line)),
            goods_minor=abs(to_minor(number(line, "total"), currency)),
            sku=text(line, "sku"),
            product_id=_product_key(line),
            item_external_id=_refunded_item(line),
        )
        for line in thing.get("line_items") or ()
    )
    goods = sum(item.goods_minor for item in items)
    shipping = sum(abs(to_minor(number(line, "total"), currency)) for line in thing.get("shipping_lines") or ())
    kinds = ("line_items", "shipping_lines", "fee_lines")
    charged = [line for kind in kinds for line in thing.get(kind) or ()]
    tax = sum(abs(to_minor(number(line, "total_tax"), currency)) for line in charged)
    fees = sum(abs(to_minor(number(line, "total"), currency)) for line in thing.get("fee_lines") or ())
    rest = total - goods - shipping - tax
    if not items and rest > fees:
        # Refunded by amount, not by line: it is taken to be for goods.
        goods, rest = rest - fees, fees
    return RefundRecord(
        external_id=f"refund:{thing['id']}",
        order_id=order_id,
        refunded_at=needed_instant(thing, "date_created", context),
        currency=currency,
        goods_minor=goods,
        shipping_minor=shipping,
        tax_minor=tax,
        fees_minor=rest,
        total_minor=total,
        reason=text(thing, "reason"),
        items=items,
    )


def _buyer(thing: Thing) -> CustomerRecord | None:
    billing, delivery = thing.get("billing") or {}, thing.get("shipping") or {}
    number = str(thing.get("customer_id") or "")
    email = text(billing, "email")
    if not number and not email:
        return None
    return person(number, email, billing, delivery, is_guest=not number)


def _item(line: Thing, currency: str) -> ItemRecord:
    quantity = _pieces(line)
    if quantity <= 0:
        raise Untrusted(f"line {line.get('id')}: quantity {line['quantity']} is not positive")
    before, after = to_minor(number(line, "subtotal"), currency), to_minor(number(line, "total"), currency)
    gross = max(before, after)
    return ItemRecord(
        name=plain(str(line["name"])),
        quantity=quantity,
        unit_price_minor=gross // quantity,
        gross_minor=gross,
        discount_minor=gross - after,
        tax_minor=to_minor(number(line, "total_tax"), currency),
        external_id=str(line["id"]),
        product_id=_product_key(line),
        sku=text(line, "sku"),
    )


def _pieces(line: Thing) -> int:
    """How many pieces a line holds; what is sold by weight or length (1.5 m) is one piece at least."""
    exact = Decimal(number(line, "quantity"))
    if exact == exact.to_integral_value():
        return int(exact)
    return max(int(abs(exact).to_integral_value(ROUND_HALF_UP)), 1) * (1 if exact > 0 else -1)


def _charge(line: Thing, currency: str, kind: str) -> ItemRecord:
    amount = to_minor(number(line, "total"), currency)
    return ItemRecord(
        name=plain(str(line.get("name") or kind)),
        quantity=1,
        unit_price_minor=amount,
        gross_minor=amount,
        tax_minor=to_minor(number(line, "total_tax"), currency),
        kind=kind,
        external_id=str(line["id"]),
    )


def _product_key(line: Thing) -> str | None:
    return str(line.get("variation_id") or line.get("product_id") or "") or None


def _refunded_item(line: Thing) -> str | None:
    for entry in line.get("meta_data") or ():
        if entry.get("key") == "_refunded_item_id":
            return str(entry["value"])
    return None


def _order_of(thing: Thing) -> str:
    """The order that a refund's ``up`` link names."""
    for link in (thing.get("_links") or {}).get("up") or ():
        number = str(link.get("href", "")).rstrip("/").rsplit("/", 1)[-1]
        if number.isdigit():
            return number
    raise Untrusted("the refund does not name its order (parent_id or the 'up' link)")


def _channel(created_via: str) -> str | None:
    return {"checkout": "web", "store-api": "web", "admin": "by hand", "rest-api": "api"}.get(
        created_via, created_via or None
    )
