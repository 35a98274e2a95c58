"""Intervals of shares, means and rates: what the figure could as well have been."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import special

from lib.errors import NotEnoughData

Interval = tuple[float, float]


def normal_quantile(level: float) -> float:
    """The z that holds ``level`` of a normal distribution between -z and z (0.95 gives 1.96)."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(k: float, n: float, level: float = 0.95) -> Interval:
    """Interval of a share: ``k`` cases of ``n``.

    (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). Assumes independent cases.
    Unlike p ± 2·SE it never leaves 0 to 1 and holds for small n and for shares near 0 or 1.

    Args:
        k: cases that did, 0 to n.
        n: cases in all.
        level: of confidence.
    Returns:
        low and high, shares from 0 to 1.
    Raises:
        NotEnoughData: n is 0.
        ValueError: k is not between 0 and n.
    References:
        Wilson (1927), doi:10.2307/2276774; Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857.
    """
    if n <= 0:
        raise NotEnoughData("The interval of a share needs at least one case; there is none.")
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    z = normal_quantile(level)
    centre = k + z * z / 2
    half = z * sqrt(k * (n - k) / n + z * z / 4)
    below = n + z * z
    return (0.0 if k == 0 else (centre - half) / below, 1.0 if k == n else (centre + half) / below)


def wilson_columns(
    k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """:func:`wilson` for whole columns at once; NaN where n is 0.

    Args:
        k: cases that did, one per row.
        n: cases in all, one per row.
        level: of confidence.
    Returns:
        the columns low and high.
    """
    hits = np.asarray(k, dtype=np.float64)
    cases = np.asarray(n, dtype=np.float64)
    cases = np.where(cases > 0, cases, np.nan)
    z = normal_quantile(level)
    half = z * np.sqrt(hits * (cases - hits) / cases + z * z / 4)
    low = (hits + z * z / 2 - half) / (cases + z * z)
    high = (hits + z * z / 2 + half) / (cases + z * z)
    return np.where(hits == 0, low * 0.0, low), np.where(hits == cases, high * 0.0 + 1.0, high)


def newcombe_difference(k1: float, n1: float, k2: float, n2: float, level: float = 0.95) -> Interval:
    """Interval of the difference of two independent shares, k1/n1 - k2/n2.

    d - sqrt((p1-l1)² + (u2-p2)²) to d + sqrt((u1-p1)² + (p2-l2)²), with each share's own Wilson limits l, u.

    Returns:
        low and high, differences from -1 to 1.
    Raises:
        NotEnoughData: one of the two sides has no cases.
    References:
        Newcombe (1998), method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873.
    """
    low1, high1 = wilson(k1, n1, level)
    low2, high2 = wilson(k2, n2, level)
    p1, p2 = k1 / n1, k2 / n2
    difference = p1 - p2
    return (
        difference - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2),
        difference + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2),
    )


def net_share(up: float, down: float, n: float, level: float = 0.95) -> Interval:
    """Interval of the share of some cases less the share of others, such as a net promoter score: (up - down) / n.

    Adjusted Wald: three cases are added, spread evenly over the scale's middle (3/4 up, 3/4 down, the rest neither);
    then d ± z·sqrt((p + q - d²)/n) with the shares p and q, d = p - q. Unlike the plain interval it does not shrink
    to nothing when all cases are alike. Assumes independent cases.

    Args:
        up: cases to add.
        down: cases to take away, none of them counted in ``up``.
        n: cases in all.
        level: of confidence.
    Returns:
        low and high, from -1 to 1.
    Raises:
        NotEnoughData: n is 0.
        ValueError: up and down are negative or more than n.
    References:
        Rocks (2016), doi:10.1080/00031305.2016.1158124 (adjusted Wald, three added with triangular weights).
    """
    if n <= 0:
        raise NotEnoughData("The interval of a share needs at least one case; there is none.")
    if up < 0 or down < 0 or up + down > n:
        raise ValueError(f"{up} and {down} of {n} are no shares")
    p, q = (up + 0.75) / (n + 3), (down + 0.75) / (n + 3)
    half = normal_quantile(level) * sqrt((p + q - (p - q) ** 2) / (n + 3))
    return max(-1.0, p - q - half), min(1.0, p - q + half)


def mean_interval(*, n: int, mean: float, sd: float, level: float = 0.95) -> Interval:
    """Student's interval of a mean: mean ± t(n-1)·sd/sqrt(n).

    Assumes independent cases and a mean that is near normal (skewed money needs about 100 cases).

    Args:
        n: cases.
        mean: of the cases.
        sd: their standard deviation (divisor n - 1), in the unit of the mean.
        level: of confidence.
    Raises:
        NotEnoughData: fewer than two cases.
    References:
        Student (1908), doi:10.2307/2331554.
    """
    if n < 2:
        raise NotEnoughData(f"The interval of a mean needs at least two cases; there are {n}.")
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * sd / sqrt(n)
    return mean - half, mean + half


def poisson_rate_interval(events: int, exposure: float, level: float = 0.95) -> Interval:
    """Exact interval of a rate: ``events`` in ``exposure`` (days, orders, customers …).

    Half the chi-square quantiles with 2k and 2k + 2 degrees of freedom, over the exposure.
    Assumes events that come one by one, independently.

    Returns:
        low and high, events per unit of exposure.
    Raises:
        NotEnoughData: no exposure.
        ValueError: a negative number of events.
    References:
        Garwood (1936), doi:10.2307/2333958.
    """
    if exposure <= 0:
        raise NotEnoughData("The interval of a rate needs some exposure; there is none.")
    if events < 0:
        raise ValueError(f"{events} events")
    tail = (1 - level) / 2
    low = float(special.gammaincinv(events, tail)) if events else 0.0
    return low / exposure, float(special.gammaincinv(events + 1, 1 - tail)) / exposure
