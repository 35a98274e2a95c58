"""WooCommerce's customers, products, reviews and coupons, as its REST API gives them."""

from decimal import Decimal

from lib.importers.records import CouponRecord, CustomerRecord, ProductRecord, ReadContext, ReviewRecord
from lib.importers.woocommerce_fields import Thing, Untrusted, instant, needed_instant, number, person, plain, text
from lib.money import to_minor

REVIEW_STATE = {"approved": "published", "hold": "pending", "spam": "spam", "trash": "unpublished"}


def customer(thing: Thing, context: ReadContext) -> CustomerRecord:
    """Read a registered customer."""
    billing, delivery = thing.get("billing") or {}, thing.get("shipping") or {}
    known = person(str(thing["id"]), text(thing, "email") or text(billing, "email"), billing, delivery)
    name = " ".join(part for part in (text(thing, "first_name"), text(thing, "last_name")) if part)
    return CustomerRecord(
        external_id=known.external_id,
        email=known.email,
        name=name or known.name or text(thing, "username"),
        phone=known.phone,
        country=known.country,
        region=known.region,
        city=known.city,
        registered_at=instant(thing, "date_created", context),
        addresses=known.addresses,
    )


def product(thing: Thing, context: ReadContext) -> ProductRecord:
    """Read a product or a variation; its first category is its category."""
    currency = context.currency or None
    price = text(thing, "price") or text(thing, "regular_price")
    categories = [plain(str(each["name"])) for each in thing.get("categories") or ()]
    return ProductRecord(
        external_id=str(thing["id"]),
        name=plain(str(thing["name"])),
        handle=text(thing, "slug"),
        sku=text(thing, "sku"),
        category=categories[0] if categories else None,
        currency=currency,
        price_minor=to_minor(price, currency) if price and currency else None,
        stock=thing.get("stock_quantity"),
        is_active=thing.get("status") == "publish",
        tags=", ".join(str(each["name"]) for each in thing.get("tags") or ()) or None,
    )


def review(thing: Thing, context: ReadContext) -> ReviewRecord:
    """Read a product review; its text without markup."""
    rating = int(thing["rating"])
    if not 1 <= rating <= 5:
        raise Untrusted(f"rating {rating}: a review without stars")
    email = text(thing, "reviewer_email")
    return ReviewRecord(
        external_id=str(thing["id"]),
        rating=rating,
        written_at=needed_instant(thing, "date_created", context),
        body=plain(str(thing.get("review") or "")) or None,
        reviewer_name=text(thing, "reviewer"),
        customer=CustomerRecord(email=email, name=text(thing, "reviewer"), is_guest=True) if email else None,
        product_id=str(thing["product_id"]),
        state=REVIEW_STATE.get(str(thing.get("status")), "pending"),
        is_verified=bool(thing.get("verified")),
    )


def coupon(thing: Thing, context: ReadContext) -> CouponRecord:
    """Read a coupon: context for past sales, never evidence of effect."""
    return CouponRecord(
        external_id=f"coupon:{thing['id']}",
        code=str(thing["code"]),
        kind=str(thing["discount_type"]),
        amount=Decimal(number(thing, "amount")),
        created_at=needed_instant(thing, "date_created", context),
        expires_at=instant(thing, "date_expires", context),
        used_count=int(thing.get("usage_count") or 0),
    )
