"""What if deliveries were late less often, or returns were free? From measured relations, which need not be causes.

Customers whose parcel came late buy again less often: that is a relation. How much of it would go away with the
lateness nobody has measured. So the headline is how much of the relation must be cause for the change to pay; beside
it stand the range if all of it were, and the range under a share that is said to be assumed.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.stats.assumptions import DRAWS, SEED, Beta
from lib.stats.intervals import normal_quantile
from lib.stats.what_if import LEVEL, Range

# No source: anything from nothing to all, a little more often less than half.
CAUSE = Beta(2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A measured relation: the difference in the share that buys again, exposed less unexposed, and its interval.

    As of :func:`lib.stats.adjust.mantel_haenszel`: adjusted for what is known, at ``level``. ``n`` customers.
    """

    difference: float
    low: float
    high: float
    n: int
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.low <= self.difference <= self.high:
            raise ValueError(f"{self} is no interval")

    @property
    def se(self) -> float:
        return (self.high - self.low) / 2 / normal_quantile(self.level)

    @property
    def is_clear(self) -> bool:
        """The interval leaves out 0: the relation is more than chance."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of policy over a period, such as a year.

    ``customers`` get a parcel (ask for a return …) in it; the exposed share of them goes from ``share_now`` to
    ``share_then``. An order more is worth ``order_profit`` (margin × basket). ``cost`` is what the change costs over
    the period: below 0 when it saves.
    """

    customers: float
    share_now: float
    share_then: float
    order_profit: float
    cost: float = 0.0

    def __post_init__(self) -> None:
        if self.customers < 0 or not all(0 <= share <= 1 for share in (self.share_now, self.share_then)):
            raise ValueError(f"{self} is no change")

    @property
    def moved(self) -> float:
        """Customers who become exposed; below 0 when fewer are."""
        return self.customers * (self.share_then - self.share_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWhatIf:
    """What a change could bring, if some of the relation is cause.

    ``pays_between``: the shares of the relation that must be cause for the change to pay, which needs no assumption
    but the measured difference: (.4, 1) at least 40 %, (0, .4) at most 40 % (a saving that may cost orders), (0, 1)
    always, null never. ``repeat_if_all`` and ``profit_if_all`` take all of it as cause, with the interval of the
    relation; ``repeat`` and ``profit`` the assumed share. ``chance`` is P(profit > 0) under that assumption.
    ``is_clear`` is false when the relation itself may be chance: then say so first.
    """

    pays_between: tuple[float, float] | None
    repeat_if_all: Range
    profit_if_all: Range
    repeat: Range
    profit: Range
    chance: float
    is_clear: bool


def policy_what_if(relation: Relation, change: Change, *, cause: Beta = CAUSE) -> PolicyWhatIf:
    """Work out a change of policy from a measured relation.

    Added repeat customers = moved × difference × share that is cause; profit = that × order_profit - cost.

    Args:
        relation: as measured, with its interval: its error is taken as normal.
        change: how many customers' lot changes, and what that costs.
        cause: of the relation's share that is cause: an assumption, shown and editable.
    References:
        VanderWeele & Ding (2017), doi:10.7326/M16-2607 (see :func:`lib.stats.adjust.e_value`, to be shown beside it).
    """
    rng = np.random.default_rng(SEED + 2)
    difference = relation.difference + relation.se * rng.standard_normal(DRAWS)
    share = np.asarray(special.betaincinv(cause.yes, cause.no, rng.random(DRAWS)))
    if_all = change.moved * difference
    profit = if_all * share * change.order_profit - change.cost
    return PolicyWhatIf(
        pays_between=_pays_between(change.moved * relation.difference * change.order_profit, change.cost),
        repeat_if_all=Range.of(if_all, LEVEL),
        profit_if_all=Range.of(if_all * change.order_profit - change.cost, LEVEL),
        repeat=Range.of(if_all * share, LEVEL),
        profit=Range.of(profit, LEVEL),
        chance=float((profit > 0).mean()),
        is_clear=relation.is_clear,
    )


def _pays_between(all_of_it: float, cost: float) -> tuple[float, float] | None:
    """Where share × all_of_it - cost is not below 0, for shares from 0 to 1."""
    at_none, at_all = -cost, all_of_it - cost
    if at_none >= 0 and at_all >= 0:
        return 0.0, 1.0
    if at_none < 0 and at_all < 0:
        return None
    return (cost / all_of_it, 1.0) if at_all >= 0 else (0.0, cost / all_of_it)


def delivery_change(
    *, parcels: float, late_now: float, late_then: float, order_profit: float, cost_per_parcel: float
) -> Change:
    """A faster or more reliable carrier: fewer late parcels, each parcel at another price.

    Args:
        parcels: of the period, one customer each.
        late_now: share late today.
        late_then: share late with the new carrier: the carrier's promise, or a trial's measurement.
        order_profit: what a repeat order earns.
        cost_per_parcel: what the new carrier takes more; below 0 when it takes less.
    """
    return Change(
        customers=parcels,
        share_now=late_now,
        share_then=late_then,
        order_profit=order_profit,
        cost=cost_per_parcel * parcels,
    )


def returns_change(
    *,
    orders: float,
    free_now: float,
    free_then: float,
    order_profit: float,
    return_rate_now: float,
    return_rate_then: float,
    cost_per_return: float,
    label_cost: float,
) -> Change:
    """Another returns policy: more customers with free returns (or a longer window), more returns, labels paid.

    Costs are the added returns × what a return costs (handling, loss of value, margin of the order), and the labels
    of all returns that become free.

    Args:
        orders: of the period, one customer each.
        free_now: share of orders whose return is free (or falls within the longer window) today.
        free_then: the same after the change.
        order_profit: what a repeat order earns.
        return_rate_now: share of orders returned today.
        return_rate_then: share expected afterwards: an assumption, since easier returns bring more of them.
        cost_per_return: what one more return costs.
        label_cost: what a label costs that the customer paid until now.
    """
    extra = orders * (return_rate_then - return_rate_now) * cost_per_return
    labels = orders * return_rate_then * (free_then - free_now) * label_cost
    return Change(
        customers=orders,
        share_now=free_now,
        share_then=free_then,
        order_profit=order_profit,
        cost=extra + labels,
    )
