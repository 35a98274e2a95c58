"""Offers whose truth is known: do the ranges hold, and how often is a verdict wrong when nothing works?"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, exp

import numpy as np
import numpy.typing as npt

from lib.errors import NotEnoughData
from lib.stats.any_time import any_time_band
from lib.stats.assumptions import Assumptions
from lib.stats.experiment import ArmSums, Effect, conversion, sample_ratio, welch
from lib.stats.power import customers_for_shares
from lib.stats.rewards import percent_off
from lib.stats.scoring import score
from lib.stats.sequential import inflation
from lib.stats.verdict import Call, judge, weekly_looks
from lib.stats.waiting import Waiting
from lib.stats.what_if import Offer, Range, what_if

LEVEL = 0.9
WEEKS, WINDOW = 8, 30
DAYS = 7 * WEEKS


@dataclass(frozen=True, slots=True)
class Held:
    """How many of ``n`` ranges held the truth, by what they are ranges of."""

    n: int
    held: dict[str, int]


def ranges(offers: int, *, seed: int, assigned: int = 4_000) -> Held:
    """Draw the truth of each offer from the assumptions, forecast it, run it, read it out.

    The store knows the share that buys anyway from 20,000 earlier customers only. ``forecast`` counts forecasts of
    the true profit, ``forecast_measured`` those of the measured one, the others read-outs of the true effect.
    """
    rng = np.random.default_rng(seed)
    assumptions = Assumptions()
    held = dict.fromkeys(("forecast", "forecast_measured", "bought", "net_sales", "profit"), 0)
    for _ in range(offers):
        truth = _truth(rng, assumptions)
        result = what_if(truth.offer, truth.known, assumptions)
        true_profit = truth.offer.contacted(truth.known) * truth.lasting_profit
        expected = Range.of(result.profit, LEVEL)
        held["forecast"] += expected.low <= true_profit <= expected.high
        arms = truth.run(rng, assigned // 2)
        effects = {
            "bought": (conversion(*arms["net_sales"], LEVEL), truth.p1 - truth.p0),
            "net_sales": (welch(*arms["net_sales"], LEVEL), truth.net_sales),
            "profit": (welch(*arms["profit"], LEVEL), truth.profit),
        }
        for name, (effect, true) in effects.items():
            held[name] += effect.low <= true <= effect.high
        measured = effects["profit"][0]
        scored = score(result.in_window / result.contacted, measured.difference, se=measured.se, level=LEVEL)
        held["forecast_measured"] += scored.held
    return Held(offers, held)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """One offer with what the store cannot see; effects are per contacted customer."""

    offer: Offer
    known: Waiting
    p0: float
    p1: float
    pulled_forward: float
    redeemed_anyway: float

    @property
    def redeemed(self) -> float:
        more = self.p1 - self.p0
        return self.p0 * self.redeemed_anyway + more * (1.0 if more > 0 else self.redeemed_anyway)

    @property
    def profit(self) -> float:
        """Within the outcome window."""
        return (self.p1 - self.p0) * self.offer.gain - self.redeemed * self.offer.reward.cost - self.offer.contact_cost

    @property
    def lasting_profit(self) -> float:
        return self.profit - max(self.p1 - self.p0, 0.0) * self.pulled_forward * self.offer.gain

    @property
    def net_sales(self) -> float:
        return (self.p1 - self.p0) * self.offer.basket - self.redeemed * self.offer.reward.price_cut

    def run(self, rng: np.random.Generator, per_arm: int) -> dict[str, tuple[ArmSums, ArmSums]]:
        """Customers buy or do not, with baskets that differ; the sums of both arms for each measure."""
        sums: dict[str, list[ArmSums]] = {"net_sales": [], "profit": []}
        for share, redeeming, contact in (
            (self.p1, self.redeemed / self.p1, self.offer.contact_cost),
            (self.p0, 0.0, 0.0),
        ):
            buyers = int(rng.binomial(per_arm, share))
            basket = _baskets(rng, buyers, self.offer.basket)
            off = np.where(rng.random(buyers) < redeeming, self.offer.reward.depth, 0.0)
            sums["net_sales"].append(_sums(per_arm, basket * (1 - off)))
            sums["profit"].append(_sums(per_arm, basket * (self.offer.margin - off)).moved(plus=-contact))
        return {name: (arms[0], arms[1]) for name, arms in sums.items()}


def _truth(rng: np.random.Generator, assumptions: Assumptions) -> _Truth:
    basket, depth = rng.uniform(30, 90), rng.uniform(0.05, 0.25)
    offer = Offer(
        customers=float(rng.integers(2_000, 20_000)),
        basket=basket,
        margin=rng.uniform(0.35, 0.65),
        reward=percent_off(depth, basket),
        contact_cost=rng.uniform(0, 0.05),
    )
    pull = -1.0
    while pull < 0:
        pull = rng.normal(assumptions.pull, assumptions.pull_sd)
    log_hr = rng.normal(assumptions.contact, assumptions.contact_sd) + pull * offer.v
    log_hr += rng.normal(0, assumptions.offer_sd)
    p0 = rng.uniform(0.05, 0.25)
    earlier = 20_000
    seen = rng.binomial(earlier, p0) / earlier
    se_log = (seen / ((1 - seen) * earlier)) ** 0.5 / -np.log1p(-seen)
    return _Truth(
        offer=offer,
        known=Waiting(delay=14, expiry=WINDOW, still=1.0, bought=seen, se_log=float(se_log)),
        p0=p0,
        p1=1 - (1 - p0) ** exp(log_hr),
        pulled_forward=rng.beta(assumptions.pulled_forward.yes, assumptions.pulled_forward.no),
        redeemed_anyway=rng.beta(assumptions.redeemed_anyway.yes, assumptions.redeemed_anyway.no),
    )


@dataclass(frozen=True, slots=True)
class Wrong:
    """Of ``n`` offers that do nothing: where a verdict said otherwise, and where a daily peek ever left 0 out."""

    n: int
    verdict_bought: int
    verdict_net_sales: int
    peek_bought: int
    peek_net_sales: int
    naive_bought: int


def nothing_works(offers: int, *, seed: int, per_day: int = 40, share: float = 0.15) -> Wrong:
    """Eight weeks of customers in two arms that are treated alike, judged every week and peeked at every day.

    ``naive_bought`` counts who looks every day at p < .05, as a warning.
    """
    rng = np.random.default_rng(seed)
    planned = 2 * per_day * DAYS
    plan = weekly_looks(first_day=0, last_day=DAYS - 1, outcome_days=WINDOW, customers=planned)
    matured = [2 * per_day * min(look - plan.begins, DAYS) for look in plan.looks]
    counts = dict.fromkeys(Wrong.__slots__[1:], 0)
    for _ in range(offers):
        hits: set[str] = set()
        for day, arms in enumerate(_days(rng, per_day, share), start=1):
            for name, effect in (("bought", _bought(arms)), ("net_sales", welch(*arms))):
                if effect is None:
                    continue
                low, high = any_time_band(effect.difference, n=effect.n, se=effect.se, planned_n=planned)
                if not low <= 0 <= high:
                    hits.add(f"peek_{name}")
                if name == "bought" and effect.p < 0.05:
                    hits.add("naive_bought")
                if plan.begins + day in plan.looks:
                    verdict = judge(
                        effect,
                        split=sample_ratio([arms[0].n, arms[1].n], [1, 1]),
                        plan=plan,
                        matured=matured[: plan.looks.index(plan.begins + day) + 1],
                        today=plan.begins + day,
                        is_money=name == "net_sales",
                    )
                    if verdict.call in (Call.KEEP, Call.STOP):
                        hits.add(f"verdict_{name}")
        for hit in hits:
            counts[hit] += 1
    return Wrong(offers, **counts)


@dataclass(frozen=True, slots=True)
class Found:
    """Of ``n`` offers that work: how many were kept, and how many ranges at the verdict held the true effect."""

    n: int
    kept: int
    held: int


def something_works(offers: int, *, seed: int, share: float = 0.15, more: float = 0.19) -> Found:
    """Offers that bring what they were planned for, with the customers that 80 % power and the looks take."""
    rng = np.random.default_rng(seed)
    looks_cost = inflation([(week + 1) / WEEKS for week in range(WEEKS)])
    per_day = ceil(customers_for_shares(share, more) * looks_cost / 2 / DAYS)
    plan = weekly_looks(first_day=0, last_day=DAYS - 1, outcome_days=WINDOW, customers=2 * per_day * DAYS)
    kept = held = 0
    for _ in range(offers):
        buyers = np.cumsum(rng.binomial(7 * per_day, [[share] * WEEKS, [more] * WEEKS]), axis=1)
        matured: list[int] = []
        for week, look in enumerate(plan.looks, start=1):
            n = 7 * per_day * week
            matured.append(2 * n)
            verdict = judge(
                conversion(
                    ArmSums.of_buyers(n, int(buyers[1, week - 1])), ArmSums.of_buyers(n, int(buyers[0, week - 1]))
                ),
                split=sample_ratio([n, n], [1, 1]),
                plan=plan,
                matured=matured,
                today=look,
                is_money=False,
            )
            if verdict.call is not Call.TOO_EARLY:
                break
        kept += verdict.call is Call.KEEP
        held += verdict.low <= more - share <= verdict.high
    return Found(offers, kept, held)


def _bought(arms: tuple[ArmSums, ArmSums]) -> Effect | None:
    try:
        return conversion(*arms)
    except NotEnoughData:
        return None


def _days(rng: np.random.Generator, per_day: int, share: float) -> Iterator[tuple[ArmSums, ArmSums]]:
    """The sums of both arms up to each day."""
    buyers = rng.binomial(per_day, share, (2, DAYS))
    sums = []
    for arm in buyers:
        baskets = _baskets(rng, int(arm.sum()), 60.0)
        ends = np.cumsum(arm)
        total = np.concatenate([[0.0], np.cumsum(baskets)])[ends]
        squares = np.concatenate([[0.0], np.cumsum(baskets**2)])[ends]
        sums.append(
            [
                ArmSums(n=per_day * day, y=float(y), yy=float(yy), buyers=int(b))
                for day, (y, yy, b) in enumerate(zip(total, squares, ends, strict=True), start=1)
            ]
        )
    yield from zip(*sums, strict=True)


def _baskets(rng: np.random.Generator, n: int, mean: float) -> npt.NDArray[np.float64]:
    """Skewed as baskets are: log-normal with a standard deviation of 0.85 of the mean."""
    spread = 0.74
    return mean * rng.lognormal(-(spread**2) / 2, spread, n)


def _sums(n: int, y: npt.NDArray[np.float64]) -> ArmSums:
    return ArmSums(n=n, y=float(y.sum()), yy=float(y @ y), buyers=len(y))
