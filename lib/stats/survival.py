"""Time to the second order: how many come back, and when, though many are still open.

The grouped table (first day, gap or null, n) serves any as-of day: :func:`spells` and :func:`share_within` cut it
to what was known on that day's morning. Days are whole store days counted from any fixed origin.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from lib.errors import NotEnoughData
from lib.stats.intervals import normal_quantile, wilson

Vector = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]

ENOUGH_AT_RISK = 50


def spells(second_order: pd.DataFrame, as_of_day: int) -> pd.DataFrame:
    """Turn (first day, gap) into spells as they stood on the morning of ``as_of_day``.

    A second purchase counts when first_day + gap < as_of_day. Everyone else is censored after
    as_of_day - 1 - first_day days. Customers whose first_day is as_of_day or later do not exist yet.

    Args:
        second_order: rows of ``first_day``, ``gap`` (days to the second occasion, null: none yet), ``n``.
        as_of_day: a store day, itself excluded.
    Returns:
        one row per day: ``day`` (days since the first order), ``events``, ``censored`` (customers).
        No rows when no customer exists yet.
    """
    first_day, gap, has_gap, n = _columns(second_order)
    exists = first_day < as_of_day
    first_day, gap, has_gap, n = first_day[exists], gap[exists], has_gap[exists], n[exists]
    came_back = has_gap & (first_day + gap < as_of_day)
    day = np.where(came_back, gap, as_of_day - 1 - first_day)
    length = int(day.max()) + 1 if len(day) else 0
    events = np.bincount(day[came_back], weights=n[came_back], minlength=length).astype(np.int64)
    censored = np.bincount(day[~came_back], weights=n[~came_back], minlength=length).astype(np.int64)
    rows = np.flatnonzero(events + censored)
    return pd.DataFrame({"day": rows, "events": events[rows], "censored": censored[rows]})


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatShare:
    """Repeat within N days: of ``mature`` customers ``repeated`` came back; ``immature`` are left out.

    ``share``, ``low`` and ``high`` (Wilson) are null when nobody is mature.
    """

    days: int
    mature: int
    repeated: int
    immature: int
    share: float | None
    low: float | None
    high: float | None


def share_within(second_order: pd.DataFrame, days: int, as_of_day: int, level: float = 0.95) -> RepeatShare:
    """Among customers followed for ``days`` days, the share with a second purchase 1 to ``days`` days later.

    Mature when first_day + days < as_of_day, whether or not they came back: a customer who came back early is no
    more mature than one who did not. Customers whose first_day is as_of_day or later do not exist yet.

    Args:
        second_order: rows of ``first_day``, ``gap`` (null: none yet), ``n``.
        days: N.
        as_of_day: a store day, itself excluded.
        level: of confidence.
    """
    first_day, gap, has_gap, n = _columns(second_order)
    is_mature = first_day + days < as_of_day
    mature = int(n[is_mature].sum())
    repeated = int(n[is_mature & has_gap & (gap <= days)].sum())
    low, high = wilson(repeated, mature, level) if mature else (None, None)
    return RepeatShare(
        days=days,
        mature=mature,
        repeated=repeated,
        immature=int(n[(first_day < as_of_day) & ~is_mature].sum()),
        share=repeated / mature if mature else None,
        low=low,
        high=high,
    )


def mature_from(first_day: int, days: int) -> int:
    """The first as-of day on which a customer of ``first_day`` is mature for repeat within ``days`` days."""
    return first_day + days + 1


def kaplan_meier(spells: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Estimate the share still to buy again, by day since the first order.

    S(t) = prod over t_i <= t of (1 - d_i/n_i). Who is censored on day t was still at risk on day t.
    Greenwood variance S²·sum d_i/(n_i(n_i - d_i)), interval on the log(-log S) scale, so it stays in 0 to 1.
    Assumes that customers who are still open will come back as those did who were followed longer.

    Args:
        spells: rows of ``day`` (days), ``events``, ``censored`` (customers); days may repeat, in any order.
        level: of confidence.
    Returns:
        one row per day with an event: ``day``, ``survival``, ``low``, ``high`` (shares), ``at_risk``, ``events``
        (customers), ``se`` (of survival). Limits and se are NaN where survival is 0. No rows when nobody came back.
    Raises:
        NotEnoughData: no spells at all (what is shown needs 50 at risk: see :func:`worth_showing`).
    References:
        Kaplan & Meier (1958), doi:10.2307/2281868; Kalbfleisch & Prentice (2002), section 1.4.
    """
    day, events, at_risk = life_table(spells)
    happened = events > 0
    day, events, at_risk = day[happened], events[happened], at_risk[happened]
    remaining = at_risk - events
    survival = np.cumprod(remaining / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * remaining))
        se = np.where(survival > 0, survival * np.sqrt(greenwood), np.nan)
        log_survival = np.log(survival)
        shift = normal_quantile(level) * np.sqrt(greenwood) / log_survival  # negative: log S is
        low = np.where(survival > 0, survival ** np.exp(-shift), np.nan)
        high = np.where(survival > 0, survival ** np.exp(shift), np.nan)
    return pd.DataFrame(
        {
            "day": day,
            "survival": survival,
            "low": low,
            "high": high,
            "at_risk": at_risk.astype(np.int64),
            "events": events.astype(np.int64),
            "se": se,
        }
    )


def survival_at(curve: pd.DataFrame, day: int) -> float:
    """Read the survival share on a day off a curve of :func:`kaplan_meier` (1.0 before the first event)."""
    position = int(np.searchsorted(curve["day"].to_numpy(), day, side="right"))
    return 1.0 if position == 0 else float(curve["survival"].to_numpy()[position - 1])


@dataclass(frozen=True, slots=True)
class TimeReached:
    """The day by which a share of customers has come back; null means not reached."""

    share: float
    day: int | None
    low: int | None
    high: int | None


def time_reached(curve: pd.DataFrame, share: float = 0.5) -> TimeReached:
    """Find the first day by which ``share`` of the customers has come back: 0.5 asks for the median.

    The first day with S(t) <= 1 - share; its limits are the first days on which the curve's own limits cross
    the same line. Where the curve never falls so far the day is null: "not reached", never the largest seen.

    Args:
        curve: of :func:`kaplan_meier`.
        share: above 0, below 1.
    References:
        Brookmeyer & Crowley (1982), doi:10.2307/2530286.
    """
    line = 1 - share + 1e-12
    days = curve["day"].to_numpy()

    def first(column: str) -> int | None:
        values = curve[column].to_numpy(dtype=np.float64)
        below = (np.nan_to_num(values, nan=0.0) if column == "survival" else values) <= line
        return int(days[below.argmax()]) if below.any() else None

    return TimeReached(share=share, day=first("survival"), low=first("low"), high=first("high"))


def worth_showing(curve: pd.DataFrame, *, at_risk: int = ENOUGH_AT_RISK) -> pd.DataFrame:
    """Cut a curve off where fewer than ``at_risk`` customers are left: a guard for displays, not for the estimate."""
    return curve[curve["at_risk"] >= at_risk]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRank:
    """Whether groups come back alike: ``p`` is small when they do not.

    ``observed`` and ``expected`` are the events of each group, expected if all came back alike.
    """

    chi2: float
    df: int
    p: float
    observed: dict[str, float]
    expected: dict[str, float]


def log_rank(groups: Mapping[str, pd.DataFrame]) -> LogRank:
    """Test whether two or more groups come back alike, over the whole of their curves.

    On each event day the d events fall on the n customers at risk as drawn without replacement:
    E_g = d·n_g/n, V_gh = d(n-d)/(n-1)·(n_g/n)(1[g=h] - n_h/n), which is right with ties.
    chi2 = (O-E)'V⁻(O-E) on k-1 degrees of freedom. Strongest when one group is always ahead; curves that
    cross may escape it.

    Args:
        groups: per name rows of ``day``, ``events``, ``censored``; groups without customers are left out.
    Raises:
        NotEnoughData: fewer than two groups with customers at risk on an event day, or no event at all.
    References:
        Mantel (1966); Peto & Peto (1972), doi:10.2307/2344317.
    """
    tables = {name: life_table(spells) for name, spells in groups.items() if _customers(spells) > 0}
    if len(tables) < 2:
        raise NotEnoughData(f"Comparing groups needs two with customers; there are {len(tables)}.")
    days = np.unique(np.concatenate([day[events > 0] for day, events, _ in tables.values()]))
    if not len(days):
        raise NotEnoughData("Comparing groups needs somebody who came back; nobody has.")
    observed_on = np.zeros((len(tables), len(days)))
    risk_on = np.zeros((len(tables), len(days)))
    for row, (day, events, at_risk) in enumerate(tables.values()):
        observed_on[row, np.searchsorted(days, day[events > 0])] = events[events > 0]
        position = np.searchsorted(day, days, side="left")
        risk_on[row] = np.append(at_risk, 0.0)[position]
    risk, hits = risk_on.sum(axis=0), observed_on.sum(axis=0)
    share = risk_on / risk
    observed, expected = observed_on.sum(axis=1), share @ hits
    spread = hits * (risk - hits) / np.maximum(risk - 1, 1)
    covariance = np.diag(share @ spread) - (share * spread) @ share.T
    varies = np.diag(covariance) > 1e-12 * max(1.0, float(hits.sum()))
    df = int(varies.sum()) - 1
    if df < 1:
        raise NotEnoughData("Comparing groups needs two that are at risk on the same day; they never are.")
    difference = (observed - expected)[varies]
    chi2 = float(difference @ np.linalg.pinv(covariance[np.ix_(varies, varies)], rcond=1e-10) @ difference)
    return LogRank(
        chi2=chi2,
        df=df,
        p=float(special.chdtrc(df, max(chi2, 0.0))),
        observed=dict(zip(tables, observed.tolist(), strict=True)),
        expected=dict(zip(tables, expected.tolist(), strict=True)),
    )


def _customers(spells: pd.DataFrame) -> float:
    return float(spells["events"].sum() + spells["censored"].sum())


def life_table(spells: pd.DataFrame) -> tuple[Days, Vector, Vector]:
    """Sort spells into distinct days, with the events and the customers at risk on each.

    Raises:
        NotEnoughData: no customers.
    """
    day = spells["day"].to_numpy(dtype=np.int64)
    events = spells["events"].to_numpy(dtype=np.float64)
    leaving = events + spells["censored"].to_numpy(dtype=np.float64)
    if not leaving.sum() > 0:
        raise NotEnoughData("Time to the second order needs customers; there are none.")
    if len(day) > 1 and not bool((day[1:] > day[:-1]).all()):
        day, place = np.unique(day, return_inverse=True)
        events = np.bincount(place, weights=events)
        leaving = np.bincount(place, weights=leaving)
    return day, events, leaving[::-1].cumsum()[::-1]


def _columns(second_order: pd.DataFrame) -> tuple[Days, Days, npt.NDArray[np.bool_], Days]:
    gap = second_order["gap"]
    has_gap = gap.notna().to_numpy(dtype=np.bool_)
    return (
        second_order["first_day"].to_numpy(dtype=np.int64),
        np.where(has_gap, gap.to_numpy(dtype=np.float64, na_value=np.nan), 0.0).astype(np.int64),
        has_gap,
        second_order["n"].to_numpy(dtype=np.int64),
    )
