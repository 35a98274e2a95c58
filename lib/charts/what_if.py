"""What an offer would earn: the draws of its profit, and scenarios side by side."""

from functools import cache

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.charts.theme import Spec, finished, money_expression, painted, role, role_of, said, value_axis

PROFIT_COLUMNS = ("from", "to", "share", "low", "middle", "high")
SCENARIO_COLUMNS = ("label", "low", "middle", "high", "chance", "written")
BINS = 40


def profit_bins(draws: npt.NDArray[np.float64]) -> pd.DataFrame:
    """The draws of a profit in bars that never cross zero; the range of 90 % stands in the last row alone.

    The outermost 1 % on either side are left out, so that a few wild draws do not squeeze the others.

    Args:
        draws: profits in whole units.
    Returns:
        ``PROFIT_COLUMNS``: bars with ``from``, ``to`` and ``share`` of all draws; a row of ``low``, ``middle``,
        ``high`` (5, 50 and 95 %).
    """
    first, low, middle, high, last = np.quantile(draws, [0.01, 0.05, 0.5, 0.95, 0.99])
    width = max((last - first) / BINS, 1e-9)
    start = np.floor(first / width)
    edges = np.arange(start, max(np.ceil(last / width), start + 1) + 1) * width
    counts, _ = np.histogram(draws, edges)
    bars = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "share": counts / len(draws)})
    range_row = pd.DataFrame({"low": [low], "middle": [middle], "high": [high]})
    return pd.concat([bars, range_row], ignore_index=True).reindex(columns=list(PROFIT_COLUMNS))


@cache
def profit_spec(symbol: str) -> Spec:
    """The chart of a frame of :func:`profit_bins`: losses in one colour, profits in the other, the range above."""
    base = painted().transform_calculate(
        role="datum.to <= 1e-6 ? 'bad' : 'accent'",
        span=f"{money_expression(symbol, 'datum.from', pattern='.3~s')} + ' to ' + "
        f"{money_expression(symbol, 'datum.to', pattern='.3~s')}",
        part="format(datum.share, '.1%')",
        zero="0",
        # Above the bars there is room for the range.
        room="1.45 * datum.share",
        said="'90% of the draws: ' + "
        f"{money_expression(symbol, 'datum.low', pattern='.3~s')} + ' to ' + "
        f"{money_expression(symbol, 'datum.high', pattern='.3~s')}",
    )
    x = alt.X("from:Q", axis=value_axis("money", symbol), scale=alt.Scale(zero=True, nice=False))
    bars = (
        base.transform_filter("isValid(datum.share)")
        .mark_rect(opacity=0.75)
        .encode(
            x=x,
            x2="to:Q",
            y=alt.Y("zero:Q", axis=None),
            y2="share:Q",
            color=role_of("role"),
            tooltip=[alt.Tooltip("span:N", title="Profit"), alt.Tooltip("part:N", title="Of the draws")],
        )
    )
    line = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.25)
        .encode(x=alt.X("zero:Q"), color=role("ink"))
    )
    ranged = base.transform_filter("isValid(datum.low)")
    room = base.mark_point(opacity=0).encode(x=alt.X("from:Q"), y=alt.Y("room:Q", axis=None))
    above = alt.value(30)
    span = ranged.mark_rule(strokeWidth=6, opacity=0.45).encode(
        x=alt.X("low:Q"), x2="high:Q", y=above, color=role("muted")
    )
    middle = ranged.mark_point(size=80, filled=True, opacity=1).encode(x=alt.X("middle:Q"), y=above, color=role("ink"))
    # In the middle of the chart there is room for them, wherever the range is.
    words = said(ranged, "said", x=alt.value(alt.ExprRef("width / 2")), y=above, dy=-16)
    return finished(alt.layer(room, bars, line, span, middle, *words), 240)


def describe_profit(chance: float, written: tuple[str, str, str]) -> str:
    """What the bars show, in words; ``written`` are the range's low, middle and high as people read them."""
    low, middle, high = written
    return (
        f"Profit of the offer: above zero in {chance:.0%} of the draws; 90% of them from {low} to {high}, half of them "
        f"above {middle}."
    )


@cache
def scenarios_spec(symbol: str, scenarios: int) -> Spec:
    """Scenarios side by side, for a frame with ``SCENARIO_COLUMNS``: profits in whole units, chances as shares."""
    base = painted().transform_calculate(
        zero="0",
        role="datum.middle < 0 ? 'bad' : 'accent'",
        profit=money_expression(symbol, "datum.middle", pattern=",.0f"),
        span=f"{money_expression(symbol, 'datum.low', pattern='.3~s')} + ' to ' + "
        f"{money_expression(symbol, 'datum.high', pattern='.3~s')}",
        likely="format(datum.chance, '.0%')",
    )
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=130, labelFlush=False))
    tooltip = [
        alt.Tooltip("label:N", title="Scenario"),
        alt.Tooltip("profit:N", title="Profit, middle"),
        alt.Tooltip("span:N", title="90% range"),
        alt.Tooltip("likely:N", title="Chance of a profit"),
    ]
    span = base.mark_rule(strokeWidth=10, opacity=0.3).encode(
        x=alt.X("low:Q", axis=value_axis("money", symbol), scale=alt.Scale(zero=True, nice=True, padding=10)),
        x2="high:Q",
        y=y,
        color=role_of("role"),
        tooltip=tooltip,
    )
    dot = base.mark_point(size=70, filled=True, opacity=1).encode(
        x=alt.X("middle:Q"), y=y, color=role_of("role"), tooltip=tooltip
    )
    zero = base.mark_rule(strokeWidth=1.25).encode(x=alt.X("zero:Q"), color=role("ink"))
    words = said(base, "written", x=alt.X("middle:Q"), y=y, dy=-16)
    return finished(alt.layer(zero, span, dot, *words), max(130, 62 * scenarios))


def describe_scenarios(frame: pd.DataFrame) -> str:
    """What the ranges show, in words."""
    parts = [
        f"{label}: {written}, {chance:.0%} likely to earn"
        for label, written, chance in zip(frame["label"], frame["written"], frame["chance"], strict=True)
    ]
    return "Profit by scenario with its 90% range. " + "; ".join(parts) + "."
