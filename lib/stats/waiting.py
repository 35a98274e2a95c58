"""What happens without the offer: who still waits on the trigger day, and how many of them buy before it expires."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, expm1, log1p, sqrt

import numpy as np
import pandas as pd

from lib.errors import NotEnoughData
from lib.stats.survival import life_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The baseline of an offer that starts ``delay`` days after its trigger and lasts ``expiry`` days.

    ``still`` = S(τ) is the share that has not bought by the trigger day, ``bought`` = p₀ = 1 - S(τ+W)/S(τ) the share
    of these that buys before the expiry without any offer. ``se_log`` is the standard error of log(-log(1 - p₀)), 0
    where the share is given and not measured; ``at_risk`` customers were followed to the expiry.
    """

    delay: int
    expiry: int
    still: float
    bought: float
    se_log: float = 0.0
    at_risk: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.still <= 1 or not 0 < self.bought < 1 or self.se_log < 0:
            raise ValueError(f"{self} is no baseline")

    def shifted(self, z: float) -> float:
        """p₀ when it lies ``z`` standard errors off, on the scale on which a hazard ratio multiplies."""
        return -expm1(log1p(-self.bought) * exp(z * self.se_log))


def waiting(spells: pd.DataFrame, *, delay: int, expiry: int) -> Waiting:
    """Read the baseline off the Kaplan-Meier curve of a segment since the trigger (ordered, delivered …).

    p₀ = 1 - S(τ+W)/S(τ), the product over event days in (τ, τ+W] alone; Greenwood's sum over the same days gives
    the variance of log(1 - p₀).

    Args:
        spells: rows of ``day`` since the trigger, ``events`` (bought again), ``censored`` (customers).
        delay: τ, days from the trigger to the offer.
        expiry: W, days that it can be used.
    Raises:
        NotEnoughData: nobody was followed to the expiry, or nobody (everybody) bought between.
        ValueError: a negative delay, or no days to use it.
    References:
        Kaplan & Meier (1958), doi:10.2307/2281868.
    """
    return next(iter(waiting_by_delay(spells, [delay], expiry=expiry).values()))


def waiting_by_delay(spells: pd.DataFrame, delays: Iterable[int], *, expiry: int) -> dict[int, Waiting]:
    """:func:`waiting` for several delays at once, from one life table; it refuses as that does."""
    days, events, at_risk = life_table(spells)
    hits = events > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        log_steps = np.concatenate([[0.0], np.cumsum(np.where(hits, np.log1p(-events / at_risk), 0.0))])
        greenwood = np.concatenate([[0.0], np.cumsum(np.where(hits, events / (at_risk * (at_risk - events)), 0.0))])
    result = {}
    for delay in delays:
        if delay < 0 or expiry < 1:
            raise ValueError(f"an offer after {delay} days that lasts {expiry}")
        if not len(days) or days[-1] < delay + expiry:
            raise NotEnoughData(
                f"No customer has been followed for {delay + expiry} days yet; choose a shorter delay or expiry."
            )
        start = int(np.searchsorted(days, delay, side="right"))
        end = int(np.searchsorted(days, delay + expiry, side="right"))
        log_left = float(log_steps[end] - log_steps[start])
        if not np.isfinite(log_steps[end]) or log_left == 0:
            who = "Nobody" if log_left == 0 else "Everybody"
            raise NotEnoughData(
                f"{who} bought between day {delay} and day {delay + expiry}; there is no rate to change."
            )
        result[delay] = Waiting(
            delay=delay,
            expiry=expiry,
            still=float(np.exp(log_steps[start])),
            bought=float(-np.expm1(log_left)),
            se_log=sqrt(float(greenwood[end] - greenwood[start])) / abs(log_left),
            at_risk=int(at_risk[np.searchsorted(days, delay + expiry, side="left")]),
        )
    return result
