"""What nobody has measured yet: the assumptions of a what-if, and the same 4,000 draws of them every time.

Each is shown to staff, can be changed, and is called an assumption until the store's own offers replace it
(:mod:`lib.stats.learning`). None of the defaults has a published source: they are wide on purpose.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import special

Vector = npt.NDArray[np.float64]

DRAWS = 4_000
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Beta:
    """A share that is not known: Beta(yes, no), as if ``yes`` of ``yes + no`` cases had been seen."""

    yes: float
    no: float

    def __post_init__(self) -> None:
        if self.yes <= 0 or self.no <= 0:
            raise ValueError(f"{self} is no distribution of a share")

    @property
    def mean(self) -> float:
        return self.yes / (self.yes + self.no)

    def quantile(self, level: float) -> float:
        return float(special.betaincinv(self.yes, self.no, level))

    def after(self, *, yes: float, no: float) -> "Beta":
        """What is known after so many more cases (any positive weight, not only whole ones)."""
        return Beta(self.yes + max(yes, 0.0), self.no + max(no, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """How customers answer an offer: log HR = θ₀ + ε·v + N(0, offer_sd²), with v from the depth of the reward.

    θ₀ (``contact``) is the effect of being reminded at all, ε (``pull``, never below 0) of the reward, and
    ``covariance`` what finished offers say about both at once. ``pulled_forward`` (ψ) of the added orders would have
    come later anyway; ``redeemed_anyway`` (ρ) of those who would have bought anyway redeem, and ``redeemed_new``
    (ρᵢ) of the added ones. ``learned_from`` counts the store's own finished offers in it.
    """

    contact: float = 0.10
    contact_sd: float = 0.25
    pull: float = 1.2
    pull_sd: float = 0.8
    covariance: float = 0.0
    offer_sd: float = 0.15
    pulled_forward: Beta = Beta(4, 8)
    redeemed_anyway: Beta = Beta(6, 4)
    redeemed_new: float = 1.0
    learned_from: int = 0

    def __post_init__(self) -> None:
        if min(self.contact_sd, self.pull_sd) <= 0 or self.offer_sd < 0 or not 0 <= self.redeemed_new <= 1:
            raise ValueError("deviations must be above 0, and ρᵢ a share")
        if abs(self.covariance) >= self.contact_sd * self.pull_sd:
            raise ValueError("the covariance is larger than the deviations allow")

    @property
    def is_assumed(self) -> bool:
        """Nothing of it comes from the store's own offers: "driven by assumptions"."""
        return self.learned_from == 0

    def pull_quantile(self, level: float | Vector) -> float | Vector:
        """Of ε, which is normal but never below 0."""
        cut = special.ndtr(-self.pull / self.pull_sd)
        value = self.pull + self.pull_sd * special.ndtri(cut + np.asarray(level) * (1 - cut))
        return value if isinstance(level, np.ndarray) else float(value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Draws of the assumptions, one per row of each vector; ``offer_noise`` is how offers differ by themselves.

    ``baseline`` is a standard normal for what is not known about the share that buys anyway.
    """

    contact: Vector
    pull: Vector
    offer_noise: Vector
    pulled_forward: Vector
    redeemed_anyway: Vector
    baseline: Vector


@lru_cache(maxsize=64)
def draw(assumptions: Assumptions, *, n: int = DRAWS, seed: int = SEED) -> Draws:
    """Draw the assumptions; the same seed gives the same draws, so that a slider moves the result and not chance.

    ε is drawn from the upper part of its normal distribution, θ₀ given ε from what is left of its own. Every column is
    as even as can be (one draw in each n-th part), which makes the means of 4,000 draws as good as those of many more.

    References:
        McKay, Beckman & Conover (1979), doi:10.2307/1268522.
    """
    u = _uniform(n, seed)
    pull = np.asarray(assumptions.pull_quantile(u[0]))
    slope = assumptions.covariance / assumptions.pull_sd**2
    left = sqrt(assumptions.contact_sd**2 - slope * assumptions.covariance)
    contact = assumptions.contact + slope * (pull - assumptions.pull) + left * special.ndtri(u[1])
    return Draws(
        contact=contact,
        pull=pull,
        offer_noise=assumptions.offer_sd * special.ndtri(u[2]),
        pulled_forward=_share(assumptions.pulled_forward, u[3]),
        redeemed_anyway=_share(assumptions.redeemed_anyway, u[4]),
        baseline=special.ndtri(u[5]),
    )


def _share(share: Beta, u: Vector) -> Vector:
    # A thousand points of the inverse and straight lines between them: the inverse itself takes 10 ms for all.
    grid = np.linspace(0, 1, 1001)
    return np.interp(u, grid, _inverse(share))


@lru_cache(maxsize=256)
def _inverse(share: Beta) -> Vector:
    return np.asarray(special.betaincinv(share.yes, share.no, np.linspace(0, 1, 1001)))


@lru_cache(maxsize=4)
def _uniform(n: int, seed: int) -> Vector:
    """Six independent columns, each as even as n draws can be: one in every n-th part, in random order."""
    rng = np.random.default_rng(seed)
    return np.asarray([(rng.permutation(n) + rng.random(n)) / n for _ in range(6)])
