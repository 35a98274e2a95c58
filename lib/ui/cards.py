"""Cards of figures: the value, its change, its days, and what was expected of the last of them."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from lib.metrics.catalogue import find
from lib.metrics.definition import Figure, Unit
from lib.money import format_money
from lib.ui.access import Opened
from lib.ui.cached import dailies, figures
from lib.ui.drill_down import open_figure
from lib.ui.expected import expected, on_day
from lib.ui.text import change, plain, unbroken, written

KPIS = (
    "net_sales",
    "orders",
    "customers",
    "average_order_value",
    "returning_share_of_customers",
    "refund_rate",
    "late_share",
    "answered_within_target",
)
# Sums have days of their own and so a range; a ratio of few cases a day has none.
RANGED = ("net_sales", "orders", "customers")
# Shorter than the figure's own name, which a card has no room for.
LABELS = {
    "average_order_value": "Order value",
    "refund_rate": "Refund rate",
    "returning_share_of_customers": "Returning",
    "late_share": "Late parcels",
    "answered_within_target": "Answered in time",
}
# At most so many points in a small line: a longer one is summed or thinned by weeks.
MOST_POINTS = 92


def figure_of(page: Opened, key: str, *, before: bool = False) -> float:
    """One of the cards' figures, 0 without a value: asked with all the others, and so only once a page."""
    scope = page.before if before else page.scope
    return (figures(page.mart, KPIS, scope)[key].value or 0) if scope else 0


def days_of(page: Opened) -> pd.DataFrame:
    """The cards' figures day by day, asked once a page."""
    return dailies(page.mart, KPIS, page.scope)


def ranges_of(page: Opened) -> dict[str, pd.DataFrame]:
    """The expected ranges of the figures that have some, worked out once a page."""
    store = page.house.store
    return expected(page.mart, RANGED, page.scope.filters, page.scope.period, page.first_day, store.country)


def draw_cards(page: Opened) -> None:
    """The grid of figures, each opening its rows."""
    now = figures(page.mart, KPIS, page.scope)
    before = figures(page.mart, KPIS, page.before) if page.before else {}
    days, ranges = days_of(page), ranges_of(page)
    with st.grid(4, min_column_width=150, gap="small", key="cards"):
        for key in KPIS:
            with st.container(border=True, height="stretch", gap="xsmall", key=f"card_{key}"):
                _card(page, now[key], before.get(key), days[key], ranges.get(key))


def _card(page: Opened, now: Figure, before: Figure | None, days: pd.Series, ranges: pd.DataFrame | None) -> None:
    metric = find(now.key)
    step = change(now.value, before.value, now.unit) if before else None
    unchanged = step is None and before is not None and now.value is not None and before.value is not None
    st.metric(
        LABELS.get(now.key, metric.label),
        written(now.value, now.unit, page.currency),
        delta=0 if unchanged and before is not None and before.value != 0 else step,
        delta_color="normal" if metric.good_is == "up" else "inverse" if metric.good_is == "down" else "off",
        help=metric.meaning,
        chart_data=sparkline(days),
        chart_type="area",
    )
    last = float(days.iloc[-1]) if len(days) else float("nan")
    st.space("stretch")
    with st.container(horizontal=True, vertical_alignment="bottom", wrap=False, gap="small"):
        st.caption(_line(page, now, last, ranges))
        words = f"What {metric.label.lower()} means, and the rows behind it"
        if st.button("Open", type="tertiary", key=f"figure_{now.key}", help=words):
            open_figure(now.key, page.scope)


def sparkline(days: pd.Series) -> list[float] | None:
    """The days as a short line; long periods by weeks, days without a value left out; null when too few."""
    known = days.dropna()
    if len(known) < 2:
        return None
    values = known.astype(float)
    if len(values) > MOST_POINTS:
        width = 7
        values = values.groupby(pd.RangeIndex(len(values)) // width).mean()
    return [float(value) for value in values]


def _line(page: Opened, now: Figure, value_of_last: float, ranges: pd.DataFrame | None) -> str:
    """One line below the figure: what the last day was expected to be, or how many cases there are."""
    if now.value is None or now.n == 0:
        return "Nothing to count in these days"
    if now.is_small_sample:
        return f"Small sample: {now.n} case{'' if now.n == 1 else 's'}"
    last = page.scope.period.end - timedelta(days=1)
    if last >= page.today:
        return "So far: today is not over"
    if ranges is not None:
        row = on_day(ranges, last)
        if row is None:
            return "No expected range yet"
        low, high = (_short(float(row[name]), now.unit, page.currency) for name in ("low", "high"))
        value = _short(value_of_last, now.unit, page.currency)
        name, usual = f"{last:%a %-d %b}", unbroken(f"usual {low} – {high}")
        if bool(row["is_alert"]):
            side = "high" if value_of_last > row["high"] else "low"
            return f":orange[:material/error: {name} unusually {side}:] {value}, {usual}"
        return f"{name}: {value}, {usual}"
    if now.low is not None and now.high is not None:
        return unbroken(f"95 %: {now.low * 100:.1f} – {now.high * 100:.1f} %")
    return f"n = {now.n:,}" if now.n is not None else ""


def _short(value: float, unit: Unit, currency: str) -> str:
    value = max(value, 0.0) if unit is Unit.COUNT else value
    if unit is Unit.MONEY:
        return plain(format_money(round(value), currency or "EUR", cents=False))
    return plain(written(value, unit, currency))
