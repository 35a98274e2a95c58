"""What needs somebody: the short list, and the rows behind each of its lines."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.money import to_major
from lib.queues import day
from lib.queues.listing import Need
from lib.settings import settings
from lib.ui.access import show_error
from lib.ui.drill_down import open_button
from lib.ui.places import OUTBOX, REVIEWS, TICKETS, TO_DO
from lib.ui.tables import table
from lib.ui.text import plain

ICONS = {
    "reviews": ":material/reviews:",
    "tickets": ":material/support_agent:",
    "parcels": ":material/local_shipping:",
    "unpaid": ":material/payments:",
    "returns": ":material/assignment_return:",
    "questions": ":material/help:",
    "outbox": ":material/outbox:",
    "ending": ":material/flag:",
}
PAGE = 50


@st.cache_data(ttl=30, max_entries=4, show_spinner=False)
def _needs(url: str, zone: str, _store: Store) -> list[Need]:
    with reading(order_database(settings())) as connection:
        return day.needs(connection, at=now(), today=_store.today())


def draw_needs(store: Store) -> None:
    """The list, each line with a button that opens its rows."""
    found = _needs(settings().database_url, store.time_zone, store)
    if not found:
        with st.container(border=True):
            st.markdown("**Nothing waits for you.**")
            st.caption("No review, ticket, late parcel, unpaid order, return or question of the last 60 days is open.")
        return
    with st.grid(3, min_column_width=280, gap="small", key="needs"):
        for need in found:
            # One container and two elements a line: each that a page draws costs its reader time.
            with st.container(
                border=True,
                height="stretch",
                horizontal=True,
                vertical_alignment="center",
                wrap=False,
                gap="small",
                key=f"need_{need.key}",
            ):
                _line(need, store)
    st.page_link(TO_DO, label="All of it in one list, each customer once", icon=":material/checklist:")


def _line(need: Need, store: Store) -> None:
    colour = "orange" if need.is_urgent else "gray"
    words = f":{colour}[{ICONS[need.key]}] **{plain(need.title)}**  \n:small[:gray[{plain(need.detail)}]]"
    st.markdown(words, width="stretch")
    if open_button(f"open_{need.key}", f"See the list: {plain(need.title)}"):
        st.dialog(need.title, width="large")(_dialog)(need.key, store)


def _dialog(key: str, store: Store) -> None:
    try:
        _list(key, store)
    except Exception as error:
        show_error(error)


def _list(key: str, store: Store) -> None:
    """The rows, a page at a time; the places where earlier pages began are kept, to walk back."""
    trail: list[Any] = st.session_state.setdefault(f"trail_{key}", [None])
    with reading(order_database(settings())) as connection:
        page = day.waiting(connection, key, at=now(), today=store.today(), after=trail[-1], limit=PAGE)
    if page.rows.empty:
        st.info("Nothing waits here any more.")
        return
    frame, columns = _for_people(page.rows, store)
    table(frame, alt="What waits", columns=columns)
    if key == "outbox":
        st.page_link(OUTBOX, label="See why, and send them again", icon=":material/arrow_forward:")
    elif key == "reviews":
        st.page_link(REVIEWS, label="Answer them in the inbox", icon=":material/arrow_forward:")
    elif key == "tickets":
        st.page_link(TICKETS, label="Answer them in the inbox", icon=":material/arrow_forward:")
    elif key != "ending":
        st.page_link(TO_DO, label="Work through them in the list for the day", icon=":material/arrow_forward:")
    with st.container(horizontal=True):
        if len(trail) > 1 and st.button("Earlier rows", key=f"back_{key}", icon=":material/chevron_left:"):
            trail.pop()
            st.rerun(scope="fragment")
        if page.after is not None and st.button("More rows", key=f"more_{key}", icon=":material/chevron_right:"):
            trail.append(page.after)
            st.rerun(scope="fragment")


def _for_people(rows: pd.DataFrame, store: Store) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = rows.copy()
    columns: dict[str, Any] = {}
    for name in frame.columns:
        first = next((value for value in frame[name] if value is not None), None)
        if isinstance(first, datetime):
            frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(store.zone).dt.tz_localize(None)
            columns[str(name)] = st.column_config.DatetimeColumn(format="D MMM, HH:mm")
        elif name in {"Promised", "Last day"}:
            columns[str(name)] = st.column_config.DateColumn(format="D MMM YYYY")
        elif name in {"Status", "Channel", "Priority", "Payment", "Wanted"}:
            frame[name] = [None if value is None else str(value).replace("_", " ") for value in frame[name]]
    if "Total" in frame and "Currency" in frame:
        frame["Total"] = [float(to_major(int(t), c)) for t, c in zip(frame["Total"], frame["Currency"], strict=True)]
        columns["Total"] = st.column_config.NumberColumn(format="%,.2f")
    return frame, columns
