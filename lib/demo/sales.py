"""The store's orders as they stand in the books: sorted, numbered, priced, with their odd ones among them."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lib.demo import behaviour as b
from lib.demo.calendar import Calendar
from lib.demo.catalogue import catalogue
from lib.demo.columns import NEVER, Column, Columns, stack, take
from lib.demo.offers import Offer, run_offers
from lib.demo.purchases import (
    CANCELLED,
    EXCHANGE,
    SAME_DAY,
    TEST,
    UNKNOWN,
    VALID_KINDS,
    VOIDED,
    People,
    draw_orders,
    live,
)

# Shares of the customers who never bought: cancelled at once, or only signed up.
NEVER_BOUGHT_SHARE = 0.03
PAID, PENDING, AUTHORIZED, VOID, REFUNDED, PARTLY_REFUNDED = range(6)
PAYMENT_STATUS = ("paid", "pending", "authorized", "voided", "refunded", "partially_refunded")


@dataclass
class Sales:
    """The whole of the shop's trade: customers, then orders by time; an order's key is its position plus one.

    ``lived`` customers come first and follow the process; after them the ones who never bought and, last,
    the test customer. ``orders`` holds codes and amounts, (n,) or (n, WIDTH) for its lines.
    """

    calendar: Calendar
    people: People
    lived: int
    orders: Columns
    offers: list[Offer]

    def __len__(self) -> int:
        return len(self.orders["who"])

    @property
    def is_valid(self) -> Column:
        return np.isin(self.orders["kind"], VALID_KINDS)

    @property
    def test_customer(self) -> int:
        return len(self.people) - 1


def orders_per_customer(calendar: Calendar) -> float:
    """How many orders a customer makes in this calendar, from a small trial."""
    trial = 20_000
    _, orders = live(np.random.default_rng(7), calendar, trial)
    return len(orders["who"]) / trial


def make_sales(calendar: Calendar, seed: int, wanted: int) -> Sales:
    """Make about ``wanted`` orders."""
    beside = b.UNKNOWN_SHARE + b.CANCELLED_SHARE + b.VOIDED_SHARE + b.TEST_SHARE + b.SAME_DAY_SHARE + 0.012
    lived = max(60, round(wanted * (1 - beside) / orders_per_customer(calendar)))
    rng = np.random.default_rng([seed, 2])
    people, orders = live(rng, calendar, lived)
    people = _with_strangers(rng, people, max(3, round(lived * NEVER_BOUGHT_SHARE)) + 1)
    offers, more = run_offers(np.random.default_rng([seed, 3]), calendar, people, orders, lived)
    if more is not None:
        orders = stack([orders, more])
    parts = [orders, *_beside(np.random.default_rng([seed, 4]), calendar, people, orders, wanted, lived)]
    orders = stack(parts)
    orders = take(orders, np.argsort(orders["day"] + orders["fraction"], kind="stable"))
    orders["at"] = calendar.at(orders["day"], orders["fraction"])
    rng = np.random.default_rng([seed, 5])
    _price(orders)
    _pay(rng, calendar, orders)
    _send(rng, calendar, orders)
    return Sales(calendar=calendar, people=people, lived=lived, orders=orders, offers=offers)


def _with_strangers(rng: np.random.Generator, people: People, more: int) -> People:
    chosen = rng.integers(0, len(people), more)
    changed: dict[str, Any] = {}
    for field in fields(people):
        values = getattr(people, field.name)
        changed[field.name] = np.concatenate([values, values[chosen]])
    return People(**changed)


def _beside(
    rng: np.random.Generator, calendar: Calendar, people: People, orders: Columns, wanted: int, lived: int
) -> list[Columns]:
    """Orders that are no part of a customer's life: unknown buyers, cancelled, voided, tests, same-day, exchanges."""
    n = len(orders["who"])
    parts = []

    def some(share: float, at_least: int = 1) -> int:
        return max(at_least, round(wanted * share))

    def like(rows: Column, kind: int, who: Column | None = None) -> Columns:
        buyer = orders["who"][rows] if who is None else who
        return draw_orders(rng, calendar, people, buyer, orders["day"][rows], kind=kind)

    rows = rng.integers(0, n, some(b.UNKNOWN_SHARE))
    parts.append(like(rows, UNKNOWN, np.full(len(rows), -1)))
    for kind, share in ((CANCELLED, b.CANCELLED_SHARE), (VOIDED, b.VOIDED_SHARE)):
        rows = rng.integers(0, n, some(share, 2))
        # Two in five such orders are of people who never bought anything.
        stranger = rng.integers(lived, len(people) - 1, len(rows))
        parts.append(like(rows, kind, np.where(rng.random(len(rows)) < 0.4, stranger, orders["who"][rows])))
    rows = rng.integers(0, n, some(b.TEST_SHARE, 2))
    parts.append(like(rows, TEST, np.full(len(rows), len(people) - 1)))
    rows = rng.integers(0, n, some(b.SAME_DAY_SHARE))
    again = like(rows, SAME_DAY)
    again["fraction"] = np.minimum(orders["fraction"][rows] + rng.uniform(0.01, 0.08, len(rows)), 0.9995)
    # The day's first order stays the first: one just before midnight has no room for another.
    keep = orders["fraction"][rows] < 0.99
    parts.append(take(again, np.flatnonzero(keep)))
    return parts


def exchange_orders(rng: np.random.Generator, sales: Sales, rows: Column, day: Column) -> None:
    """Append the zero-value orders that replace what came back; the columns of ``sales`` grow."""
    old = sales.orders
    n = len(sales)
    new = draw_orders(rng, sales.calendar, sales.people, old["who"][rows], day, kind=EXCHANGE)
    new["products"] = np.full_like(new["products"], -1)
    new["products"][:, 0] = old["products"][rows, 0]
    new["quantities"] = np.zeros_like(new["quantities"])
    new["quantities"][:, 0] = 1
    new["code"][:] = -1
    new["at"] = sales.calendar.at(new["day"], new["fraction"])
    _price(new)
    new["payment_status"] = np.full(len(rows), PAID)
    _send(rng, sales.calendar, new)
    new["cancelled_at"] = np.full(len(rows), np.datetime64("NaT"), dtype="M8[us]")
    merged = stack([old, {name: new[name] for name in old}])
    # Only later orders move: keys of orders already spoken of must not, so exchanges keep the last keys.
    assert len(merged["who"]) == n + len(rows)
    sales.orders = merged


def _price(orders: Columns) -> None:
    """Amounts in cents, without tax; ``line_*`` are (n, WIDTH)."""
    goods = catalogue()
    products, quantities = orders["products"], orders["quantities"]
    there = products >= 0
    country = orders["country"][:, None]
    tax = np.where(goods.is_reduced_tax[products], np.array(b.REDUCED_TAX)[country], np.array(b.TAX)[country])
    is_free = (orders["kind"] == EXCHANGE)[:, None]
    unit = np.where(there & ~is_free, goods.price[products], 0)
    gross = np.rint(unit * quantities / (1 + tax)).astype(np.int64)
    depth = np.where(orders["code"] >= 0, np.array(b.CODE_DEPTH)[orders["code"]], 0.0)[:, None]
    discount = np.rint(gross * depth).astype(np.int64)
    line_tax = np.rint((gross - discount) * tax).astype(np.int64)
    orders["line_unit"], orders["line_gross"] = unit, gross
    orders["line_discount"], orders["line_tax"] = discount, line_tax
    orders["line_cost"] = np.where(there, goods.cost[products] * quantities, 0)
    orders["line_rate"] = tax
    orders["gross"] = gross.sum(axis=1)
    orders["discount"] = discount.sum(axis=1)
    listed = (unit * quantities).sum(axis=1)
    shipping = np.where(listed >= 4900, 0, 490)
    shipping = np.where(orders["delivery"] == 1, np.where(listed >= 4900, 0, 390), shipping)
    shipping = np.where(orders["delivery"] == 2, 990, shipping)
    shipping = np.where((orders["country"] == 2) & (orders["delivery"] < 2), 1290, shipping)
    gone = (orders["delivery"] == 3) | (orders["code"] == 5) | is_free[:, 0]
    shipping = np.where(gone, 0, shipping)
    rate = np.array(b.TAX)[orders["country"]]
    orders["shipping"] = np.rint(shipping / (1 + rate)).astype(np.int64)
    orders["tax"] = line_tax.sum(axis=1) + np.rint(orders["shipping"] * rate).astype(np.int64)
    # A small charge for buying on invoice abroad.
    charged = (orders["payment"] == 2) & (orders["country"] > 2) & ~is_free[:, 0]
    orders["fees"] = np.where(charged, 100, 0)
    orders["total"] = orders["gross"] - orders["discount"] + orders["shipping"] + orders["tax"] + orders["fees"]


def _pay(rng: np.random.Generator, calendar: Calendar, orders: Columns) -> None:
    n = len(orders["who"])
    kind = orders["kind"]
    status = np.full(n, PAID)
    age = calendar.days - orders["day"]
    slow = np.isin(orders["payment"], (2, 4)) & (rng.random(n) < np.where(age <= 12, 0.45, 0.02))
    unpaid = slow | (rng.random(n) < np.where(age <= 2, 0.04, 0.009))
    unpaid &= orders["channel"] < 2
    status = np.where(unpaid, np.where(rng.random(n) < 0.8, PENDING, AUTHORIZED), status)
    cancelled = kind == CANCELLED
    status = np.where(cancelled, np.where(rng.random(n) < 0.62, VOID, REFUNDED), status)
    status = np.where(kind == VOIDED, VOID, status)
    when = orders["at"] + (rng.uniform(0.4, 30, n) * 3600e6).astype("m8[us]")
    when = np.minimum(when, np.maximum(orders["at"], calendar.now - np.timedelta64(1, "m")))
    orders["payment_status"] = status
    orders["cancelled_at"] = np.where(cancelled, when, NEVER)


def _send(rng: np.random.Generator, calendar: Calendar, orders: Columns) -> None:
    """Instants of the parcel: NaT where it has not happened by now, or never will."""
    n = len(orders["who"])
    has = (orders["carrier"] >= 0) & ~np.isin(orders["kind"], (CANCELLED, VOIDED, TEST))
    arrives = calendar.at(orders["delivered"], np.clip(rng.normal(0.55, 0.1, n), 0.34, 0.84))
    whole = (arrives - orders["at"]).astype(np.int64)
    handling = (rng.uniform(3, 40, n) * 3600e6).astype(np.int64)
    leaves = orders["at"] + np.minimum(handling, (whole * rng.uniform(0.3, 0.55, n)).astype(np.int64)).astype("m8[us]")
    tried_day = orders["delivered"] - 1
    tried = (
        (rng.random(n) < 0.06) & (tried_day > orders["day"]) & ~(orders["is_late"] & (tried_day <= orders["promised"]))
    )
    first_try = calendar.at(tried_day, np.clip(rng.normal(0.55, 0.1, n), 0.34, 0.84))
    tried &= first_try > leaves
    orders["has_parcel"] = has
    orders["shipped_at"] = np.where(has & (leaves < calendar.now), leaves, NEVER)
    there = has & (arrives < calendar.now) & ~orders["is_lost"]
    orders["arrived_at"] = np.where(there, arrives, NEVER)
    orders["tried_at"] = np.where(has & tried & (first_try < calendar.now), first_try, NEVER)
