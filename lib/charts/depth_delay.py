"""Expected profit over the depth of a reward and the delay of an offer."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, painted, role, role_of

COLUMNS = ("depth", "delay", "profit", "written", "chance", "state", "is_best", "is_now")
KEPT = "Keeps to the guardrails"
# On a phone a cell has no room for its number: the colour and the tooltip remain.
WIDE_ENOUGH = alt.ExprRef("width < 430 ? 0 : 1")


@cache
def depth_delay_spec(delays: int, depths: int) -> Spec:
    """The map of a frame with ``COLUMNS``: one row per depth (as text, in order) and delay (days).

    Profits above zero are coloured by their size, losses are grey. ``state`` says which guardrail a cell breaks, or
    ``KEPT``; cells that break one are hatched. A ring marks the best cell, a dashed one where the sliders stand.
    """
    base = painted().transform_calculate(
        likely="format(datum.chance, '.0%')", day="format(datum.delay, ',')", is_kept=f"datum.state == '{KEPT}'"
    )
    x = alt.X("delay:O", axis=alt.Axis(title="Days after the trigger", labelAngle=0, titlePadding=8, labelOverlap=True))
    y = alt.Y("depth:N", sort=None, axis=alt.Axis(title=None, grid=False, labelFlush=False))
    tooltip = [
        alt.Tooltip("depth:N", title="Depth"),
        alt.Tooltip("day:N", title="Days after"),
        alt.Tooltip("written:N", title="Expected profit"),
        alt.Tooltip("likely:N", title="Chance of a profit"),
        alt.Tooltip("state:N", title="Guardrails"),
    ]
    gains = (
        base.transform_filter("datum.profit > 0")
        .mark_rect(cornerRadius=2, stroke="transparent", strokeWidth=2)
        .encode(x=x, y=y, color=alt.Color("profit:Q", scale=alt.Scale(zero=True), legend=None), tooltip=tooltip)
    )
    losses = (
        base.transform_filter("datum.profit <= 0")
        .mark_rect(cornerRadius=2, stroke="transparent", strokeWidth=2, opacity=0.16)
        .encode(x=x, y=y, color=role("muted"), tooltip=tooltip)
    )
    # Dark cells need light words: from 0.7 of the highest profit on.
    words = (
        base.transform_joinaggregate(top="max(profit)")
        .transform_filter("datum.is_kept")
        .transform_calculate(
            ink="datum.profit > 0 && datum.profit > 0.7 * datum.top ? 'paper' : 'ink'",
        )
        .mark_text(fontSize=11, opacity=WIDE_ENOUGH)
        .encode(x=x, y=y, text="written:N", color=role_of("ink"), tooltip=tooltip)
    )
    hatched = (
        base.transform_filter("!datum.is_kept")
        .mark_text(text="╱ ╱ ╱", fontSize=10, opacity=0.8)
        .encode(x=x, y=y, color=role("muted"), tooltip=tooltip)
    )
    best = (
        base.transform_filter("datum.is_best")
        .mark_rect(cornerRadius=3, filled=False, strokeWidth=2.5)
        .encode(x=x, y=y, stroke=role("ink"), tooltip=tooltip)
    )
    now = (
        base.transform_filter("datum.is_now && !datum.is_best")
        .mark_rect(cornerRadius=3, filled=False, strokeWidth=2, strokeDash=[4, 3])
        .encode(x=x, y=y, stroke=role("ink"), tooltip=tooltip)
    )
    # All cells, unseen: the first layer sets the order of the depths.
    order = base.mark_rect(opacity=0).encode(x=x, y=y)
    layers = alt.layer(order, losses, gains, words, hatched, now, best).resolve_scale(
        color="independent", stroke="independent"
    )
    return finished(layers, max(140, 30 * depths + 50))


def describe(frame: pd.DataFrame) -> str:
    """What the map shows, in words."""
    best = frame[frame["is_best"]]
    gains = int((frame["profit"] > 0).sum())
    start = f"Expected profit over {frame['depth'].nunique()} depths and {frame['delay'].nunique()} delays: "
    if best.empty:
        return start + f"{gains} of {len(frame)} cells earn something; none keeps to the guardrails and earns."
    top = best.iloc[0]
    return (
        start + f"{gains} of {len(frame)} cells earn something; the best is {top['depth']} after {top['delay']} days "
        f"with {top['written']}, {top['chance']:.0%} likely to earn."
    )
