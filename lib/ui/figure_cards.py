"""Small cards of figures without a course: the value, its change, its cases and interval; each opens to its rows."""

from collections.abc import Mapping

import streamlit as st

from lib.metrics.catalogue import find
from lib.metrics.definition import Figure, Unit
from lib.ui.access import Opened
from lib.ui.cached import figures
from lib.ui.drill_down import open_button, open_figure
from lib.ui.text import change, plain, written


def draw_figure_cards(page: Opened, names: Mapping[str, str], *, key: str) -> None:
    """A card for each figure by key, under the name given for it."""
    current = figures(page.mart, tuple(names), page.scope)
    before = figures(page.mart, tuple(names), page.before) if page.before else {}
    with st.grid(5, min_column_width=150, gap="small", key=key):
        for name, label in names.items():
            with st.container(border=True, height="stretch", gap="xsmall", key=f"card_{name}"):
                _card(page, label, current[name], before.get(name))


def _card(page: Opened, label: str, found: Figure, before: Figure | None) -> None:
    metric = find(found.key)
    step = change(found.value, before.value, found.unit) if before else None
    colour = "normal" if metric.good_is == "up" else "inverse" if metric.good_is == "down" else "off"
    value = _days(found.value) if found.unit is Unit.HOURS else None
    st.metric(
        label,
        value or written(found.value, found.unit, page.currency),
        delta=step,
        delta_color=colour,  # type: ignore[arg-type]  # one of the three above
        help=metric.meaning,
    )
    with st.container(height="stretch", gap=None):
        st.caption(_line(found))
    if open_button(f"figure_{found.key}", f"What {metric.label.lower()} means, and the rows behind it"):
        open_figure(found.key, page.scope)


def _days(hours: float | None) -> str | None:
    return f"{hours / 24:,.0f} days" if hours is not None and hours >= 48 else None


def _line(found: Figure) -> str:
    if found.value is None or found.n == 0:
        return "Nothing to count in these days"
    if found.is_small_sample:
        return f"Small sample: {found.n} case{'' if found.n == 1 else 's'}"
    if found.low is not None and found.high is not None:
        return plain(f"{found.n:,} cases; 95% interval {found.low * 100:.1f}–{found.high * 100:.1f}%")
    return f"{found.n:,} case{'' if found.n == 1 else 's'}" if found.n is not None else ""
