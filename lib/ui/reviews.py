"""The inbox of reviews: its views, filters and lines."""

from datetime import datetime, timedelta

import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues import review_inbox
from lib.queues.review_inbox import Asked, View
from lib.queues.reviews import Targets, read_targets
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import bulk_controls, people
from lib.ui.inbox import LINES, draw_inbox
from lib.ui.inbox_state import After, Inbox, Line, Lines
from lib.ui.review import draw_review, stars
from lib.ui.text import ago
from lib.workflows.templates import install_starters

AGES = {"Last 60 days": 60, "Last 7 days": 7, "Last 24 hours": 1, "Any age": None}
DEFAULT_AGE = "Last 60 days"
ANY = "Any"
VIEWS = {View.UNANSWERED: "Unanswered", View.NEGATIVE: "Negative first", View.MINE: "Mine", View.ALL: "All"}
EMPTY = {
    View.UNANSWERED: "Every review of these days has its reply.",
    View.NEGATIVE: "Nothing waits for a reply.",
    View.MINE: "Nothing is yours at the moment.",
    View.ALL: "No review fits.",
}


def draw_reviews(store: Store) -> None:
    """The whole inbox."""
    _prepare(settings().database_url)
    draw_inbox(
        Inbox(
            name="review",
            # While nobody has an account there is nobody to give work to.
            views={str(view): label for view, label in VIEWS.items() if view is not View.MINE or people()},
            counts=lambda staff: {
                str(view): count for view, count in _counts(settings().database_url, staff.staff_id).items()
            },
            filters=lambda _staff: _filters(),
            read=lambda staff, view, after: _read(staff, View(view), after),
            draw=lambda staff, key: draw_review(staff, store, key),
            bulk=lambda staff, lines: bulk_controls(staff, "review", {line.key: line.version for line in lines}),
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
    at = now()
    since = at - timedelta(days=AGES[DEFAULT_AGE] or 0)
    with reading(order_database(settings())) as connection:
        return review_inbox.counts(connection, at=at, since=since, staff_id=staff_id)


@st.cache_data(ttl=300, max_entries=4, show_spinner=False)
def _choices(url: str) -> tuple[dict[str, int], list[str], list[str]]:
    """Products that have reviews, languages and tags."""
    with reading(order_database(settings())) as connection:
        found = review_inbox.reviewed_products(connection)
        named: dict[str, int] = {}
        for key, name in found:
            named.setdefault(name, key)
        return named, review_inbox.languages(connection), review_inbox.tags(connection)


def _filters() -> str:
    state = st.session_state
    named, spoken, tagged = _choices(settings().database_url)
    st.text_input(
        "Search the words of reviews",
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
            bool(state.get("stars")),
            state.get("age", DEFAULT_AGE) != DEFAULT_AGE,
            *(state.get(name, ANY) != ANY for name in ("product", "language", "tag")),
        )
    )
    with st.popover(f"Filters · {active}" if active else "Filters", icon=":material/tune:", width="content"):
        st.pills("Stars", ["1", "2", "3", "4", "5"], selection_mode="multi", key="stars", bind="query-params")
        st.selectbox("Written", list(AGES), key="age", bind="query-params")
        st.selectbox("Product", [ANY, *named], key="product", bind="query-params")
        st.selectbox("Language", [ANY, *spoken], key="language", bind="query-params")
        st.selectbox("Tag", [ANY, *tagged], key="tag", bind="query-params")
    return repr(_asked(now().replace(minute=0, second=0, microsecond=0)))


def _asked(at: datetime) -> Asked:
    """What the widgets ask for, trusting none of them."""
    state = st.session_state
    named, spoken, _ = _choices(settings().database_url)
    days = AGES.get(str(state.get("age")), AGES[DEFAULT_AGE])
    language = state.get("language", ANY)
    tag = state.get("tag", ANY)
    return Asked(
        product_id=named.get(str(state.get("product"))),
        ratings=tuple(int(one) for one in state.get("stars") or () if str(one) in "12345"),
        languages=(language,) if language in spoken else (),
        since=at - timedelta(days=days) if days else None,
        words=str(state.get("q") or "")[:100].replace("\x00", ""),
        tag=str(tag) if tag and tag != ANY else "",
    )


def _read(staff: Staff, view: View, after: After) -> Lines:
    at = now()
    with reading(order_database(settings())) as connection:
        found = review_inbox.inbox(
            connection, view, _asked(at), at=at, staff_id=staff.staff_id, after=after, limit=LINES
        )
        targets = read_targets(connection)
    note = ""
    if found.looked_back_to is not None:
        note = f"Looked back to {found.looked_back_to:%-d %b %Y}. The next page looks further."
    return Lines([_line(line, targets, at) for line in found.lines], found.after, note)


def _line(line: review_inbox.Line, targets: Targets, at: datetime) -> Line:
    waits = line.answered_at is None and line.done_at is None and not line.is_survey
    is_late = waits and at - line.written_at > targets.of(line.rating)
    parts = [line.reviewer, line.product.split(",")[0], ago(line.written_at, at)]
    if line.owner:
        parts.append(f"for {line.owner}")
    if line.tags:
        parts.append(f"#{line.tags}")
    if line.answered_at is not None:
        parts.append("answered")
    elif line.done_at is not None:
        parts.append("done")
    mark = stars(line.rating) + (" :orange[:material/timer:]" if is_late else "")
    return Line(
        key=line.review_id,
        version=line.version,
        title=line.title or line.body or "Stars alone",
        detail=" · ".join(part for part in parts if part),
        mark=mark,
    )
