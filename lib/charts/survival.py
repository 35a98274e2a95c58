"""Time to the second order: the share that has bought again, by day since the first order."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, role_of

COLUMNS = ("day", "returned", "low", "high", "at_risk", "slice")
# The roles of the slices' colours, in their order.
COLOURS = ("accent", "blue", "amber", "violet", "rose")
# Two labels nearer than this part of the height would touch.
APART = 0.062
# How far the names reach beyond the last day.
ROOM = 1.2

# On a phone the words would be cut on the right of the line.
ON_THE_ROOMY_SIDE = alt.ExprRef("width < 400 ? 'right' : 'left'")
AWAY = alt.ExprRef("width < 400 ? -6 : 6")


@cache
def survival_spec(slices: tuple[str, ...], half: int | None = None) -> Spec:
    """The curve of a ``labelled`` frame: shares from 0 to 1, each slice named beside the end of its line.

    ``half`` is the day by which half have bought again, when there is one curve and it gets so far.
    """
    many = len(slices) > 1
    x = alt.X(
        "day:Q",
        axis=alt.Axis(title="Days since the first order", tickCount=6, grid=False, titlePadding=8),
        scale=alt.Scale(nice=False, padding=0),
    )
    y = alt.Y("returned:Q", axis=alt.Axis(title=None, format="~%", tickCount=5), scale=alt.Scale(zero=True))
    colour = role_of("colour") if many else role("accent")
    base = painted().transform_calculate(
        share="format(datum.returned, '.1%')",
        range="format(datum.low, '.1%') + ' to ' + format(datum.high, '.1%')",
    )
    tooltip = [
        alt.Tooltip("slice:N", title="Customers"),
        alt.Tooltip("day:Q", title="Day"),
        alt.Tooltip("share:N", title="Have bought again"),
        alt.Tooltip("range:N", title="95% interval"),
        alt.Tooltip("at_risk:Q", title="Still at risk", format=","),
    ]
    part = alt.Detail("slice:N")
    band = base.mark_area(interpolate="step-after", opacity=0.14 if many else 0.28).encode(
        x=x, y="low:Q", y2="high:Q", color=colour, detail=part
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=1.75).encode(x=x, y=y, color=colour, detail=part)
    points = base.mark_point(opacity=0.001, size=60, filled=True).encode(x=x, y=y, color=colour, tooltip=tooltip)
    layers = [band, line, points]
    if half is not None:
        at = base.transform_filter(f"datum.day == {half}").transform_calculate(
            half="0.5", zero="0", said=f"'Half are back: day {half}'"
        )
        layers.append(
            at.mark_rule(strokeDash=[4, 3]).encode(x=x, y=alt.Y("zero:Q"), y2="returned:Q", color=role("muted"))
        )
        layers.append(
            at.mark_text(align=ON_THE_ROOMY_SIDE, dx=AWAY, dy=-8, fontSize=12).encode(
                x=x, y=alt.Y("zero:Q"), text="said:N", color=role("ink")
            )
        )
    if many:
        layers.append(
            base.transform_filter("isValid(datum.label_at)")
            .mark_text(align="right", fontSize=12, fontWeight=600)
            .encode(x=alt.X("label_day:Q"), y=alt.Y("label_at:Q"), text="slice:N", color=colour)
        )
    return finished(alt.layer(*layers), 320)


def labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """The curves with ``colour`` (a role per slice) and, at the end of each, where its name stands.

    Names end together at ``label_day``, to the right of all lines, in the order of the lines, at ``label_at``.
    """
    names = list(dict.fromkeys(frame["slice"]))
    turned = frame.reset_index(drop=True)
    turned["colour"] = turned["slice"].map({name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)})
    turned["label_at"] = float("nan")
    turned["label_day"] = ROOM * float(turned["day"].max())
    apart = APART * float(turned["high"].max())
    ends = sorted((float(part["returned"].iloc[-1]), part.index[-1]) for _, part in turned.groupby("slice", sort=False))
    lowest = float("-inf")
    for height, row in ends:
        lowest = max(height, lowest + apart)
        turned.loc[row, "label_at"] = lowest
    return turned


def half_back(frame: pd.DataFrame) -> int | None:
    """The first day on which at least half have bought again; null while the curve stays below."""
    reached = frame[frame["returned"] >= 0.5]
    return None if reached.empty else int(reached["day"].iloc[0])


def describe(frame: pd.DataFrame) -> str:
    """What the curve shows, in words."""
    if frame.empty:
        return "Time to the second order: too few customers to draw."
    parts = []
    for name, curve in frame.groupby("slice", sort=False):
        last = curve.iloc[-1]
        parts.append(f"{name}: {last['returned']:.1%} within {int(last['day'])} days")
    return "Share of customers that has bought again. " + "; ".join(parts) + "."
