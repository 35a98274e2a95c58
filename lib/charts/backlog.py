"""How many tickets are open day by day or week by week, and how many of them without a first answer."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, days_axis, finished, painted, role

COLUMNS = ("day", "open", "waiting", "opened", "closed")


@cache
def backlog_spec(unit: str) -> Spec:
    """For a frame with ``COLUMNS``: days as dates, each a day or the Monday of a week (``unit``).

    ``open`` and ``waiting`` are of the ends of days, ``opened`` and ``closed`` of what came and went.
    """
    base = painted()
    x = alt.X("day:T", axis=days_axis(), scale=alt.Scale(padding=4))
    y = alt.Y("open:Q", axis=alt.Axis(title=None, format=",d", tickMinStep=1))
    open_ = base.mark_line(strokeWidth=2.25, interpolate="step-after").encode(x=x, y=y, color=role("muted"))
    waiting = base.mark_line(strokeWidth=2.25, interpolate="step-after").encode(
        x=x, y="waiting:Q", color=role("accent")
    )
    hover = (
        base.transform_calculate(
            when=f"'{'Week from ' if unit == 'week' else ''}' + timeFormat(datum.day, '%A, %-d %B %Y')"
        )
        .mark_rule(opacity=0.001, strokeWidth=14)
        .encode(
            x=x,
            tooltip=[
                alt.Tooltip("when:N", title="When"),
                alt.Tooltip("open:Q", title="Open", format=","),
                alt.Tooltip("waiting:Q", title="Without a first answer", format=","),
                alt.Tooltip("opened:Q", title="Came in", format=",d"),
                alt.Tooltip("closed:Q", title="Closed", format=",d"),
            ],
        )
    )
    return finished(alt.layer(open_, waiting, hover), 230)


def describe(frame: pd.DataFrame, unit: str) -> str:
    """What the chart shows, in words."""
    if frame.empty:
        return f"Open tickets by {unit}: none in these days."
    first, last = frame.iloc[0], frame.iloc[-1]
    return (
        f"Open tickets by {unit}, {len(frame)} of them: {first['open']:,g} at the first, at most "
        f"{frame['open'].max():,g}, {last['open']:,g} at the last, {last['waiting']:,g} of them without a first answer."
    )
