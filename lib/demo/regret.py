"""What goes wrong after the sale: regret, returns and refunds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.demo import behaviour as b
from lib.demo.catalogue import CATEGORIES, catalogue
from lib.demo.columns import NEVER, Column, Columns, days_later
from lib.demo.sales import PAID, PARTLY_REFUNDED, REFUNDED, Sales, exchange_orders

REGRET_BASE = 0.010
REGRET_LATE = 0.11
REGRET_POOR = 0.10  # times (1 - quality of the main product)
RETURN_IF_REGRET = 0.55
RETURN_IF_LATE = 0.03
GOODWILL_SHARE = 0.006
WAVE_PRODUCTS = ("candle-tealights", "candle-pillar-set", "candle-dinner")
WAVE_SHARE = 0.8

RETURN_REASONS = (
    "Changed my mind",
    "Does not fit",
    "Other colour than expected",
    "Arrived too late",
    "Arrived damaged",
    "Quality not as expected",
    "Wrong item sent",
    "Ordered twice",
)
REFUND_REASONS = (
    "Return",
    "Parcel lost",
    "Arrived damaged",
    "Goodwill",
    "Bad batch of candles",
    "Order cancelled",
)
_RETURN, _LOST, _DAMAGED, GOODWILL, _WAVE, _CANCELLED = range(len(REFUND_REASONS))
_REQUESTED, _APPROVED, _IN_TRANSIT, _RECEIVED, _CLOSED, _REJECTED = range(6)
STATUS = ("requested", "approved", "in_transit", "received", "closed", "rejected")
RESOLUTIONS = ("refund", "exchange", "store_credit")


@dataclass
class Aftermath:
    """What was regretted (per order, as it stood before exchanges), and the returns and refunds to write."""

    is_regretted: Column
    is_returned: Column
    returns: Columns
    refunds: Columns


def settle(rng: np.random.Generator, sales: Sales) -> Aftermath:
    """Decide what comes back and what is paid back; sets payment statuses and appends exchange orders."""
    orders, calendar, goods = sales.orders, sales.calendar, catalogue()
    n = len(sales)
    now = calendar.now
    main = orders["products"][:, 0]
    arrived = np.where(orders["delivery"] == 3, orders["at"], orders["arrived_at"])
    can = sales.is_valid & ~np.isnat(arrived) & (orders["payment_status"] == PAID)
    chance = REGRET_BASE + REGRET_LATE * orders["is_late"] + REGRET_POOR * (1 - goods.quality[main])
    regretted = can & (rng.random(n) < chance)
    share = np.array([c.return_share for c in CATEGORIES])[goods.category[main]] + RETURN_IF_LATE * orders["is_late"]
    share = np.where(regretted, RETURN_IF_REGRET, share)
    comes_back = can & (rng.random(n) < share)
    requested = arrived + (np.minimum(rng.exponential(4.5, n) + 0.3, 28) * 86400e6).astype("m8[us]")
    comes_back &= requested < now
    back = _returns(rng, sales, np.flatnonzero(comes_back), requested, regretted, now)
    paid_back = _refunds(rng, sales, back, comes_back, now)
    status = orders["payment_status"]
    whole = paid_back["goods"] == (orders["gross"] - orders["discount"])[paid_back["order"]]
    status[paid_back["order"]] = np.where(whole, REFUNDED, PARTLY_REFUNDED)
    swapped = (back["resolution"] == 1) & ~np.isnat(back["received_at"])
    swapped &= back["day_done"] + 1 < calendar.days
    if swapped.any():
        exchange_orders(rng, sales, back["order"][swapped], back["day_done"][swapped] + 1)
    return Aftermath(is_regretted=regretted, is_returned=comes_back, returns=back, refunds=paid_back)


def _returns(
    rng: np.random.Generator, sales: Sales, rows: Column, requested: Column, regretted: Column, now: Any
) -> Columns:
    """The returns as columns; ``lines`` says which lines come back, shape (returns, WIDTH)."""
    orders = sales.orders
    m = len(rows)
    at = requested[rows]
    received = at + days_later(3, 11, rng, m)
    done = received + days_later(0.5, 5, rng, m)
    rejected = rng.random(m) < 0.03
    status = np.where(done < now, _CLOSED, np.where(received < now, _RECEIVED, _IN_TRANSIT))
    waits = at + days_later(0.2, 2.5, rng, m)
    status = np.where((status == _IN_TRANSIT) & (waits > now), _REQUESTED, status)
    status = np.where((status == _IN_TRANSIT) & (rng.random(m) < 0.35), _APPROVED, status)
    status = np.where(rejected & (status == _CLOSED), _REJECTED, status)
    kept = status == _CLOSED
    resolution = np.where(kept, b.pick(rng, (0.72, 0.16, 0.12), m), -1)
    category = catalogue().category[orders["products"][rows, 0]]
    ordinary = b.pick_by_row(rng, _reason_shares(), category)
    late = orders["is_late"][rows]
    ordinary = np.where(late & (rng.random(m) < 0.5), 3, ordinary)
    ordinary = np.where(regretted[rows] & ~late & (rng.random(m) < 0.6), 5, ordinary)
    whole = rng.random(m) < 0.3
    lines = orders["products"][rows] >= 0
    lines[~whole, 1:] = False
    value = ((orders["line_gross"] - orders["line_discount"])[rows] * lines).sum(axis=1)
    start = np.datetime64(sales.calendar.first, "D")
    return {
        "order": rows,
        "requested_at": at,
        "received_at": np.where((received < now) & ~rejected, received, NEVER),
        "done_at": np.where(kept, done, NEVER),
        "day_done": (np.where(kept, done, now).astype("M8[D]") - start).astype(np.int64),
        "status": status,
        "resolution": resolution,
        "reason": ordinary,
        "comment": rng.integers(0, 3, m),
        "has_comment": rng.random(m) < 0.4,
        "lines": lines,
        "value": value,
    }


def _reason_shares() -> Column:
    shares = np.tile([0.30, 0.05, 0.12, 0.03, 0.18, 0.20, 0.07, 0.05], (len(CATEGORIES), 1))
    for number, category in enumerate(CATEGORIES):
        if category.name == "Textiles":
            shares[number, 1:3] = (0.45, 0.25)
    return shares


def _refunds(rng: np.random.Generator, sales: Sales, back: Columns, comes_back: Column, now: Any) -> Columns:
    """The refunds as columns; at most one an order; ``line_goods`` has shape (refunds, WIDTH)."""
    orders, calendar = sales.orders, sales.calendar
    n = len(sales)
    value = orders["line_gross"] - orders["line_discount"]
    parts: list[tuple[int, Column, Column, Column, bool]] = []
    paid = np.flatnonzero(back["resolution"] == 0)
    rows = back["order"][paid]
    parts.append((_RETURN, rows, back["done_at"][paid], value[rows] * back["lines"][paid], False))
    free = ~comes_back & sales.is_valid & (orders["payment_status"] == PAID) & (orders["gross"] > orders["discount"])
    promised = calendar.at(np.maximum(orders["promised"], orders["day"] + 4), np.full(n, 0.5))
    wave = next((u for u in calendar.unusual if u.kind == "refund_wave"), None)
    for reason, chosen, when, part in (
        (_LOST, orders["is_lost"] & orders["has_parcel"], promised + days_later(5, 14, rng, n), 1.0),
        (
            _DAMAGED,
            orders["is_damaged"] & ~np.isnat(orders["arrived_at"]),
            orders["arrived_at"] + days_later(1, 8, rng, n),
            1.0,
        ),
        (GOODWILL, rng.random(n) < GOODWILL_SHARE, orders["arrived_at"] + days_later(2, 21, rng, n), 0.0),
        (_WAVE, _in_wave(rng, sales), _wave_days(rng, sales), 1.0),
    ):
        if reason == _WAVE and wave is None:
            continue
        hit = np.flatnonzero(free & chosen & ~np.isnat(when) & (when < now) & (when > orders["at"]))
        free[hit] = False
        share = part if part else rng.choice([0.2, 0.3, 0.5], len(hit))[:, None]
        goods = np.rint(value[hit] * share).astype(np.int64)
        if reason in (GOODWILL, _WAVE):
            goods[:, 1:] = 0
        parts.append((reason, hit, when[hit], goods, reason == _LOST))
    gone = np.flatnonzero((orders["payment_status"] == REFUNDED) & ~np.isnat(orders["cancelled_at"]))
    when = np.minimum(orders["cancelled_at"][gone] + days_later(0.1, 3, rng, len(gone)), now - np.timedelta64(30, "s"))
    parts.append((_CANCELLED, gone, np.maximum(when, orders["cancelled_at"][gone]), value[gone], True))
    order = np.concatenate([p[1] for p in parts])
    goods = np.concatenate([p[3] for p in parts])
    with_shipping = np.concatenate([np.full(len(p[1]), p[4]) for p in parts])
    shipping = np.where(with_shipping, orders["shipping"][order], 0)
    tax = np.rint(goods * orders["line_rate"][order]).astype(np.int64).sum(axis=1)
    tax += np.where(
        with_shipping, np.rint(orders["shipping"] * np.array(b.TAX)[orders["country"]]).astype(np.int64)[order], 0
    )
    found = {
        "order": order,
        "reason": np.concatenate([np.full(len(p[1]), p[0]) for p in parts]),
        "at": np.concatenate([p[2] for p in parts]),
        "line_goods": goods,
        "goods": goods.sum(axis=1),
        "shipping": shipping,
        "tax": tax,
        "fees": np.where(with_shipping, orders["fees"][order], 0),
    }
    keep = np.flatnonzero(found["goods"] > 0)
    keep = keep[np.argsort(found["at"][keep], kind="stable")]
    return {name: values[keep] for name, values in found.items()}


def _in_wave(rng: np.random.Generator, sales: Sales) -> Column:
    wave = next((u for u in sales.calendar.unusual if u.kind == "refund_wave"), None)
    if wave is None:
        return np.zeros(len(sales), dtype=bool)
    numbers = [catalogue().number(handle) for handle in WAVE_PRODUCTS]
    day = sales.orders["day"]
    bad = np.isin(sales.orders["products"][:, 0], numbers) & (day < wave.first) & (day >= wave.first - 60)
    return bad & (rng.random(len(sales)) < WAVE_SHARE)


def _wave_days(rng: np.random.Generator, sales: Sales) -> Column:
    wave = next((u for u in sales.calendar.unusual if u.kind == "refund_wave"), None)
    n = len(sales)
    if wave is None:
        return np.full(n, NEVER, dtype="M8[us]")
    return sales.calendar.at(rng.integers(wave.first, wave.last + 1, n), rng.uniform(0.35, 0.75, n))
