"""WooCommerce: what its REST API (v3) gives as JSON, and its Analytics orders export (CSV).

JSON files hold an array, one object, or one object per line; each object is told apart by its fields:
orders, refunds, customers, products, product reviews and coupons may stand in one file.

In the API all line amounts exclude tax, also in shops whose prices include it. A refund names its order
in ``parent_id`` or in its ``up`` link; an order lists its refunds without their day, so a day from there
is marked as estimated until the refund itself is read.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from json import dumps
from typing import Any
from zoneinfo import ZoneInfo

import ijson

from lib.errors import UnknownFormat
from lib.importers.records import (
    AddressRecord,
    CouponRecord,
    CustomerRecord,
    DiscountRecord,
    ItemRecord,
    OrderRecord,
    ProductRecord,
    ReadContext,
    Record,
    RefundItemRecord,
    RefundRecord,
    Rejected,
    ReviewRecord,
)
from lib.importers.source_file import SourceFile
from lib.importers.woocommerce_analytics import read_analytics
from lib.money import currencies, to_minor

PAYMENT_STATUS = {
    "pending": "pending",
    "on-hold": "pending",
    "processing": "paid",
    "completed": "paid",
    "refunded": "refunded",
    "cancelled": "paid",
    "failed": "voided",
}
NOT_ORDERS = {"checkout-draft", "auto-draft", "trash"}
REVIEW_STATE = {"approved": "published", "hold": "pending", "spam": "spam", "trash": "unpublished"}
_TAG = re.compile(r"<[^>]*>")
Thing = Mapping[str, Any]


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[Record | Rejected]:
    """Yield the records of WooCommerce files; products first, so that orders find them.

    Raises:
        UnknownFormat: a file is neither WooCommerce JSON nor its Analytics orders export.
    """
    for file in sorted(files, key=lambda file: ("order" in file.name.lower(), "refund" in file.name.lower())):
        if file.name.lower().endswith((".csv", ".csv.gz")):
            yield from read_analytics(file, context)
        else:
            yield from read_json(file, context)


def read_json(file: SourceFile, context: ReadContext) -> Iterator[Record | Rejected]:
    """Yield the records of one JSON file, object by object; memory does not grow with the file."""
    reader = _Reader(file.name, context)
    number = 0
    for number, thing in enumerate(_objects(file), start=1):
        yield reader.record(thing, number)
    if not number:
        raise UnknownFormat(f"{file.name} holds no WooCommerce objects. Save what the REST API v3 answers.")


def _objects(file: SourceFile) -> Iterator[Thing]:
    """Every object of the file: of its array, or standing one after another."""
    with file.open_binary() as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start not in (b"[", b"{"):
        raise UnknownFormat(f"{file.name} is not JSON. Save what the WooCommerce REST API v3 answers.")
    with file.open_binary() as stream:
        if stream.read(3) != b"\xef\xbb\xbf":
            stream.seek(0)
        try:
            for thing in ijson.items(stream, "item" if start == b"[" else "", multiple_values=True, use_float=False):
                if isinstance(thing, dict):
                    yield thing
        except ijson.JSONError as error:
            raise UnknownFormat(f"{file.name} is not whole JSON: {error}. Export it again.") from error


class _Untrusted(ValueError):
    """An object cannot be trusted; it is put aside."""


class _Reader:
    """Turns one object into a record."""

    def __init__(self, file: str, context: ReadContext) -> None:
        self.file = file
        self.context = context
        self.zone = ZoneInfo(context.time_zone)
        self.kinds: tuple[tuple[str, str, Callable[[Thing], Record]], ...] = (
            ("line_items", "status", self._order),
            ("amount", "refunded_by", self._refund),
            ("discount_type", "code", self._coupon),
            ("reviewer_email", "rating", self._review),
            ("is_paying_customer", "email", self._customer),
            ("permalink", "sku", self._product),
        )

    def record(self, thing: Thing, number: int) -> Record | Rejected:
        """Tell what it is and read it; ``number`` is its place in the file."""
        for one, other, read_it in self.kinds:
            if one in thing and other in thing:
                try:
                    return read_it(thing)
                except (ValueError, KeyError, TypeError, InvalidOperation) as error:
                    reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
                    return self._rejected(thing, read_it.__name__[1:], number, reason)
        return self._rejected(thing, "object", number, "not an order, refund, customer, product, review or coupon")

    def _rejected(self, thing: Thing, kind: str, number: int, reason: str) -> Rejected:
        text = dumps(thing, default=str, ensure_ascii=False)
        day = None
        try:
            at = self._at(thing, "date_created")
            day = at.astimezone(self.zone).date() if at else None
        except ValueError:
            pass
        amount = None
        if kind == "order" and thing.get("currency") in currencies():
            try:
                amount = to_minor(str(thing.get("total")), str(thing["currency"]))
            except ValueError:
                amount = None
        return Rejected(kind, self.file, number, reason, text, "", str(thing.get("id", "")), day, amount)

    def _at(self, thing: Thing, name: str) -> datetime | None:
        """An instant: the ``_gmt`` field where there is one, else the shop's own clock."""
        for field, zone in ((f"{name}_gmt", UTC), (name, self.zone)):
            text = thing.get(field)
            if text:
                at = datetime.fromisoformat(str(text))
                return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        return None

    def _needed_at(self, thing: Thing, name: str) -> datetime:
        at = self._at(thing, name)
        if at is None:
            raise _Untrusted(f"no {name}")
        return at

    def _currency(self, thing: Thing) -> str:
        code = str(thing.get("currency") or self.context.currency).upper()
        if code not in currencies():
            raise _Untrusted(f"{code!r} is no currency" if code else "no currency; set ENCORE_STORE_CURRENCY")
        return code

    def _order(self, thing: Thing) -> OrderRecord:
        status = str(thing["status"])
        if status in NOT_ORDERS:
            raise _Untrusted(f"status {status}: not an order yet, or thrown away")
        currency = self._currency(thing)
        items = [_item(line, currency) for line in thing["line_items"]]
        fees = [_charge(line, currency, "fee") for line in thing.get("fee_lines") or ()]
        gross = sum(item.gross_minor for item in items)
        discount = sum(item.discount_minor for item in items)
        shipping = to_minor(_number(thing, "shipping_total"), currency)
        tax = to_minor(_number(thing, "total_tax"), currency)
        total = to_minor(_number(thing, "total"), currency)
        fee = total - (gross - discount) - shipping - tax
        known = sum(item.gross_minor for item in fees)
        if abs(fee - known) > 2 + len(items):
            raise _Untrusted(
                f"goods {gross} - {discount} + shipping {shipping} + tax {tax} + fees {known}"
                f" do not meet total {total} (minor units)"
            )
        placed_at = self._needed_at(thing, "date_created")
        modified_at = self._at(thing, "date_modified") or placed_at
        external_id = str(thing["id"])
        billing, delivery = thing.get("billing") or {}, thing.get("shipping") or {}
        shipping_lines = thing.get("shipping_lines") or ()
        paid = self._at(thing, "date_paid") is not None
        payment = PAYMENT_STATUS.get(status, "paid" if paid else "unknown")
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
            paid_minor=total if paid else 0,
            customer=self._buyer(thing),
            cancelled_at=modified_at if status == "cancelled" else None,
            payment_status=payment if paid or payment != "paid" or status != "cancelled" else "pending",
            fulfillment_status="fulfilled" if status == "completed" else None,
            is_tax_included=bool(thing.get("prices_include_tax")),
            channel=_channel(str(thing.get("created_via") or "")),
            country=_country(delivery) or _country(billing),
            region=_text(delivery, "state") or _text(billing, "state"),
            city=_text(delivery, "city") or _text(billing, "city"),
            payment_method=_text(thing, "payment_method_title") or _text(thing, "payment_method"),
            delivery_type=_text(shipping_lines[0], "method_title") if shipping_lines else None,
            note=_text(thing, "customer_note"),
            items=(*items, *fees),
            discounts=tuple(
                DiscountRecord(str(line["code"]), to_minor(_number(line, "discount"), currency))
                for line in thing.get("coupon_lines") or ()
            ),
            refunds=tuple(self._listed_refund(each, external_id, currency, modified_at) for each in thing["refunds"])
            if thing.get("refunds")
            else (),
        )

    def _listed_refund(self, thing: Thing, order_id: str, currency: str, at: datetime) -> RefundRecord:
        amount = abs(to_minor(_number(thing, "total"), currency))
        return RefundRecord(
            external_id=f"refund:{thing['id']}",
            order_id=order_id,
            refunded_at=at,
            is_date_estimated=True,
            currency=currency,
            goods_minor=amount,
            total_minor=amount,
            reason=_text(thing, "reason") or _text(thing, "refund"),
        )

    def _refund(self, thing: Thing) -> RefundRecord:
        currency = self._currency(thing)
        order_id = str(thing.get("parent_id") or "") or _order_of(thing)
        total = abs(to_minor(_number(thing, "amount"), currency))
        items = tuple(
            RefundItemRecord(
                name=_plain(str(line.get("name") or "Refund")),
                quantity=abs(int(line.get("quantity") or 0)),
                goods_minor=abs(to_minor(_number(line, "total"), currency)),
                sku=_text(line, "sku"),
                product_id=_product_key(line),
                item_external_id=_refunded_item(line),
            )
            for line in thing.get("line_items") or ()
        )
        goods = sum(item.goods_minor for item in items)
        shipping = sum(abs(to_minor(_number(line, "total"), currency)) for line in thing.get("shipping_lines") or ())
        charged = [*(thing.get("line_items") or ()), *(thing.get("shipping_lines") or ())]
        tax = sum(abs(to_minor(_number(line, "total_tax"), currency)) for line in charged)
        rest = total - goods - shipping - tax
        if not items and rest > 0:
            # Refunded by amount, not by line: it is taken to be for goods.
            goods, rest = rest, 0
        return RefundRecord(
            external_id=f"refund:{thing['id']}",
            order_id=order_id,
            refunded_at=self._needed_at(thing, "date_created"),
            currency=currency,
            goods_minor=goods,
            shipping_minor=shipping,
            tax_minor=tax,
            fees_minor=rest,
            total_minor=total,
            reason=_text(thing, "reason"),
            items=items,
        )

    def _buyer(self, thing: Thing) -> CustomerRecord | None:
        billing, delivery = thing.get("billing") or {}, thing.get("shipping") or {}
        number = str(thing.get("customer_id") or "")
        email = _text(billing, "email")
        if not number and not email:
            return None
        return _person(number, email, billing, delivery, is_guest=not number)

    def _customer(self, thing: Thing) -> CustomerRecord:
        billing, delivery = thing.get("billing") or {}, thing.get("shipping") or {}
        person = _person(str(thing["id"]), _text(thing, "email") or _text(billing, "email"), billing, delivery)
        name = " ".join(part for part in (_text(thing, "first_name"), _text(thing, "last_name")) if part)
        return CustomerRecord(
            external_id=person.external_id,
            email=person.email,
            name=name or person.name or _text(thing, "username"),
            phone=person.phone,
            country=person.country,
            region=person.region,
            city=person.city,
            registered_at=self._at(thing, "date_created"),
            addresses=person.addresses,
        )

    def _product(self, thing: Thing) -> ProductRecord:
        currency = self.context.currency or None
        price = _text(thing, "price") or _text(thing, "regular_price")
        categories = [_plain(str(each["name"])) for each in thing.get("categories") or ()]
        return ProductRecord(
            external_id=str(thing["id"]),
            name=_plain(str(thing["name"])),
            handle=_text(thing, "slug"),
            sku=_text(thing, "sku"),
            category=categories[0] if categories else None,
            currency=currency,
            price_minor=to_minor(price, currency) if price and currency else None,
            stock=thing.get("stock_quantity"),
            is_active=thing.get("status") == "publish",
            tags=", ".join(str(each["name"]) for each in thing.get("tags") or ()) or None,
        )

    def _review(self, thing: Thing) -> ReviewRecord:
        rating = int(thing["rating"])
        if not 1 <= rating <= 5:
            raise _Untrusted(f"rating {rating}: a review without stars")
        email = _text(thing, "reviewer_email")
        return ReviewRecord(
            external_id=str(thing["id"]),
            rating=rating,
            written_at=self._needed_at(thing, "date_created"),
            body=_plain(str(thing.get("review") or "")) or None,
            reviewer_name=_text(thing, "reviewer"),
            customer=CustomerRecord(email=email, name=_text(thing, "reviewer"), is_guest=True) if email else None,
            product_id=str(thing["product_id"]),
            state=REVIEW_STATE.get(str(thing.get("status")), "pending"),
            is_verified=bool(thing.get("verified")),
        )

    def _coupon(self, thing: Thing) -> CouponRecord:
        return CouponRecord(
            external_id=f"coupon:{thing['id']}",
            code=str(thing["code"]),
            kind=str(thing["discount_type"]),
            amount=Decimal(_number(thing, "amount")),
            created_at=self._needed_at(thing, "date_created"),
            expires_at=self._at(thing, "date_expires"),
            used_count=int(thing.get("usage_count") or 0),
        )


def _item(line: Thing, currency: str) -> ItemRecord:
    quantity = int(line["quantity"])
    if quantity <= 0:
        raise _Untrusted(f"line {line.get('id')}: quantity {line['quantity']} is not positive")
    before, after = to_minor(_number(line, "subtotal"), currency), to_minor(_number(line, "total"), currency)
    gross = max(before, after)
    return ItemRecord(
        name=_plain(str(line["name"])),
        quantity=quantity,
        unit_price_minor=gross // quantity,
        gross_minor=gross,
        discount_minor=gross - after,
        tax_minor=to_minor(_number(line, "total_tax"), currency),
        external_id=str(line["id"]),
        product_id=_product_key(line),
        sku=_text(line, "sku"),
    )


def _charge(line: Thing, currency: str, kind: str) -> ItemRecord:
    amount = to_minor(_number(line, "total"), currency)
    return ItemRecord(
        name=_plain(str(line.get("name") or kind)),
        quantity=1,
        unit_price_minor=amount,
        gross_minor=amount,
        tax_minor=to_minor(_number(line, "total_tax"), currency),
        kind=kind,
        external_id=str(line["id"]),
    )


def _number(thing: Thing, name: str) -> str:
    value = thing.get(name)
    return "0" if value in (None, "") else str(value)


def _text(thing: Thing, name: str) -> str | None:
    value = thing.get(name)
    return html.unescape(str(value)).strip() or None if value not in (None, "") else None


def _plain(text: str) -> str:
    """Text without tags and entities: what a customer wrote is data, not markup."""
    return html.unescape(_TAG.sub("", text)).strip()


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
    raise _Untrusted("the refund does not name its order (parent_id or the 'up' link)")


def _country(address: Thing) -> str | None:
    code = str(address.get("country") or "").upper()
    return code if len(code) == 2 else None


def _channel(created_via: str) -> str | None:
    return {"checkout": "web", "store-api": "web", "admin": "by hand", "rest-api": "api"}.get(
        created_via, created_via or None
    )


def _person(
    number: str, email: str | None, billing: Thing, delivery: Thing, *, is_guest: bool = False
) -> CustomerRecord:
    main = billing if any(billing.values()) else delivery
    name = " ".join(part for part in (_text(main, "first_name"), _text(main, "last_name")) if part)
    return CustomerRecord(
        external_id=number,
        email=email,
        name=name or None,
        phone=_text(main, "phone"),
        country=_country(delivery) or _country(billing),
        region=_text(main, "state"),
        city=_text(main, "city"),
        is_guest=is_guest,
        addresses=tuple(
            AddressRecord(
                kind=kind,
                name=" ".join(p for p in (_text(side, "first_name"), _text(side, "last_name")) if p) or None,
                street=" ".join(p for p in (_text(side, "address_1"), _text(side, "address_2")) if p) or None,
                city=_text(side, "city"),
                region=_text(side, "state"),
                postal_code=_text(side, "postcode"),
                country=_country(side),
                phone=_text(side, "phone"),
            )
            for kind, side in (("billing", billing), ("shipping", delivery))
            if _text(side, "address_1") or _text(side, "city")
        ),
    )
