"""A figure day by day, against the days it is compared with and the range expected for each weekday."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, days_axis, finished, painted, role, value_axis, value_expression

COLUMNS = ("day", "value", "before", "before_day", "low", "high", "is_outside", "note")


@cache
def trend_spec(kind: str, symbol: str, label: str) -> Spec:
    """The chart of a frame with ``COLUMNS``: days as dates, values in whole units, notes as text or null.

    Args:
        kind: ``money``, ``count`` or ``share``.
        symbol: the currency's sign; empty for others.
        label: the figure's name, for the tooltip.
    """
    x = alt.X("day:T", axis=days_axis(), scale=alt.Scale(padding=4))
    axis = value_axis(kind, symbol)
    written = {
        name: value_expression(kind, symbol, f"datum.{name}", exact=True) for name in ("value", "before", "low", "high")
    }
    base = painted()
    band = base.mark_area(opacity=0.16, interpolate="monotone").encode(
        x=x, y=alt.Y("low:Q", axis=axis, scale=alt.Scale(zero=False, nice=True)), y2="high:Q", color=role("accent")
    )
    notes = (
        base.transform_filter("isValid(datum.note)")
        .mark_rule(strokeDash=[2, 3], strokeWidth=1)
        .encode(x=x, color=role("muted"))
    )
    marks = (
        base.transform_filter("isValid(datum.note)")
        .mark_point(shape="triangle-down", size=46, filled=True, opacity=1)
        .encode(x=x, y=alt.value(4), color=role("muted"))
    )
    before = base.mark_line(strokeDash=[4, 3], strokeWidth=1.5, interpolate="monotone").encode(
        x=x, y="before:Q", color=role("muted")
    )
    line = base.mark_line(strokeWidth=2.25, interpolate="monotone").encode(x=x, y="value:Q", color=role("accent"))
    rings = (
        base.transform_filter("datum.is_outside")
        .mark_point(size=110, strokeWidth=2, filled=False, opacity=1)
        .encode(x=x, y="value:Q", color=role("attention"))
    )
    hover = (
        base.transform_calculate(
            when="timeFormat(datum.day, '%A, %-d %B %Y')",
            value_text=written["value"],
            before_text=f"isValid(datum.before) ? {written['before']} + ' on ' + datum.before_day : '–'",
            range_text=f"isValid(datum.low) ? {written['low']} + ' to ' + {written['high']} : 'not yet known'",
            note_text="isValid(datum.note) ? datum.note : '–'",
        )
        .mark_rule(opacity=0.001, strokeWidth=14)
        .encode(
            x=x,
            tooltip=[
                alt.Tooltip("when:N", title="Day"),
                alt.Tooltip("value_text:N", title=label),
                alt.Tooltip("before_text:N", title="Compared with"),
                alt.Tooltip("range_text:N", title="Expected"),
                alt.Tooltip("note_text:N", title="Noted"),
            ],
        )
    )
    return finished(alt.layer(band, notes, before, line, marks, rings, hover), 300)


def describe(frame: pd.DataFrame, label: str, written_total: str) -> str:
    """What the chart shows, in words, for people who do not see it."""
    if frame.empty:
        return f"{label} by day: no days in this period."
    high = frame["day"].iloc[int(frame["value"].argmax())]
    low = frame["day"].iloc[int(frame["value"].argmin())]
    unusual = int(frame["is_outside"].sum())
    days = f"{len(frame)} day{'' if len(frame) == 1 else 's'}"
    return (
        f"{label} over {days}, {written_total} in all; highest on {high:%d %B}, lowest on {low:%d %B}; "
        f"{unusual or 'no'} day{'' if unusual == 1 else 's'} outside the expected range."
    )
