"""What a reward costs the store, and how large it looks to the customer."""

from dataclasses import dataclass
from enum import StrEnum

# A reward may look as large as the basket or larger; beyond this the logarithm of what is left says nothing.
DEEPEST = 0.95


class RewardKind(StrEnum):
    """The ways to reward a purchase; each has its own cost."""

    NONE = "none"
    PERCENT = "percent"
    FIXED = "fixed"
    SHIPPING = "shipping"
    GIFT = "gift"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A reward on one basket, in the money of the basket.

    ``cost`` is what a redemption costs the store, ``depth`` what it is worth to the customer as a share of the
    basket, ``price_cut`` the part of the cost that comes off net sales (the rest is paid elsewhere).
    """

    kind: RewardKind
    cost: float
    depth: float
    price_cut: float = 0.0

    def __post_init__(self) -> None:
        if self.cost < 0 or not 0 <= self.depth < 1 or not 0 <= self.price_cut <= self.cost:
            raise ValueError(f"{self} is no reward")


def no_reward() -> Reward:
    """A guide, a reminder, a question: it costs the contact alone."""
    return Reward(kind=RewardKind.NONE, cost=0.0, depth=0.0)


def percent_off(depth: float, basket: float) -> Reward:
    """A share off the basket: costs depth × basket."""
    return Reward(kind=RewardKind.PERCENT, cost=depth * basket, depth=depth, price_cut=depth * basket)


def amount_off(face: float, basket: float) -> Reward:
    """A fixed amount off: costs its face value, at most the basket."""
    off = min(face, basket)
    return Reward(kind=RewardKind.FIXED, cost=off, depth=_depth(off, basket), price_cut=off)


def free_shipping(charge: float, basket: float, *, real_cost: float) -> Reward:
    """Shipping that the customer would have paid: looks like the charge, costs what the carrier takes.

    Net sales hold no shipping, so nothing comes off them.
    """
    return Reward(kind=RewardKind.SHIPPING, cost=real_cost, depth=_depth(charge, basket))


def gift(worth: float, basket: float, *, real_cost: float) -> Reward:
    """A gift or sample in the parcel: looks like what it is worth to the customer, costs what the store pays."""
    return Reward(kind=RewardKind.GIFT, cost=real_cost, depth=_depth(worth, basket))


def points(count: float, basket: float, *, value: float, redeemed_share: float) -> Reward:
    """Loyalty points: a liability of count × value of a point × the share of points that is ever redeemed."""
    if not 0 <= redeemed_share <= 1:
        raise ValueError(f"{redeemed_share} is no share")
    return Reward(kind=RewardKind.POINTS, cost=count * value * redeemed_share, depth=_depth(count * value, basket))


def _depth(worth: float, basket: float) -> float:
    if basket <= 0:
        raise ValueError(f"a basket of {basket}")
    return min(worth / basket, DEEPEST)
