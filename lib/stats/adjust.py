"""Are two groups really different, once like is compared with like?"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import pandas as pd

from lib.errors import NotEnoughData
from lib.stats.intervals import normal_quantile

ENOUGH_OVERLAP = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """Exposed against not, within strata; the crude comparison stands beside it.

    Differences are shares, exposed less unexposed. ``overlap`` is the share of all cases in strata that hold both
    sides: only these are compared; below 0.8 the answer is about a minority. An odds ratio is null when a side has
    no cases or only cases.
    """

    risk_difference: float
    low: float
    high: float
    odds_ratio: float | None
    odds_ratio_low: float | None
    odds_ratio_high: float | None
    crude_risk_difference: float
    crude_odds_ratio: float | None
    n: int
    overlap: float

    @property
    def is_thin(self) -> bool:
        """Too few cases have somebody to be compared with."""
        return self.overlap < ENOUGH_OVERLAP


def mantel_haenszel(strata: pd.DataFrame, level: float = 0.95) -> Adjusted:
    """Compare a share between exposed and unexposed within strata, pooled over the strata.

    RD = sum(a·n0/N - b·n1/N) / sum(n1·n0/N) with Sato's variance; OR = sum(a·d/N) / sum(b·c/N) with the variance
    of Robins, Breslow & Greenland. Both hold for few large and for many sparse strata. Assumes that the difference
    (the odds ratio) is much the same in every stratum and that nothing outside the strata tells the sides apart:
    say "goes with", never "caused".

    Args:
        strata: one row per stratum: ``exposed_cases``, ``exposed``, ``unexposed_cases``, ``unexposed`` (counts;
            cases are the ones with the outcome, and part of the count beside them).
        level: of confidence.
    Raises:
        NotEnoughData: no stratum holds both sides.
    References:
        Mantel & Haenszel (1959); Sato (1989), doi:10.2307/2531784; Robins, Breslow & Greenland (1986).
    """
    a, n1, b, n0 = (
        strata[column].to_numpy(dtype=np.float64)
        for column in ("exposed_cases", "exposed", "unexposed_cases", "unexposed")
    )
    everyone = float(n1.sum() + n0.sum())
    crude = (float(a.sum()), float(n1.sum()), float(b.sum()), float(n0.sum()))
    both = (n1 > 0) & (n0 > 0)
    a, n1, b, n0 = a[both], n1[both], b[both], n0[both]
    if not len(a):
        raise NotEnoughData("An adjusted comparison needs a stratum that holds both sides; none does.")
    total = n1 + n0
    weight = float((n1 * n0 / total).sum())
    difference = float(((a * n0 - b * n1) / total).sum()) / weight
    shift = float(((n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / total**2).sum())
    noise = float(((a * (n0 - b) + b * (n1 - a)) / (2 * total)).sum())
    half = normal_quantile(level) * sqrt(max(difference * shift + noise, 0.0)) / weight
    odds = _odds_ratio(a, n1 - a, b, n0 - b, level)
    crude_odds_bottom = crude[2] * (crude[1] - crude[0])
    return Adjusted(
        risk_difference=difference,
        low=max(difference - half, -1.0),
        high=min(difference + half, 1.0),
        odds_ratio=odds[0],
        odds_ratio_low=odds[1],
        odds_ratio_high=odds[2],
        crude_risk_difference=crude[0] / crude[1] - crude[2] / crude[3],
        crude_odds_ratio=crude[0] * (crude[3] - crude[2]) / crude_odds_bottom if crude_odds_bottom else None,
        n=int(total.sum()),
        overlap=float(total.sum()) / everyone,
    )


def e_value(risk_ratio: float) -> float:
    """How strong an unseen common cause would have to be to explain a risk ratio away.

    RR + sqrt(RR(RR - 1)), of 1/RR when RR is below 1: the risk ratio that it needs with both sides.

    Raises:
        ValueError: not a positive number.
    References:
        VanderWeele & Ding (2017), doi:10.7326/M16-2607.
    """
    if not risk_ratio > 0:
        raise ValueError(f"{risk_ratio} is no risk ratio")
    ratio = max(risk_ratio, 1 / risk_ratio)
    return ratio + sqrt(ratio * (ratio - 1))


def _odds_ratio(
    a: np.ndarray, c: np.ndarray, b: np.ndarray, d: np.ndarray, level: float
) -> tuple[float | None, float | None, float | None]:
    """Exposed with (a) and without (c) the outcome, unexposed with (b) and without (d)."""
    total = a + b + c + d
    with_it, without = a * d / total, b * c / total
    top, bottom = float(with_it.sum()), float(without.sum())
    if not top or not bottom:
        return None, None, None
    agree, differ = (a + d) / total, (b + c) / total
    variance = (
        float((agree * with_it).sum()) / (2 * top**2)
        + float((agree * without + differ * with_it).sum()) / (2 * top * bottom)
        + float((differ * without).sum()) / (2 * bottom**2)
    )
    ratio, half = top / bottom, normal_quantile(level) * sqrt(variance)
    return ratio, exp(log(ratio) - half), exp(log(ratio) + half)
