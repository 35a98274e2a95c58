"""One item of the list for the day opened: each thing that waits with what can be done, the customer beside it."""

from collections.abc import Callable, Iterable
from datetime import datetime

import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.money import format_money
from lib.privacy import mask_name
from lib.queues.to_do import Item, open_item, order_values
from lib.queues.to_do_pieces import Piece
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import NOBODY, act, later_moments, people, told
from lib.ui.places import OFFERS, REVIEWS, TICKETS
from lib.ui.story import draw_story
from lib.ui.text import clock, one_line, plain
from lib.workflows import to_do
from lib.workflows.questions import answer_question
from lib.workflows.shipments import announce_delay, announcement
from lib.workflows.tickets import LONGEST_MESSAGE

ICONS = {
    "review": ":material/reviews:",
    "ticket": ":material/support_agent:",
    "shipment": ":material/local_shipping:",
    "order": ":material/payments:",
    "return": ":material/assignment_return:",
    "question": ":material/help:",
    "offer": ":material/redeem:",
}


def draw_item(staff: Staff, store: Store, key: int) -> None:
    """The opened item."""
    at = now()
    with reading(order_database(settings())) as connection:
        item = open_item(connection, key, at=at, zone=store.zone)
    main, aside = st.columns([1.75, 1], gap="small")
    with main:
        told()
        if item is None:
            st.info("Nothing waits here any more. Choose another one from the list.")
            return
        with st.container(border=True, gap="small", key="item"):
            _head(staff, item)
            _controls(staff, store, item)
        for piece in item.pieces:
            _piece(staff, store, piece, at)
        if staff.may(May.WORK_QUEUE):
            _finish(staff, item)
    with aside:
        if item.customer_id is not None:
            draw_story(staff, store, item.customer_id, at=at)


def _head(staff: Staff, item: Item) -> None:
    sees = staff.may(May.SEE_PERSONAL_DATA)
    name = (item.name if sees else mask_name(item.name)) or (
        "A customer without a name" if item.customer_id is not None else "Nobody knows whose this is"
    )
    if item.pieces[0].subject == "offer":
        name = item.pieces[0].title
    with st.container(gap=None):
        st.markdown(f"**{one_line(name, 80)}**")
        if item.value_minor:
            money = format_money(item.value_minor, item.currency)
            many = len(order_values(item.pieces))
            orders = "the order this is about." if many == 1 else f"the {many} orders this is about, each counted once."
            st.caption(plain(f"{money} at stake: {orders}"))
        else:
            st.caption("It is about no order, so no money is named.")


def _controls(staff: Staff, store: Store, item: Item) -> None:
    if not staff.may(May.WORK_QUEUE):
        return
    pieces, names, at = _named(item.pieces), people(), now()
    moments = later_moments(at, store.zone)
    stamp = f"{item.key}_{sum(piece.version for piece in item.pieces)}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="item_actions"):
        if names:
            owner = next(iter(item.owners)) if len(item.owners) == 1 else None
            options: list[int | None] = [None, *names] if owner is None or owner in names else [None, owner, *names]
            owner_key = f"item_owner_{stamp}"
            st.selectbox(
                "Owner",
                options,
                index=options.index(owner),
                format_func=lambda one: NOBODY if one is None else names.get(one, "Somebody who left"),
                key=owner_key,
                on_change=lambda: _do(
                    lambda c: to_do.give(c, staff, pieces, st.session_state[owner_key], at=now()), "Owner changed."
                ),
                width=170,
            )
        asleep = any(piece.snoozed_until is not None and piece.snoozed_until > at for piece in item.pieces)
        snooze_key = f"item_snooze_{stamp}"

        def put_off() -> None:
            until = moments.get(st.session_state[snooze_key])
            said = f"Put off until {until.astimezone(store.zone):%a %-d %b, %H:%M}." if until else "Back in the list."
            act(lambda c: to_do.put_off(c, staff, pieces, until, at=now()), said)

        choices = [*moments, "Bring it back now"] if asleep else list(moments)
        st.menu_button("Snooze", choices, icon=":material/snooze:", key=snooze_key, on_click=put_off)


def _piece(staff: Staff, store: Store, piece: Piece, at: datetime) -> None:
    with st.container(border=True, gap="small", key=f"piece_{piece.subject}_{piece.subject_id}"):
        with st.container(gap=None):
            late = piece.due_at is not None and piece.due_at < at
            st.markdown(f":{'red' if late else 'gray'}[{ICONS[piece.subject]}] **{one_line(piece.title, 160)}**")
            words = [piece.detail] if piece.detail else []
            if piece.due_at is not None:
                words.append(f"due {clock(piece.due_at, store.zone, store.today())}")
            if piece.order_minor:
                words.append(format_money(piece.order_minor, piece.currency))
            if piece.snoozed_until is not None and piece.snoozed_until > at:
                words.append(f"put off until {piece.snoozed_until.astimezone(store.zone):%-d %b, %H:%M}")
            st.caption(one_line(" · ".join(words), 160))
        match piece.subject:
            case "review":
                _link("Answer the review", REVIEWS, "review", piece)
            case "ticket":
                _link("Answer the ticket", TICKETS, "ticket", piece)
            case "offer":
                _link("Open the offer", OFFERS, "offer", piece)
            case "shipment" if staff.may(May.WORK_QUEUE):
                _announce(staff, piece)
            case "question" if staff.may(May.ANSWER_TICKETS):
                _answer(staff, piece)


def _link(label: str, page: object, name: str, piece: Piece) -> None:
    query = {name: str(piece.subject_id)}
    st.page_link(str(page), label=label, icon=":material/arrow_forward:", query_params=query)


def _announce(staff: Staff, piece: Piece) -> None:
    with reading(order_database(settings())) as connection:
        address, words = announcement(connection, piece.subject_id)
    if address is None:
        st.caption("There is no e-mail address to tell of the delay. Reach the customer another way and finish it.")
        return
    with st.expander("Announce the delay", icon=":material/mail:"):
        key = f"announce_{piece.subject_id}"
        st.text_area("Mail to the customer", words, key=key, height=220, max_chars=LONGEST_MESSAGE)
        st.button(
            "Send",
            type="primary",
            icon=":material/send:",
            key=f"send_{key}",
            on_click=lambda: _do(
                lambda c: announce_delay(
                    c, staff, piece.subject_id, st.session_state[key], version=piece.version, at=now()
                ),
                "The mail is in the outbox.",
            ),
        )


def _answer(staff: Staff, piece: Piece) -> None:
    with st.expander("Answer the question", icon=":material/reply:"):
        key = f"answer_question_{piece.subject_id}"
        st.text_area("Answer", key=key, height=160, max_chars=LONGEST_MESSAGE)
        st.button(
            "Send",
            type="primary",
            icon=":material/send:",
            key=f"send_{key}",
            on_click=lambda: _do(
                lambda c: answer_question(
                    c, staff, piece.subject_id, st.session_state[key], version=piece.version, at=now()
                ),
                "The answer is kept, and in the outbox if there is an address.",
            ),
        )


def _finish(staff: Staff, item: Item) -> None:
    rest = [piece for piece in item.pieces if piece.subject != "ticket"]
    if not rest:
        return
    pieces, key = _named(rest), item.key

    def finish() -> None:
        # Read when pressed: what the run before drew may be older than what was typed.
        outcome, words = st.session_state[f"outcome_{key}"], st.session_state.get(f"words_{key}", "")
        _do(
            lambda c: to_do.finish(c, staff, pieces, outcome, words, customer_id=item.customer_id, at=now()),
            "Done: it waits no more.",
        )

    with st.container(border=True, gap="small", key="item_finish"):
        st.markdown("**How did it end?**")
        if len(rest) < len(item.pieces):
            st.caption("For all but the ticket, which is answered or closed under Tickets.")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox("Outcome", to_do.OUTCOMES, key=f"outcome_{key}", width=190)
            if item.customer_id is not None:
                st.text_input("Note about the customer", key=f"words_{key}", max_chars=2000)
            st.button(
                "Done",
                icon=":material/done:",
                shortcut="D",
                key=f"item_done_{key}",
                on_click=finish,
            )


def _do(do: Callable[[Connection], object], said: str) -> None:
    act(do, said)


def _named(pieces: Iterable[Piece]) -> list[to_do.Piece]:
    return [(piece.subject, piece.subject_id, piece.version) for piece in pieces]
