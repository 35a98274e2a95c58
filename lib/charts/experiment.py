"""Treatment against holdout: differences with their intervals, by measure or by segment, and how they came about."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, role_of, said, value_axis, value_expression

COLUMNS = ("label", "difference", "low", "high", "treated", "holdout", "stands_out", "written")
LOOK_COLUMNS = ("day", "difference", "low", "high", "look_low", "look_high")


@cache
def effects_spec(kind: str, symbol: str, rows: int) -> Spec:
    """Differences as dots with their intervals, for a frame with ``COLUMNS``; filled where they stand out.

    Args:
        kind: ``cents``, ``money``, ``share`` or ``count``; all rows in the same unit.
        symbol: the currency's sign; empty for others.
        rows: how many there are.
    """
    exact = {name: value_expression(kind, symbol, f"datum.{name}", exact=True) for name in ("treated", "holdout")}
    base = painted().transform_calculate(
        zero="0",
        role="datum.stands_out ? (datum.difference < 0 ? 'bad' : 'accent') : 'muted'",
        treated_text=exact["treated"],
        holdout_text=exact["holdout"],
    )
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=130, labelFlush=False))
    tooltip = [
        alt.Tooltip("label:N", title="Of"),
        alt.Tooltip("written:N", title="Difference"),
        alt.Tooltip("treated_text:N", title="With the offer"),
        alt.Tooltip("holdout_text:N", title="Holdout"),
    ]
    zero = base.mark_rule(strokeWidth=1.25).encode(x=alt.X("zero:Q"), color=role("ink"))
    span = base.mark_rule(strokeWidth=10, opacity=0.3).encode(
        x=alt.X("low:Q", axis=value_axis(kind, symbol), scale=alt.Scale(zero=True, nice=True, padding=10)),
        x2="high:Q",
        y=y,
        color=role_of("role"),
        tooltip=tooltip,
    )
    dot = base.mark_point(size=70, filled=True, opacity=1).encode(
        x=alt.X("difference:Q"), y=y, color=role_of("role"), tooltip=tooltip
    )
    words = said(base, "written", x=alt.X("difference:Q"), y=y, dy=-16)
    return finished(alt.layer(zero, span, dot, *words), max(110, 52 * rows))


def describe_effects(frame: pd.DataFrame) -> str:
    """What the dots show, in words."""
    parts = [
        f"{label}: {written}" + ("" if stands_out else " (may be chance)")
        for label, written, stands_out in zip(frame["label"], frame["written"], frame["stands_out"], strict=True)
    ]
    return "With the offer less holdout, per assigned customer. " + "; ".join(parts) + "."


@cache
def looks_spec(kind: str, symbol: str) -> Spec:
    """The difference day by day in the band that is safe to peek at, and the ranges of the looks that were taken.

    Args:
        kind: ``cents``, ``money``, ``share`` or ``count``.
        symbol: the currency's sign; empty for others.
    """
    exact = {
        name: value_expression(kind, symbol, f"datum.{name}", exact=True) for name in ("difference", "low", "high")
    }
    base = painted().transform_calculate(
        zero="0",
        when="timeFormat(datum.day, '%A, %-d %B %Y')",
        said=exact["difference"],
        range=f"{exact['low']} + ' to ' + {exact['high']}",
    )
    x = alt.X(
        "day:T",
        axis=alt.Axis(title=None, labelExpr="timeFormat(datum.value, '%-d %b')", tickCount=6, labelPadding=8),
        scale=alt.Scale(padding=8),
    )
    y = alt.Y("low:Q", axis=value_axis(kind, symbol), scale=alt.Scale(zero=True, nice=True))
    band = base.mark_area(opacity=0.16, interpolate="monotone").encode(x=x, y=y, y2="high:Q", color=role("accent"))
    zero = base.mark_rule(strokeWidth=1.25).encode(y=alt.Y("zero:Q"), color=role("ink"))
    line = base.mark_line(strokeWidth=2, interpolate="monotone").encode(x=x, y="difference:Q", color=role("accent"))
    looks = (
        base.transform_filter("isValid(datum.look_low)")
        .mark_rule(strokeWidth=3)
        .encode(x=x, y=alt.Y("look_low:Q"), y2="look_high:Q", color=role("attention"))
    )
    dots = (
        base.transform_filter("isValid(datum.look_low)")
        .mark_point(size=60, filled=True, opacity=1)
        .encode(x=x, y="difference:Q", color=role("attention"))
    )
    hover = base.mark_rule(opacity=0.001, strokeWidth=14).encode(
        x=x,
        tooltip=[
            alt.Tooltip("when:N", title="Day"),
            alt.Tooltip("said:N", title="Difference"),
            alt.Tooltip("range:N", title="Safe to peek"),
        ],
    )
    return finished(alt.layer(band, zero, line, looks, dots, hover), 280)


def describe_looks(frame: pd.DataFrame, written: str) -> str:
    """What the band shows, in words; ``written`` is the latest difference with its range."""
    if frame.empty:
        return "The difference day by day: no mature customers yet."
    looks = int(frame["look_low"].notna().sum())
    return (
        f"The difference between offer and holdout over {len(frame)} days in a band that is safe to peek at, with "
        f"{looks} planned look{'' if looks == 1 else 's'}; at the end {written}."
    )
