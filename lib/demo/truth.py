"""What is true of the demo store: the parameters it was made with, and what they make expected.

Repeat within N days is expected exactly, given each customer's first purchase: with the operational clock
``C`` (running sum of the days' pace), first day d, delivery felt from day e, hazard ratio m before and m·h
after it, a customer who stays buys within N days with the chance

    1 − (α / (α + m (C(e) − C(d)) + m h (C(d+N) − C(e))))^r · (1 − R(N)),

where R(N) is the chance that what was bought is used up and wanted again by then (a log-normal around its
cycle, from delivery). Staying has the chance b / (a + b). An offer to one-time buyers at a later day turns
what has not bought so far into buyers with the chance treated share × effect, spread evenly over its window.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from lib.demo import behaviour as b
from lib.demo import regret, reviews, tickets
from lib.demo.calendar import GROWTH_PER_YEAR, MONTHS, WEEKDAYS
from lib.demo.catalogue import CATEGORIES, PAIRS, catalogue
from lib.demo.columns import Column
from lib.demo.offers import Offer
from lib.demo.purchases import People
from lib.demo.sales import Sales

WITHIN = (30, 60, 90, 180, 365)


def repeat_chance(sales: Sales, within: int) -> Column:
    """Each lived customer's chance of a second purchase occasion 1 to ``within`` days after the first."""
    people, calendar, lived = sales.people, sales.calendar, sales.lived
    clock = calendar.clock
    day = people.first_day[:lived]
    until = np.minimum(day + within, len(clock) - 1)
    known = np.clip(people.known_day[:lived], day, until)
    late = np.where(people.is_late[:lived], np.exp(b.LATE_LOG_HAZARD), 1.0)
    ratio = np.exp(people.log_hazard[:lived])
    exposure = ratio * ((clock[known] - clock[day]) + late * (clock[until] - clock[known]))
    none = (b.RATE_DAYS / (b.RATE_DAYS + exposure)) ** b.RATE_SHAPE
    none = none * (1 - _refill_by(people, lived, day + within))
    stays = b.LEAVE_B / (b.LEAVE_A + b.LEAVE_B)
    left = 1 - stays * (1 - none)
    for offer in sales.offers:
        if offer.is_second:
            left = left * (1 - _offer_by(offer, people, lived, day, day + within))
    return np.asarray(1 - left)


def _refill_by(people: People, lived: int, day: Column) -> Column:
    mean = people.refill_mean[:lived]
    # The wait is rounded to whole days: up to and with day k means below k + 1/2.
    waited = day - people.delivered_day[:lived]
    reached = np.where(
        (mean > 0) & (waited >= 1), np.log(np.maximum(waited + 0.5, 0.5) / np.maximum(mean, 1e-9)), -np.inf
    )
    return np.asarray(ndtr(reached / b.REFILL_SPREAD))


def _offer_by(offer: Offer, people: People, lived: int, first: Column, day: Column) -> Column:
    """Chance that the offer alone brings a purchase up to and with ``day``, of somebody who has not bought again."""
    since = offer.day - first
    fits = (since >= offer.since_low) & (since <= offer.since_high)
    if offer.category >= 0:
        fits &= people.category[:lived] == offer.category
    share = np.clip((day - offer.day + 1) / offer.window, 0, 1)
    return np.asarray(np.where(fits, (1 - offer.holdout) * offer.effect * share, 0.0))


def _groups(sales: Sales) -> dict[str, tuple[Column, Sequence[str]]]:
    people, lived = sales.people, sales.lived
    no_parcel = people.channel[:lived] == 3
    delivery = np.where(no_parcel | ~people.has_promise[:lived], 2, people.is_late[:lived].astype(np.int64))
    return {
        "all": (np.zeros(lived, dtype=np.int64), ("all",)),
        "category": (people.category[:lived], [c.name for c in CATEGORIES]),
        "channel": (people.channel[:lived], b.CHANNELS),
        "source": (people.source[:lived], b.SOURCES),
        "discount": (people.is_discounted[:lived].astype(np.int64), ("no discount", "discount")),
        "delivery": (delivery, ("on time", "late", "unknown")),
    }


def expected_repeat(sales: Sales) -> dict[str, Any]:
    """Per group and N: how many mature customers, how many are expected to repeat, and the standard error."""
    day, days = sales.people.first_day[: sales.lived], sales.calendar.days
    found: dict[str, Any] = {}
    for within in WITHIN:
        chance = repeat_chance(sales, within)
        mature = day + within < days
        for dimension, (slices, names) in _groups(sales).items():
            for number, name in enumerate(names):
                here = mature & (slices == number)
                n = int(here.sum())
                if not n:
                    continue
                own = chance[here]
                found.setdefault(dimension, {}).setdefault(name, {})[str(within)] = {
                    "customers": n,
                    "expected_repeaters": round(float(own.sum()), 2),
                    "share": round(float(own.mean()), 6),
                    "standard_error": round(float(np.sqrt((own * (1 - own)).sum()) / n), 6),
                }
    return found


def offers_truth(sales: Sales) -> list[dict[str, Any]]:
    """Per offer: its arms, and the true effect per assigned customer on buying within the window."""
    found = []
    for offer in sales.offers:
        anyway = float(offer.buys_anyway.mean())
        found.append(
            {
                "key": offer.key,
                "name": offer.name,
                "kind": offer.kind,
                "assigned_on": sales.calendar.date_of(offer.day).isoformat(),
                "assigned_until": sales.calendar.date_of(offer.day + offer.spread - 1).isoformat()
                if offer.day + offer.spread <= sales.calendar.days
                else None,
                "window_days": offer.window,
                "holdout_share": offer.holdout,
                "treatment": int(offer.is_treated.sum()),
                "holdout": int((~offer.is_treated).sum()),
                "would_have_bought": round(anyway, 5),
                "effect_if_not": offer.effect,
                "uplift_in_buying": round(offer.effect * (1 - anyway), 5),
                "added_orders": int(offer.buys_more.sum()),
            }
        )
    return found


def truth(sales: Sales, carts: dict[str, Any], *, seed: int) -> dict[str, Any]:
    """All of it, ready to be written as JSON."""
    calendar = sales.calendar
    return {
        "about": "What is true of the made-up store beside this file. See lib/demo/truth.py for how it is expected.",
        "seed": seed,
        "first_day": calendar.first.isoformat(),
        "end_day": calendar.end.isoformat(),
        "time_zone": calendar.zone.key,
        "orders": len(sales),
        "valid_orders": int(sales.is_valid.sum()),
        "customers_who_bought": sales.lived,
        "lifetime": {
            "model": "MBG/NBD: gamma rate, beta chance to leave after every purchase, the first included",
            "exact_for": "customers without a refill wish, within one cell of first category, channel, source, "
            "discount and lateness; time runs on the operational clock, whose pace averages 1 per day",
            "r": b.RATE_SHAPE,
            "alpha_days": b.RATE_DAYS,
            "alpha_weeks": b.RATE_DAYS / 7,
            "a": b.LEAVE_A,
            "b": b.LEAVE_B,
            "rate_is_multiplied_by": "exp(sum of the log hazard ratios below)",
        },
        "log_hazard_ratios": {
            "first_category": {c.name: c.log_hazard for c in CATEGORIES},
            "first_channel": dict(zip(b.CHANNELS, b.CHANNEL_LOG_HAZARD, strict=True)),
            "first_source": dict(zip(b.SOURCES, b.SOURCE_LOG_HAZARD, strict=True)),
            "discount_on_first": b.DISCOUNT_LOG_HAZARD,
            "late_first_delivery": b.LATE_LOG_HAZARD,
        },
        "refills": {
            "spread": b.REFILL_SPREAD,
            "quantity_power": b.REFILL_QUANTITY_POWER,
            "wanted_again_share": {c.name: c.refill_share for c in CATEGORIES if c.refill_share},
            "used_up_days": {
                h: int(d) for h, d in zip(catalogue().handle, catalogue().used_up.tolist(), strict=True) if d
            },
        },
        "repeat_within": expected_repeat(sales),
        "carriers": _carriers(sales),
        "weekday_factors": dict(zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), WEEKDAYS, strict=True)),
        "month_factors": list(MONTHS),
        "growth_per_year": GROWTH_PER_YEAR,
        "unusual_days": [
            {
                "kind": u.kind,
                "first": calendar.date_of(u.first).isoformat(),
                "last": calendar.date_of(u.last).isoformat(),
                "buying": u.buying,
                "joining": u.joining,
                "lateness": u.lateness,
                "is_annotated": u.annotation is not None,
            }
            for u in calendar.unusual
        ],
        "pairs": [list(pair) for pair in PAIRS],
        "partner_share": b.PARTNER_SHARE,
        "regret": {
            "base": regret.REGRET_BASE,
            "late": regret.REGRET_LATE,
            "poor_quality": regret.REGRET_POOR,
            "return": regret.RETURN_IF_REGRET,
            "ticket": tickets.TICKET_IF_REGRET,
            "review": reviews.REVIEW_IF_REGRET,
            "stars": list(reviews.STARS_REGRET),
        },
        "product_quality": dict(zip(catalogue().handle, catalogue().quality.tolist(), strict=True)),
        "response_minutes_when_open": dict(
            zip(("chat", "email", "phone", "social", "form"), tickets.RESPONSE_MINUTES, strict=True)
        ),
        "carts": carts,
        "offers": offers_truth(sales),
    }


def _carriers(sales: Sales) -> dict[str, Any]:
    """Per carrier: the ordinary chance to be late, and the mean chance of the parcels that have arrived."""
    orders, found = sales.orders, {}
    due = orders["has_parcel"] & (orders["late_chance"] > 0) & (orders["day"] < sales.calendar.days - 40)
    for number, name in enumerate(b.CARRIERS):
        here = due & (orders["carrier"] == number)
        chance = orders["late_chance"][here]
        if len(chance):
            found[name] = {
                "late_chance": b.CARRIER_LATE[number],
                "parcels": len(chance),
                "expected_late_share": round(float(chance.mean()), 6),
                "of_orders_before": sales.calendar.date_of(sales.calendar.days - 40).isoformat(),
            }
    return found
