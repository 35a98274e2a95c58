"""Segments kept under a name: chosen, built, saved, retired; who is in them, and what a message would meet."""

import streamlit as st

from lib.audience import Audience
from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.offer import KINDS
from lib.queues.audiences import SavedAudience, saved_audiences
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.access import show_error
from lib.ui.audience import Sent, draw_audience
from lib.ui.audience_members import draw_members
from lib.ui.desk import act, told
from lib.ui.live import open_house
from lib.ui.text import ago, one_line, plain
from lib.ui.visit import reader
from lib.workflows.audiences import LONGEST_NAME, change_audience, retire_audience, save_audience

NEW = "New segment"


@st.fragment
def draw_segments(store: Store) -> None:
    """The segments, and the one that is chosen."""
    try:
        _draw(reader(), store)
    except Exception as error:
        show_error(error)


def _draw(staff: Staff, store: Store) -> None:
    told()
    with reading(order_database(settings())) as connection:
        found = {one.audience_id: one for one in saved_audiences(connection, with_retired=True)}
    asked = st.session_state.pop("segment_saved", None)
    if asked in found:
        st.session_state["segment"] = asked
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Segment",
            [0, *found],
            format_func=lambda one: NEW if not one else _label(found.get(one)),
            key="segment",
            width="stretch",
        )
        kind = st.selectbox(
            "Checked as if for",
            list(KINDS),
            format_func=lambda name: KINDS[name].label,
            key="segment_kind",
            help="What may hold a customer back depends on what she is to get.",
            width="stretch",
        )
    one = found.get(chosen or 0)
    key = f"segment_{one.audience_id}_{one.version}" if one else f"segment_new_{st.session_state.get('segment_no', 0)}"
    sent = Sent(kind=str(kind), channel=KINDS[str(kind)].channels[0])
    may = staff.may(May.PLAN_OFFERS)
    built = draw_audience(store, one.audience if one else Audience(), key, sent=sent, may=may)
    if may:
        _keep(staff, one, built, key)
    house = open_house()
    if house.mart is not None and not house.is_empty:
        with st.container(border=True, gap="small", key="segment_members"):
            st.markdown("**Who is in it**")
            draw_members(store, house.mart, built, sent, key=key, name=one.name if one else "audience")


def _label(one: SavedAudience | None) -> str:
    if one is None:
        return ""
    by = f" · {one.author}" if one.author else ""
    retired = "" if one.is_active else " · retired"
    return one_line(f"{one.name} · changed {ago(one.changed_at, now())}{by}{retired}", 110)


def _keep(staff: Staff, one: SavedAudience | None, built: Audience, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="segment_keep"):
        name = st.text_input("Name", one.name if one else "", max_chars=LONGEST_NAME, key=f"{key}_name")

        def save() -> None:
            made: list[int] = []
            if one is None:
                done = act(lambda c: made.append(save_audience(c, staff, name, built, at=now())), "Segment saved.")
                if done:
                    st.session_state["segment_saved"] = made[0]
                    st.session_state["segment_no"] = st.session_state.get("segment_no", 0) + 1
                return
            act(
                lambda c: change_audience(c, staff, one.audience_id, name, built, version=one.version, at=now()),
                "Segment changed. Offers that copied it keep their own rules.",
            )

        def turn() -> None:
            if one is not None:
                act(
                    lambda c: retire_audience(
                        c, staff, one.audience_id, version=one.version, at=now(), is_active=not one.is_active
                    ),
                    "Segment retired: it is offered no more." if one.is_active else "Segment offered again.",
                )

        st.button("Save", type="primary", key=f"{key}_save", on_click=save)
        if one is not None:
            st.button("Retire" if one.is_active else "Offer again", key=f"{key}_retire", on_click=turn)
    if one is not None and built != one.audience:
        st.caption(plain("The rules differ from what is saved."))
