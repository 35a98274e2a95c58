"""What would this offer earn? A headline that needs no assumption, and a range that shows the ones it needs.

p₁ = 1 - (1 - p₀)^HR, log HR = θ₀ + ε·v + N(0, offer_sd²), v = -ln(1 - depth) × qualifying share,
N = customers × reach × S(τ) × (1 - holdout),
profit = N·[Δp(1 - ψ)·g·A - (p₀ρ + Δp·ρᵢ)·c - k].

Money is in one unit throughout; baskets are net sales per order before the reward.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from lib.stats.assumptions import DRAWS, Assumptions, Draws, draw
from lib.stats.rewards import Reward
from lib.stats.waiting import Waiting

Vector = npt.NDArray[np.float64]

LEVEL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as its sliders stand.

    ``customers`` pass the trigger and are eligible, ``reach`` of them can be contacted, ``holdout`` of these are not.
    ``basket`` (A) is the mean order of those who qualify for the reward, ``margin`` (g) its gross margin as a share
    before the reward, ``contact_cost`` (k) what one contact costs. ``qualifying_share`` of the baskets reach the
    minimum: the others neither feel the reward nor redeem it.
    """

    customers: float
    basket: float
    margin: float
    reward: Reward
    contact_cost: float = 0.0
    reach: float = 1.0
    holdout: float = 0.0
    qualifying_share: float = 1.0

    def __post_init__(self) -> None:
        shares = (self.reach, self.holdout, self.qualifying_share)
        if self.customers < 0 or self.basket <= 0 or self.contact_cost < 0 or not all(0 <= s <= 1 for s in shares):
            raise ValueError(f"{self} is no offer")

    @property
    def gain(self) -> float:
        """Gross margin of an added order before its reward: g·A."""
        return self.margin * self.basket

    @property
    def v(self) -> float:
        """How strong the reward is: -ln(1 - depth) × qualifying share; 0.105 for 10 % off every basket."""
        return float(-np.log1p(-self.reward.depth)) * self.qualifying_share

    @property
    def margin_left(self) -> float:
        """Gross margin of a redeemed order after its reward, as a share of what is paid for it."""
        paid = self.basket - self.reward.price_cut
        return (self.gain - self.reward.cost) / paid if paid > 0 else float("-inf")

    def contacted(self, waiting: Waiting) -> float:
        """N: customers who get the offer."""
        return self.customers * self.reach * waiting.still * (1 - self.holdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """How many more must buy for the offer to cost nothing; ``uplift`` null: it never pays.

    ``share`` is p₀(1 + uplift): above 1 it cannot be reached, so that it never pays either.
    """

    uplift: float | None
    share: float | None

    @property
    def never_pays(self) -> bool:
        return self.uplift is None or self.share is None or self.share > 1


def break_even(offer: Offer, waiting: Waiting) -> BreakEven:
    """u* = (c + k/p₀)/(gA - c), which needs no assumption: it takes the worst case ρ = ρᵢ = 1, ψ = 0.

    10 % off at 40 % margin breaks even at +33.3 %. Only those whose basket reaches the minimum redeem.
    """
    left = offer.gain - offer.reward.cost
    if left <= 0:
        return BreakEven(uplift=None, share=None)
    uplift = (offer.reward.cost * offer.qualifying_share + offer.contact_cost / waiting.bought) / left
    return BreakEven(uplift=uplift, share=waiting.bought * (1 + uplift))


@dataclass(frozen=True, slots=True)
class Range:
    """A range that holds the value in 90 % of the draws, its median, and the mean."""

    low: float
    middle: float
    high: float
    mean: float

    @classmethod
    def of(cls, values: Vector, level: float = LEVEL) -> Self:
        low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
        return cls(float(low), float(middle), float(high), float(values.mean()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhatIf:
    """The draws of one offer's result, over all N contacted customers.

    ``profit`` counts what is pulled forward from later as lost, ``in_window`` does not: that is what a read-out at
    the end of the outcome window can measure. ``given`` goes to customers who would have bought anyway,
    ``pulled_forward`` orders would have come later, ``spent`` is all that rewards and contacts cost.
    """

    contacted: float
    break_even: BreakEven
    uplift: Vector
    orders: Vector
    net_sales: Vector
    profit: Vector
    in_window: Vector
    given: Vector
    pulled_forward: Vector
    spent: Vector

    @property
    def chance(self) -> float:
        """P(profit > 0)."""
        return float((self.profit > 0).mean())


def what_if(offer: Offer, waiting: Waiting, assumptions: Assumptions, *, n: int = DRAWS) -> WhatIf:
    """Work out an offer over ``n`` seeded draws of its assumptions.

    Where an offer drives customers away (Δp < 0) no order is pulled forward, and those lost would have redeemed like
    the others (ρ for ρᵢ): else a reward would seem to earn by driving people away.
    """
    return outcome(offer, waiting, draw(assumptions, n=n), assumptions.redeemed_new)


def outcome(offer: Offer, waiting: Waiting, draws: Draws, redeemed_new: float) -> WhatIf:
    """The result for each draw; see :func:`what_if`."""
    n = offer.contacted(waiting)
    cost, contact = offer.reward.cost, offer.contact_cost
    p0, p1 = shares(waiting, log_hr(offer.v, draws), draws)
    delta = p1 - p0
    is_more = delta > 0
    lasting = np.where(is_more, 1 - draws.pulled_forward, 1.0)
    anyway = draws.redeemed_anyway * offer.qualifying_share
    redeemed_more = delta * np.where(is_more, redeemed_new, anyway)
    redeemed = p0 * anyway + redeemed_more
    in_window = n * (delta * offer.gain - redeemed * cost - contact)
    pulled = n * delta * (1 - lasting)
    return WhatIf(
        contacted=n,
        break_even=break_even(offer, waiting),
        uplift=delta / p0,
        orders=n * delta,
        net_sales=n * (delta * lasting * offer.basket - redeemed * offer.reward.price_cut),
        profit=in_window - pulled * offer.gain,
        in_window=in_window,
        given=n * p0 * anyway * cost,
        pulled_forward=pulled,
        spent=n * (redeemed * cost + contact),
    )


def log_hr(v: float, draws: Draws) -> Vector:
    """θ₀ + ε·v + noise."""
    return draws.contact + draws.pull * v + draws.offer_noise


def shares(waiting: Waiting, log_hr: Vector, draws: Draws) -> tuple[Vector, Vector]:
    """p₀ and p₁ of each draw; p₀ moves within its own standard error, on the scale on which HR multiplies."""
    hazard = -np.log1p(-waiting.bought) * np.exp(waiting.se_log * draws.baseline)
    return -np.expm1(-hazard), -np.expm1(-hazard * np.exp(log_hr))
