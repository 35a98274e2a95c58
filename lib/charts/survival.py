"""Time to the second order: the share that has bought again, by day since the first order."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, series

COLUMNS = ("day", "returned", "low", "high", "at_risk", "slice")


@cache
def survival_spec(slices: tuple[str, ...]) -> Spec:
    """The curve of a frame with ``COLUMNS``: shares from 0 to 1; one slice: with its interval."""
    x = alt.X("day:Q", axis=alt.Axis(title="Days since the first order", tickCount=6, grid=False, titlePadding=8))
    y = alt.Y("returned:Q", axis=alt.Axis(title=None, format="~%", tickCount=5), scale=alt.Scale(zero=True))
    many = len(slices) > 1
    colour = series("slice", values=list(slices)) if many else role("accent")
    base = painted().transform_calculate(
        share="format(datum.returned, '.1%')",
        range="format(datum.low, '.1%') + ' to ' + format(datum.high, '.1%')",
    )
    tooltip = [
        alt.Tooltip("slice:N", title="Customers"),
        alt.Tooltip("day:Q", title="Day"),
        alt.Tooltip("share:N", title="Have bought again"),
        alt.Tooltip("range:N", title="95 % interval"),
        alt.Tooltip("at_risk:Q", title="Still at risk", format=","),
    ]
    band = base.mark_area(interpolate="step-after", opacity=0.10 if many else 0.16).encode(
        x=x, y="low:Q", y2="high:Q", color=colour
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(x=x, y=y, color=colour)
    points = base.mark_point(opacity=0.001, size=60, filled=True).encode(x=x, y=y, color=colour, tooltip=tooltip)
    layers = (line, points) if len(slices) > 3 else (band, line, points)
    return finished(alt.layer(*layers), 320)


def describe(frame: pd.DataFrame) -> str:
    """What the curve shows, in words."""
    if frame.empty:
        return "Time to the second order: too few customers to draw."
    parts = []
    for name, curve in frame.groupby("slice", sort=False):
        last = curve.iloc[-1]
        parts.append(f"{name}: {last['returned']:.1%} within {int(last['day'])} days")
    return "Share of customers that has bought again. " + "; ".join(parts) + "."
