"""The goals that run, and whether their pace suffices."""

from datetime import date, timedelta

import streamlit as st

from lib.metrics.catalogue import METRICS
from lib.metrics.definition import Scope, Unit
from lib.periods import Period
from lib.settings import settings
from lib.ui.access import Opened
from lib.ui.cached import figures
from lib.ui.calendar import goals_on
from lib.ui.drill_down import open_button, open_figure
from lib.ui.text import NO_DATA, plain, written


def draw_goals(page: Opened) -> None:
    """The goals that run, if any: reached so far, target, and whether the pace suffices."""
    found = [goal for goal in goals_on(settings().database_url, page.today) if goal[0] in METRICS]
    if not found:
        return
    st.header("Goals", anchor=False)
    with st.grid(4, min_column_width=240, gap="small", key="goals"):
        for key, start, end, target in found:
            with st.container(border=True, height="stretch"):
                _goal(page, key, start, end, target, [each for each, *days, _ in found if days == [start, end]])


def _goal(page: Opened, key: str, start: date, end: date, target: int, asked: list[str]) -> None:
    """One goal; ``asked`` are the figures of all goals of the same days, so that they are asked at once."""
    metric = METRICS[key]
    past = Period(start, max(start, min(end, page.today)))
    scope = Scope(period=past, as_of=past.end)
    figure = figures(page.mart, asked, scope)[key]
    value = figure.value or 0
    gone = past.days / max(1, (end - start).days)
    st.markdown(f"**{metric.label}** by {end - timedelta(days=1):%-d %B}")
    share = min(1.0, max(0.0, value / target)) if target else 0.0
    reached = NO_DATA if figure.value is None else written(value, metric.unit, page.currency)
    wanted = written(target, metric.unit, page.currency)
    st.progress(share, text=plain(f"{reached} of {wanted}"))
    words = f"{gone:.0%} of the days are over"
    is_sum = metric.unit in {Unit.COUNT, Unit.MONEY}
    if is_sum:
        ahead = value / target - gone if target else 0.0
        word = "ahead of" if ahead >= 0 else "behind"
        words = f"{share:.0%} after {gone:.0%} of the days: {word} an even pace"
    if figure.is_small_sample and not is_sum:
        words += ". Small sample"
    with st.container(horizontal=True, vertical_alignment="bottom", wrap=False, gap="small"):
        st.caption(words)
        if open_button(f"goal_{key}_{start}_{end}", f"What counts towards {metric.label.lower()}, and the rows"):
            open_figure(key, scope)
