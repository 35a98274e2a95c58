"""The assumptions that matter most: how far the profit moves when one of them goes to an end of its range."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, money_expression, painted, role, value_axis

COLUMNS = ("label", "at_low", "at_middle", "at_high", "low_text", "high_text")


@cache
def tornado_spec(symbol: str, bars: int) -> Spec:
    """The chart of a frame with ``COLUMNS``, the widest first.

    Profits in whole units: ``at_middle`` with all assumptions in the middle, ``at_low`` and ``at_high`` with this
    one at an end of its range; the texts are those ends as people read them.
    """
    base = painted().transform_calculate(
        less="min(datum.at_low, datum.at_high)",
        more="max(datum.at_low, datum.at_high)",
        less_text="datum.at_low <= datum.at_high ? datum.low_text : datum.high_text",
        more_text="datum.at_low <= datum.at_high ? datum.high_text : datum.low_text",
        span=f"{money_expression(symbol, 'min(datum.at_low, datum.at_high)', pattern='.3~s')} + ' to ' + "
        f"{money_expression(symbol, 'max(datum.at_low, datum.at_high)', pattern='.3~s')}",
        ends="datum.low_text + ' to ' + datum.high_text",
    )
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=150, labelFlush=False))
    scale = alt.Scale(zero=False, nice=False, padding=44)
    tooltip = [
        alt.Tooltip("label:N", title="Assumption"),
        alt.Tooltip("ends:N", title="From, to"),
        alt.Tooltip("span:N", title="Profit"),
    ]
    x = alt.X("less:Q", axis=value_axis("money", symbol), scale=scale)
    worse = base.mark_bar(height={"band": 0.55}, cornerRadiusEnd=3).encode(
        x=alt.X("at_middle:Q"), x2="less:Q", y=y, color=role("muted"), tooltip=tooltip
    )
    better = base.mark_bar(height={"band": 0.55}, cornerRadiusEnd=3).encode(
        x=alt.X("at_middle:Q"), x2="more:Q", y=y, color=role("accent"), tooltip=tooltip
    )
    room = base.mark_point(opacity=0).encode(x=x, y=y)
    left = base.mark_text(align="right", dx=-5, fontSize=11).encode(
        x=alt.X("less:Q"), y=y, text="less_text:N", color=role("ink")
    )
    right = base.mark_text(align="left", dx=5, fontSize=11).encode(
        x=alt.X("more:Q"), y=y, text="more_text:N", color=role("ink")
    )
    middle = base.mark_rule(strokeWidth=1.25).encode(x=alt.X("at_middle:Q"), color=role("ink"))
    return finished(alt.layer(room, worse, better, middle, left, right), max(130, 44 * bars))


def describe(frame: pd.DataFrame, written: list[str]) -> str:
    """What the chart shows, in words; ``written`` are the swings as people read them."""
    if frame.empty:
        return "No assumption moves the profit of this offer."
    parts = [f"{label} {swing}" for label, swing in zip(frame["label"], written, strict=True)]
    return "How far each assumption moves the profit over its range, the widest first: " + "; ".join(parts) + "."
