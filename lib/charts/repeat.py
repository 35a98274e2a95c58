"""Shares with their intervals, and amounts that grow month by month."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, value_axis, value_expression

SHARE_COLUMNS = ("label", "share", "low", "high", "before", "before_low", "before_high", "written")
WORTH_COLUMNS = ("month", "worth", "customers")


@cache
def interval_spec(points: int, has_before: bool) -> Spec:
    """Shares as dots with their 95% intervals, for a frame with ``SHARE_COLUMNS``; hollow: a year before."""
    base = painted().transform_calculate(
        share_text="format(datum.share, '.1%')",
        range="format(datum.low, '.1%') + ' to ' + format(datum.high, '.1%')",
        past="isValid(datum.before) ? format(datum.before, '.1%') + ' (' + format(datum.before_low, '.1%') + ' to '"
        " + format(datum.before_high, '.1%') + ')' : 'not known'",
        right="isValid(datum.before_high) ? max(datum.high, datum.before_high) : datum.high",
        # On a phone there is no room for the step.
        said="width < 330 ? datum.share_text : datum.written",
        # The words stand to the right of the dots and need room there.
        room="datum.right * 1.34",
    )
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=130, labelFlush=False))
    x = alt.X("share:Q", axis=alt.Axis(title=None, format="~%", tickCount=5), scale=alt.Scale(zero=True, nice=False))
    tooltip = [
        alt.Tooltip("label:N", title="Within"),
        alt.Tooltip("share_text:N", title="Share"),
        alt.Tooltip("range:N", title="95% interval"),
        alt.Tooltip("past:N", title="A year before"),
    ]
    rule = base.mark_rule(strokeWidth=10, opacity=0.3).encode(
        x=alt.X("low:Q"), x2="high:Q", y=y, color=role("accent"), tooltip=tooltip
    )
    dot = base.mark_point(size=64, filled=True, opacity=1).encode(x=x, y=y, color=role("accent"), tooltip=tooltip)
    words = base.mark_text(align="left", dx=12, fontSize=12).encode(
        x=alt.X("right:Q"), y=y, text="said:N", color=role("ink")
    )
    room = base.mark_point(opacity=0).encode(x=alt.X("room:Q"), y=y)
    layers = [room, rule, dot, words]
    if has_before:
        step = base.mark_rule(strokeWidth=1).encode(x=alt.X("before:Q"), x2="share:Q", y=y, color=role("muted"))
        past_rule = base.mark_rule(strokeWidth=10, opacity=0.3).encode(
            x=alt.X("before_low:Q"), x2="before_high:Q", y=y, color=role("muted"), tooltip=tooltip
        )
        ring = base.mark_point(size=64, filled=False, strokeWidth=1.75, opacity=1).encode(
            x=alt.X("before:Q"), y=y, color=role("muted"), tooltip=tooltip
        )
        layers = [room, past_rule, step, rule, ring, dot, words]
    return finished(alt.layer(*layers), max(110, 40 * points))


@cache
def worth_spec(symbol: str) -> Spec:
    """What a customer has brought, month by month, for a frame with ``WORTH_COLUMNS``; amounts in whole units."""
    x = alt.X(
        "month:Q",
        axis=alt.Axis(title="Months since the first order", tickMinStep=1, grid=False, titlePadding=8),
    )
    y = alt.Y("worth:Q", axis=value_axis("money", symbol), scale=alt.Scale(zero=False, nice=True))
    base = painted().transform_calculate(
        amount=value_expression("money", symbol, "datum.worth", exact=True),
    )
    tooltip = [
        alt.Tooltip("month:Q", title="Month"),
        alt.Tooltip("amount:N", title="Net sales per customer"),
        alt.Tooltip("customers:Q", title="Customers", format=","),
    ]
    line = base.mark_line(strokeWidth=2.25).encode(x=x, y=y, color=role("accent"))
    dots = base.mark_point(size=40, filled=True, opacity=1).encode(x=x, y=y, color=role("accent"), tooltip=tooltip)
    return finished(alt.layer(line, dots), 300)


def describe_shares(frame: pd.DataFrame) -> str:
    """What the dots show, in words."""
    parts = [
        f"{label}: {words}" + (f", a year before {before:.1%}" if before == before else "")
        for label, words, before in zip(frame["label"], frame["written"], frame["before"], strict=True)
    ]
    return "Share of customers with a second purchase. " + "; ".join(parts) + "."


def describe_worth(frame: pd.DataFrame, written_last: str) -> str:
    """What the lines show, in words."""
    if frame.empty:
        return "Net sales per customer by month since the first order: no month is complete yet."
    return f"Net sales per customer by month since the first order, up to {written_last}."
