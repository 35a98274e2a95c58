"""A shop whose customers all ordered once and agreed to mail, and offers that run in it."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine

from lib.db.bulk import bulk_insert
from lib.db.engine import writing
from lib.db.tables.customers import consents, customers
from lib.db.tables.orders import order_items, orders
from lib.db.tables.shipments import shipments
from lib.offer import Channel, Code, Content, Moment, Pays, Plan, Reward
from lib.staff import LOCAL
from lib.workflows.offer_terms import Terms
from lib.workflows.offers import approve_offer, create_offer, start_offer

CONTENT = (
    Content(
        language="en",
        subject="{first_name|Hello}, {reward} for you",
        text="Hello {first_name|there},\n\nthank you for {order}. Your code {code} gives {reward} until {expires}.\n",
    ),
    Content(
        language="de",
        subject="{reward} für Sie",
        text="Guten Tag,\n\nmit {code} bekommen Sie {reward} bis zum {expires}.\n",
    ),
)


def coupon(**changed: Any) -> Plan:
    """A coupon for whoever has not ordered for ten days, each with a code of her own."""
    given: dict[str, Any] = {
        "kind": "coupon",
        "moment": Moment.LAST_ORDER,
        "delay_days": 10,
        "channel": Channel.EMAIL,
        "reward": Reward(pays=Pays.PERCENT, depth=0.1, expiry_days=14),
        "code": Code(prefix="AGAIN"),
        "content": CONTENT,
    }
    return Plan(**given | changed)


def fill_shop(database: Engine, count: int, *, ordered_at: datetime, first: int = 1) -> None:
    """So many customers, numbered from ``first``: one paid order each, delivered two days later."""
    keys = np.arange(first, first + count)
    placed = np.full(count, np.datetime64(ordered_at.replace(tzinfo=None), "us"))
    told = {"source": ["test"] * count, "fingerprint": ["f"] * count, "external_id": [str(key) for key in keys]}
    with writing(database) as connection:
        bulk_insert(
            connection,
            customers,
            told
            | {
                "customer_id": keys,
                "email": [f"c{key}@example.com" for key in keys],
                "email_normalised": [f"c{key}@example.com" for key in keys],
                "name": [f"Ann{key} Example" for key in keys],
                "country": ["DE"] * count,
                "language": ["en"] * count,
            },
        )
        bulk_insert(
            connection,
            consents,
            {
                "customer_id": keys,
                "channel": ["email"] * count,
                "state": ["given"] * count,
                "stated_at": placed,
                "source": ["test"] * count,
            },
        )
        money = {name: np.full(count, 5000) for name in ("gross_minor", "total_minor", "original_total_minor")}
        bulk_insert(
            connection,
            orders,
            told
            | money
            | {
                "order_id": keys,
                "number": [f"#{key}" for key in keys],
                "customer_id": keys,
                "placed_at": placed,
                "payment_status": ["paid"] * count,
                "currency": ["EUR"] * count,
                "original_currency": ["EUR"] * count,
            },
        )
        bulk_insert(
            connection,
            order_items,
            {
                "order_id": keys,
                "line_number": np.full(count, 1),
                "name": ["Mug"] * count,
                "quantity": np.full(count, 1),
                "currency": ["EUR"] * count,
                "unit_price_minor": np.full(count, 5000),
                "gross_minor": np.full(count, 5000),
            },
        )
        bulk_insert(
            connection,
            shipments,
            told
            | {
                "order_id": keys,
                "status": ["delivered"] * count,
                "shipped_at": placed + np.timedelta64(1, "D"),
                "delivered_at": placed + np.timedelta64(2, "D"),
                "tracking_number": [f"T{key}" for key in keys],
            },
        )


def start(database: Engine, plan: Plan, *, at: datetime, name: str = "Come again", holdout: float = 0.5) -> int:
    """An offer that runs from ``at`` on, planned, approved and started as staff do it."""
    terms = Terms(name=name, plan=plan, ends_at=at + timedelta(days=28), window_days=30, holdout_share=holdout)
    with writing(database) as connection:
        key = create_offer(connection, LOCAL, terms, at=at)
        approve_offer(connection, LOCAL, key, version=1, at=at)
        start_offer(connection, LOCAL, key, version=2, at=at)
    return key
