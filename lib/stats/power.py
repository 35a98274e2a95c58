"""Said before the start: what can be detected with this audience, this holdout and this window.

All sizes are of customers in all, over both arms, unless they say "per arm".
"""

from dataclasses import dataclass
from math import ceil, sqrt

from scipy import special
from scipy.optimize import brentq

from lib.errors import NotEnoughData

ALPHA, POWER = 0.05, 0.8
EVEN = 0.5


def holdout_penalty(holdout: float) -> float:
    """How many times the customers of an even split a holdout of this share needs: 2.8 for 10 %.

    The variance of a difference goes with 1/(h(1 - h)), which is 4 for an even split: ¼ ÷ h(1 - h).

    Raises:
        ValueError: not a share between 0 and 1.
    """
    _must_be_between(holdout=holdout)
    return EVEN * EVEN / (holdout * (1 - holdout))


def power_of_shares(customers: float, baseline: float, share: float, *, holdout: float = EVEN) -> float:
    """The chance that two shares come out as different, two-sided 5 %.

    Φ((|p1 - p0| - z·sqrt(p̄q̄(1/n1 + 1/n0))) / sqrt(p1q1/n1 + p0q0/n0)), p̄ over both arms; with an even split this
    is R's ``power.prop.test``. The far side's negligible chance is left out, as there.

    Args:
        customers: in both arms.
        baseline: the holdout's share, p0.
        share: the treated's share, p1.
        holdout: the holdout's part of the customers.
    References:
        Fleiss, Levin & Paik (2003), chapter 4.
    """
    _must_be_between(baseline=baseline, share=share, holdout=holdout)
    no_effect, effect = _spreads(baseline, share, holdout)
    distance = abs(share - baseline) * sqrt(customers)
    return float(special.ndtr((distance - _z(ALPHA) * no_effect) / effect))


def customers_for_shares(
    baseline: float, share: float, *, holdout: float = EVEN, power: float = POWER, alpha: float = ALPHA
) -> float:
    """Customers in both arms that it takes to find ``share`` against ``baseline``.

    (z_α·sqrt(p̄q̄(1/w1 + 1/w0)) + z_β·sqrt(p1q1/w1 + p0q0/w0))² / (p1 - p0)², with w the parts of the arms.
    20 → 25 % takes 1,093.7 per arm of an even split, 10 → 12 % about 3,840, 10 → 15 % about 690.

    Returns:
        customers, not rounded.
    Raises:
        ValueError: shares outside 0 to 1, or equal.
    """
    _must_be_between(baseline=baseline, share=share, holdout=holdout, power=power)
    if share == baseline:
        raise ValueError("two equal shares can never be told apart")
    no_effect, effect = _spreads(baseline, share, holdout)
    root = _z(alpha) * no_effect + float(special.ndtri(power)) * effect
    return (root / (share - baseline)) ** 2


def customers_for_means(
    difference: float, sd: float, *, holdout: float = EVEN, power: float = POWER, alpha: float = ALPHA, gain: float = 0
) -> float:
    """Customers in both arms that it takes to find a difference of means per customer, such as net sales.

    (z_α + z_β)²·sd²·(1 - gain)·(1/w1 + 1/w0) / difference².

    Args:
        difference: per assigned customer.
        sd: of the measure over customers, those who buy nothing included, in the same unit.
        holdout: the holdout's part of the customers.
        power: the chance to find it.
        alpha: two-sided error.
        gain: share of the variance that earlier spending explains (CUPED), as measured in earlier offers.
    """
    _must_be_between(holdout=holdout, power=power)
    if difference == 0 or sd <= 0:
        raise ValueError("a difference of 0, or a measure that does not vary, is never found")
    root = _z(alpha) + float(special.ndtri(power))
    return (root * sd / difference) ** 2 * (1 - gain) / (holdout * (1 - holdout))


def smallest_mean_difference(
    customers: float, sd: float, *, holdout: float = EVEN, power: float = POWER, alpha: float = ALPHA, gain: float = 0
) -> float:
    """The difference of means per customer that these customers find: :func:`customers_for_means` turned round.

    Raises:
        NotEnoughData: fewer than two customers in an arm.
    """
    _must_have_arms(customers, holdout)
    root = _z(alpha) + float(special.ndtri(power))
    return root * sd * sqrt((1 - gain) / (customers * holdout * (1 - holdout)))


def spending_sd(share: float, basket: float, basket_sd: float) -> float:
    """The standard deviation of spending per customer when ``share`` buy one basket and the others nothing.

    sqrt(p(sd² + A²) - (pA)²): most of it comes from who buys at all.
    """
    _must_be_between(share=share)
    return sqrt(share * (basket_sd**2 + basket**2) - (share * basket) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """What can be found before the start, and what would help when that is too much to hope for.

    ``share`` is the smallest share of buyers among the treated that is found with the wanted power (null: not even
    everybody buying would be found), ``spending`` likewise the smallest difference of net sales per customer.
    ``hoped_needs`` are the customers in all that the hoped share takes with this holdout, ``even_needs`` with an
    even split; null when nothing was hoped for.
    """

    customers: int
    holdout: float
    baseline: float
    share: float | None
    even_share: float | None
    spending: float | None
    hoped_share: float | None
    hoped_power: float | None
    hoped_needs: int | None
    even_needs: int | None

    @property
    def uplift(self) -> float | None:
        """The smallest relative uplift that is found: 0.2 is a fifth more buyers."""
        return None if self.share is None else self.share / self.baseline - 1

    @property
    def is_in_reach(self) -> bool | None:
        """Whether the hoped share would be found; null when nothing was hoped for."""
        return None if self.hoped_needs is None else self.customers >= self.hoped_needs

    @property
    def even_split_helps(self) -> bool:
        """Whether the hoped share, out of reach with this holdout, would be found with an even split."""
        return self.is_in_reach is False and self.even_needs is not None and self.customers >= self.even_needs

    @property
    def times_longer(self) -> float | None:
        """How many times the customers (of a longer window or a wider audience) an even split needs to find it."""
        return None if self.even_needs is None else max(self.even_needs / self.customers, 1.0)


def detectable(
    customers: int,
    baseline: float,
    *,
    holdout: float = EVEN,
    hoped_share: float | None = None,
    sd: float | None = None,
    looks_cost: float = 1.0,
) -> Detectable:
    """Say what an offer to these customers can find: 80 % power, two-sided 5 %.

    Args:
        customers: who will be assigned, in both arms: audience per day × days, after eligibility.
        baseline: share that buys in the outcome window without the offer (1 - S(τ+W)/S(τ)).
        holdout: the holdout's part.
        hoped_share: what the share is hoped to become.
        sd: of net sales per customer, for the smallest difference of net sales.
        looks_cost: customers that the planned looks cost, see :func:`lib.stats.sequential.inflation`.
    Raises:
        NotEnoughData: fewer than two customers in an arm.
    """
    _must_be_between(baseline=baseline, holdout=holdout)
    _must_have_arms(customers, holdout)
    effective = customers / looks_cost

    def needs(split: float) -> int | None:
        if hoped_share is None or hoped_share == baseline:
            return None
        return ceil(customers_for_shares(baseline, hoped_share, holdout=split) * looks_cost)

    return Detectable(
        customers=customers,
        holdout=holdout,
        baseline=baseline,
        share=_smallest_share(effective, baseline, holdout),
        even_share=_smallest_share(effective, baseline, EVEN),
        spending=smallest_mean_difference(effective, sd, holdout=holdout) if sd is not None else None,
        hoped_share=hoped_share,
        hoped_power=power_of_shares(effective, baseline, hoped_share, holdout=holdout)
        if hoped_share is not None
        else None,
        hoped_needs=needs(holdout),
        even_needs=needs(EVEN),
    )


def _smallest_share(customers: float, baseline: float, holdout: float) -> float | None:
    top = 1 - 1e-9
    if power_of_shares(customers, baseline, top, holdout=holdout) < POWER:
        return None
    return float(
        brentq(
            lambda share: power_of_shares(customers, baseline, share, holdout=holdout) - POWER,
            baseline + 1e-12,
            top,
            xtol=1e-12,
        )
    )


def _spreads(baseline: float, share: float, holdout: float) -> tuple[float, float]:
    """The standard deviations of the difference per root customer without and with effect."""
    pooled = holdout * baseline + (1 - holdout) * share
    no_effect = sqrt(pooled * (1 - pooled) / (holdout * (1 - holdout)))
    effect = sqrt(share * (1 - share) / (1 - holdout) + baseline * (1 - baseline) / holdout)
    return no_effect, effect


def _z(alpha: float) -> float:
    return float(special.ndtri(1 - alpha / 2))


def _must_be_between(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"{name} must be between 0 and 1, not {share}")


def _must_have_arms(customers: float, holdout: float) -> None:
    if customers * min(holdout, 1 - holdout) < 2:
        raise NotEnoughData(f"An experiment needs two customers in each arm; {customers:.0f} are too few to split.")
