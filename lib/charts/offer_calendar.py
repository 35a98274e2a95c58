"""Offers over time: when each goes out, until when it is measured, and today."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, days_axis, finished, painted, role, role_of

# ``starts``, ``ends``: it goes out between; ``until``: its result is measured till then; ``role``: of its colour.
COLUMNS = ("name", "status", "starts", "ends", "until", "role", "days", "today")


@cache
def calendar_spec(offers: int) -> Spec:
    """A bar for each offer, for a frame with ``COLUMNS``; days are midnights by the store's clock."""
    base = painted()
    x = alt.X("starts:T", axis=days_axis(), scale=alt.Scale(padding=8))
    y = alt.Y("name:N", sort=None, axis=alt.Axis(title=None, grid=False, labelLimit=170, labelFlush=False))
    tooltip = [
        alt.Tooltip("name:N", title="Offer"),
        alt.Tooltip("status:N", title="Status"),
        alt.Tooltip("days:N", title="Days"),
    ]
    measured = base.mark_bar(height=5, opacity=0.45, cornerRadius=2).encode(
        x=alt.X("ends:T"), x2="until:T", y=y, color=role_of("role"), tooltip=tooltip
    )
    out = base.mark_bar(height=15, cornerRadius=3).encode(x=x, x2="ends:T", y=y, color=role_of("role"), tooltip=tooltip)
    today = base.mark_rule(strokeWidth=1, strokeDash=[4, 3]).encode(x=alt.X("today:T"), color=role("ink"))
    return finished(alt.layer(measured, out, today), max(120, 32 * offers + 40))


def describe(frame: pd.DataFrame) -> str:
    """What the calendar shows, in words."""
    if frame.empty:
        return "Offers over time: none in these months."
    rows = zip(frame["name"].astype(str), frame["status"].astype(str), frame["days"].astype(str), strict=True)
    told = "; ".join(f"{name}: {status.lower()}, {days}" for name, status, days in list(rows)[:12])
    more = f"; and {len(frame) - 12} more" if len(frame) > 12 else ""
    return f"Offers over time. {told}{more}."
