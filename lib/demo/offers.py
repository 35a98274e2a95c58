"""Past offers with holdouts, and the purchases that they truly brought about."""

from dataclasses import dataclass, field

import numpy as np

from lib.demo.calendar import Calendar
from lib.demo.columns import Column, Columns, stack
from lib.demo.purchases import OFFER, People, draw_orders


@dataclass
class Offer:
    """An offer as it was run, and what is true of it.

    Everybody who is eligible on ``day`` is assigned by lot, all at once or (``spread``) on one of so many days from
    then on: ``assigned_day``. ``effect`` is the chance that a treated customer who would not have bought within
    ``window`` days buys because of it. ``is_second``: for those with exactly one purchase, else for those with two or
    more; ``since_low`` to ``since_high`` days ago. ``code`` and ``category`` are positions, -1: none.
    """

    key: str
    name: str
    kind: str
    days_ago: int
    since_low: int
    since_high: int
    is_second: bool
    window: int
    holdout: float
    depth: float
    effect: float
    code: int = -1
    category: int = -1
    spread: int = 1
    day: int = 0
    who: Column = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    is_treated: Column = field(default_factory=lambda: np.zeros(0, dtype=bool))
    buys_anyway: Column = field(default_factory=lambda: np.zeros(0, dtype=bool))
    buys_more: Column = field(default_factory=lambda: np.zeros(0, dtype=bool))
    assigned_day: Column = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    bought_day: Column = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


# No two windows overlap for the same customers, so that nobody is under two offers at once.
# key, name, kind, days ago, since low, since high, is second, window, holdout, depth, effect, code, category, spread
_PLANS = (
    ("again10", "10 % off your second order", "coupon", 610, 20, 75, True, 30, 0.5, 0.10, 0.055, 6, -1, 1),
    ("free-shipping", "Free shipping next time", "free_shipping", 520, 15, 60, True, 30, 0.4, 0.0, 0.030, 5, -1, 1),
    ("win-back-spring", "We miss you: 15 % off", "win_back", 470, 120, 300, False, 45, 0.3, 0.15, 0.035, 2, -1, 1),
    ("gift-candle", "A small candle with your next order", "gift", 400, 30, 100, True, 30, 0.5, 0.0, 0.042, -1, -1, 1),
    ("care-guide", "How to care for your linen", "guide", 345, 5, 40, True, 30, 0.5, 0.0, 0.0, -1, -1, 1),
    ("coffee-refill", "Time for fresh coffee?", "replenishment", 290, 25, 80, True, 21, 0.3, 0.05, 0.060, 7, 0, 1),
    ("double-points", "Double points this month", "points", 240, 20, 90, False, 30, 0.5, 0.0, 0.012, -1, -1, 42),
    ("win-back-autumn", "Come home: 10 % off", "win_back", 190, 150, 330, True, 45, 0.3, 0.10, 0.020, 6, -1, 1),
    ("app-invitation", "Order faster in the app", "app_invitation", 130, 10, 60, False, 30, 0.5, 0.0, 0.0, -1, -1, 28),
    ("second-order-gift", "Free mug with your second order", "gift", 85, 14, 70, True, 30, 0.5, 0.0, 0.050, -1, -1, 1),
    ("regulars", "Free shipping for regulars", "free_shipping", 47, 20, 120, False, 21, 0.5, 0.0, 0.070, 5, -1, 56),
    ("refill-soap", "Refill, do not rebuy", "replenishment", 14, 30, 90, True, 30, 0.5, 0.05, 0.045, 7, 3, 1),
)


def plans() -> list[Offer]:
    """The offers of the past, oldest first."""
    return [
        Offer(
            key=key,
            name=name,
            kind=kind,
            days_ago=ago,
            since_low=low,
            since_high=high,
            is_second=is_second,
            window=window,
            holdout=holdout,
            depth=depth,
            effect=effect,
            code=code,
            category=category,
            spread=spread,
        )
        for key, name, kind, ago, low, high, is_second, window, holdout, depth, effect, code, category, spread in _PLANS
    ]


def run_offers(
    rng: np.random.Generator, calendar: Calendar, people: People, orders: Columns, lived: int
) -> tuple[list[Offer], Columns | None]:
    """Assign customers and add the purchases that would not have been; returns (offers, extra orders)."""
    who, day = orders["who"], orders["day"]
    done: list[Offer] = []
    # Who gets it on which day is drawn apart, so that the other draws stay what they were.
    (days,) = rng.spawn(1)
    parts: list[Columns] = []
    for offer in plans():
        offer.day = calendar.days - offer.days_ago
        if offer.day < 120:
            continue
        before = day < offer.day
        count = np.bincount(who[before], minlength=lived)
        last = np.full(lived, -10_000)
        np.maximum.at(last, who[before], day[before])
        since = offer.day - last
        fits = (since >= offer.since_low) & (since <= offer.since_high)
        fits &= (count == 1) if offer.is_second else (count >= 2)
        if offer.category >= 0:
            fits &= people.category[:lived] == offer.category
        offer.who = np.flatnonzero(fits)
        offer.assigned_day = offer.day + days.integers(0, offer.spread, len(offer.who))
        is_due = offer.assigned_day < calendar.days
        offer.who, offer.assigned_day = offer.who[is_due], offer.assigned_day[is_due]
        n = len(offer.who)
        if n < 4:
            continue
        offer.is_treated = rng.random(n) >= offer.holdout
        inside = inside_window(offer, who, day, lived)
        offer.buys_anyway = np.bincount(who[inside], minlength=lived)[offer.who] > 0
        offer.buys_more = offer.is_treated & ~offer.buys_anyway & (rng.random(n) < offer.effect)
        offer.bought_day = offer.assigned_day + rng.integers(0, offer.window, n)
        offer.buys_more &= offer.bought_day < calendar.days
        done.append(offer)
        rows = np.flatnonzero(offer.buys_more)
        if len(rows):
            new = draw_orders(rng, calendar, people, offer.who[rows], offer.bought_day[rows], kind=OFFER)
            new["code"][:] = offer.code
            parts.append(new)
            # Later offers see these purchases too.
            who, day = np.concatenate([who, new["who"]]), np.concatenate([day, new["day"]])
    return done, stack(parts) if parts else None


def inside_window(offer: Offer, who: Column, day: Column, lived: int) -> Column:
    """Which orders fall into their customer's own window of an offer."""
    begins = np.full(lived, -10_000)
    begins[offer.who] = offer.assigned_day
    return np.asarray((day >= begins[who]) & (day < begins[who] + offer.window))
