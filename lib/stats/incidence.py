"""What comes next: reorder, return, ticket …, when only the first of them counts."""

import numpy as np
import pandas as pd

from lib.stats.intervals import normal_quantile
from lib.stats.survival import life_table


def cumulative_incidence(spells: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Estimate what comes next (reorder, return, ticket …), by day: the share whose *first* event was each cause.

    Aalen-Johansen: F_j(t) = sum over t_i <= t of S(t_i-)·d_ij/n_i. The causes and S(t) add up to 1, whereas
    one minus a Kaplan-Meier per cause, which censors the other causes, adds up to more. Variance by the delta
    method; interval on the log(-log F) scale.

    Args:
        spells: rows of ``day``, ``cause`` (null: nothing yet, censored), ``n`` (customers).
        level: of confidence.
    Returns:
        one row per cause and day with any event: ``cause``, ``day``, ``incidence``, ``low``, ``high`` (shares),
        ``at_risk``, ``events`` (customers), ``se``.
    Raises:
        NotEnoughData: no spells at all.
    References:
        Aalen & Johansen (1978); Marubini & Valsecchi (1995), equation 10.12.
    """
    known = spells["cause"].notna().to_numpy()
    n = spells["n"].to_numpy(dtype=np.float64)
    days = spells["day"].to_numpy()
    day, events, at_risk = life_table(
        pd.DataFrame({"day": days, "events": np.where(known, n, 0.0), "censored": np.where(known, 0.0, n)})
    )
    happened = events > 0
    day, events, at_risk = day[happened], events[happened], at_risk[happened]
    before = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)[:-1]]) if len(day) else day.astype(np.float64)
    left = at_risk - events
    all_causes = np.divide(events, at_risk * left, out=np.zeros_like(left), where=left > 0)
    labels = spells["cause"].to_numpy()
    z = normal_quantile(level)
    parts = []
    for cause in sorted(set(labels[known].tolist()), key=str):
        chosen = known & (labels == cause)
        hits = np.zeros(len(day))
        np.add.at(hits, np.searchsorted(day, days[chosen]), n[chosen])
        incidence = np.cumsum(before * hits / at_risk)
        own = before**2 * hits * (at_risk - hits) / at_risk**3
        shared = before * hits / at_risk**2
        squares = (
            incidence**2 * np.cumsum(all_causes)
            - 2 * incidence * np.cumsum(incidence * all_causes)
            + np.cumsum(incidence**2 * all_causes)
        )
        cross = incidence * np.cumsum(shared) - np.cumsum(incidence * shared)
        se = np.sqrt(np.maximum(squares + np.cumsum(own) - 2 * cross, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = z * se / (incidence * np.log(incidence))
            inside = (incidence > 0) & (incidence < 1)
            low = np.where(inside, incidence ** np.exp(-shift), np.nan)
            high = np.where(inside, incidence ** np.exp(shift), np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "cause": cause,
                    "day": day,
                    "incidence": incidence,
                    "low": low,
                    "high": high,
                    "at_risk": at_risk.astype(np.int64),
                    "events": hits.astype(np.int64),
                    "se": se,
                }
            )
        )
    columns = ["cause", "day", "incidence", "low", "high", "at_risk", "events", "se"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
