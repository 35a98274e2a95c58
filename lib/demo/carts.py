"""The demo store's carts: some would come back anyway, some hesitate, some never will.

Which it is shows in the device, the value and the time of day; within a segment it is chance.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import batches, bulk_insert
from lib.db.tables.carts import cart_items, carts
from lib.demo import behaviour as b
from lib.demo.catalogue import catalogue
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, objects
from lib.demo.sales import Sales

# Abandoned carts per order placed online, and carts that were ordered from at once.
ABANDONED_PER_ORDER = 0.75
AT_ONCE_SHARE = 0.30
# Log-odds of coming back unaided within 14 days.
BASE = -1.55
DEVICE = (1.25, -0.75, 0.1)
VALUES = ("below 40 €", "40 to 90 €", "above 90 €")
VALUE_EDGES = (4000, 9000)
VALUE = (-0.95, 0.15, 1.05)
TIMES = ("day", "evening", "night")
TIME = (0.15, 0.35, -1.1)
CONTACTABLE_SHARE = 0.55
CONTACTED_SHARE = 0.45
# What a message after the cart adds, by kind: returns anyway, hesitates, never.
CONTACT_EFFECT = (0.0, 0.11, 0.005)
ANYWAY_ABOVE, NEVER_BELOW = 0.40, 0.05
KINDS = ("returns anyway", "fence-sitter", "never")


@dataclass(frozen=True, slots=True)
class Segment:
    """A cell of device × value × time, and its chance of an order without and with our contact."""

    device: int
    value: int
    time: int
    unaided: float
    kind: int

    @property
    def contacted(self) -> float:
        return min(0.95, self.unaided + CONTACT_EFFECT[self.kind])


def segments() -> list[Segment]:
    """All 27, device first."""
    found = []
    for device in range(3):
        for value in range(3):
            for time in range(3):
                odds = BASE + DEVICE[device] + VALUE[value] + TIME[time]
                chance = float(1 / (1 + np.exp(-odds)))
                kind = 0 if chance > ANYWAY_ABOVE else 2 if chance < NEVER_BELOW else 1
                found.append(Segment(device, value, time, chance, kind))
    return found


def write_carts(connection: Connection, rng: np.random.Generator, sales: Sales) -> dict[str, Any]:
    """Write carts, abandoned and not; returns what is true of them, by segment."""
    orders, calendar = sales.orders, sales.calendar
    cells = segments()
    online = np.flatnonzero(sales.is_valid & (orders["channel"] < 2))
    listed = (orders["line_unit"] * orders["quantities"]).sum(axis=1)
    band = np.searchsorted(VALUE_EDGES, listed, side="right")
    m = max(30, round(len(online) * ABANDONED_PER_ORDER))
    # A cart that comes back needs an order of its own, so the days come from orders.
    like = rng.choice(online, m)
    device = b.pick(rng, (0.34, 0.58, 0.08), m)
    time = b.pick(rng, (0.5, 0.36, 0.14), m)
    value = b.pick(rng, (0.45, 0.37, 0.18), m)
    cell = device * 9 + value * 3 + time
    contactable = rng.random(m) < CONTACTABLE_SHARE
    contacted = contactable & (rng.random(m) < CONTACTED_SHARE)
    unaided = np.array([c.unaided for c in cells])[cell]
    aided = np.array([c.contacted for c in cells])[cell]
    returns = rng.random(m) < np.where(contacted, aided, unaided)
    order = np.full(m, -1)
    # Give each cart that comes back an order of the same device and value; too few orders: fewer carts.
    keep = np.full(m, True)
    for d in range(3):
        for v in range(3):
            wanted = (device == d) & (value == v)
            back = np.flatnonzero(wanted & returns)
            free = online[(orders["device"][online] == d) & (band[online] == v)]
            rng.shuffle(free)
            if len(back) > 0.7 * len(free):
                # Thin the whole cell alike, so that its share of returning carts stays true.
                share = 0.7 * len(free) / len(back)
                keep[wanted & (rng.random(m) > share)] = False
                back = back[keep[back]]
            some = min(len(back), len(free))
            order[back[:some]] = free[:some]
            keep[back[some:]] = False
    has = order >= 0
    # Last touched so long before the order; a contact comes 2 to 5 hours after.
    gap = (np.where(contacted, 6, 1.2) + rng.exponential(np.where(contacted, 22, 30), m)).clip(1.2, 24 * 6.5)
    hour = np.select(
        [time == 0, time == 1], [rng.uniform(8, 17.5, m), rng.uniform(17.5, 23, m)], rng.uniform(0.2, 6, m)
    )
    around = np.where(has, orders["at"][order] - (gap * 3600e6).astype("m8[us]"), orders["at"][like])
    day = np.searchsorted(calendar.starts, around, side="right") - 1
    last = calendar.at(np.maximum(day, 0), hour / 24)
    # The hour was drawn: step back a day where it would fall less than 80 minutes before the order.
    margin = np.where(contacted, 6 * 60, 80).astype("m8[m]")
    too_near = has & (orders["at"][order] - last < margin)
    last = np.where(too_near, calendar.at(np.maximum(day - 1, 0), hour / 24), last)
    created = last - (rng.uniform(2, 50, m) * 60e6).astype("m8[us]")
    keep &= (created >= calendar.starts[0]) & (last < calendar.now)
    asked = last + (rng.uniform(2, 5, m) * 3600e6).astype("m8[us]")
    contacted &= asked < calendar.now
    truth = [
        {
            "device": b.DEVICES[c.device],
            "value": VALUES[c.value],
            "time": TIMES[c.time],
            "kind": KINDS[c.kind],
            "returns_unaided": round(c.unaided, 4),
            "returns_if_contacted": round(c.contacted, 4),
        }
        for c in cells
    ]
    at_once = rng.choice(online, round(len(online) * AT_ONCE_SHARE), replace=False)
    at_once = at_once[~np.isin(at_once, order[keep])]
    touched = orders["at"][at_once] - (rng.uniform(1, 25, len(at_once)) * 60e6).astype("m8[us]")
    touched = np.maximum(touched, calendar.starts[0])
    rows = np.flatnonzero(keep)
    _write(
        connection,
        rng,
        sales,
        order=np.concatenate([order[rows], at_once]),
        like=np.concatenate([like[rows], at_once]),
        device=np.concatenate([device[rows], orders["device"][at_once]]),
        value=np.concatenate([value[rows], band[at_once]]),
        created=np.concatenate([created[rows], touched - np.timedelta64(9, "m")]),
        last=np.concatenate([last[rows], touched]),
        contactable=np.concatenate([contactable[rows], np.full(len(at_once), True)]),
        contacted_at=np.concatenate(
            [np.where(contacted[rows], asked[rows], NEVER), np.full(len(at_once), NEVER, dtype="M8[us]")]
        ),
    )
    return {
        "unaided_means": "ordered between 60 minutes and 14 days after the last event, without our contact",
        "thresholds": {"returns_anyway_above": ANYWAY_ABOVE, "never_below": NEVER_BELOW},
        "contact_effect": dict(zip(KINDS, CONTACT_EFFECT, strict=True)),
        "segments": truth,
    }


def _write(
    connection: Connection,
    rng: np.random.Generator,
    sales: Sales,
    *,
    order: Column,
    like: Column,
    device: Column,
    value: Column,
    created: Column,
    last: Column,
    contactable: Column,
    contacted_at: Column,
) -> None:
    goods, orders = catalogue(), sales.orders
    place = np.argsort(last, kind="stable")
    order, like, device, value = order[place], like[place], device[place], value[place]
    created, last, contactable, contacted_at = created[place], last[place], contactable[place], contacted_at[place]
    n = len(order)
    has = order >= 0
    products = np.where(has[:, None], orders["products"][order], -1)
    quantities = np.where(has[:, None], orders["quantities"][order], 0)
    # Carts that came to nothing hold goods of about the value that their band says.
    low, high = np.array([500, 4000, 9000])[value], np.array([3999, 8999, 24000])[value]
    by_price = np.argsort(goods.price)
    sorted_price = goods.price[by_price]
    first = np.searchsorted(sorted_price, low)
    beyond = np.maximum(np.searchsorted(sorted_price, high, side="right"), first + 1)
    single = by_price[np.minimum(first + ((beyond - first) * rng.random(n)).astype(np.int64), len(goods) - 1)]
    products[~has, 0] = single[~has]
    quantities[~has, 0] = 1
    worth = (np.where(products >= 0, goods.price[products], 0) * quantities).sum(axis=1)
    buyer = np.where(has, orders["who"][order], np.where(contactable & (rng.random(n) < 0.7), orders["who"][like], -1))
    keys = np.arange(1, n + 1)
    for part in batches(n):
        size = len(keys[part])
        bulk_insert(
            connection,
            carts,
            {
                "cart_id": keys[part],
                "source": ["demo"] * size,
                "external_id": objects([f"CART-{FIRST_NUMBER + i}" for i in keys[part]]),
                "fingerprint": ["demo"] * size,
                "customer_id": np.ma.masked_equal(buyer[part] + 1, 0),
                "order_id": np.ma.masked_equal(order[part] + 1, 0),
                "is_contactable": contactable[part],
                "created_at": created[part],
                "last_event_at": last[part],
                "contacted_at": contacted_at[part],
                "ordered_at": np.where(has[part], orders["at"][order[part]], NEVER),
                "channel": objects(b.CHANNELS)[orders["channel"][np.where(has, order, like)[part]]],
                "device": objects(b.DEVICES)[device[part]],
                "country": objects(b.COUNTRIES)[orders["country"][np.where(has, order, like)[part]]],
                "currency": ["EUR"] * size,
                "value_minor": worth[part],
            },
        )
        row, line = np.nonzero(products[part] >= 0)
        product = products[part][row, line]
        bulk_insert(
            connection,
            cart_items,
            {
                "cart_id": keys[part][row],
                "product_id": product + 1,
                "name": objects(goods.name)[product],
                "quantity": quantities[part][row, line],
                "currency": ["EUR"] * len(row),
                "unit_price_minor": goods.price[product],
            },
        )
