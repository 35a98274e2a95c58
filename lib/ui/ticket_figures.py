"""Tickets in figures: how fast people are answered, how long it takes, and when they write."""

import pandas as pd
import streamlit as st

from lib.charts.week import WEEKDAYS, describe, week_spec
from lib.metrics.definition import Mart, Scope
from lib.metrics.ticket_course import arrivals, by_channel
from lib.metrics.tickets import FIRST_RESPONSE_STEPS
from lib.ui.access import Opened
from lib.ui.cached import figures
from lib.ui.drill_down import open_button, open_figure
from lib.ui.figure_cards import draw_figure_cards
from lib.ui.tables import download, table
from lib.ui.ticket_targets import draw_ticket_targets

CARDS = {
    "answered_within_target": "Answered in time",
    "first_response_median": "First response",
    "first_response_p90": "9 of 10 within",
    "tickets_waiting": "Waiting now",
    "oldest_waiting_ticket": "Oldest waiting",
    "tickets": "Tickets",
    "resolution_time_median": "Resolved after",
    "reopened_share": "Reopened",
    "csat": "Satisfied",
}


def draw_ticket_figures(page: Opened) -> None:
    """All of it, for the chosen days."""
    draw_figure_cards(page, CARDS, key="ticket_cards")
    draw_ticket_targets(page.staff)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch", key="ticket_steps"):
        _steps(page)
    with right, st.container(border=True, height="stretch", key="ticket_channels"):
        _channels(page)
    with st.container(border=True, key="ticket_week"):
        _week(page)


def _steps(page: Opened) -> None:
    st.header("How long people waited for a first answer", anchor=False)
    keys = {metric.key: metric.label.removeprefix("First response in ") for metric in FIRST_RESPONSE_STEPS}
    found = figures(page.mart, tuple(keys), page.scope)
    total = sum(found[key].value or 0 for key in keys)
    if not total:
        st.caption("No ticket of these days was answered.")
        return
    frame = pd.DataFrame(
        {
            "Waited": list(keys.values()),
            "Tickets": [int(found[key].value or 0) for key in keys],
            "Share": [100 * (found[key].value or 0) / total for key in keys],
        }
    )
    st.caption("Calendar clock: nights and weekends count. Tickets without an answer are not in it.")
    table(
        frame,
        alt="First response time by steps",
        columns={
            "Tickets": st.column_config.NumberColumn(format="%,d"),
            "Share": st.column_config.ProgressColumn(format="%.1f%%", min_value=0, max_value=100),
        },
    )
    labels = {label: key for key, label in keys.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox("Step", list(labels), key="ticket_step", label_visibility="collapsed", width=150)
        if open_button("open_ticket_step", "The tickets of this step"):
            open_figure(labels[str(chosen)], page.scope)
        download("Download (CSV)", "first_response_steps", lambda: frame, key="csv_ticket_steps")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _channels_of(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return by_channel(_mart, scope)


def _channels(page: Opened) -> None:
    st.header("By channel", anchor=False)
    found = _channels_of(page.scope, page.version, page.mart)
    if found.empty:
        st.caption("No ticket in these days.")
        return
    st.caption("Answered in time: of all whose time has passed; no answer is a miss.")
    frame = pd.DataFrame(
        {
            "Channel": found["channel"].astype(str).str.capitalize(),
            "Tickets": found["n"].astype("int64"),
            "In time": 100 * found["share"],
            "Interval": [
                "" if low != low else f"{100 * low:.0f}–{100 * high:.0f}%"
                for low, high in zip(found["low"], found["high"], strict=True)
            ],
            "Time has passed": found["due"].astype("int64"),
        }
    )
    number = st.column_config.NumberColumn(format="%,d")
    table(
        frame,
        alt="Tickets by channel, and the share answered in time",
        columns={
            "Tickets": number,
            "Time has passed": number,
            "In time": st.column_config.NumberColumn(format="%.1f%%"),
        },
    )
    download("Download (CSV)", "tickets_by_channel", lambda: frame, key="csv_ticket_channels")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def arrivals_of(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    """Tickets by hour of the week, kept by question and version of the mart."""
    return arrivals(_mart, scope)


def week_frame(found: pd.DataFrame) -> pd.DataFrame:
    """The hours of the week as the chart wants them."""
    frame = pd.DataFrame({"weekday": [WEEKDAYS[int(day)] for day in found["weekday"]], "hour": found["hour"]})
    frame["value"] = found["per_hour"].fillna(0.0)
    frame["written"] = [
        f"{value:.2f} an hour, {n} in {weeks} {'week' if weeks == 1 else 'weeks'}"
        for value, n, weeks in zip(frame["value"], found["n"], found["weeks"], strict=True)
    ]
    return frame


def _week(page: Opened) -> None:
    st.header("When people write", anchor=False)
    found = arrivals_of(page.scope, page.version, page.mart)
    if not int(found["n"].sum()):
        st.caption("No ticket in these days.")
        return
    st.caption("Tickets an hour by the store's clock; the darker, the more.")
    frame = week_frame(found)
    st.vega_lite_chart(frame, week_spec("Tickets"), alt=describe(frame, "Tickets"), key="ticket_week_chart")
    download(
        "Download (CSV)",
        "tickets_by_hour_of_week",
        lambda: found.assign(weekday=[WEEKDAYS[int(day)] for day in found["weekday"]]),
        key="csv_ticket_week",
    )
