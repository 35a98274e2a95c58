"""Who buys what, and when: customers' lives, all at once, one purchase after another.

Everything is a column (numpy array); a set of columns is a ``Columns``. The second purchase of every
customer is drawn, then the third of those who made a second, until nobody buys any more.
"""

from dataclasses import dataclass

import numpy as np

from lib.demo import behaviour as b
from lib.demo.baskets import baskets, codes
from lib.demo.calendar import Calendar
from lib.demo.catalogue import CATEGORIES, catalogue
from lib.demo.columns import Column, Columns, stack

# Why an order exists.
ORDINARY, REFILL, SAME_DAY, UNKNOWN, CANCELLED, VOIDED, TEST, EXCHANGE, OFFER = range(9)
VALID_KINDS = (ORDINARY, REFILL, SAME_DAY, UNKNOWN, OFFER)


@dataclass
class People:
    """The customers as columns, in the order of their first purchase, and what their first purchase decided.

    ``log_hazard``: the sum of the log hazard ratios but lateness. ``known_day``: the day from which the
    first delivery's lateness is felt. ``refill_mean``: days from delivery at which the first purchase is
    used up, 0 when this customer will not refill.
    """

    country: Column
    channel: Column
    source: Column
    device: Column
    is_guest: Column
    rate: Column
    leave: Column
    first_day: Column
    category: Column
    is_discounted: Column
    is_late: Column
    has_promise: Column
    known_day: Column
    delivered_day: Column
    log_hazard: Column
    refill_mean: Column

    def __len__(self) -> int:
        return len(self.country)


def live(rng: np.random.Generator, calendar: Calendar, count: int) -> tuple[People, Columns]:
    """Let ``count`` customers live from their first purchase to the last day of the calendar."""
    first_day = np.sort(pick_days(rng, calendar, count))
    people = People(
        country=b.pick(rng, b.COUNTRY_SHARE, count),
        channel=b.pick(rng, b.CHANNEL_SHARE, count),
        source=b.pick(rng, b.SOURCE_SHARE, count),
        device=b.pick(rng, (0.38, 0.54, 0.08), count),
        is_guest=rng.random(count) < 0.31,
        rate=rng.gamma(b.RATE_SHAPE, 1 / b.RATE_DAYS, count),
        leave=rng.beta(b.LEAVE_A, b.LEAVE_B, count),
        first_day=first_day,
        category=np.zeros(count, dtype=np.int64),
        is_discounted=np.zeros(count, dtype=bool),
        is_late=np.zeros(count, dtype=bool),
        has_promise=np.zeros(count, dtype=bool),
        known_day=first_day,
        delivered_day=first_day,
        log_hazard=np.zeros(count),
        refill_mean=np.zeros(count),
    )
    who = np.arange(count)
    orders = draw_orders(rng, calendar, people, who, first_day, kind=ORDINARY, is_first=True)
    shelf = catalogue().category
    people.category = shelf[orders["products"][:, 0]]
    people.is_discounted = orders["code"] >= 0
    people.is_late = orders["is_late"]
    people.has_promise = (orders["promised"] >= 0) & ~orders["is_lost"]
    people.delivered_day = orders["delivered"]
    people.known_day = np.where(orders["is_late"], orders["promised"] + 1, orders["delivered"])
    people.log_hazard = (
        np.array([c.log_hazard for c in CATEGORIES])[people.category]
        + np.array(b.CHANNEL_LOG_HAZARD)[people.channel]
        + np.array(b.SOURCE_LOG_HAZARD)[people.source]
        + b.DISCOUNT_LOG_HAZARD * people.is_discounted
    )
    refill_day, refill_product, people.refill_mean = _refills(rng, orders)
    parts = [orders]
    day = first_day
    hazard = people.rate * np.exp(people.log_hazard)
    late = np.where(people.is_late, np.exp(b.LATE_LOG_HAZARD), 1.0)
    clock = calendar.clock
    while len(who):
        stays = rng.random(len(who)) >= people.leave[who]
        who, day = who[stays], day[stays]
        refill_day, refill_product = refill_day[stays], refill_product[stays]
        wait = rng.standard_exponential(len(who))
        before, after = hazard[who], hazard[who] * late[who]
        known = np.clip(people.known_day[who], day, len(clock) - 1)
        until_known = before * (clock[known] - clock[day])
        target = np.where(wait <= until_known, clock[day] + wait / before, clock[known] + (wait - until_known) / after)
        own_day = np.searchsorted(clock, target, side="left")
        is_refill = (refill_day > day) & (refill_day < own_day)
        next_day = np.where(is_refill, refill_day, own_day)
        comes = next_day < calendar.days
        who, day, is_refill = who[comes], next_day[comes], is_refill[comes]
        refill_day, refill_product = refill_day[comes], refill_product[comes]
        if not len(who):
            break
        orders = draw_orders(
            rng,
            calendar,
            people,
            who,
            day,
            kind=np.where(is_refill, REFILL, ORDINARY),
            wanted=np.where(is_refill, refill_product, -1),
        )
        parts.append(orders)
        new_day, new_product, mean = _refills(rng, orders)
        # A new supply replaces the one that was waited for.
        renewed = (mean > 0) | is_refill
        refill_day = np.where(renewed, new_day, refill_day)
        refill_product = np.where(renewed, new_product, refill_product)
    return people, stack(parts)


def pick_days(rng: np.random.Generator, calendar: Calendar, count: int) -> Column:
    """Draw days on which newcomers join."""
    return b.pick(rng, calendar.joining, count)


def _refills(rng: np.random.Generator, orders: Columns) -> tuple[Column, Column, Column]:
    """When and what of each order is wanted again: (day or -1, product or -1, mean days after delivery or 0)."""
    goods = catalogue()
    products, quantity = orders["products"], orders["quantities"]
    used_up = np.where(products >= 0, goods.used_up[products], 0) > 0
    line = used_up.argmax(axis=1)
    rows = np.arange(len(products))
    product = products[rows, line]
    share = np.array([c.refill_share for c in CATEGORIES])[goods.category[product]]
    wants = used_up[rows, line] & (rng.random(len(rows)) < share)
    mean = np.where(wants, goods.used_up[product] * quantity[rows, line] ** b.REFILL_QUANTITY_POWER, 0.0)
    spread = np.exp(b.REFILL_SPREAD * rng.standard_normal(len(rows)))
    day = orders["delivered"] + np.maximum(1, np.rint(mean * spread)).astype(np.int64)
    return np.where(wants, day, -1), np.where(wants, product, -1), mean


def draw_orders(
    rng: np.random.Generator,
    calendar: Calendar,
    people: People,
    who: Column,
    day: Column,
    *,
    kind: Column | int,
    is_first: bool = False,
    wanted: Column | None = None,
) -> Columns:
    """Draw what an order is: where, how paid, which goods, which code, which parcel.

    ``who`` is the customer's position, or -1 for somebody unknown; ``wanted`` a product that must be in it.
    """
    n = len(who)
    known = who >= 0
    at = np.maximum(who, 0)
    country = np.where(known, people.country[at], b.pick(rng, b.COUNTRY_SHARE, n))
    channel = np.where(known, people.channel[at], b.pick(rng, (0.2, 0.0, 0.35, 0.45), n))
    source = np.where(known, people.source[at], b.pick(rng, b.SOURCE_SHARE, n))
    if not is_first:
        moved = known & (rng.random(n) > b.STAYS_WITH_CHANNEL)
        channel = np.where(moved, b.pick(rng, (0.55, 0.33, 0.06, 0.06), n), channel)
        source = np.where(rng.random(n) < 0.6, b.pick(rng, (0.16, 0.38, 0.06, 0.04, 0.28, 0.02, 0.03, 0.03), n), source)
    device = np.where(rng.random(n) < 0.8, people.device[at], b.pick(rng, (0.38, 0.54, 0.08), n))
    device = np.where(channel == 1, 1, device)
    home = np.where(known & (not is_first), people.category[at], -1)
    products, quantities = baskets(rng, calendar, home, day, is_first=is_first, wanted=wanted)
    code = codes(rng, calendar, day, channel, is_first=is_first)
    return {
        "who": who,
        "day": day,
        "fraction": _time_of_day(rng, channel),
        "kind": np.full(n, kind) if isinstance(kind, int) else kind,
        "is_first": np.full(n, is_first),
        "country": country,
        "channel": channel,
        "source": source,
        "device": device,
        "payment": b.pick(rng, b.PAYMENT_SHARE, n),
        "products": products,
        "quantities": quantities,
        "code": code,
        **_parcels(rng, calendar, day, country, channel),
    }


_HOURS_ONLINE = (7, 4, 2, 1, 1, 3, 9, 18, 28, 36, 42, 44, 46, 44, 42, 42, 44, 48, 54, 64, 76, 74, 48, 20)
_HOURS_SHOP = (0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 30, 44, 52, 48, 44, 46, 52, 58, 48, 16, 0, 0, 0, 0)


def _time_of_day(rng: np.random.Generator, channel: Column) -> Column:
    n = len(channel)
    hour = np.where(channel == 3, b.pick(rng, _HOURS_SHOP, n), b.pick(rng, _HOURS_ONLINE, n))
    return (hour + rng.random(n)) / 24


def _parcels(rng: np.random.Generator, calendar: Calendar, day: Column, country: Column, channel: Column) -> Columns:
    """The parcel's carrier (-1: none, taken along), promise, and what became of it; days, -1 where unknown."""
    n = len(day)
    in_store = channel == 3
    carrier = b.pick_by_row(rng, np.array(b.CARRIER_SHARE), country)
    express = ~in_store & (rng.random(n) < 0.05)
    pickup = ~in_store & ~express & (rng.random(n) < 0.14)
    base = np.where(express, 2, np.array(b.PROMISE_DAYS)[country])
    promised = day + base + np.where(calendar.weekday[day] >= 4, 1, 0)
    has_promise = ~in_store & (rng.random(n) < b.HAS_PROMISE_SHARE)
    chance = np.array(b.CARRIER_LATE)[carrier]
    strike = calendar.lateness[np.minimum(day, len(calendar.lateness) - 1)]
    chance = np.where(carrier == b.STRIKING_CARRIER, np.minimum(chance * strike, 0.9), chance)
    late = has_promise & (rng.random(n) < chance)
    early = b.pick(rng, (0.42, 0.40, 0.18), n)
    on_time_day = np.maximum(promised - early, day + 1)
    delivered = np.where(late, promised + rng.geometric(0.42, n), on_time_day)
    fate = rng.random(n)
    lost = ~in_store & (fate < b.LOST_SHARE)
    damaged = ~in_store & ~lost & (fate < b.LOST_SHARE + b.DAMAGED_SHARE)
    late &= ~lost
    return {
        "carrier": np.where(in_store, -1, carrier),
        "delivery": np.where(in_store, 3, np.where(express, 2, np.where(pickup, 1, 0))),
        "promised": np.where(has_promise, promised, -1),
        "delivered": np.where(in_store, day, delivered),
        "is_late": late,
        "late_chance": np.where(has_promise & ~lost, chance, 0.0),
        "is_lost": lost,
        "is_damaged": damaged,
    }
