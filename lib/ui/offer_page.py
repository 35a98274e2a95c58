"""One offer on a page of its own: where it stands, what can be done with it, and the parts of its editor."""

from collections.abc import Callable
from dataclasses import asdict

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.money import format_money
from lib.queues.offers import Offer, Reached, one_offer, reached
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.access import Desk, show_error
from lib.ui.desk import act, told
from lib.ui.offer_audience import draw_offer_audience
from lib.ui.offer_codes import draw_codes
from lib.ui.offer_edit import Editing, editing
from lib.ui.offer_new import begin_copy
from lib.ui.offer_plan import draw_plan
from lib.ui.offer_result import draw_result
from lib.ui.offer_start import draw_start
from lib.ui.offer_terms import ICONS, STATUSES, days_words, terms_of
from lib.ui.offer_versions import draw_versions
from lib.ui.offer_words import draw_words
from lib.ui.places import OFFERS
from lib.ui.text import one_line, plain
from lib.ui.visit import reader
from lib.workflows.offer_approval import approval_limit, needs_second_person
from lib.workflows.offer_terms import Terms, problems
from lib.workflows.offers import (
    approve_offer,
    finish_offer,
    pause_offer,
    resume_offer,
    start_offer,
    stop_offer,
)


def draw_offer(desk: Desk, offer_id: int) -> None:
    """The offer of that key."""
    with reading(order_database(settings())) as connection:
        offer = one_offer(connection, offer_id)
        so_far = reached(connection, offer_id)
        limit = approval_limit(connection)
    st.page_link(OFFERS, label="All offers", icon=":material/arrow_back:")
    told()
    if offer is None:
        st.info("There is no such offer any more.")
        return
    terms = terms_of(offer.settings, asdict(offer))
    _head(desk.store, offer, so_far)
    if terms is None:
        st.info("This offer was not planned in Encore: it is context, and cannot be changed here.")
    elif desk.staff.may(May.PLAN_OFFERS):
        _actions(desk, offer, terms, limit)
    _parts(desk, offer, terms)


# What went out has a result, or says what it waits for.
_RAN = ("running", "paused", "stopped", "finished")


def _parts(desk: Desk, offer: Offer, terms: Terms | None) -> None:
    """The tabs; a part that needs a plan is not there without one."""
    parts: dict[str, Callable[[], None]] = {}
    if terms is not None:
        parts["Plan"] = lambda: _editor(desk.store, offer.offer_id, draw_plan)
        parts["Audience"] = lambda: _editor(desk.store, offer.offer_id, draw_offer_audience)
        parts["Content"] = lambda: _editor(desk.store, offer.offer_id, draw_words)
        if terms.plan.code.shared or terms.plan.code.prefix:
            parts["Codes"] = lambda: draw_codes(desk.staff, desk.store, offer, terms)
        if desk.staff.may(May.PLAN_OFFERS) and not offer.is_over:
            parts["Start"] = lambda: draw_start(desk, offer.offer_id)
    if offer.status in _RAN:
        parts["Result"] = lambda: draw_result(desk, offer.offer_id)
    parts["Versions"] = lambda: draw_versions(desk.store, offer)
    first = "Result" if offer.status in _RAN else None
    tabs = st.tabs(list(parts), default=first, key="part", bind="query-params")
    for tab, draw in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


@st.fragment
def _editor(store: Store, offer_id: int, draw: Callable[[Editing], None]) -> None:
    try:
        with reading(order_database(settings())) as connection:
            offer = one_offer(connection, offer_id)
        if offer is None:
            return
        with editing(reader(), store, offer) as one:
            draw(one)
    except Exception as error:
        show_error(error)


def _head(store: Store, offer: Offer, so_far: Reached) -> None:
    name, color = STATUSES[offer.status]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="offer_head"):
        st.header(f"{ICONS[offer.kind]} {one_line(offer.name, 100)}", anchor=False, width="content")
        st.badge(name, color=color)  # type: ignore[arg-type]  # the names of STATUSES are colours of badges
        if offer.waits and offer.status != "draft":
            st.badge(f"Version {offer.number} waits for approval", color="orange")
    zone = store.zone
    parts = [
        offer.label,
        days_words(offer.starts_at, offer.ends_at, zone),
        f"outcome window {offer.window_days} days",
        f"holdout {offer.holdout_share * 100:g} %",
    ]
    if so_far.treated or so_far.held_out:
        parts.append(f"{so_far.treated:,} got it, {so_far.held_out:,} held out, {so_far.redeemed:,} redeemed")
    st.caption(plain(" · ".join(parts)))
    if offer.status == "paused":
        st.warning(plain(f"Paused: {offer.pause_reason or 'nobody said why'}"), icon=":material/pause:")


def _actions(desk: Desk, offer: Offer, terms: Terms, limit: int | None) -> None:
    staff, offer_id, version = desk.staff, offer.offer_id, offer.version
    waiting = problems(terms, at=now()) if offer.waits else []
    if waiting:
        with st.expander(
            f"{len(waiting)} thing{'' if len(waiting) == 1 else 's'} to settle before it can be approved",
            icon=":material/rule:",
            expanded=offer.status != "draft" or len(waiting) <= 3,
        ):
            for words in waiting:
                st.markdown(f"- {plain(words)}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="offer_actions"):
        if offer.waits:
            second = needs_second_person(terms, limit)
            st.button(
                "Approve" if offer.status == "draft" else f"Approve version {offer.number}",
                type="primary",
                icon=":material/verified:",
                key="offer_approve",
                disabled=bool(waiting),
                help="It may cost more than the limit: an owner who did not write it approves." if second else None,
                on_click=_do,
                args=(lambda c: approve_offer(c, staff, offer_id, version=version, at=now()), "Approved."),
            )
        if offer.status == "approved":
            st.button(
                "Start",
                type="primary",
                icon=":material/play_arrow:",
                key="offer_start",
                on_click=_do,
                args=(lambda c: start_offer(c, staff, offer_id, version=version, at=now()), "Started."),
            )
        if offer.status == "running":
            _pause(staff, offer)
        if offer.status == "paused":
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key="offer_resume",
                on_click=_do,
                args=(lambda c: resume_offer(c, staff, offer_id, version=version, at=now()), "It goes on."),
            )
        if offer.status in {"running", "paused"} and offer.ends_at is not None and offer.ends_at <= now():
            st.button(
                "Finish",
                icon=":material/flag:",
                key="offer_finish",
                on_click=_do,
                args=(lambda c: finish_offer(c, staff, offer_id, version=version, at=now()), "Finished."),
            )
        if not offer.is_over:
            _stop(staff, offer)
        if st.button("Copy", icon=":material/content_copy:", key="offer_copy"):
            begin_copy(offer_id, offer.name)
    if offer.waits and limit is not None and needs_second_person(terms, limit):
        currency = desk.store.currency or "EUR"
        st.caption(
            plain(
                f"May cost more than {format_money(limit, currency)}: an owner who did not write it must approve it. "
                "A budget within the limit (Guardrails) makes that unnecessary."
            )
        )


def _pause(staff: Staff, offer: Offer) -> None:
    with st.popover("Pause", icon=":material/pause:", key="offer_pause_open"):
        st.caption("Nobody new gets it until it goes on. Those assigned stay in their arm and are measured.")
        st.text_input("Why", max_chars=200, key=f"offer_pause_why_{offer.version}")

        def pause() -> None:
            why = str(st.session_state[f"offer_pause_why_{offer.version}"])
            _do(lambda c: pause_offer(c, staff, offer.offer_id, why, version=offer.version, at=now()), "Paused.")

        st.button("Pause it", type="primary", key="offer_pause", on_click=pause)


def _stop(staff: Staff, offer: Offer) -> None:
    is_draft = offer.status in {"draft", "approved"}
    word = "Drop" if is_draft else "Stop"
    with st.popover(word, icon=":material/stop:", key="offer_stop_open"):
        st.caption(
            "It leaves the line and the list for the day, and stays on record under Over."
            if is_draft
            else "For good: nobody gets it any more. What happened stays readable, and a copy can go on with it."
        )
        st.button(
            f"{word} it",
            type="primary",
            key="offer_stop",
            on_click=_do,
            args=(
                lambda c: stop_offer(c, staff, offer.offer_id, version=offer.version, at=now()),
                "Dropped." if is_draft else "Stopped.",
            ),
        )


def _do(do: Callable[..., object], said: str) -> None:
    act(do, said)
