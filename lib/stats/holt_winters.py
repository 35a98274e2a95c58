"""Follow the level, slope and weekday of daily figures, so that an outlier moves little."""

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

WEEK = 7
STARTING_DAYS = 28
FEWEST_STARTING_DAYS = 14
TUNED_EVERY_DAYS = 28
FORGOTTEN = 0.8

CLIP, RHO = 2.0, 2.52  # k = 2 and c_k = 2.52 of the paper, so that E rho(Z) = 1 for a normal error
SCALE_SMOOTHING, SMALLEST_SCALE = 0.1, 1e-3
LEVELS, SLOPES, SEASONS = (0.03, 0.1, 0.25), (0.0, 0.02), (0.05, 0.2)
GRID = np.array([(level, slope, season) for level in LEVELS for slope in SLOPES for season in SEASONS])
MIDDLE = len(GRID) // 2


def follow(values: Vector, weekday: int) -> tuple[Vector, Vector]:
    """Forecast every day from the days before it, several figures at once.

    forecast = level + slope + weekday. Its error e is clipped at two scales, c = s·psi(e/s), before it is learned:
    level += slope + l·c, slope += l·b·c, weekday += (1-l)·w·c; the scale follows
    s² = .1·s²·rho(e/s) + .9·s² with the bounded (biweight) rho. Twelve (l, b, w) run side by side; every 28 days the
    one whose clipped errors were smallest so far (older ones count less) takes over. A figure starts with the first
    28 days that hold 14 known ones: their median, the medians of their weekdays, no slope.

    Args:
        values: one row per figure, one column per day; NaN is unknown and not learned from. Additive scale.
        weekday: of the first column, 0 to 6.
    Returns:
        forecasts (NaN before a figure has started) and errors (NaN where the value is unknown too), like ``values``.
    References:
        Gelper, Fried & Croux (2010), "Robust forecasting with exponential and Holt-Winters smoothing",
        doi:10.1002/for.1125.
    """
    figures, length = values.shape
    grid = len(GRID)
    known = np.isfinite(values)
    starts = np.full(figures, length)
    level, scale = np.zeros((figures, grid)), np.full((figures, grid), SMALLEST_SCALE)
    slope = np.zeros((figures, grid))
    season = np.zeros((WEEK, figures, grid))
    for row in range(figures):
        first = _first_start(known[row])
        if first is not None:
            starts[row] = first + STARTING_DAYS
            middle, by_weekday, spread = _start(values[row, first : starts[row]], (weekday + first) % WEEK)
            level[row], season[:, row, :], scale[row] = middle, by_weekday[:, None], spread
    begin = int(starts.min(initial=length))
    learns = known & (np.arange(length) >= starts[:, None])
    learned = np.where(learns, values, 0.0).T[:, :, None]
    is_learned = learns.T.astype(np.float64)[:, :, None]

    by_level, by_slope, by_season = GRID[:, 0], GRID[:, 0] * GRID[:, 1], (1 - GRID[:, 0]) * GRID[:, 2]
    lost = np.zeros((figures, grid))
    best = np.full(figures, MIDDLE)
    every_forecast = np.full((length, figures, grid), np.nan)
    chosen = np.full((length, figures), MIDDLE)
    for position in range(begin, length):
        of_day = season[(weekday + position) % WEEK]
        level += slope
        forecast = np.add(level, of_day, out=every_forecast[position])
        chosen[position] = best
        cleaned = (learned[position] - forecast) * is_learned[position]
        clipped = np.minimum(np.maximum(cleaned / scale, -CLIP), CLIP)
        np.multiply(clipped, scale, out=cleaned)
        lost += np.abs(cleaned)
        kept = 1 - clipped * clipped / CLIP**2
        change = (RHO - 1 - RHO * kept * kept * kept) * is_learned[position]
        scale *= np.sqrt(1 + SCALE_SMOOTHING * change)
        np.maximum(scale, SMALLEST_SCALE, out=scale)
        level += by_level * cleaned
        slope += by_slope * cleaned
        of_day += by_season * cleaned
        if position % TUNED_EVERY_DAYS == 0:
            best = np.where(lost.any(axis=1), lost.argmin(axis=1), MIDDLE)
            lost *= FORGOTTEN
    forecasts = np.take_along_axis(every_forecast, chosen[:, :, None], axis=2)[:, :, 0].T
    forecasts[np.arange(length) < starts[:, None]] = np.nan
    return forecasts, values - forecasts


def _first_start(known: npt.NDArray[np.bool_]) -> int | None:
    """The first day from which the starting days hold enough known ones."""
    counts = np.concatenate([[0], np.cumsum(known)])
    enough = np.flatnonzero(counts[STARTING_DAYS:] - counts[:-STARTING_DAYS] >= FEWEST_STARTING_DAYS)
    return int(enough[0]) if len(enough) else None


def _start(values: Vector, weekday: int) -> tuple[float, Vector, float]:
    """Level, weekdays and scale of the starting days."""
    level = float(np.nanmedian(values))
    season = np.zeros(WEEK)
    for position in range(WEEK):
        same = values[position::WEEK]
        if np.isfinite(same).any():
            season[(weekday + position) % WEEK] = np.nanmedian(same) - level
    residual = values - level - season[(weekday + np.arange(len(values))) % WEEK]
    return level, season, max(1.4826 * float(np.nanmedian(np.abs(residual))), SMALLEST_SCALE)
