"""All that happened with a customer, newest first: by kind, a page at a time."""

from typing import Any

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.customer_event import Happened, Place
from lib.queues.customer_events import counts, timeline
from lib.queues.listing import MOST
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.places import OUTBOX, REVIEWS, TICKETS
from lib.ui.story import ICONS
from lib.ui.text import one_line

LINES = 20
LABELS = {
    "order": "Orders",
    "parcel": "Parcels",
    "return": "Returns",
    "refund": "Refunds",
    "ticket": "Tickets",
    "review": "Reviews",
    "question": "Questions",
    "survey": "Surveys",
    "message": "Messages",
    "offer": "Offers",
    "points": "Points",
    "cart": "Carts",
}
# Where a line can be opened: for those who see what waits.
_PAGES = {"review": (REVIEWS, "review"), "ticket": (TICKETS, "ticket"), "message": (OUTBOX, "")}


@st.fragment
def draw_timeline(staff: Staff, store: Store, customer_id: int) -> None:
    """The card of what happened."""
    state, name = st.session_state, f"customer_trail_{customer_id}"
    with st.container(border=True, gap="small", key="timeline"):
        st.header("What happened", anchor=False)
        with reading(order_database(settings())) as connection:
            many = counts(connection, customer_id)
        if not many:
            st.caption("Nothing is on record with this customer so far.")
            return
        kinds = _asked(many, customer_id)
        trail: list[Any] = state.get(name) or [None]
        place = Place(store.today(), store.zone)
        with reading(order_database(settings())) as connection:
            page = timeline(connection, customer_id, place, kinds=kinds, after=trail[-1], limit=LINES)
        for one in page.rows:
            _line(one, staff, store)
        with st.container(horizontal=True, gap="small", key="timeline_pages"):
            if len(trail) > 1:
                st.button(
                    "Later",
                    icon=":material/chevron_left:",
                    key=f"timeline_later_{customer_id}",
                    on_click=lambda: state.update({name: trail[:-1]}),
                )
            if page.after is not None:
                st.button(
                    "Earlier",
                    icon=":material/chevron_right:",
                    key=f"timeline_earlier_{customer_id}",
                    on_click=lambda: state.update({name: [*trail, page.after]}),
                )


def _asked(many: dict[str, int], customer_id: int) -> list[str]:
    """The kinds that are wanted; another choice begins at the newest again."""
    named = {kind: f"{label} {_many(many[kind])}" for kind, label in LABELS.items() if kind in many}
    key = f"customer_kinds_{customer_id}"
    chosen = st.pills(
        "Show",
        list(named),
        format_func=lambda kind: named.get(kind, kind),
        selection_mode="multi",
        key=key,
        label_visibility="collapsed",
        on_change=lambda: st.session_state.pop(f"customer_trail_{customer_id}", None),
    )
    return [kind for kind in chosen or () if kind in many]


def _many(count: int) -> str:
    return f"{MOST:,}+" if count > MOST else f"{count:,}"


def _line(one: Happened, staff: Staff, store: Store) -> None:
    local = one.at.astimezone(store.zone)
    day = f"{local:%-d %b, %H:%M}" if local.year == now().astimezone(store.zone).year else f"{local:%-d %b %Y, %H:%M}"
    colour = "orange" if one.is_bad else "gray"
    said = f"{day} · {one.detail}" if one.detail else day
    words = f":{colour}[:material/{ICONS[one.kind]}:] **{one_line(one.title, 90)}**"
    words += f"  \n:small[:gray[{one_line(said, 160)}]]"
    if one.words and staff.may(May.SEE_PERSONAL_DATA):
        words += f"  \n:small[“{one_line(one.words, 200)}”]"
    with st.container(
        horizontal=True, vertical_alignment="center", wrap=False, gap="small", key=f"event_{one.kind}_{one.key}"
    ):
        st.markdown(words, width="stretch")
        if one.kind in _PAGES and staff.may(May.SEE_QUEUE):
            page, name = _PAGES[one.kind]
            st.page_link(
                page,
                label="Open",
                icon=":material/arrow_forward:",
                icon_position="right",
                query_params={name: str(one.key)} if name else None,
            )
