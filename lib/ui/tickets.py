"""The inbox of tickets: its views, filters and lines."""

from datetime import datetime, timedelta

import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.tickets import TICKET_CHANNELS, TICKET_PRIORITIES
from lib.queues import ticket_inbox
from lib.queues.listing import waited
from lib.queues.ticket_inbox import Asked, View
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import act, bulk_controls, people
from lib.ui.inbox import LINES, draw_inbox
from lib.ui.inbox_state import After, Inbox, Line, Lines
from lib.ui.new_ticket import draw_new_ticket
from lib.ui.text import ago
from lib.ui.ticket import ICONS, draw_ticket
from lib.workflows.templates import install_starters
from lib.workflows.tickets import close_all

AGES = {"Any age": None, "Last 60 days": 60, "Last 7 days": 7, "Last 24 hours": 1}
DEFAULT_AGE = "Any age"
ANY = "Any"
STATUSES = {"open": "Open", "waiting_for_customer": "With the customer", "closed": "Closed", "spam": "Spam"}
VIEWS = {
    View.DUE: "Due next",
    View.UNOWNED: "Nobody's",
    View.MINE: "Mine",
    View.WITH_CUSTOMER: "With the customer",
    View.ALL: "All",
}
EMPTY = {
    View.DUE: "Nobody waits for an answer.",
    View.UNOWNED: "Every ticket that waits has somebody.",
    View.MINE: "Nothing is yours at the moment.",
    View.WITH_CUSTOMER: "No ticket waits for its customer.",
    View.ALL: "No ticket fits.",
}
# How long before its deadline a ticket is marked.
_SOON = timedelta(minutes=15)


def draw_tickets(store: Store) -> None:
    """The whole inbox."""
    _prepare(settings().database_url)
    has_people = bool(people())
    draw_inbox(
        Inbox(
            name="ticket",
            # While nobody has an account there is nobody to give work to.
            views={str(v): label for v, label in VIEWS.items() if has_people or v not in {View.MINE, View.UNOWNED}},
            counts=lambda staff: {
                str(view): count for view, count in _counts(settings().database_url, staff.staff_id).items()
            },
            filters=lambda staff: _filters(staff),
            read=lambda staff, view, after: _read(staff, View(view), after),
            draw=lambda staff, key: draw_ticket(staff, store, key),
            bulk=_bulk,
            empty={str(view): words for view, words in EMPTY.items()},
        ),
        May.SEE_QUEUE,
    )


@st.cache_resource(show_spinner=False)
def _prepare(url: str) -> None:
    """Put Encore's own templates in where there are none."""
    with writing(order_database(settings())) as connection:
        install_starters(connection, at=now())


@st.cache_data(ttl=10, max_entries=50, show_spinner=False)
def _counts(url: str, staff_id: int | None) -> dict[View, int]:
    with reading(order_database(settings())) as connection:
        return ticket_inbox.counts(connection, at=now(), staff_id=staff_id)


@st.cache_data(ttl=300, max_entries=4, show_spinner=False)
def _tags(url: str) -> list[str]:
    with reading(order_database(settings())) as connection:
        return ticket_inbox.tags(connection)


def _filters(staff: Staff) -> str:
    state = st.session_state
    st.text_input(
        "Search tickets",
        type="search",
        live="400ms",
        key="q",
        bind="query-params",
        placeholder="Search",
        label_visibility="collapsed",
        width=180,
    )
    active = sum(
        (
            *(bool(state.get(name)) for name in ("channel_of", "priority_of", "status_of")),
            state.get("age", DEFAULT_AGE) != DEFAULT_AGE,
            state.get("tag", ANY) != ANY,
        )
    )
    with st.popover(f"Filters · {active}" if active else "Filters", icon=":material/tune:", width="content"):
        st.pills("Channel", TICKET_CHANNELS, selection_mode="multi", key="channel_of", bind="query-params")
        st.pills("Priority", TICKET_PRIORITIES, selection_mode="multi", key="priority_of", bind="query-params")
        st.pills("Status", list(STATUSES.values()), selection_mode="multi", key="status_of", bind="query-params")
        st.selectbox("Opened", list(AGES), key="age", bind="query-params")
        st.selectbox("Tag", [ANY, *_tags(settings().database_url)], key="tag", bind="query-params")
    if staff.may(May.ANSWER_TICKETS):
        draw_new_ticket()
    return repr(_asked(now().replace(minute=0, second=0, microsecond=0)))


def _asked(at: datetime) -> Asked:
    """What the widgets ask for, trusting none of them."""
    state = st.session_state
    days = AGES.get(str(state.get("age")), AGES[DEFAULT_AGE])
    tag = state.get("tag", ANY)
    chosen = state.get("status_of") or ()
    return Asked(
        channels=tuple(one for one in state.get("channel_of") or () if one in TICKET_CHANNELS),
        priorities=tuple(one for one in state.get("priority_of") or () if one in TICKET_PRIORITIES),
        statuses=tuple(status for status, label in STATUSES.items() if label in chosen),
        since=at - timedelta(days=days) if days else None,
        words=str(state.get("q") or "")[:100].replace("\x00", ""),
        tag=str(tag) if tag and tag != ANY else "",
    )


def _read(staff: Staff, view: View, after: After) -> Lines:
    at = now()
    with reading(order_database(settings())) as connection:
        found = ticket_inbox.inbox(
            connection, view, _asked(at), at=at, staff_id=staff.staff_id, after=after, limit=LINES
        )
    note = ""
    if found.looked_back_to is not None:
        note = f"Looked back to {found.looked_back_to:%-d %b %Y}. The next page looks further."
    return Lines([_line(line, at) for line in found.lines], found.after, note)


def _line(line: ticket_inbox.Line, at: datetime) -> Line:
    parts = [line.requester or "Somebody", _when(line, at)]
    if line.owner:
        parts.append(f"for {line.owner}")
    if line.tags:
        parts.append(f"#{line.tags}")
    return Line(
        key=line.ticket_id,
        version=line.version,
        title=line.subject or "Without a subject",
        detail=" · ".join(part for part in parts if part),
        mark=_mark(line, at),
    )


def _mark(line: ticket_inbox.Line, at: datetime) -> str:
    colour = "gray"
    if line.response_due_at is not None:
        colour = "red" if line.response_due_at < at else "orange" if line.response_due_at < at + _SOON else "gray"
    mark = f":{colour}[{ICONS[line.channel]}]"
    return f"{mark} :red[:material/priority_high:]" if line.priority in {"high", "urgent"} else mark


def _when(line: ticket_inbox.Line, at: datetime) -> str:
    """What matters of its times: how late it is, how long is left, or what became of it."""
    if line.response_due_at is not None:
        if line.response_due_at < at:
            return f"{waited(line.response_due_at, at)} past its time"
        return f"due in {waited(at, line.response_due_at)}"
    if line.status == "open":
        return f"open, {ago(line.opened_at, at)}"
    return f"{STATUSES[line.status].lower()}, {ago(line.opened_at, at)}"


def _bulk(staff: Staff, lines: list[Line]) -> None:
    bulk_controls(staff, "ticket", {line.key: line.version for line in lines})
    if staff.may(May.ANSWER_TICKETS):
        st.button(
            "Close them", key="bulk_close_ticket", icon=":material/done_all:", on_click=_close, args=(staff, lines)
        )


def _close(staff: Staff, lines: list[Line]) -> None:
    kept: list[int] = []
    versions = {line.key: line.version for line in lines}
    if act(lambda c: kept.extend(close_all(c, staff, versions, at=now()))):
        words = f"{len(lines) - len(kept)} closed."
        if kept:
            words += f" {len(kept)} stayed as they were: closed already, or changed by somebody meanwhile."
        st.session_state["desk_told"] = ("done" if not kept else "refused", words)
