"""How the demo store's customers behave: the true parameters, all in one place.

A customer buys at a rate drawn from a gamma distribution and, after each purchase, the first included,
leaves for good with a chance drawn from a beta distribution (MBG/NBD). The rate is multiplied by hazard
ratios that the first purchase decides. Besides, what is used up brings some customers back on its cycle.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Purchases per day: gamma(RATE_SHAPE, scale 1 / RATE_DAYS); chance to leave: beta(LEAVE_A, LEAVE_B).
RATE_SHAPE = 0.78
RATE_DAYS = 125.0
LEAVE_A = 1.1
LEAVE_B = 1.9

# Log hazard ratios of the first purchase, for ever after.
CHANNELS = ("web", "app", "marketplace", "pos")
CHANNEL_SHARE = (0.58, 0.20, 0.14, 0.08)
CHANNEL_LOG_HAZARD = (0.0, 0.22, -0.40, -0.08)
SOURCES = (
    "organic search",
    "direct",
    "paid search",
    "paid social",
    "newsletter",
    "influencer",
    "blog",
    "community",
)
SOURCE_SHARE = (0.28, 0.20, 0.17, 0.14, 0.08, 0.06, 0.04, 0.03)
SOURCE_LOG_HAZARD = (0.0, 0.05, -0.08, -0.22, 0.18, -0.30, 0.12, 0.25)
DISCOUNT_LOG_HAZARD = -0.28
LATE_LOG_HAZARD = -0.45

FIRST_DISCOUNT_SHARE = 0.26
LATER_DISCOUNT_SHARE = 0.13
STAYS_WITH_CHANNEL = 0.82
STAYS_WITH_CATEGORY = 0.34

# A refill is wanted after cycle × quantity^REFILL_QUANTITY_POWER × exp(REFILL_SPREAD × z) days from delivery.
REFILL_SPREAD = 0.28
REFILL_QUANTITY_POWER = 0.85

COUNTRIES = ("DE", "AT", "CH", "NL", "FR", "BE", "DK", "IT")
COUNTRY_SHARE = (0.66, 0.11, 0.07, 0.05, 0.05, 0.025, 0.02, 0.015)
PROMISE_DAYS = (3, 4, 6, 4, 5, 4, 4, 6)
TAX = (0.19, 0.20, 0.081, 0.21, 0.20, 0.21, 0.25, 0.22)
REDUCED_TAX = (0.07, 0.10, 0.026, 0.09, 0.055, 0.06, 0.25, 0.10)

CARRIERS = ("DHL", "Hermes", "DPD", "Blitz Kurier", "Swiss Post")
CARRIER_LATE = (0.055, 0.125, 0.08, 0.105, 0.07)
# Per country: shares of the carriers.
CARRIER_SHARE = (
    (0.46, 0.26, 0.18, 0.10, 0.0),
    (0.40, 0.0, 0.50, 0.10, 0.0),
    (0.10, 0.0, 0.0, 0.05, 0.85),
    (0.45, 0.0, 0.45, 0.10, 0.0),
    (0.40, 0.0, 0.50, 0.10, 0.0),
    (0.40, 0.0, 0.50, 0.10, 0.0),
    (0.60, 0.0, 0.35, 0.05, 0.0),
    (0.50, 0.0, 0.40, 0.10, 0.0),
)
STRIKING_CARRIER = 3
HAS_PROMISE_SHARE = 0.93
LOST_SHARE = 0.003
DAMAGED_SHARE = 0.004

DEVICES = ("desktop", "mobile", "tablet")
PAYMENTS = ("paypal", "card", "invoice", "apple pay", "bank transfer", "klarna")
PAYMENT_SHARE = (0.34, 0.26, 0.17, 0.08, 0.06, 0.09)
DELIVERIES = ("home", "pickup point", "express", "in store")

# Discount codes and what they take off.
CODES = ("WELCOME10", "NEWS5", "SPRING15", "BLACK20", "LOYAL10", "FREESHIP", "AGAIN10", "REFILL5")
CODE_DEPTH = (0.10, 0.05, 0.15, 0.20, 0.10, 0.0, 0.10, 0.05)

LINES_SHARE = (0.27, 0.27, 0.20, 0.14, 0.12)
PARTNER_SHARE = 0.28

# Orders beside the process that customers follow, as shares of the orders wanted.
UNKNOWN_SHARE = 0.04
CANCELLED_SHARE = 0.019
VOIDED_SHARE = 0.007
TEST_SHARE = 0.0012
SAME_DAY_SHARE = 0.004
UNPAID_SHARE = 0.009


def pick(rng: np.random.Generator, shares: Any, size: int) -> NDArray[Any]:
    """Draw positions by share."""
    edges = np.cumsum(np.asarray(shares, dtype=float))
    return np.minimum(np.searchsorted(edges / edges[-1], rng.random(size), side="right"), len(edges) - 1)


def pick_by_row(rng: np.random.Generator, shares: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """Draw positions by share, each from the row of ``shares`` that ``rows`` names."""
    edges = np.cumsum(shares, axis=1)
    edges /= edges[:, -1:]
    drawn = rng.random(len(rows))
    found = np.zeros(len(rows), dtype=np.int64)
    for column in range(shares.shape[1] - 1):
        found += drawn > edges[rows, column]
    return found
