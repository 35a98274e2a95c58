"""Where a customer stands between two orders, and when the next one is to be expected.

Both are read off the Kaplan-Meier curve of the days from one order to the next, among customers who had placed as
many. Most never order again, so the plain 80 % point of such a curve is seldom reached: the points used are those of
the customers who do come back within the days that were followed.
"""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from lib.errors import NotEnoughData
from lib.stats.survival import ENOUGH_AT_RISK, kaplan_meier, time_reached, worth_showing

# By when half, most and nearly all of those who come back have done so.
HALF, MOST, NEARLY_ALL = 0.5, 0.8, 0.95
# Eight of ten of those who come back do so between these shares.
EARLY, LATE = 0.1, 0.9
# Fewer than these who came back draw no line between two stages.
ENOUGH_BACK = 30


class Stage(StrEnum):
    """Where a customer stands: by the days since the last order."""

    NEW = "new"
    ACTIVE = "active"
    DUE = "due"
    AT_RISK = "at risk"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The days after an order by which half, most (80 %) and nearly all (95 %) who come back have done so.

    ``horizon``: the last day that is told of, with 50 customers still followed; ``customers`` and ``back``: from how
    many, and how many of them came back.
    """

    half: int
    most: int
    nearly_all: int
    horizon: int
    customers: int
    back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOrder:
    """When the next order is to be expected, in days since the last one, of somebody who has waited ``waited``.

    ``share`` (with its 95 % interval) order again by day ``horizon``; of these one in ten has by day ``early``, half
    by ``middle``, nine in ten by ``late``. ``customers``: how many had waited as long.
    """

    waited: int
    share: float
    low: float
    high: float
    early: int
    middle: int
    late: int
    horizon: int
    customers: int


def waits(spells: pd.DataFrame) -> Waits:
    """Find the days that part the stages.

    With F the share that has come back and H the last day with 50 at risk: the first days on which F reaches
    0.5, 0.8 and 0.95 of F(H). Assumes that customers who are still open will come back as those did who were followed
    longer.

    Args:
        spells: rows of ``day`` (days since the order), ``events``, ``censored`` (customers).
    Raises:
        NotEnoughData: fewer than 30 came back while 50 were at risk.
    """
    customers = int(spells["events"].sum() + spells["censored"].sum()) if len(spells) else 0
    if customers < ENOUGH_AT_RISK:
        raise NotEnoughData(f"Stages need {ENOUGH_AT_RISK} customers with an order; there are {customers}.")
    curve = worth_showing(kaplan_meier(spells))
    back = int(curve["events"].sum())
    if back < ENOUGH_BACK:
        raise NotEnoughData(f"Stages need {ENOUGH_BACK} customers who ordered again; there are {back}.")
    half, most, nearly_all = (_day(curve, share) for share in (HALF, MOST, NEARLY_ALL))
    return Waits(
        half=half,
        most=most,
        nearly_all=nearly_all,
        horizon=int(curve["day"].iloc[-1]),
        customers=customers,
        back=back,
    )


def stage(orders: int, waited: int, known: Waits) -> Stage:
    """Where a customer stands who placed her last of ``orders`` orders ``waited`` days ago.

    Raises:
        ValueError: no order at all.
    """
    if orders < 1:
        raise ValueError("somebody without an order stands nowhere")
    if waited <= known.half:
        return Stage.NEW if orders == 1 else Stage.ACTIVE
    if waited <= known.most:
        return Stage.DUE
    return Stage.AT_RISK if waited <= known.nearly_all else Stage.LAPSED


def next_order(spells: pd.DataFrame, waited: int) -> NextOrder:
    """When somebody who has waited so many days orders again, by those who had waited as long.

    The Kaplan-Meier curve of the customers still open after ``waited`` days, S(t | T > waited), left-truncated there.

    Args:
        spells: rows of ``day`` (days since the order), ``events``, ``censored`` (customers).
        waited: days since the last order, 0 for today.
    Raises:
        NotEnoughData: fewer than 50 had waited as long, or none of them came back while 50 were at risk.
    """
    still = spells[spells["day"] > waited]
    customers = int(still["events"].sum() + still["censored"].sum())
    if customers < ENOUGH_AT_RISK:
        raise NotEnoughData(
            f"{customers or 'Nobody'} had waited as long after as many orders; {ENOUGH_AT_RISK} customers are needed."
        )
    curve = worth_showing(kaplan_meier(still))
    if curve.empty:
        raise NotEnoughData("Nobody who had waited as long after as many orders has ordered again so far.")
    last = curve.iloc[-1]
    early, middle, late = (_day(curve, share) for share in (EARLY, HALF, LATE))
    return NextOrder(
        waited=waited,
        share=1 - float(last["survival"]),
        low=1 - float(last["high"]),
        high=1 - float(last["low"]),
        early=early,
        middle=middle,
        late=late,
        horizon=int(last["day"]),
        customers=customers,
    )


def _day(curve: pd.DataFrame, share: float) -> int:
    """The first day by which ``share`` of those who come back have done so."""
    found = time_reached(curve, share * (1 - float(curve["survival"].iloc[-1]))).day
    if found is None:
        raise AssertionError("a share of what a curve reaches is reached")
    return found
