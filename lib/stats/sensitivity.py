"""Which assumptions matter most: the profit when one at a time goes to an end of its range."""

import numpy as np
import pandas as pd

from lib.stats.assumptions import Assumptions, Draws
from lib.stats.intervals import normal_quantile
from lib.stats.waiting import Waiting
from lib.stats.what_if import LEVEL, Offer, outcome

COLUMNS = ("assumption", "low_value", "high_value", "at_low", "at_middle", "at_high", "swing")


def tornado(offer: Offer, waiting: Waiting, assumptions: Assumptions) -> pd.DataFrame:
    """Profit when one assumption at a time goes to either end of its 90 % range, the others at their medians.

    Args:
        offer: as its sliders stand.
        waiting: its baseline.
        assumptions: as shown.
    Returns:
        one row per assumption, the widest swing first: ``assumption`` (``contact``, ``pull``, ``offer_noise``,
        ``pulled_forward``, ``redeemed_anyway``, ``baseline``), the values at its ends (``baseline`` as p₀), the
        profit ``at_low`` and ``at_high`` end and ``at_middle`` with all at their medians, and how far the ends are
        apart. Those that cannot move the profit are left out.
    """
    low, high = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    z = normal_quantile(LEVEL)
    pulled, anyway = assumptions.pulled_forward, assumptions.redeemed_anyway
    # Each as low end, median, high end.
    ranges: dict[str, list[float]] = {
        "contact": [assumptions.contact + step * assumptions.contact_sd for step in (-z, 0.0, z)],
        "pull": [float(assumptions.pull_quantile(level)) for level in (low, 0.5, high)],
        "offer_noise": [step * assumptions.offer_sd for step in (-z, 0.0, z)],
        "pulled_forward": [pulled.quantile(level) for level in (low, 0.5, high)],
        "redeemed_anyway": [anyway.quantile(level) for level in (low, 0.5, high)],
        "baseline": [-z, 0.0, z],
    }
    middle = {name: values[1] for name, values in ranges.items()}
    ends = [middle | {name: end} for name, values in ranges.items() for end in (values[0], values[2])]
    cases = [*ends, middle]
    draws = Draws(**{name: np.array([case[name] for case in cases]) for name in ranges})
    profit = outcome(offer, waiting, draws, assumptions.redeemed_new).profit
    ranges["baseline"] = [waiting.shifted(step) for step in ranges["baseline"]]
    table = pd.DataFrame(
        {
            "assumption": list(ranges),
            "low_value": [values[0] for values in ranges.values()],
            "high_value": [values[2] for values in ranges.values()],
            "at_low": profit[0:-1:2],
            "at_middle": profit[-1],
            "at_high": profit[1:-1:2],
        }
    )
    table["swing"] = (table["at_high"] - table["at_low"]).abs()
    moves = table["swing"] > 1e-12 * float(np.abs(profit).max())
    return table[moves].sort_values("swing", ascending=False, kind="stable").reset_index(drop=True)[list(COLUMNS)]
