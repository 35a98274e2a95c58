"""The cohort triangle: who came back in which month after the first order, and what they were worth."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, role_of

# On a phone a cell has no room for its number: the colour and the tooltip remain.
WIDE_ENOUGH = alt.ExprRef("width < 430 ? 0 : 1")
COLUMNS = ("cohort", "size", "k", "value", "written", "is_mature", "is_small", "matures_on")


@cache
def cohort_spec(title: str, cohorts: int) -> Spec:
    """The triangle of a frame with ``COLUMNS``: one row per cohort and month since the first order.

    An immature cell has no value and is hatched; its tooltip says when it is mature.
    """
    base = painted().transform_calculate(
        state="!datum.is_mature ? 'Mature on ' + datum.matures_on : datum.is_small ? 'Small sample' : 'Complete'",
        who="datum.cohort + ', ' + format(datum.size, ',') + ' customers'",
    )
    x = alt.X("k:O", axis=alt.Axis(title="Months since the first order", orient="top", labelAngle=0, titlePadding=8))
    y = alt.Y("cohort:N", sort=None, axis=alt.Axis(title=None, labelLimit=150, grid=False, labelFlush=False))
    tooltip = [
        alt.Tooltip("who:N", title="First order in"),
        alt.Tooltip("k:O", title="Month"),
        alt.Tooltip("written:N", title=title),
        alt.Tooltip("state:N", title="State"),
    ]
    cells = (
        base.transform_filter("datum.is_mature")
        .mark_rect(cornerRadius=2, stroke="transparent", strokeWidth=2)
        .encode(x=x, y=y, color=alt.Color("value:Q", scale=alt.Scale(zero=False), legend=None), tooltip=tooltip)
    )
    # Dark cells need light words: from 0.7 of the range on.
    words = (
        base.transform_filter("datum.is_mature")
        .transform_joinaggregate(top="max(value)", bottom="min(value)")
        .transform_calculate(ink="datum.value - datum.bottom > 0.7 * (datum.top - datum.bottom) ? 'paper' : 'ink'")
        .mark_text(fontSize=11, opacity=WIDE_ENOUGH)
        .encode(x=x, y=y, text="written:N", color=role_of("ink"), tooltip=tooltip)
    )
    hatched = (
        base.transform_filter("!datum.is_mature")
        .mark_text(text="╱ ╱ ╱", fontSize=10, opacity=0.7)
        .encode(x=x, y=y, color=role("muted"), tooltip=tooltip)
    )
    layers = alt.layer(cells, words, hatched).resolve_scale(color="independent")
    return finished(layers, max(140, 26 * cohorts + 50))


def describe(frame: pd.DataFrame, title: str) -> str:
    """What the triangle shows, in words."""
    mature = frame[frame["is_mature"] & (frame["k"] > 0)]
    if mature.empty:
        return f"{title} by first-order month: no month is complete yet."
    best = mature.iloc[int(mature["value"].argmax())]
    return (
        f"{title} by first-order month and months since: {frame['cohort'].nunique()} cohorts; the highest complete "
        f"cell is {best['written']} of {best['cohort']} in month {best['k']}. Hatched cells are not complete yet."
    )
