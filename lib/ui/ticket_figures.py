"""Tickets in figures: how fast people are answered, how long it takes, and when they write."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from lib.charts.backlog import backlog_spec
from lib.charts.backlog import describe as describe_backlog
from lib.charts.week import WEEKDAYS, describe, week_spec
from lib.db.engine import order_database, reading
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.ticket_course import arrivals, backlog, by_channel, by_person
from lib.metrics.tickets import FIRST_RESPONSE_STEPS
from lib.periods import day_of
from lib.queues.colleagues import names_of
from lib.settings import settings
from lib.ui.access import Opened
from lib.ui.cached import figures
from lib.ui.drill_down import of_figure, open_accounts, open_button, open_figure
from lib.ui.figure_cards import draw_figure_cards
from lib.ui.tables import download, table
from lib.ui.text import written
from lib.ui.ticket_guides import draw_missing_guides
from lib.ui.ticket_targets import draw_ticket_targets

CARDS = {
    "answered_within_target": "Answered in time",
    "first_response_median": "First response",
    "first_response_p90": "9 of 10 within",
    "first_response_open_hours_median": "In open hours",
    "first_response_open_hours_p90": "9 of 10, open hours",
    "tickets_waiting": "Waiting now",
    "oldest_waiting_ticket": "Oldest waiting",
    "open_tickets": "Open",
    "tickets": "Tickets",
    "resolution_time_median": "Resolved after",
    "reopened_share": "Reopened",
    "csat": "Satisfied",
}


# A longer time is drawn week by week.
BY_DAY = 100


def draw_ticket_figures(page: Opened) -> None:
    """All of it, for the chosen days."""
    draw_figure_cards(page, CARDS, key="ticket_cards")
    draw_ticket_targets(page.staff)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch", key="ticket_steps"):
        _steps(page)
    with right, st.container(border=True, height="stretch", key="ticket_channels"):
        _channels(page)
    with st.container(border=True, key="ticket_people"):
        _people(page)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch", key="ticket_backlog"):
        _backlog(page)
    with right, st.container(border=True, height="stretch", key="ticket_week"):
        _week(page)
    with st.container(border=True, key="ticket_guides"):
        draw_missing_guides(page)


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
    st.caption("In time: of all whose time has passed; no answer is a miss.")
    names = found["channel"].astype(str).str.capitalize()
    _answering(found.drop(columns="reopened"), "Channel", names, alt="Tickets by channel, and the share in time")
    choices = {
        name: of_figure("answered_within_target", _part(page.scope, channel=channel))
        for name, channel in zip(names, found["channel"].astype(str), strict=True)
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if open_button("open_ticket_channel", "The tickets of a channel"):
            open_accounts("Answered in time, by channel", choices, key="ticket_channel", asked="Channel")
        download("Download (CSV)", "tickets_by_channel", lambda: found, key="csv_ticket_channels")


def _part(scope: Scope, **filters: str) -> Scope:
    """The same days of a part of the tickets."""
    return Scope(period=scope.period, as_of=scope.as_of, filters=(*scope.filters, *filters.items()))


def _answering(found: pd.DataFrame, first: str, names: Sequence[str] | pd.Series, *, alt: str) -> None:
    """How each channel or person answers."""
    frame = pd.DataFrame(
        {
            first: list(names),
            "Tickets": found["n"].astype("int64"),
            "In time": 100 * found["share"],
            "Interval": [
                "" if low != low else f"{100 * low:.0f}–{100 * high:.0f}%"
                for low, high in zip(found["low"], found["high"], strict=True)
            ],
            "First response": [_time(seconds) for seconds in found["response"]],
            "Resolved after": [_time(seconds) for seconds in found["resolution"]],
        }
    )
    if "reopened" in found:
        frame["Reopened"] = found["reopened"].astype("int64")
    number = st.column_config.NumberColumn(format="%,d")
    table(
        frame,
        alt=alt,
        columns={
            "Tickets": number,
            "In time": st.column_config.NumberColumn(format="%.1f%%"),
            "Interval": st.column_config.TextColumn(help="95% interval of the share."),
            "First response": st.column_config.TextColumn(help="Median, calendar clock."),
            "Resolved after": st.column_config.TextColumn(help="Median, without waiting for the customer."),
            "Reopened": number,
        },
    )


def _time(seconds: float) -> str:
    return "" if seconds != seconds else written(seconds, Unit.SECONDS, "")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _people_of(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return by_person(_mart, scope)


def _people(page: Opened) -> None:
    st.header("By person", anchor=False)
    found = _people_of(page.scope, page.version, page.mart)
    if found.empty:
        st.caption("No ticket in these days.")
        return
    st.caption("A ticket is its owner's: of whoever it was given to, else of whoever answered it first.")
    with reading(order_database(settings())) as connection:
        known = names_of(connection)
    parts = list(zip(found["owner"].astype(str), found["assignee"].astype(str), strict=True))
    names = [_name(owner, assignee, known) for owner, assignee in parts]
    _answering(found, "Person", names, alt="Tickets by person, and the share answered in time")
    choices = {
        name: of_figure(
            "answered_within_target",
            _part(page.scope, owner=owner, **({} if owner != "nobody" else {"assignee": assignee})),
        )
        for name, (owner, assignee) in zip(names, parts, strict=True)
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if open_button("open_ticket_person", "The tickets of a person"):
            open_accounts("Answered in time, by person", choices, key="ticket_person", asked="Person")
        told = found.drop(columns=["owner", "assignee"])
        told.insert(0, "person", names)
        download("Download (CSV)", "tickets_by_person", lambda: told, key="csv_ticket_people")


def _name(owner: str, assignee: str, known: Mapping[int, str]) -> str:
    if owner != "nobody":
        return known.get(int(owner), f"Somebody ({owner})")
    return "Nobody" if assignee == "unknown" else f"{assignee} (imported)"


def by_week(frame: pd.DataFrame) -> pd.DataFrame:
    """The days of the backlog by the Monday of their week: what was open on average, what came and went together."""
    weeks = frame.groupby(frame["day"] - pd.to_timedelta(frame["day"].dt.day_of_week, unit="D"))
    found = weeks.agg({"open": "mean", "waiting": "mean", "opened": "sum", "closed": "sum"})
    return found.round(1).reset_index(names="day")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _backlog_of(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return backlog(_mart, scope)


def _backlog(page: Opened) -> None:
    st.header("What stays open", anchor=False)
    found = _backlog_of(page.scope, page.version, page.mart)
    if found.empty or not int(found["open"].max() + found["opened"].sum()):
        st.caption("No ticket was open in these days.")
        return
    st.caption(
        ":gray[**Open**] and, of these, :green[**without a first answer**] at the end of each day"
        + (", the average of each week" if page.scope.period.days > BY_DAY else "")
        + ". A ticket that was opened again counts as open since it first came in."
    )
    frame = found.assign(day=[pd.Timestamp(day_of(int(day))) for day in found["day"]])
    unit = "day" if page.scope.period.days <= BY_DAY else "week"
    if unit == "week":
        frame = by_week(frame)
    st.vega_lite_chart(frame, backlog_spec(unit), alt=describe_backlog(frame, unit), key="ticket_backlog_chart")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if open_button("open_ticket_backlog", "The tickets that are open at the end"):
            choices = {"Open": "open_tickets", "Without a first answer": "tickets_waiting"}
            open_accounts(
                "What stays open",
                {name: of_figure(key, page.scope) for name, key in choices.items()},
                key="ticket_backlog",
                asked="Tickets",
            )
        download(
            "Download (CSV)",
            "tickets_open_by_day",
            lambda: found.assign(day=[day_of(int(day)) for day in found["day"]]),
            key="csv_ticket_backlog",
        )


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
    came = found[found["n"] > 0].sort_values(["n", "weekday", "hour"], ascending=[False, True, True])
    hours = [f"{WEEKDAYS[int(day)]} {int(hour):02}" for day, hour in zip(came["weekday"], came["hour"], strict=True)]
    choices = {
        f"{hour}:00 ({n:,})": of_figure("tickets", _part(page.scope, hour_of_week=hour))
        for hour, n in zip(hours, came["n"].astype(int), strict=True)
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if open_button("open_ticket_hour", "The tickets of an hour of the week, the busiest first"):
            open_accounts("Tickets of an hour of the week", choices, key="ticket_hour", asked="Hour")
        download(
            "Download (CSV)",
            "tickets_by_hour_of_week",
            lambda: found.assign(weekday=[WEEKDAYS[int(day)] for day in found["weekday"]]),
            key="csv_ticket_week",
        )
