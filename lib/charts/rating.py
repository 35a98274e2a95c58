"""The average rating in the course of time, with its interval."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, days_axis, finished, painted, role

COLUMNS = ("day", "mean", "low", "high", "n")


@cache
def rating_spec(unit: str) -> Spec:
    """Dots with 95 % intervals for a frame with ``COLUMNS``; a dot stands for a ``unit``, week or month."""
    base = painted().transform_calculate(
        when=f"'{unit.capitalize()} from ' + timeFormat(datum.day, '%-d %B %Y')",
        rating="format(datum.mean, '.2f')",
        range="isValid(datum.low) ? format(datum.low, '.2f') + ' to ' + format(datum.high, '.2f') : 'a single review'",
    )
    x = alt.X("day:T", axis=days_axis(), scale=alt.Scale(padding=12))
    axis = alt.Axis(title=None, values=[1, 2, 3, 4, 5], format="d")
    y = alt.Y("mean:Q", axis=axis, scale=alt.Scale(domain=[1, 5]))
    tooltip = [
        alt.Tooltip("when:N", title="Reviews"),
        alt.Tooltip("rating:N", title="Average"),
        alt.Tooltip("range:N", title="95% interval"),
        alt.Tooltip("n:Q", title="Reviews counted", format=","),
    ]
    band = base.mark_rule(strokeWidth=8, opacity=0.25).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=role("accent"))
    line = base.mark_line(strokeWidth=1.25, opacity=0.5).encode(x=x, y=y, color=role("accent"))
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(x=x, y=y, color=role("accent"), tooltip=tooltip)
    return finished(alt.layer(band, line, dots), 340)


def describe(frame: pd.DataFrame, unit: str) -> str:
    """What the chart shows, in words."""
    if frame.empty:
        return f"Average rating by {unit}: no review in these days."
    last = frame.iloc[-1]
    return (
        f"Average rating by {unit}, {len(frame)} of them: from {frame['mean'].min():.1f} to {frame['mean'].max():.1f} "
        f"stars; last {last['mean']:.1f} from {int(last['n'])} reviews."
    )
