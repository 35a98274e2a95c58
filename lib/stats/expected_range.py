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

from lib.stats.holt_winters import WEEK, follow
from lib.stats.intervals import normal_quantile
from lib.stats.multiple import benjamini_hochberg

Vector = npt.NDArray[np.float64]
Kind = Literal["count", "money", "ratio"]

BAND_AFTER_DAYS = 84
ALERTS_AFTER_ERRORS = 90
REMEMBERED_ERRORS = 364
DAYS_PER_FALSE_ALARM = 91
FEWEST_WEEKDAYS = 3
FEWEST_ERRORS = 20
COLUMNS = ["day", "expected", "low", "high", "score", "p", "is_outside", "is_alert", "basis"]


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

    Forecast: robust Holt-Winters with weekdays (:func:`lib.stats.holt_winters.follow`) of the values made even.
    Range: with n earlier errors |e|, the ceil((n+1)·level)-th smallest of the last 364 either way of the forecast;
    p = (1 + #{|e_i| >= |e|})/(n+1). That holds for any distribution as long as errors keep their size; a change of
    their size shows for some weeks. It holds over all days, not for each weekday: a day on which the store is
    always shut is never unusual, and the other days then stand outside a little more often.
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
        ``basis``: "model" from 84 days after the first known one; before it "weekday": median, lowest and highest
        of the same weekday's history (3 or more), which marks nothing; "skipped" on a holiday and "none", both
        without a range.
        Alerts start after 90 errors.
    Raises:
        ValueError: days that do not ascend.
    References:
        Gelper, Fried & Croux (2010), doi:10.1002/for.1125; Lei et al. (2018), doi:10.1080/01621459.2017.1307116.
    """
    table = pd.DataFrame({"day": series["day"], "value": series["value"]})
    return expected_ranges(table, kinds={"value": kind}, holidays=holidays, level=level)["value"]


def expected_ranges(
    table: pd.DataFrame, *, kinds: Mapping[str, Kind], holidays: Collection[int] = frozenset(), level: float = 0.95
) -> dict[str, pd.DataFrame]:
    """Do :func:`expected_range` for several figures of the same days at once, in little more time than for one.

    Args:
        table: ``day`` and one column of values per figure.
        kinds: per figure to be judged (a column of the table), how its values are made even.
        holidays: as in :func:`expected_range`.
        level: as in :func:`expected_range`.
    Returns:
        per figure what :func:`expected_range` gives.
    """
    given = table["day"].to_numpy(dtype=np.int64)
    if len(given) > 1 and not bool((given[1:] > given[:-1]).all()):
        raise ValueError("days must ascend, each at most once")
    if not len(given):
        return {name: pd.DataFrame(columns=COLUMNS) for name in kinds}
    first, length = int(given[0]), int(given[-1] - given[0]) + 1
    skipped = np.isin(np.arange(first, first + length), np.fromiter(holidays, dtype=np.int64, count=len(holidays)))
    learned = np.full((len(kinds), length), np.nan)
    for row, name in enumerate(kinds):
        learned[row, given - first] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    learned[:, skipped] = np.nan
    scales = [_Scale(kind, _unit(values)) for kind, values in zip(kinds.values(), learned, strict=True)]
    even = np.array([scale.forth(values) for scale, values in zip(scales, learned, strict=True)]).reshape(learned.shape)
    forecasts, errors = follow(even, first % WEEK)
    return {
        name: _judged(given, learned[row], skipped, scales[row], forecasts[row], errors[row], level)
        for row, name in enumerate(kinds)
    }


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


def _judged(
    given: npt.NDArray[np.int64],
    learned: Vector,
    skipped: npt.NDArray[np.bool_],
    scale: _Scale,
    forecast: Vector,
    error: Vector,
    level: float,
) -> pd.DataFrame:
    length = len(learned)
    half, p, score, errors_before = _conformal(error, level)
    known = np.isfinite(learned)
    since = np.arange(length) - (int(known.argmax()) if known.any() else length)
    has_model = (since >= BAND_AFTER_DAYS) & (errors_before >= FEWEST_ERRORS) & np.isfinite(forecast)
    expected, low, high = (np.full(length, np.nan) for _ in range(3))
    expected[has_model] = scale.back(forecast[has_model])
    low[has_model] = scale.back((forecast - half)[has_model])
    high[has_model] = scale.back((forecast + half)[has_model])
    basis = np.where(has_model, "model", "none").astype(object)
    _same_weekday(learned, has_model, expected, low, high, basis)
    for column in (expected, low, high):
        column[skipped] = np.nan
    basis[skipped] = "skipped"
    p, score = np.where(has_model, p, np.nan), np.where(has_model, score, np.nan)
    is_outside = p <= 1 - level + 1e-12
    is_alert = (p <= 1 / DAYS_PER_FALSE_ALARM + 1e-12) & (errors_before >= ALERTS_AFTER_ERRORS)
    day = np.arange(given[0], given[0] + length)
    columns = (day, expected, low, high, score, p, is_outside, is_alert, basis)
    frame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return frame if len(given) == length else frame.iloc[given - given[0]].reset_index(drop=True)


def _unit(learned: Vector) -> float:
    """The median size of the first weeks: what later days are measured in, and known before them."""
    known = np.isfinite(learned)
    first = int(known.argmax())
    sizes = np.abs(learned[first : first + BAND_AFTER_DAYS])
    sizes = sizes[sizes > 0]
    return float(np.median(sizes)) if len(sizes) else 1.0


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
    histories: list[list[float]] = [[] for _ in range(WEEK)]
    waits = (~has_model).tolist()
    for position, value in enumerate(learned.tolist()):
        history = histories[position % WEEK]
        if waits[position] and len(history) >= FEWEST_WEEKDAYS:
            half = len(history) // 2
            expected[position] = history[half] if len(history) % 2 else (history[half - 1] + history[half]) / 2
            low[position], high[position], basis[position] = history[0], history[-1], "weekday"
        if value == value:
            insort(history, value)
