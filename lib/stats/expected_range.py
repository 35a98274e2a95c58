"""Is today unusual? The range expected of each day, from what was known the evening before.

Level, slope and weekday are followed by a robust Holt-Winters filter; the range around its forecast is conformal:
it is as wide as the errors the same forecast made on earlier days. Nothing of a day enters its own range.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.stats.intervals import normal_quantile
from lib.stats.multiple import benjamini_hochberg

Vector = npt.NDArray[np.float64]
Kind = Literal["count", "money", "ratio"]

WEEK = 7
STARTING_DAYS = 28
BAND_AFTER_DAYS = 84
ALERTS_AFTER_ERRORS = 90
REMEMBERED_ERRORS = 364
DAYS_PER_FALSE_ALARM = 91
HELD_WEEKDAYS = 3
FEWEST_ERRORS = 20
TUNED_EVERY_DAYS = 28

CLIP, SCALE_SMOOTHING, RHO = 2.0, 0.1, 2.52  # Gelper, Fried & Croux: k = 2 and c_k = 2.52, so that E rho(Z) = 1
LEVELS, SLOPES, SEASONS = (0.03, 0.1, 0.25), (0.0, 0.02), (0.05, 0.2)
GRID = np.array([(level, slope, season) for level in LEVELS for slope in SLOPES for season in SEASONS])


@dataclass(frozen=True, slots=True)
class _Scale:
    """How values are made even before they are followed: a count by log1p, signed money by asinh(x/median)."""

    kind: Kind
    unit: float

    def forth(self, values: Vector) -> Vector:
        if self.kind == "count":
            return np.asarray(np.log1p(np.maximum(values, 0.0)))
        return np.asarray(np.arcsinh(values / self.unit)) if self.kind == "money" else values / self.unit

    def back(self, values: Vector) -> Vector:
        if self.kind == "count":
            return np.asarray(np.maximum(np.expm1(values), 0.0))
        return np.asarray(np.sinh(values) * self.unit) if self.kind == "money" else values * self.unit


def expected_range(
    series: pd.DataFrame, *, kind: Kind, holidays: Collection[int] = frozenset(), level: float = 0.95
) -> pd.DataFrame:
    """Give each day the value and the range expected of it, and mark the days outside.

    Forecast: level + slope + weekday, updated from errors clipped at two scales (Gelper, Fried & Croux 2010), so
    that an outlier moves little; the scale itself is followed with a bounded loss. The smoothing is chosen anew
    every 28 days as the one of twelve whose earlier errors were smallest. Range: with n earlier errors |e|, the
    ceil((n+1)·level)-th smallest of the last 364 either way of the forecast; p = (1 + #{|e_i| >= |e|})/(n+1).
    That holds for any distribution as long as errors keep their size; a change of their size shows for some weeks.
    It holds over all days, not for each weekday: a day on which the store is always shut is never unusual, and the
    other days then stand outside a little more often.
    An alert has p <= 1/91, one false alarm in about a quarter per figure; over many figures see :func:`alerts_over`.

    Args:
        series: rows of ``day`` (whole store days from any origin, ascending) and ``value`` (NaN: not known yet, for
            example today, which gets a range and no mark). Missing days are unknown, not zero.
        kind: "count" (at least 0; log1p), "money" (may be negative; asinh of value/median), "ratio" (as it is).
        holidays: days that are neither judged nor learned from: holidays and the store's own events.
        level: share of days that the range should hold.
    Returns:
        one row per day given: ``day``, ``expected``, ``low``, ``high`` (unit of the value), ``score`` (the error in
        units of a normal deviation: beyond ±1.96 is outside 95 %), ``p``, ``is_outside``, ``is_alert``,
        ``basis``: "model" from day 84 on; before it "weekday": median, lowest and highest of the same weekday's
        history (3 or more), which marks nothing; "skipped" on a holiday and "none", both without a range.
        Alerts start after 90 errors.
    Raises:
        ValueError: days that do not ascend.
    References:
        Gelper, Fried & Croux (2010), doi:10.1002/for.1125; Lei et al. (2018), doi:10.1080/01621459.2017.1307116.
    """
    given = series["day"].to_numpy(dtype=np.int64)
    if len(given) > 1 and not bool((given[1:] > given[:-1]).all()):
        raise ValueError("days must ascend, each at most once")
    if not len(given):
        columns = ["day", "expected", "low", "high", "score", "p", "is_outside", "is_alert", "basis"]
        return pd.DataFrame(columns=columns)
    first, length = int(given[0]), int(given[-1] - given[0]) + 1
    values = np.full(length, np.nan)
    values[given - first] = series["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    skipped = np.isin(np.arange(first, first + length), np.fromiter(holidays, dtype=np.int64, count=len(holidays)))
    learned = np.where(skipped, np.nan, values)

    scale = _Scale(kind, _unit(learned))
    even = scale.forth(learned)
    forecast, error = _follow(even, first % WEEK)
    half, p, score, errors_before = _conformal(error, level)

    has_model = (np.arange(length) >= BAND_AFTER_DAYS) & (errors_before >= FEWEST_ERRORS) & np.isfinite(forecast)
    expected, low, high = (np.full(length, np.nan) for _ in range(3))
    expected[has_model] = scale.back(forecast[has_model])
    low[has_model] = scale.back((forecast - half)[has_model])
    high[has_model] = scale.back((forecast + half)[has_model])
    basis = np.where(has_model, "model", "none").astype(object)
    _same_weekday(learned, has_model, expected, low, high, basis)
    for column in (expected, low, high):
        column[skipped] = np.nan
    basis[skipped] = "skipped"
    blank = ~has_model | skipped
    p, score = np.where(blank, np.nan, p), np.where(blank, np.nan, score)
    frame = pd.DataFrame(
        {
            "day": np.arange(first, first + length),
            "expected": expected,
            "low": low,
            "high": high,
            "score": score,
            "p": p,
            "is_outside": p <= 1 - level + 1e-12,
            "is_alert": (p <= 1 / DAYS_PER_FALSE_ALARM + 1e-12) & (errors_before >= ALERTS_AFTER_ERRORS),
            "basis": basis,
        }
    )
    return frame if len(given) == length else frame.iloc[given - first].reset_index(drop=True)


def alerts_over(ranges: Mapping[str, pd.DataFrame], *, false_share: float = 0.1) -> dict[str, pd.DataFrame]:
    """Keep the alerts that still stand when all figures of a day are looked at together.

    Each figure has its own budget of false alarms; a morning with twenty figures would spend twenty. On each day
    Benjamini-Hochberg over the figures keeps at most the share ``false_share`` of alerts false on average.

    Args:
        ranges: per figure what :func:`expected_range` gave.
        false_share: of the alerts of a day.
    Returns:
        the same frames with ``is_alert`` narrowed and a column ``q``, the share of alerts that would be false if
        this one were the weakest kept (NaN on days without any alert).
    """
    alert_days = np.unique(
        np.concatenate([np.empty(0, dtype=np.int64), *(frame["day"][frame["is_alert"]] for frame in ranges.values())])
    )
    p = np.full((len(ranges), len(alert_days)), np.nan)
    for row, frame in enumerate(ranges.values()):
        on = frame[frame["day"].isin(alert_days)]
        p[row, np.searchsorted(alert_days, on["day"].to_numpy())] = on["p"]
    q = np.array([benjamini_hochberg(column) for column in p.T]).reshape(len(alert_days), len(ranges)).T
    narrowed = {}
    for row, (name, frame) in enumerate(ranges.items()):
        of_day = pd.Series(q[row], index=alert_days, dtype=np.float64).reindex(frame["day"]).to_numpy()
        narrowed[name] = frame.assign(q=of_day, is_alert=frame["is_alert"].to_numpy() & (of_day <= false_share))
    return narrowed


def _unit(learned: Vector) -> float:
    """The median size of the first weeks: what later days are measured in, and known before them."""
    sizes = np.abs(learned[:BAND_AFTER_DAYS])
    sizes = sizes[sizes > 0]
    return float(np.median(sizes)) if len(sizes) else 1.0


def _follow(even: Vector, weekday: int) -> tuple[Vector, Vector]:
    """One-step forecasts and errors, from the end of the starting weeks on; NaN before, and errors where unknown."""
    length = len(even)
    forecasts, errors = np.full(length, np.nan), np.full(length, np.nan)
    start = even[:STARTING_DAYS]
    if length <= STARTING_DAYS or np.isfinite(start).sum() < STARTING_DAYS // 2:
        return forecasts, errors
    level0 = float(np.nanmedian(start))
    season0 = np.zeros(WEEK)
    for position in range(WEEK):
        same = start[position::WEEK]
        if np.isfinite(same).any():
            season0[(weekday + position) % WEEK] = np.nanmedian(same) - level0
    residual = start - level0 - season0[(weekday + np.arange(len(start))) % WEEK]
    smallest = 1e-3
    scale0 = max(1.4826 * float(np.nanmedian(np.abs(residual))), smallest)

    size = len(GRID)
    by_level, by_slope, by_season = GRID[:, 0], GRID[:, 0] * GRID[:, 1], (1 - GRID[:, 0]) * GRID[:, 2]
    level, slope = np.full(size, level0), np.zeros(size)
    season = [np.full(size, season0[day]) for day in range(WEEK)]
    scale = np.full(size, scale0)
    lost, best = np.zeros(size), size // 2
    known = np.isfinite(even).tolist()
    values = even.tolist()
    for position in range(STARTING_DAYS, length):
        of_day = season[(weekday + position) % WEEK]
        level += slope
        forecast = level + of_day
        forecasts[position] = forecast[best]
        if known[position]:
            error = values[position] - forecast
            errors[position] = error[best]
            clipped = np.minimum(np.maximum(error / scale, -CLIP), CLIP)
            cleaned = clipped * scale
            lost += np.abs(cleaned)
            kept = 1 - clipped * clipped / CLIP**2
            scale *= np.sqrt(1 - SCALE_SMOOTHING + SCALE_SMOOTHING * RHO * (1 - kept * kept * kept))
            np.maximum(scale, smallest, out=scale)
            level += by_level * cleaned
            slope += by_slope * cleaned
            of_day += by_season * cleaned
        if position % TUNED_EVERY_DAYS == 0:
            best = int(lost.argmin())
            lost *= 0.8
    return forecasts, errors


def _conformal(error: Vector, level: float) -> tuple[Vector, Vector, Vector, Vector]:
    """Per day, from the errors before it: half the range, p, signed score, and how many errors there were."""
    length = len(error)
    half, p, score, before = (np.full(length, np.nan) for _ in range(4))
    deviation = normal_quantile(level)
    ordered: list[float] = []
    recent: deque[float] = deque()
    seen = 0
    for position, value in enumerate(error.tolist()):
        count = len(ordered)
        before[position] = seen
        rank = ceil((count + 1) * level - 1e-9)
        width = ordered[rank - 1] if 0 < rank <= count else np.inf
        half[position] = width
        if value != value:
            continue
        size = abs(value)
        p[position] = (1 + count - bisect_left(ordered, size)) / (count + 1)
        score[position] = value / width * deviation if width > 0 else 0.0 if value == 0 else np.copysign(np.inf, value)
        insort(ordered, size)
        recent.append(size)
        seen += 1
        if len(recent) > REMEMBERED_ERRORS:
            del ordered[bisect_left(ordered, recent.popleft())]
    return half, p, score, before


def _same_weekday(
    learned: Vector,
    has_model: npt.NDArray[np.bool_],
    expected: Vector,
    low: Vector,
    high: Vector,
    basis: npt.NDArray[np.object_],
) -> None:
    """Fill the days before the model with what the same weekday was before, where there is enough of it."""
    for position in np.flatnonzero(~has_model):
        history = learned[position % WEEK : position : WEEK]
        history = history[np.isfinite(history)]
        if len(history) >= HELD_WEEKDAYS:
            expected[position], low[position], high[position] = np.median(history), history.min(), history.max()
            basis[position] = "weekday"
