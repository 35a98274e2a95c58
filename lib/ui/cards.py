"""Cards of figures: the value, its change, its days, and what was expected of the last of them."""

from datetime import timedelta
from html import escape

import pandas as pd
import streamlit as st

from lib.metrics.catalogue import find
from lib.metrics.definition import Figure, Unit
from lib.money import format_money
from lib.periods import Period, day_index, day_of
from lib.ui.access import Opened
from lib.ui.cached import figures
from lib.ui.drill_down import of_figure, open_accounts, open_button
from lib.ui.expected import Course, course, on_day
from lib.ui.sparkline import Tone, drawing, themed
from lib.ui.text import change, of_days, unbroken, written

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
# A share of fewer cases a day jumps between nothing and all: its range would say nothing.
FEWEST_A_DAY = 5
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
    found = figures_of(page, before=before)
    return (found[key].value or 0) if found else 0


def figures_of(page: Opened, *, before: bool = False) -> dict[str, Figure]:
    """The cards' figures by key, of the chosen days or of those compared with; empty without a comparison."""
    name = "figures before" if before else "figures"
    if name not in page.asked:
        scope = page.before if before else page.scope
        page.asked[name] = figures(page.mart, KPIS, scope) if scope else {}
    found: dict[str, Figure] = page.asked[name]
    return found


def course_of(page: Opened) -> Course:
    """The cards' figures day by day with what was expected of each day, worked out once a page."""
    if "course" not in page.asked:
        page.asked["course"] = course(page.mart, KPIS, page.scope, page.first_day, page.house.store.country)
    found: Course = page.asked["course"]
    return found


def draw_cards(page: Opened) -> None:
    """The grid of figures, each opening its rows."""
    now, before = figures_of(page), figures_of(page, before=True)
    found = course_of(page)
    days = found.within(page.scope.period)
    with st.grid(4, min_column_width=150, gap="small", key="cards"):
        for key in KPIS:
            with st.container(border=True, height="stretch", gap="xsmall", key=f"card_{key}"):
                _card(page, now[key], before.get(key), days[["day", key]], found.ranges[key])


def _card(page: Opened, now: Figure, before: Figure | None, days: pd.DataFrame, ranges: pd.DataFrame) -> None:
    metric = find(now.key)
    step = change(now.value, before.value, now.unit) if before else None
    unchanged = step is None and before is not None and now.value is not None and before.value is not None
    st.metric(
        LABELS.get(now.key, metric.label),
        written(now.value, now.unit, page.currency),
        delta=0 if unchanged and before is not None and before.value != 0 else step,
        delta_color="normal" if metric.good_is == "up" else "inverse" if metric.good_is == "down" else "off",
        help=metric.meaning,
    )
    st.html(_course(page, now, step, days, ranges))
    if open_button(f"figure_{now.key}", f"What {metric.label.lower()} means, and the rows behind it"):
        _open(page, metric.label, now.key)


def _open(page: Opened, label: str, key: str) -> None:
    """The figure of these days, of those compared with, and of the last of them: what the card tells of."""
    choices = {of_days(page.scope.period, year=True): of_figure(key, page.scope)}
    if page.before is not None:
        choices[f"{of_days(page.before.period, year=True)}, compared with"] = of_figure(key, page.before)
    last = page.scope.period.end - timedelta(days=1)
    if page.scope.period.days > 1:
        day = page.scope.within(Period(last, page.scope.period.end))
        choices[f"{last:%a %-d %b %Y}, the last day"] = of_figure(key, day)
    open_accounts(label, choices, key=key, asked="Days")


def _course(page: Opened, now: Figure, step: str | None, days: pd.DataFrame, ranges: pd.DataFrame) -> str:
    """The small line and the words below it, as one element: a page has many cards."""
    points = sparkline(days[now.key]) if now.n or now.value else None
    line = "" if points is None else drawing(points, _tone(step, find(now.key).good_is), _told(page, now, days))
    mark, words = _line(page, now, days, ranges)
    text = escape(words)
    if mark:
        text = f'<strong style="color:{themed("orangeTextColor")}">{escape(mark)}</strong>{text}'
    # Two lines have room, so that what opens the cards of a row stands at one height.
    colour = "inherit" if mark else "color-mix(in srgb, currentColor 62%, transparent)"
    style = f"margin:0.5rem 0 0;min-height:3em;font-size:0.875rem;line-height:1.5;color:{colour}"
    return f'{line}<p style="{style}">{text}</p>'


def _tone(step: str | None, good_is: str | None) -> Tone:
    """Whether a step is good news, as the card's arrow says it."""
    if step is None or good_is not in {"up", "down"}:
        return "plain"
    return "good" if step.startswith("-") == (good_is == "down") else "bad"


def _told(page: Opened, now: Figure, days: pd.DataFrame) -> str:
    """What the small line shows, in words."""
    known = days[days[now.key].notna()].reset_index(drop=True)
    values = known[now.key].astype(float)
    ends = []
    for word, place in (("lowest", int(values.argmin())), ("highest", int(values.argmax()))):
        value = written(float(values.iloc[place]), now.unit, page.currency)
        ends.append(f"{word} {value} on {day_of(int(known['day'].iloc[place])):%-d %b}")
    return f"{find(now.key).label} by day: {', '.join(ends)}"


def sparkline(days: pd.Series) -> list[float] | None:
    """The days as a short line, long periods by weeks; a day without a value is a gap; null when too few."""
    values = days.astype(float)
    if len(values) > MOST_POINTS:
        width = 7
        values = values.groupby(pd.RangeIndex(len(values)) // width).mean()
    if values.count() < 2:
        return None
    return [float(value) for value in values]


def _line(page: Opened, now: Figure, days: pd.DataFrame, ranges: pd.DataFrame) -> tuple[str, str]:
    """The words below the figure: what was expected of the last day that is known, or why nothing is.

    Returns:
        what marks an unusual day, empty otherwise; and the rest.
    """
    if now.value is None:
        return "", "No data: nothing to divide by in these days"
    if now.n == 0:
        return "", "Nothing to count in these days"
    if now.is_small_sample:
        return "", f"Small sample: {now.n} case{'' if now.n == 1 else 's'}"
    values, numbers = days[now.key].to_numpy(), days["day"].to_numpy()
    known = ((values == values) & (numbers < day_index(page.today))).nonzero()[0]
    if not len(known):
        return "", "So far: today is not over"
    interval = ""
    if now.low is not None and now.high is not None:
        interval = f"; 95% interval {unbroken(f'{now.low * 100:.1f}–{now.high * 100:.1f}%')}"
    if now.unit is Unit.SHARE and (now.n or 0) < FEWEST_A_DAY * page.scope.period.days:
        return "", f"Too few a day for a usual range{interval}"
    day, last = int(numbers[known[-1]]), float(values[known[-1]])
    name, value = f"{day_of(day):%a %-d %b}", _short(last, now.unit, page.currency)
    row = on_day(ranges, day)
    if row is None:
        why = ranges.loc[ranges["day"] == day, "basis"]
        is_skipped = len(why) > 0 and why.iloc[0] == "skipped"
        return "", f"{name}: {value}, {'a holiday is not judged' if is_skipped else 'too young for a usual range'}"
    low, high = (_short(float(row[side]), now.unit, page.currency) for side in ("low", "high"))
    if now.unit is Unit.SHARE:
        low = low.removesuffix("%")
    usual = unbroken(f"usual {low}–{high}")
    if bool(row["is_alert"]):
        side = "high" if last > row["high"] else "low"
        return f"{'▲' if side == 'high' else '▼'} {name} unusually {side}:", f" {value}, {usual}"
    return "", f"{name}: {value}, {usual}"


def _short(value: float, unit: Unit, currency: str) -> str:
    value = max(value, 0.0) if unit is Unit.COUNT else value
    if unit is Unit.MONEY:
        return format_money(round(value), currency or "EUR", cents=False)
    return written(value, unit, currency)
