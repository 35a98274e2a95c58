"""Period, comparison and channel: chosen once in the frame, kept in the URL, true on every page.

The labels are the values: they stand in the URL, so they stay as they are.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from lib.metrics.definition import Scope
from lib.periods import Period
from lib.ui.text import of_days

PRESETS = {"Yesterday": 1, "7d": 7, "28d": 28, "90d": 90, "12m": 364}
CUSTOM = "Custom"
PERIODS = (*PRESETS, CUSTOM)
COMPARISONS = ("Previous", "Year before", "None")
ALL_CHANNELS = "All channels"
# Furthest back that a day may be chosen.
FIRST_DAY = date(1990, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is chosen: the days asked for, the days compared with, and the part of the store."""

    period: Period
    before: Period | None
    channel: str | None
    today: date

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        return (("channel", self.channel),) if self.channel else ()

    def scope(self, as_of: date) -> Scope:
        """The question about the chosen days."""
        return Scope(period=self.period, as_of=as_of, filters=self.filters)

    def words(self) -> str:
        """``25 Oct – 21 Nov compared with 27 Sep – 24 Oct``."""
        last = self.period.end - timedelta(days=1)
        is_afar = last.year != self.today.year or (self.before is not None and self.before.start.year != last.year)
        text = of_days(self.period, year=is_afar or None)
        if self.period.end > self.today:
            text += ", today so far"
        if self.before is not None:
            text += f" compared with {of_days(self.before, year=is_afar or None)}"
        return text if not self.channel else f"{text}, {self.channel} only"


def chosen(today: date, channels: list[str]) -> Choice:
    """Read the choice back from the widgets, trusting none of them: what makes no sense is the default."""
    state = st.session_state
    label = state.get("period")
    period = Period.last(PRESETS["28d"], before=today)
    if label in PRESETS:
        period = Period.last(PRESETS[label], before=today)
    elif label == CUSTOM:
        period = _custom(state.get("from"), state.get("to"), today) or period
    comparison = state.get("compare", COMPARISONS[0])
    before = {COMPARISONS[0]: period.previous(), COMPARISONS[1]: period.year_before()}.get(comparison)
    channel = state.get("channel")
    return Choice(
        period=period,
        before=before,
        channel=channel if channel in channels else None,
        today=today,
    )


def _custom(first: object, last: object, today: date) -> Period | None:
    if not isinstance(first, date) or not isinstance(last, date):
        return None
    start, end = min(first, last), max(first, last) + timedelta(days=1)
    # Today is not over: it may be asked for, and is then labelled "so far".
    end = min(end, today + timedelta(days=1))
    return Period(max(start, FIRST_DAY), end) if FIRST_DAY <= start < end else None


def choose(today: date, channels: list[str]) -> Choice:
    """Draw the controls, and answer what is chosen."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Period",
            PERIODS,
            default="28d",
            required=True,
            key="period",
            bind="query-params",
            label_visibility="collapsed",
            width="content",
            wrap=True,
        )
        compare = st.session_state.get("compare", COMPARISONS[0])
        channel = st.session_state.get("channel", ALL_CHANNELS)
        active = (compare != COMPARISONS[0]) + (channel != ALL_CHANNELS)
        label = f"Filters · {active}" if active else "Filters"
        with st.popover(label, icon=":material/tune:", width="content"):
            st.selectbox("Compare with", COMPARISONS, key="compare", bind="query-params")
            st.selectbox("Channel", [ALL_CHANNELS, *channels], key="channel", bind="query-params")
    if st.session_state.get("period") == CUSTOM:
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
            for label, key, day in (
                ("From", "from", today - timedelta(days=28)),
                ("To", "to", today - timedelta(days=1)),
            ):
                st.date_input(
                    label,
                    day,
                    min_value=FIRST_DAY,
                    max_value=today,
                    format="DD/MM/YYYY",
                    width=150,
                    key=key,
                    bind="query-params",
                )
    return chosen(today, channels)
