"""Shares with their intervals, and amounts that grow month by month."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, value_axis, value_expression

SHARE_COLUMNS = ("label", "share", "low", "high", "written")
WORTH_COLUMNS = ("month", "worth", "customers")


@cache
def interval_spec(points: int) -> Spec:
    """Shares as dots with their 95 % intervals, for a frame with ``SHARE_COLUMNS``."""
    base = painted().transform_calculate(range="format(datum.low, '.1%') + ' to ' + format(datum.high, '.1%')")
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=130, labelFlush=False))
    x = alt.X("share:Q", axis=alt.Axis(title=None, format="~%", tickCount=5), scale=alt.Scale(zero=True))
    tooltip = [
        alt.Tooltip("label:N", title="Within"),
        alt.Tooltip("written:N", title="Share"),
        alt.Tooltip("range:N", title="95 % interval"),
    ]
    rule = base.mark_rule(strokeWidth=6, opacity=0.28).encode(
        x=alt.X("low:Q"), x2="high:Q", y=y, color=role("accent"), tooltip=tooltip
    )
    dot = base.mark_point(size=90, filled=True, opacity=1).encode(x=x, y=y, color=role("accent"), tooltip=tooltip)
    words = base.mark_text(dy=-13, fontSize=12).encode(x=x, y=y, text="written:N", color=role("ink"))
    return finished(alt.layer(rule, dot, words), max(120, 50 * points))


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
    parts = [f"{row.label}: {row.written}" for row in frame.itertuples()]
    return "Share of customers with a second purchase. " + "; ".join(parts) + "."


def describe_worth(frame: pd.DataFrame, written_last: str) -> str:
    """What the lines show, in words."""
    if frame.empty:
        return "Net sales per customer by month since the first order: no month is complete yet."
    return f"Net sales per customer by month since the first order, up to {written_last}."
