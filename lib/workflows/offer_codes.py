"""Codes of coupons: one for all, or one for each customer that nobody can guess; and files that shops take in.

A customer's code is worked out of the offer's own secret and her key: asked again it is the same, so that a run that
broke off in the middle goes on without giving anybody two.
"""

import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from lib.db.tables.offers import offer_assignments
from lib.money import exponent, to_major
from lib.offer import Code, Pays, Plan

# Without what is mistaken for another when typed: I L O U 0 1.
SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# 30^12 codes: of a million customers two get the same with a chance of one in a million.
LENGTH = 12
_GROUP = 4
_BATCH = 5_000
# WooCommerce takes at most so many in one request.
WOOCOMMERCE_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Given:
    """A code that was handed out, and its last day in the store's zone."""

    code: str
    expires: date


def code_of(code: Code, salt: str, customer_id: int) -> str | None:
    """The code of one customer; null where all share one or there is none."""
    if not code.is_unique:
        return None
    digest = hmac.new(salt.encode(), f"code:{customer_id}".encode(), hashlib.sha256).digest()
    number, signs = int.from_bytes(digest), []
    for _ in range(LENGTH):
        number, place = divmod(number, len(SIGNS))
        signs.append(SIGNS[place])
    groups = ["".join(signs[i : i + _GROUP]) for i in range(0, LENGTH, _GROUP)]
    return "-".join((code.prefix, *groups))


def codes_given(conn: Connection, offer_id: int) -> Iterator[tuple[str, datetime]]:
    """The codes that customers of this offer hold, with when the lot was drawn, read in batches."""
    one, after = offer_assignments.c, ""
    while True:
        rows = conn.execute(
            select(one.code, one.assigned_at)
            .where(one.offer_id == offer_id, one.code > after)
            .order_by(one.code)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        yield from ((row.code, row.assigned_at) for row in rows)
        after = rows[-1].code


def for_shopify(codes: Iterable[str]) -> bytes:
    """The codes alone, one a line under ``code``: what Shopify's bulk tools add to one discount.

    The discount itself (how much, from what basket, until when) is made once in Shopify, see ``shopify_discount``.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["code"])
    writer.writerows([code] for code in codes)
    return text.getvalue().encode()


def shopify_discount(plan: Plan, *, title: str, currency: str, starts: str, ends: str | None, codes: list[str]) -> str:
    """The discount as Shopify's ``discountCodeBasicCreate`` (Admin GraphQL) takes it, with its first code.

    Further codes are added by ``discountRedeemCodeBulkAdd``; ``starts`` and ``ends`` are instants in ISO 8601.
    """
    reward = plan.reward
    if reward.pays is Pays.SHIPPING:
        name = "freeShippingCodeDiscount"
        gets: dict[str, object] = {"destination": {"all": True}}
    else:
        name = "basicCodeDiscount"
        value: dict[str, object] = {"percentage": round(reward.depth, 4)}
        if reward.pays is Pays.AMOUNT:
            amount = _decimal(reward.face_minor, currency)
            value = {"discountAmount": {"amount": amount, "appliesOnEachItem": False}}
        gets = {"customerGets": {"value": value, "items": {"all": True}}}
    told: dict[str, object] = {
        "title": title,
        "code": codes[0] if codes else plan.code.shared,
        "startsAt": starts,
        "endsAt": ends,
        "appliesOncePerCustomer": plan.code.uses_per_customer == 1,
        "context": {"all": "ALL"},
        **gets,
    }
    if plan.code.is_unique:
        told["usageLimit"] = plan.code.uses_per_customer
    if reward.minimum_basket_minor:
        least = _decimal(reward.minimum_basket_minor, currency)
        told["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": least}}
    return json.dumps({name: told}, indent=2, ensure_ascii=False)


def woocommerce_coupons(
    plan: Plan, codes: Iterable[Given], *, title: str, currency: str
) -> Iterator[dict[str, object]]:
    """Each code as WooCommerce's REST API takes it (``POST /wc/v3/coupons``)."""
    reward = plan.reward
    kind = {Pays.PERCENT: "percent"}.get(reward.pays, "fixed_cart")
    amount = _decimal(reward.face_minor if reward.pays is Pays.AMOUNT else 0, currency)
    if reward.pays is Pays.PERCENT:
        amount = f"{reward.depth * 100:.2f}"
    least = _decimal(reward.minimum_basket_minor, currency)
    for given in codes:
        yield {
            "code": given.code.lower(),
            "discount_type": kind,
            "amount": amount,
            "description": title,
            "date_expires": f"{given.expires.isoformat()}T23:59:59",
            "individual_use": True,
            "free_shipping": reward.pays is Pays.SHIPPING,
            "minimum_amount": least,
            "usage_limit": plan.code.uses_per_customer if plan.code.is_unique else None,
            "usage_limit_per_user": plan.code.uses_per_customer,
        }


def for_woocommerce(plan: Plan, codes: Iterable[Given], *, title: str, currency: str) -> bytes:
    """All codes as bodies of ``POST /wc/v3/coupons/batch``: one JSON a line, each of at most 100 coupons."""
    lines, held = [], []
    for coupon in woocommerce_coupons(plan, codes, title=title, currency=currency):
        held.append(coupon)
        if len(held) == WOOCOMMERCE_AT_ONCE:
            lines.append(json.dumps({"create": held}, ensure_ascii=False))
            held = []
    if held:
        lines.append(json.dumps({"create": held}, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode() if lines else b""


def woocommerce_table(plan: Plan, codes: Iterable[Given], *, title: str, currency: str) -> Iterator[dict[str, object]]:
    """Each code as the coupon importers for WooCommerce take it: a row under the shop's own names of its columns."""
    yes = {True: "yes", False: "no"}
    for coupon in woocommerce_coupons(plan, codes, title=title, currency=currency):
        yield {
            "post_title": coupon["code"],
            "post_excerpt": title,
            "post_status": "publish",
            "discount_type": coupon["discount_type"],
            "coupon_amount": coupon["amount"],
            "free_shipping": yes[bool(coupon["free_shipping"])],
            "individual_use": "yes",
            "minimum_amount": coupon["minimum_amount"],
            "usage_limit": coupon["usage_limit"] or "",
            "usage_limit_per_user": coupon["usage_limit_per_user"],
            "expiry_date": str(coupon["date_expires"])[:10],
        }


def _decimal(minor: int, currency: str) -> str:
    return f"{to_major(minor, currency):.{exponent(currency)}f}"
