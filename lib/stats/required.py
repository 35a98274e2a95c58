"""What would have to be true for a wished profit: from the wish back to each lever."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lib.stats.assumptions import Assumptions, draw
from lib.stats.rewards import RewardKind
from lib.stats.waiting import Waiting
from lib.stats.what_if import Offer, WhatIf, what_if


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What one lever alone would have to be for the wished profit, all else staying as it is expected.

    ``at_least`` tells a floor (an uplift) from a ceiling (a cost). ``needed`` null: no value of this lever gets
    there. ``chance`` is how likely the assumptions hold it to be; null for levers in the store's own hands.
    """

    lever: str
    now: float
    needed: float | None
    at_least: bool
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The expected profit per contacted customer as a function of each lever."""

    delta: float
    p0: float
    psi: float
    rho: float
    rho_new: float
    gain: float
    cost: float
    contact: float
    qualifying: float

    @property
    def profit(self) -> float:
        anyway = self.rho * self.qualifying
        lasting, redeemed = (1 - self.psi, self.rho_new) if self.delta > 0 else (1.0, anyway)
        return self.delta * lasting * self.gain - (self.p0 * anyway + self.delta * redeemed) * self.cost - self.contact


def what_would_have_to_be_true(
    offer: Offer, waiting: Waiting, assumptions: Assumptions, wished: float
) -> tuple[Needed, ...]:
    """Turn the profit round, one lever at a time.

    N·[Δp(1 - ψ)·g·A - (p₀ρ + Δp·ρᵢ)·c - k], with Δp, ψ and ρ at their means over the draws, is a straight line in
    every lever: each answer is exact. The cost of a percentage grows with the basket, that of other rewards does not.

    Args:
        offer: as its sliders stand.
        waiting: its baseline.
        assumptions: as shown.
        wished: profit over all contacted customers.
    Returns:
        ``uplift`` (relative), ``customers``, ``margin`` (share), ``basket``, ``reward_cost`` and ``contact_cost``
        (money), ``redeemed_anyway`` and ``pulled_forward`` (shares); nothing when the offer reaches nobody.
    """
    result = what_if(offer, waiting, assumptions)
    if result.contacted <= 0:
        return ()
    draws = draw(assumptions)
    case = _Case(
        delta=float(result.orders.mean()) / result.contacted,
        p0=waiting.bought,
        psi=float(draws.pulled_forward.mean()),
        rho=float(draws.redeemed_anyway.mean()),
        rho_new=assumptions.redeemed_new,
        gain=offer.gain,
        cost=offer.reward.cost,
        contact=offer.contact_cost,
        qualifying=offer.qualifying_share,
    )
    wish = wished / result.contacted
    per_basket = offer.reward.cost / offer.basket if offer.reward.kind is RewardKind.PERCENT else 0.0

    def with_basket(basket: float) -> float:
        cost = per_basket * basket if per_basket else case.cost
        return replace(case, gain=offer.margin * basket, cost=cost).profit

    # Profit is in proportion to the customers: nobody at all earns 0.
    customers = 0.0 if wish <= 0 else offer.customers * wish / case.profit if case.profit > 0 else None
    rho = _ceiling(lambda value: replace(case, rho=value).profit, wish, 1.0)
    psi = _ceiling(lambda value: replace(case, psi=value).profit, wish, 1.0)
    return (
        _uplift(case, wish, result),
        Needed(lever="customers", now=offer.customers, needed=customers, at_least=True),
        Needed(
            lever="margin",
            now=offer.margin,
            needed=_floor(lambda value: replace(case, gain=value * offer.basket).profit, wish, 1.0),
            at_least=True,
        ),
        Needed(lever="basket", now=offer.basket, needed=_floor(with_basket, wish, 100 * offer.basket), at_least=True),
        Needed(
            lever="reward_cost",
            now=case.cost,
            needed=_ceiling(lambda value: replace(case, cost=value).profit, wish, max(case.cost, case.gain)),
            at_least=False,
        ),
        Needed(
            lever="contact_cost",
            now=case.contact,
            needed=_ceiling(lambda value: replace(case, contact=value).profit, wish, max(case.contact, case.gain)),
            at_least=False,
        ),
        Needed(
            lever="redeemed_anyway",
            now=case.rho,
            needed=rho,
            at_least=False,
            chance=0.0 if rho is None else float((draws.redeemed_anyway <= rho).mean()),
        ),
        Needed(
            lever="pulled_forward",
            now=case.psi,
            needed=psi,
            at_least=False,
            chance=0.0 if psi is None else float((draws.pulled_forward <= psi).mean()),
        ),
    )


def _uplift(case: _Case, wish: float, result: WhatIf) -> Needed:
    needed = _floor(lambda value: replace(case, delta=value * case.p0).profit, wish, (1 - case.p0) / case.p0)
    chance = 0.0 if needed is None else float((result.uplift >= needed).mean())
    return Needed(lever="uplift", now=case.delta / case.p0, needed=needed, at_least=True, chance=chance)


def _floor(profit: Callable[[float], float], wish: float, top: float) -> float | None:
    """The least value from 0 to ``top`` whose profit reaches the wish."""
    at_zero, at_top = profit(0.0), profit(top)
    if at_zero >= wish:
        return 0.0
    return top * (wish - at_zero) / (at_top - at_zero) if at_top >= wish else None


def _ceiling(profit: Callable[[float], float], wish: float, top: float) -> float | None:
    """The largest value from 0 to ``top`` whose profit still reaches the wish."""
    at_zero, at_top = profit(0.0), profit(top)
    if at_top >= wish:
        return top
    return top * (at_zero - wish) / (at_zero - at_top) if at_zero >= wish else None
