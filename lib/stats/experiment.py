"""Did the offer work? Treatment against holdout, per assigned customer, from one row of sums per arm.

Nothing here knows when one may look: see :mod:`lib.stats.verdict`. Money is in whatever unit the sums are in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, inf, sqrt

from scipy import special

from lib.errors import NotEnoughData
from lib.stats.intervals import newcombe_difference

# Degrees of freedom from which t is normal.
_MANY = 1e4
# A split this unlikely is a fault in assigning or counting, not chance: no verdict.
SAMPLE_RATIO_LIMIT = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSums:
    """What an experiment needs of an arm: sums over its *assigned* customers, those who bought nothing included.

    ``y`` is the measure in the outcome window (orders, net sales, profit …), ``x`` the same customer's net sales
    before being assigned. ``n`` customers, Σy, Σy², Σx, Σx², Σxy; ``buyers`` have y for at least one order.
    Sums of arms and of days add up.
    """

    n: int
    y: float
    yy: float
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    buyers: int = 0

    @classmethod
    def of_buyers(cls, n: int, buyers: int) -> "ArmSums":
        """The sums of "bought or not"."""
        return cls(n=n, y=buyers, yy=buyers, buyers=buyers)

    @property
    def mean(self) -> float:
        return self.y / self.n

    @property
    def variance(self) -> float:
        """Of y, with divisor n - 1."""
        return max(_covariance(self.yy, self.y, self.y, self.n), 0.0)

    def __add__(self, other: "ArmSums") -> "ArmSums":
        return ArmSums(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})

    def moved(self, *, times: float = 1.0, plus: float = 0.0) -> "ArmSums":
        """The sums of ``times``·y + ``plus``: net sales to margin, or a contact cost on each assigned customer."""
        return ArmSums(
            n=self.n,
            y=times * self.y + plus * self.n,
            yy=times**2 * self.yy + 2 * times * plus * self.y + plus**2 * self.n,
            x=self.x,
            xx=self.xx,
            xy=times * self.xy + plus * self.x,
            buyers=self.buyers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether the arms are as large as they were meant to be."""

    chi2: float
    df: int
    p: float
    expected: tuple[float, ...]

    @property
    def blocks(self) -> bool:
        """No verdict: the arms differ in more than the offer."""
        return self.p < SAMPLE_RATIO_LIMIT


def sample_ratio(assigned: Sequence[int], planned: Sequence[float]) -> SampleRatio:
    """Compare the customers of each arm with the planned split.

    chi2 = Σ (n_i - N·w_i)²/(N·w_i) on arms - 1 degrees of freedom.

    Args:
        assigned: customers per arm, as counted at the read-out.
        planned: the split, as any positive weights.
    Raises:
        NotEnoughData: nobody was assigned, or fewer than 5 are expected in an arm.
        ValueError: not one positive weight per arm, or fewer than two arms.
    References:
        Fabijan et al. (2019), doi:10.1145/3292500.3330722.
    """
    if len(assigned) != len(planned) or len(assigned) < 2 or min(planned) <= 0:
        raise ValueError(f"{list(planned)} is no split for {list(assigned)}")
    total = sum(assigned)
    expected = [total * weight / sum(planned) for weight in planned]
    if min(expected) < 5:
        raise NotEnoughData(f"Checking the split needs 5 customers expected in each arm; there are {total} in all.")
    chi2 = sum((n - e) ** 2 / e for n, e in zip(assigned, expected, strict=True))
    df = len(assigned) - 1
    return SampleRatio(chi2=chi2, df=df, p=float(special.chdtrc(df, chi2)), expected=tuple(expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Treatment less holdout, per assigned customer.

    ``low`` and ``high`` hold for one look at the planned end, ``p`` likewise. ``se`` and ``df`` carry the effect to
    the bounds of several looks. ``gain`` is the share of the variance that earlier spending explained (null where it
    was not used): 0.2 is worth a quarter more customers. ``sizes`` and ``buyers`` are of the treated and the holdout.
    """

    treated: float
    holdout: float
    difference: float
    se: float
    df: float
    low: float
    high: float
    level: float
    p: float
    sizes: tuple[int, int]
    buyers: tuple[int, int]
    gain: float | None = None

    @property
    def n(self) -> int:
        """Customers of both arms."""
        return sum(self.sizes)

    @property
    def z(self) -> float:
        """The difference in standard errors, as a normal quantile of the same p-value."""
        return _normal_score(self.difference, self.se, self.df)

    @property
    def relative(self) -> float | None:
        """The difference as a share of the holdout's mean; null where that is not above 0."""
        return self.difference / self.holdout if self.holdout > 0 else None

    def range_at(self, bound: float) -> tuple[float, float]:
        """The interval that belongs to a bound on |z|: repeated looks with that bound keep its confidence.

        References:
            Jennison & Turnbull (1989), doi:10.1111/j.2517-6161.1989.tb01433.x.
        """
        half = self.se * (bound if self.df > _MANY else float(special.stdtrit(self.df, float(special.ndtr(bound)))))
        return self.difference - half, self.difference + half


def conversion(treated: ArmSums, holdout: ArmSums, level: float = 0.95) -> Effect:
    """Compare the share of assigned customers who bought.

    Newcombe's interval of the difference of two shares; p from the pooled z. Customers are independent: one decides
    without the other.

    Args:
        treated: sums with their ``buyers``.
        holdout: likewise.
        level: of confidence, for one look.
    Raises:
        NotEnoughData: an arm without customers, or nobody (everybody) bought in both: nothing can differ.
    References:
        Newcombe (1998), method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873.
    """
    _must_have(treated, holdout, 1)
    p1, p0 = treated.buyers / treated.n, holdout.buyers / holdout.n
    pooled = (treated.buyers + holdout.buyers) / (treated.n + holdout.n)
    if not 0 < pooled < 1:
        raise NotEnoughData("Comparing who bought needs customers who did and customers who did not.")
    low, high = newcombe_difference(treated.buyers, treated.n, holdout.buyers, holdout.n, level)
    se = sqrt(pooled * (1 - pooled) * (1 / treated.n + 1 / holdout.n))
    return Effect(
        treated=p1,
        holdout=p0,
        difference=p1 - p0,
        se=se,
        df=inf,
        low=low,
        high=high,
        level=level,
        p=2 * float(special.ndtr(-abs(p1 - p0) / se)),
        sizes=(treated.n, holdout.n),
        buyers=(treated.buyers, holdout.buyers),
    )


def welch(treated: ArmSums, holdout: ArmSums, level: float = 0.95) -> Effect:
    """Compare the mean of a measure per assigned customer: orders, net sales, profit.

    Welch's t with unequal variances. Leans on means that are near normal: money needs about 100 buyers an arm.

    Raises:
        NotEnoughData: fewer than two customers in an arm, or nothing varies.
    References:
        Welch (1947), doi:10.2307/2332510.
    """
    _must_have(treated, holdout, 2)
    return _welch(treated, holdout, (treated.mean, holdout.mean), (treated.variance, holdout.variance), level)


def profit(
    treated: ArmSums, holdout: ArmSums, *, margin: float = 1.0, contact_cost: float = 0.0, level: float = 0.95
) -> Effect:
    """Compare the profit per assigned customer: margin × y, less what contacting each of the treated cost.

    Best when y is each customer's net sales less cost of goods and real cost of rewards, with margin 1. Where only
    one margin is known for all, y is net sales; a discount is then in y already, once.

    Raises: see :func:`welch`.
    """
    return welch(treated.moved(times=margin, plus=-contact_cost), holdout.moved(times=margin), level)


def cuped(treated: ArmSums, holdout: ArmSums, level: float = 0.95) -> Effect:
    """Compare as :func:`welch`, less the part of the difference that spending before the offer foretells.

    y - θ(x - x̄) with θ = Σ S_xy/Σ S_xx within the arms and x̄ over both: x was fixed before anyone was assigned, so
    the estimate stays unbiased and only noise goes. ``gain`` = 1 - variance of the adjusted ÷ of the plain
    difference, as measured here; where it is not above 0 the plain comparison serves as well.

    Raises:
        NotEnoughData: fewer than three customers in an arm, spending before that does not vary, nothing varies.
    References:
        Deng, Xu, Kohavi & Walker (2013), doi:10.1145/2433396.2433413.
    """
    _must_have(treated, holdout, 3)
    arms = (treated, holdout)
    between = sum(_covariance(arm.xx, arm.x, arm.x, arm.n) * (arm.n - 1) for arm in arms)
    if not between > 1e-9 * sum(arm.xx for arm in arms):
        raise NotEnoughData("Spending before the offer does not vary, so it foretells nothing.")
    theta = sum(_covariance(arm.xy, arm.x, arm.y, arm.n) * (arm.n - 1) for arm in arms) / between
    overall = sum(arm.x for arm in arms) / sum(arm.n for arm in arms)
    means = [arm.mean - theta * (arm.x / arm.n - overall) for arm in arms]
    variances = [
        max(
            arm.variance
            - 2 * theta * _covariance(arm.xy, arm.x, arm.y, arm.n)
            + theta**2 * _covariance(arm.xx, arm.x, arm.x, arm.n),
            0.0,
        )
        for arm in arms
    ]
    plain = welch(treated, holdout, level)
    adjusted = sum(variance / arm.n for variance, arm in zip(variances, arms, strict=True))
    gain = 1 - adjusted / plain.se**2
    return _welch(treated, holdout, (means[0], means[1]), (variances[0], variances[1]), level, gain)


def _welch(
    treated: ArmSums,
    holdout: ArmSums,
    means: tuple[float, float],
    variances: tuple[float, float],
    level: float,
    gain: float | None = None,
) -> Effect:
    parts = (variances[0] / treated.n, variances[1] / holdout.n)
    se = sqrt(sum(parts))
    if not se > 0:
        raise NotEnoughData("Comparing means needs a measure that varies; every customer has the same.")
    df = sum(parts) ** 2 / (parts[0] ** 2 / (treated.n - 1) + parts[1] ** 2 / (holdout.n - 1))
    difference = means[0] - means[1]
    half = float(special.stdtrit(df, 0.5 + level / 2)) * se
    return Effect(
        treated=means[0],
        holdout=means[1],
        difference=difference,
        se=se,
        df=df,
        low=difference - half,
        high=difference + half,
        level=level,
        p=2 * float(special.stdtr(df, -abs(difference) / se)),
        sizes=(treated.n, holdout.n),
        buyers=(treated.buyers, holdout.buyers),
        gain=gain,
    )


def _covariance(product: float, a: float, b: float, n: int) -> float:
    """From Σab, Σa and Σb, with divisor n - 1."""
    return (product - a * b / n) / (n - 1)


def _must_have(treated: ArmSums, holdout: ArmSums, least: int) -> None:
    for name, arm in (("treated", treated), ("holdout", holdout)):
        if arm.n < least:
            raise NotEnoughData(f"Comparing needs at least {least} in each arm; {arm.n:,} of the customers are {name}.")


def _normal_score(difference: float, se: float, df: float) -> float:
    score = difference / se
    if df > _MANY:
        return score
    tail = float(special.stdtr(df, -abs(score)))
    return copysign(float(-special.ndtri(max(tail, 1e-300))), score)
