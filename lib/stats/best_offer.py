"""The best offer over depth, delay and audience, within the guardrails; and the same as a curve to look at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.stats.assumptions import Assumptions, draw
from lib.stats.rewards import Reward
from lib.stats.waiting import Waiting
from lib.stats.what_if import Offer, WhatIf, break_even, log_hr, what_if

COLUMNS = ("audience", "depth", "delay", "profit", "chance", "spent", "margin_left", "break_even")
# Every cell is worked out on these; what is chosen is worked out anew on all draws.
SCAN_DRAWS = 1_000
RewardOf = Callable[[float, float], Reward]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A group the offer could go to: its offer (whose reward is replaced) and its baseline for each delay."""

    name: str
    offer: Offer
    waiting: Mapping[int, Waiting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """What an offer must keep to; null is no limit.

    ``margin_floor``: gross margin of a redeemed order after its reward, as a share of what is paid. ``budget``: what
    rewards and contacts may cost, at the high end of its 90 % range. ``chance``: the least P(profit > 0).
    """

    margin_floor: float | None = None
    budget: float | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Best:
    """The offer with the highest expected profit that keeps to the guardrails, or none.

    ``audience``, ``depth`` and ``delay`` are null when no offer keeps to them or none is expected to earn anything:
    then the best is to offer nothing. ``cells`` holds ``COLUMNS`` and ``kept`` for everything that was tried.
    """

    audience: str | None
    depth: float | None
    delay: int | None
    result: WhatIf | None
    cells: pd.DataFrame

    @property
    def tried(self) -> int:
        return len(self.cells)

    @property
    def kept(self) -> int:
        return int(self.cells["kept"].sum())


def profit_over(
    audiences: Sequence[Audience], depths: Sequence[float], reward_of: RewardOf, assumptions: Assumptions
) -> pd.DataFrame:
    """Expected profit over audience × depth × delay, each cell on the same 1,000 draws.

    Args:
        audiences: with a baseline for every delay that is to be tried.
        depths: of the reward, whatever ``reward_of`` makes of them.
        reward_of: (depth, basket) to the reward.
        assumptions: as shown.
    Returns:
        one row per cell with ``COLUMNS``: expected ``profit``, ``chance`` that it is above 0, the high end of what
        is ``spent`` (of its 90 % range), ``margin_left`` on a redeemed order (share), ``break_even`` uplift (NaN:
        never pays).
    """
    draws = draw(assumptions, n=SCAN_DRAWS)
    rows = []
    for audience in audiences:
        delays = list(audience.waiting)
        baselines = list(audience.waiting.values())
        hazard = np.stack([-np.log1p(-w.bought) * np.exp(w.se_log * draws.baseline) for w in baselines])
        p0 = -np.expm1(-hazard)
        anyway = draws.redeemed_anyway * audience.offer.qualifying_share
        for depth in depths:
            offer = replace(audience.offer, reward=reward_of(depth, audience.offer.basket))
            delta = -np.expm1(-hazard * np.exp(log_hr(offer.v, draws))) - p0
            is_more = delta > 0
            redeemed = p0 * anyway + delta * np.where(is_more, assumptions.redeemed_new, anyway)
            spent = redeemed * offer.reward.cost + offer.contact_cost
            profit = delta * np.where(is_more, 1 - draws.pulled_forward, 1.0) * offer.gain - spent
            n = np.array([offer.contacted(w) for w in baselines])
            high = np.partition(spent, int(0.95 * SCAN_DRAWS), axis=1)[:, int(0.95 * SCAN_DRAWS)]
            uplifts = [break_even(offer, w).uplift for w in baselines]
            rows.append(
                pd.DataFrame(
                    {
                        "audience": audience.name,
                        "depth": depth,
                        "delay": delays,
                        "profit": n * profit.mean(axis=1),
                        "chance": (profit > 0).mean(axis=1),
                        "spent": n * high,
                        "margin_left": offer.margin_left,
                        "break_even": [float("nan") if uplift is None else uplift for uplift in uplifts],
                    }
                )
            )
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(COLUMNS))


def best_offer(
    audiences: Sequence[Audience],
    depths: Sequence[float],
    reward_of: RewardOf,
    assumptions: Assumptions,
    guardrails: Guardrails,
) -> Best:
    """Scan audience × depth × delay and take the highest expected profit that keeps to the guardrails.

    The winner of many cells looks a little better than it is; it is worked out anew on all draws before it is shown,
    and offers nothing when that is not above 0.

    Args: see :func:`profit_over`.
    """
    cells = profit_over(audiences, depths, reward_of, assumptions)
    kept = pd.Series(True, index=cells.index)
    if guardrails.margin_floor is not None:
        kept &= cells["margin_left"] >= guardrails.margin_floor
    if guardrails.budget is not None:
        kept &= cells["spent"] <= guardrails.budget
    if guardrails.chance is not None:
        kept &= cells["chance"] >= guardrails.chance
    cells["kept"] = kept
    nothing = Best(audience=None, depth=None, delay=None, result=None, cells=cells)
    allowed = cells[kept & (cells["profit"] > 0)]
    if allowed.empty:
        return nothing
    top = allowed.iloc[int(allowed["profit"].argmax())]
    audience = next(a for a in audiences if a.name == top["audience"])
    depth, delay = float(top["depth"]), int(top["delay"])
    offer = replace(audience.offer, reward=reward_of(depth, audience.offer.basket))
    result = what_if(offer, audience.waiting[delay], assumptions)
    if not result.profit.mean() > 0:
        return nothing
    return Best(audience=audience.name, depth=depth, delay=delay, result=result, cells=cells)
