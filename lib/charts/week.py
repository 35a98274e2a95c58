"""The hours of a week as a grid: when something comes, Monday to Sunday by the store's clock."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COLUMNS = ("weekday", "hour", "value", "written")


@cache
def week_spec(title: str) -> Spec:
    """For a frame with ``COLUMNS``: ``weekday`` by name, ``hour`` 0 to 23, ``value``, ``written`` for the tooltip."""
    base = painted()
    chart = base.mark_rect(cornerRadius=2).encode(
        x=alt.X("hour:O", axis=alt.Axis(title=None, labelAngle=0, values=[0, 4, 8, 12, 16, 20], labelOverlap=True)),
        y=alt.Y("weekday:O", sort=list(WEEKDAYS), axis=alt.Axis(title=None)),
        color=alt.Color("value:Q", legend=None, scale=alt.Scale(domainMin=0)),
        tooltip=[
            alt.Tooltip("weekday:N", title="Day"),
            alt.Tooltip("hour:O", title="Hour"),
            alt.Tooltip("written:N", title=title),
        ],
    )
    return finished(chart, 210)


def describe(frame: pd.DataFrame, what: str) -> str:
    """In words: the busiest hours."""
    top = frame.sort_values("value", ascending=False).head(3)
    if top.empty or not top["value"].iloc[0] > 0:
        return f"{what} by hour of the week: none in these days."
    busiest = ", ".join(f"{row.weekday} {row.hour}:00 ({row.written})" for row in top.itertuples())
    return f"{what} by hour of the week. Busiest: {busiest}."
