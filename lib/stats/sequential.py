"""Looking more than once without fooling oneself: bounds for planned looks.

Who looks every week and stops at the first p < .05 is wrong far more often than in 5 % of the offers that do
nothing. The bounds here spend the 5 % over the looks: hardly any early, most of it at the planned end.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import inf, sqrt

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import brentq

Vector = npt.NDArray[np.float64]

# What a look may spend below this is put off to the next: no interval of doubles could tell it from nothing.
_LEAST = 1e-11
# Steps of the grid per standard deviation of the narrowest part; with Simpson's rule good for seven decimals.
_STEPS = 24


def spent(fraction: float, alpha: float = 0.05) -> float:
    """The two-sided error that may be spent by ``fraction`` of the information (O'Brien-Fleming type).

    Per side 2 - 2·Φ(z/√t) with z the upper α/4 point: both sides together come to α at the end.

    Args:
        fraction: of the planned information, above 0; from 1 on all is spent.
        alpha: two-sided error in all.
    References:
        Lan & DeMets (1983), doi:10.1093/biomet/70.3.659.
    """
    if fraction <= 0:
        return 0.0
    z = -float(special.ndtri(alpha / 4))
    return min(4 * float(special.ndtr(-z / sqrt(fraction))), alpha) if fraction < 1 else alpha


def spending_bounds(
    fractions: Sequence[float], *, alpha: float = 0.05, information: Sequence[float] | None = None
) -> tuple[float, ...]:
    """Bounds on |z| for looks at any fractions of the planned information.

    The partial sums S_k = z_k·√I_k have independent normal steps, so the density of those still undecided is carried
    from look to look by integrating over the step; the bound of a look is where the error that crosses there for
    the first time equals what the spending function newly allows. Looks need not be equally spaced, nor planned as
    such, as long as their times do not depend on what was seen. A look so early that it may spend less than 1e-11
    gets an infinite bound and leaves that to the next.

    Args:
        fractions: of the planned information at each look, increasing; from 1 on everything left is spent, so that
            an offer that ends short or over its plan passes 1 for its last look.
        alpha: two-sided error over all looks.
        information: what was really gathered by each look, in any unit (customers, 1/variance); ``fractions`` when
            null. Only its ratios matter.
    Returns:
        one bound per look.
    Raises:
        ValueError: no looks, or fractions or information that do not increase from above 0.
    References:
        Armitage, McPherson & Rowe (1969), doi:10.2307/2343787; Jennison & Turnbull (2000), chapters 7 and 19.
    """
    gathered = tuple(information) if information is not None else tuple(fractions)
    return _bounds(tuple(map(float, fractions)), float(alpha), tuple(map(float, gathered)))


@lru_cache(maxsize=512)
def _bounds(fractions: tuple[float, ...], alpha: float, information: tuple[float, ...]) -> tuple[float, ...]:
    _must_increase(fractions, "fractions")
    _must_increase(information, "information")
    if len(fractions) != len(information):
        raise ValueError(f"{len(fractions)} fractions for {len(information)} amounts of information")
    bounds: list[float] = []
    used = 0.0
    walk = Walk()
    for fraction, gathered in zip(fractions, information, strict=True):
        may_spend = spent(fraction, alpha) - used
        if may_spend < _LEAST:
            bounds.append(inf)
            walk = walk.on(gathered, inf)
            continue
        bound = walk.bound(gathered, may_spend)
        bounds.append(bound)
        used += may_spend
        walk = walk.on(gathered, bound)
    return tuple(bounds)


def crossing(bounds: Sequence[float], information: Sequence[float], drift: float) -> tuple[float, float]:
    """How likely the upper and the lower bounds are crossed when the truth is ``drift``.

    Args:
        bounds: on |z|, one per look.
        information: at each look, as fractions of the last.
        drift: the expected z at information 1: 0 for no effect, 2.80 for 80 % power of a single look.
    Returns:
        the probabilities of crossing above and below, over all looks.
    """
    _must_increase(tuple(information), "information")
    above = below = 0.0
    walk = Walk(drift=drift)
    for bound, gathered in zip(bounds, information, strict=True):
        up, down = walk.tails(gathered, bound)
        above, below = above + up, below + down
        walk = walk.on(gathered, bound)
    return above, below


def inflation(fractions: Sequence[float], *, alpha: float = 0.05, power: float = 0.8) -> float:
    """How many times the customers of a single look the planned looks need: 1.02 to 1.03 for weekly looks.

    Args:
        fractions: of the information at each look, the last 1.
        alpha: two-sided error.
        power: the chance to find the effect that the plan is made for.
    Raises:
        ValueError: the last fraction is not 1.
    """
    if abs(fractions[-1] - 1) > 1e-9:
        raise ValueError(f"the last look is at {fractions[-1]}, not at 1")
    bounds = spending_bounds(fractions, alpha=alpha)
    single = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    needed = brentq(lambda drift: crossing(bounds, fractions, drift)[0] - power, 0.8 * single, 1.5 * single, xtol=1e-8)
    return float(needed / single) ** 2


class Walk:
    """The partial sum of those who have crossed no bound so far, as a density on a grid."""

    def __init__(
        self, at: float = 0.0, points: Vector | None = None, mass: Vector | None = None, drift: float = 0.0
    ) -> None:
        self.at, self.drift = at, drift
        self.points = np.zeros(1) if points is None else points
        # Density times the weight of Simpson's rule.
        self.mass = np.ones(1) if mass is None else mass

    def tails(self, information: float, bound: float) -> tuple[float, float]:
        """The probabilities of being above the bound, and below its negative, at the next look and not before."""
        step = sqrt(information - self.at)
        edge = bound * sqrt(information)
        centre = self.points + self.drift * (information - self.at)
        above = self.mass @ special.ndtr((centre - edge) / step)
        below = self.mass @ special.ndtr((-edge - centre) / step)
        return float(above), float(below)

    def bound(self, information: float, may_spend: float) -> float:
        """The bound whose two tails together are ``may_spend``."""
        return float(brentq(lambda z: sum(self.tails(information, z)) - may_spend, 0.0, 12.0, xtol=1e-10))

    def on(self, information: float, bound: float) -> "Walk":
        """The walk after the look: those between the bounds."""
        step = sqrt(information - self.at)
        reach = min(bound, 9.0) * sqrt(information)
        shift = self.drift * information
        low, high = max(-reach, shift - 9 * sqrt(information)), min(reach, shift + 9 * sqrt(information))
        if low >= high:
            return Walk(information, np.array([high]), np.zeros(1), self.drift)
        # The density is at most as sharp as one step; the next integral may be sharper, hence the many steps.
        many = int(np.clip(np.ceil((high - low) / step * _STEPS / 2), 128, 2048)) * 2
        points = np.linspace(low, high, many + 1)
        weight = np.full(many + 1, 2.0)
        weight[1::2], weight[0], weight[-1] = 4.0, 1.0, 1.0
        weight *= (high - low) / (3 * many)
        away = points[:, None] - self.points[None, :] - self.drift * (information - self.at)
        density = np.exp(-0.5 * (away / step) ** 2) @ self.mass / (step * sqrt(2 * np.pi))
        return Walk(information, points, density * weight, self.drift)


def _must_increase(values: Sequence[float], name: str) -> None:
    if not values or values[0] <= 0 or any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"{name} must increase from above 0: {values}")
