"""Forecast against actual: the range that each what-if named, and what came."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, role_of, value_axis, value_expression

COLUMNS = ("label", "low", "middle", "high", "actual", "held")


@cache
def scoreboard_spec(kind: str, symbol: str, offers: int) -> Spec:
    """Each what-if's range with its middle, and the actual as a dot, for a frame with ``COLUMNS``.

    Args:
        kind: ``cents``, ``money``, ``share`` or ``count``; all rows in the same unit, such as profit per customer.
        symbol: the currency's sign; empty for others.
        offers: how many there are.
    """
    exact = {name: value_expression(kind, symbol, f"datum.{name}", exact=True) for name in COLUMNS[1:5]}
    base = painted().transform_calculate(
        zero="0",
        role="datum.held ? 'accent' : 'bad'",
        foretold=f"{exact['low']} + ' to ' + {exact['high']}",
        came=exact["actual"],
        verdict="datum.held ? 'The range held' : 'Outside the range'",
    )
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=150, labelFlush=False))
    tooltip = [
        alt.Tooltip("label:N", title="What-if"),
        alt.Tooltip("foretold:N", title="Foretold"),
        alt.Tooltip("came:N", title="Actual"),
        alt.Tooltip("verdict:N", title="Scored"),
    ]
    zero = base.mark_rule(strokeWidth=1, strokeDash=[3, 3]).encode(x=alt.X("zero:Q"), color=role("muted"))
    span = base.mark_rule(strokeWidth=10, opacity=0.3).encode(
        x=alt.X("low:Q", axis=value_axis(kind, symbol), scale=alt.Scale(zero=True, nice=True, padding=10)),
        x2="high:Q",
        y=y,
        color=role("muted"),
        tooltip=tooltip,
    )
    middle = base.mark_tick(thickness=2, height=12).encode(x=alt.X("middle:Q"), y=y, color=role("muted"))
    actual = base.mark_point(size=80, filled=True, opacity=1).encode(
        x=alt.X("actual:Q"), y=y, color=role_of("role"), tooltip=tooltip
    )
    return finished(alt.layer(zero, span, middle, actual), max(110, 36 * offers + 30))


def describe(frame: pd.DataFrame) -> str:
    """What the board shows, in words."""
    if frame.empty:
        return "Forecast against actual: no what-if has come due yet."
    missed = frame.loc[~frame["held"], "label"].tolist()
    held = f"the range held in {len(frame) - len(missed)} of {len(frame)} what-ifs"
    return f"Forecast against actual: {held}" + (f"; outside: {', '.join(missed)}." if missed else ".")
