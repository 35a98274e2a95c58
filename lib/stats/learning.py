"""The store's own finished offers replace assumptions, each as far as it was measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, log1p, sqrt

import numpy as np

from lib.errors import NotEnoughData
from lib.stats.assumptions import Assumptions, Beta

# A share that was measured badly still counts as this many cases, one measured well as at most so many: the next
# offer is another offer.
MOST_CASES = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a finished offer says of the answer to offers: log HR ± se, at the strength ``v`` of its reward."""

    log_hr: float
    se: float
    v: float

    def __post_init__(self) -> None:
        if self.se <= 0 or self.v < 0:
            raise ValueError(f"{self} is no measurement")


def finished_offer(*, treated: int, treated_buyers: int, holdout: int, holdout_buyers: int, v: float) -> Finished:
    """Turn the buyers of both arms within the outcome window into a measured log hazard ratio.

    log HR = log(-log(1 - p₁)) - log(-log(1 - p₀)); se by the delta method, p/((1 - p)·n·log²(1 - p)) for each arm.
    Assumes that the offer multiplies the rate of buying by the same factor throughout the window.

    Args:
        treated: assigned customers who got the offer, mature ones alone.
        treated_buyers: of them bought in the window.
        holdout: assigned customers who did not get it.
        holdout_buyers: of them bought in the window.
        v: of :attr:`lib.stats.what_if.Offer.v`.
    Raises:
        NotEnoughData: nobody, or everybody, bought in an arm.
    References:
        Kalbfleisch & Prentice (2002), section 1.4.
    """
    scales, variance = [], 0.0
    for n, buyers in ((treated, treated_buyers), (holdout, holdout_buyers)):
        if not 0 < buyers < n:
            raise NotEnoughData(f"Learning from an offer needs buyers and others in each arm; {buyers} of {n} bought.")
        left = log1p(-buyers / n)
        scales.append(log(-left))
        variance += buyers / (n - buyers) / n / left**2
    return Finished(log_hr=scales[0] - scales[1], se=sqrt(variance), v=v)


def learn(prior: Assumptions, offers: Sequence[Finished]) -> Assumptions:
    """Update θ₀ and ε with finished offers, each weighing by its precision.

    log HR_i = θ₀ + ε·v_i + N(0, se_i² + offer_sd²): with a normal prior the posterior is normal,
    Λ = Λ₀ + Σ x x'/(se² + offer_sd²), m = Λ⁻¹(Λ₀m₀ + Σ x·log HR/(se² + offer_sd²)), x = (1, v). That ε is never below
    0 cuts prior and posterior alike, so the cut is simply kept. Offers without a holdout say nothing about an effect
    and have no place here.

    Args:
        prior: the assumptions, unlearned ones: every finished offer is passed each time.
        offers: all finished offers.
    Returns:
        the same assumptions with θ₀, ε and their covariance updated, and how many offers they come from.
    References:
        Gelman et al. (2013), Bayesian Data Analysis, section 14.8.
    """
    if not offers:
        return prior
    start = np.array(
        [[prior.contact_sd**2, prior.covariance], [prior.covariance, prior.pull_sd**2]],
    )
    precision = np.linalg.inv(start)
    weighted = precision @ np.array([prior.contact, prior.pull])
    for offer in offers:
        x = np.array([1.0, offer.v])
        weight = 1 / (offer.se**2 + prior.offer_sd**2)
        precision = precision + weight * np.outer(x, x)
        weighted = weighted + weight * offer.log_hr * x
    spread = np.linalg.inv(precision)
    mean = spread @ weighted
    return replace(
        prior,
        contact=float(mean[0]),
        pull=float(mean[1]),
        contact_sd=sqrt(spread[0, 0]),
        pull_sd=sqrt(spread[1, 1]),
        covariance=float(spread[0, 1]),
        learned_from=prior.learned_from + len(offers),
    )


def learn_share(prior: Beta, *, share: float, se: float) -> Beta:
    """Update a share (ρ, ψ) with a measured one: as many cases as a share with that standard error has.

    n = p(1 - p)/se² cases, at most 50, of which p·n are "yes"; p is first brought inside 0 to 1. A share that was
    hardly measured hardly moves the prior.

    Raises:
        ValueError: a standard error that is not above 0.
    """
    if not se > 0:
        raise ValueError(f"a standard error of {se}")
    p = min(max(share, 0.02), 0.98)
    cases = min(p * (1 - p) / se**2, MOST_CASES)
    return prior.after(yes=p * cases, no=(1 - p) * cases)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured share and its standard error; the share may lie outside 0 to 1 by chance."""

    share: float
    se: float


def redeemed_anyway(
    *,
    treated: int,
    treated_buyers: int,
    redeemed: int,
    holdout: int,
    holdout_buyers: int,
    redeemed_new: float = 1.0,
    qualifying_share: float = 1.0,
) -> Measured:
    """ρ: the share of those who would have bought anyway, and qualified, who redeemed: measured with a holdout.

    The holdout says how many of the treated would have bought (p₀·n₁); the added buyers redeem with ρᵢ; the other
    redemptions are theirs: ρ = (r - (p₁ - p₀)ρᵢ)/(p₀q) with r redemptions per treated customer. se by the delta
    method; redemptions and buyers are customers.

    Raises:
        NotEnoughData: an arm without customers, or nobody in the holdout bought.
    """
    if treated < 1 or holdout < 1 or holdout_buyers < 1:
        raise NotEnoughData("Who redeemed and would have bought anyway needs buyers in the holdout.")
    r, p1, p0 = redeemed / treated, treated_buyers / treated, holdout_buyers / holdout
    share = (r - (p1 - p0) * redeemed_new) / p0
    # r and p1 come from the same customers: who redeemed also bought.
    both = r * (1 - r) + redeemed_new**2 * p1 * (1 - p1) - 2 * redeemed_new * r * (1 - p1)
    slope = (r - p1 * redeemed_new) / p0**2
    variance = max(both, 0.0) / treated / p0**2 + slope**2 * p0 * (1 - p0) / holdout
    return Measured(share / qualifying_share, max(sqrt(variance), 1 / (treated + holdout)) / qualifying_share)


def pulled_forward(*, in_window: float, in_window_se: float, later: float, later_se: float) -> Measured:
    """ψ: the share of the added orders that was missing afterwards, from the same arms followed for longer.

    ψ = 1 - Δ(long)/Δ(window), orders per assigned customer. se by the delta method, both taken as independent, which
    makes it too wide rather than too narrow where they rise together.

    Args:
        in_window: added orders per assigned customer in the outcome window.
        in_window_se: its standard error.
        later: the same at the end of the longer window.
        later_se: its standard error.
    Raises:
        NotEnoughData: no added orders that stand out from chance (2 standard errors) of which a share could be taken.
    """
    if not in_window > 2 * in_window_se > 0:
        raise NotEnoughData("What was pulled forward can only be measured of an offer that clearly added orders.")
    ratio = later / in_window
    return Measured(1 - ratio, sqrt(later_se**2 + (ratio * in_window_se) ** 2) / in_window)
