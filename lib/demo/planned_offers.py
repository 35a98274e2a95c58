"""What the staff of the demo store plan next: drafts and an approved offer, so that the journey is not bare."""

from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from lib.audience import Audience, Rule
from lib.db.bulk import bulk_insert
from lib.db.tables.offers import offer_versions, offers
from lib.demo.calendar import Calendar
from lib.demo.offer_plans import CONTACT_MINOR
from lib.offer import Code, Content, Guardrails, Moment, Pays, Plan, Reward

_LINK = "https://harbour-and-home.example"
_RUNS = timedelta(days=56)
_SECOND = Plan(
    kind="coupon",
    audience=Audience((Rule(field="purchases", least=1, most=1),)),
    moment=Moment.DELIVERED,
    delay_days=14,
    reward=Reward(pays=Pays.PERCENT, depth=0.1, minimum_basket_minor=3_000),
    code=Code(prefix="AGAIN"),
    content=(
        Content(
            language="en",
            subject="{first_name|Hello}, {reward} for your second order",
            text="Hello {first_name|there},\n\nthank you for your first order. Your second one is {reward}, from a "
            "basket of {minimum}:\n\n{code}\n\n{link}\n\nIt is valid until {expires}.\n\n{store}",
            html="letter",
        ),
        Content(
            language="de",
            subject="{first_name|Hallo}, {reward} auf Ihre zweite Bestellung",
            text="Hallo {first_name|liebe Kundin, lieber Kunde},\n\ndanke für Ihre erste Bestellung. Auf die zweite "
            "bekommen Sie {reward}, ab {minimum}:\n\n{code}\n\n{link}\n\nDer Code gilt bis {expires}.\n\n{store}",
            html="letter",
        ),
    ),
    link=f"{_LINK}/again",
    contact_cost_minor=CONTACT_MINOR,
    guardrails=Guardrails(margin_floor=0.2, budget_minor=50_000, refund_rate=0.25, complaint_rate=0.02),
)
_CARE = Plan(
    kind="guide",
    moment=Moment.DELIVERED,
    delay_days=1,
    content=(
        Content(
            language="en",
            subject="How to look after your {product|order}",
            text="Hello {first_name|there},\n\nyour order {order} has arrived. This short guide shows how it lasts "
            "long:\n\n{link}\n\n{store}",
            html="letter",
        ),
    ),
    link=f"{_LINK}/care",
    contact_cost_minor=CONTACT_MINOR,
    guardrails=Guardrails(complaint_rate=0.02),
)
_CART = Plan(
    kind="cart_nudge",
    moment=Moment.CART_LEFT,
    delay_days=1,
    content=(
        Content(
            language="en",
            subject="Your cart is still here",
            text="Hello {first_name|there},\n\nyou left something in your cart. It is still there:\n\n{link}"
            "\n\n{store}",
            html="letter",
        ),
    ),
    link=f"{_LINK}/cart",
    contact_cost_minor=CONTACT_MINOR,
    guardrails=Guardrails(complaint_rate=0.02),
)
# Key, name, status, plan.
_PLANNED = (
    ("second-order", "10 % off the second order", "draft", _SECOND),
    ("care-at-arrival", "How to care for it, on arrival", "approved", _CARE),
    ("cart", "Your cart is still here", "draft", _CART),
)


def write_planned_offers(connection: Connection, calendar: Calendar, *, after: int) -> None:
    """Write them down, numbered from ``after`` on; nobody was assigned to any."""
    n = len(_PLANNED)
    keys = np.arange(after + 1, after + n + 1)
    written = np.full(n, np.datetime64(calendar.now, "us")) - np.timedelta64(2, "D")
    ends = np.full(n, np.datetime64(calendar.now, "us")) + np.timedelta64(_RUNS)
    approved = [1 if status == "approved" else None for _, _, status, _ in _PLANNED]
    columns: dict[str, Any] = {
        "offer_id": keys,
        "source": ["demo"] * n,
        "external_id": [key for key, *_ in _PLANNED],
        "fingerprint": ["demo"] * n,
        "name": [name for _, name, *_ in _PLANNED],
        "kind": [plan.kind for *_, plan in _PLANNED],
        "status": [status for _, _, status, _ in _PLANNED],
        "ends_at": ends,
        "window_days": [30] * n,
        "holdout_share": [0.5] * n,
        "salt": [f"demo-{key}" for key, *_ in _PLANNED],
        "approved_number": approved,
    }
    bulk_insert(connection, offers, columns)
    versions: dict[str, Any] = {
        "offer_version_id": keys,
        "offer_id": keys,
        "number": [1] * n,
        "settings": [plan.to_json() for *_, plan in _PLANNED],
        "created_at": written,
    }
    bulk_insert(connection, offer_versions, versions)
