"""When may one say it, and what: keep, stop, no difference, or too early.

A verdict is spoken only on the planned looks, once a week, or at the planned end. On all other days there is a band
that is safe to peek at, and no verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from lib.stats.any_time import any_time_band
from lib.stats.experiment import Effect, SampleRatio
from lib.stats.sequential import spending_bounds

# Money is skewed: its mean is near normal from about so many buyers an arm.
ENOUGH_BUYERS = 100
# A share is, once so many buyers would be expected in the smaller arm.
ENOUGH_EXPECTED = 5
WEEK = 7


class Call(StrEnum):
    """What the verdict says."""

    KEEP = "keep"
    STOP = "stop"
    NO_DIFFERENCE = "no difference"
    TOO_EARLY = "too early"
    TOO_FEW = "too few"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPlan:
    """When an experiment may be judged, fixed before its start. Days are store days counted from any origin.

    On ``begins`` the first customers have been followed for the whole outcome window. ``looks`` are the days of the
    planned looks, the last is the planned end; ``customers`` is how many (all arms) will then be mature.
    """

    begins: int
    looks: tuple[int, ...]
    customers: int
    alpha: float = 0.05

    @property
    def end(self) -> int:
        return self.looks[-1]

    def fraction(self, look: int) -> float:
        """How much of the time from the first mature customers to the end has passed: what may be spent by then."""
        return (look - self.begins) / (self.end - self.begins)

    def next_look(self, today: int) -> int | None:
        """The first look after today; null when the end has come."""
        return next((day for day in self.looks if day > today), None)


def weekly_looks(*, first_day: int, last_day: int, outcome_days: int, customers: int, alpha: float = 0.05) -> LookPlan:
    """Plan a look every week once a week of customers is mature, and one when all are.

    A customer is mature on a morning when assigned day + outcome_days < that day.

    Args:
        first_day: the first day on which customers are assigned.
        last_day: the last such day.
        outcome_days: how long each customer is followed.
        customers: how many will be assigned in all.
        alpha: two-sided error over all looks together.
    Raises:
        ValueError: the last day is before the first, no outcome days or no customers.
    """
    if last_day < first_day or outcome_days < 1 or customers < 1:
        raise ValueError("a plan needs a first and a last day, outcome days and customers")
    begins, end = first_day + outcome_days, last_day + outcome_days + 1
    looks = (*range(begins + WEEK, end, WEEK), end)
    return LookPlan(begins=begins, looks=looks, customers=customers, alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A call, and the range that may be shown with it.

    On a look ``low`` and ``high`` belong to its ``bound`` on |z|: over all looks they hold with 1 - alpha. On other
    days they are the band that is safe to peek at (``is_peek``, no bound). ``next_look`` is null after the end.
    """

    call: Call
    effect: Effect
    low: float
    high: float
    bound: float | None
    is_peek: bool
    next_look: int | None


def judge(
    effect: Effect,
    *,
    split: SampleRatio,
    plan: LookPlan,
    matured: Sequence[int],
    today: int,
    is_money: bool,
    profit: float | None = None,
) -> Verdict:
    """Judge an offer by the one measure that was named for it before the start.

    1. A split that cannot be chance blocks: the arms differ in more than the offer.
    2. Between the looks it is too early, whatever the figures say.
    3. Money needs 100 buyers in each arm, a share 5 expected in the smaller: until the end it is too early, at the
       end there were too few.
    4. Beyond the look's bound the call is keep or stop; more orders at a loss are a stop. Within it the call is too
       early, at the end no difference: which is not "no effect", see the range.

    Every planned look counts as taken, whether anybody looked or not.

    Args:
        effect: of the named measure, mature customers only.
        split: of all assigned customers.
        plan: of the looks.
        matured: mature customers (all arms) on each planned look up to today; the last is today's when today is one.
        today: a store day.
        is_money: the measure is money, not a share of customers.
        profit: the measured profit per assigned customer, where the measure is another: decides between keep and
            stop when there are more orders, never whether there are.
    Raises:
        ValueError: not one number of mature customers per look up to today.
    """
    taken = [day for day in plan.looks if day <= today]
    if len(matured) != len(taken):
        raise ValueError(f"{len(matured)} numbers of mature customers for {len(taken)} looks")
    next_look = plan.next_look(today)
    at_end = today >= plan.end
    if not at_end and today not in plan.looks:
        low, high = any_time_band(
            effect.difference, n=effect.n, se=effect.se, planned_n=plan.customers, level=1 - plan.alpha
        )
        call = Call.BLOCKED if split.blocks else Call.TOO_EARLY
        return Verdict(call=call, effect=effect, low=low, high=high, bound=None, is_peek=True, next_look=next_look)
    bound = look_bound(plan, matured)
    low, high = effect.range_at(bound)
    return Verdict(
        call=_call(effect, bound, split=split, at_end=at_end, is_money=is_money, profit=profit),
        effect=effect,
        low=low,
        high=high,
        bound=bound,
        is_peek=False,
        next_look=next_look,
    )


def look_bound(plan: LookPlan, matured: Sequence[int]) -> float:
    """The bound on |z| of the latest look, from the mature customers on each look so far.

    What may be spent goes by the calendar, so slow or fast weeks neither use it up nor leave any over; how the looks
    hang together goes by the customers. A look without new customers is none: what it might spend is left to the
    next. Infinite where there are no customers yet, or too little may be spent.

    References:
        Lan & DeMets (1989), doi:10.1002/sim.4780081003 (calendar time).
    """
    fractions: list[float] = []
    gathered: list[float] = []
    for look, n in zip(plan.looks, matured, strict=False):
        if gathered and n <= gathered[-1]:
            # Nobody new: the earlier look stays as it was, unless this is the end, which spends the rest.
            if look != plan.end:
                continue
            fractions.pop()
            gathered.pop()
        if n > 0:
            fractions.append(plan.fraction(look))
            gathered.append(float(n))
    return spending_bounds(fractions, alpha=plan.alpha, information=gathered)[-1] if gathered else inf


def _call(
    effect: Effect, bound: float, *, split: SampleRatio, at_end: bool, is_money: bool, profit: float | None
) -> Call:
    if split.blocks:
        return Call.BLOCKED
    if not _is_enough(effect, is_money):
        return Call.TOO_FEW if at_end else Call.TOO_EARLY
    if abs(effect.z) <= bound:
        return Call.NO_DIFFERENCE if at_end else Call.TOO_EARLY
    pays = effect.difference > 0 and (profit is None or profit > 0)
    return Call.KEEP if pays else Call.STOP


def _is_enough(effect: Effect, is_money: bool) -> bool:
    if is_money:
        return min(effect.buyers) >= ENOUGH_BUYERS
    return sum(effect.buyers) / effect.n * min(effect.sizes) >= ENOUGH_EXPECTED
