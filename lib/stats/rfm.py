"""How recently, how often and for how much somebody bought, beside the others: a score from 1 to 5 for each.

One-time buyers are compared among themselves and have no score for how often: they would fill the lowest
fifths of it and say nothing of each other.
"""

from dataclasses import dataclass
from math import ceil

FIFTHS = 5
# Fewer than these cannot be parted into fifths.
ENOUGH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """How many of a group are worse than somebody, and how many are level with her, herself among them."""

    worse: int
    level: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfm:
    """The three scores, 5 the best; ``frequency`` is null for one-time buyers. ``among``: with how many compared."""

    recency: int
    frequency: int | None
    money: int
    among: int


def fifth(rank: Rank) -> int:
    """The fifth that somebody is in, 5 the best; all who are level share one.

    The middle of the places that the level ones take, as a share of the group, rounded up to fifths.

    Raises:
        ValueError: the ranks do not fit the group.
    """
    if rank.level < 1 or rank.worse < 0 or rank.worse + rank.level > rank.of:
        raise ValueError("somebody is level with herself at least, and nobody is counted twice")
    middle = rank.worse + (rank.level + 1) / 2
    return min(FIFTHS, ceil(FIFTHS * middle / rank.of))


def score(recency: Rank, frequency: Rank | None, money: Rank) -> Rfm | None:
    """The scores of somebody; null when the group is too small to be parted into fifths."""
    if money.of < ENOUGH:
        return None
    return Rfm(
        recency=fifth(recency),
        frequency=None if frequency is None else fifth(frequency),
        money=fifth(money),
        among=money.of,
    )
