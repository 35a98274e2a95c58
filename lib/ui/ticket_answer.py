"""The editor of an answer or a note: macros, the draft kept as typed, who else is at it, and two who were."""

import streamlit as st
from sqlalchemy import Connection, select

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.tickets import tickets as tickets_table
from lib.errors import Conflict, EncoreError
from lib.privacy import mask_email
from lib.queues.templates import Template, templates_of
from lib.queues.ticket import Ticket, open_ticket
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.access import show_error
from lib.ui.desk import act, holder
from lib.ui.presence import draw_presence, see_version, seen_version
from lib.ui.text import clock, plain
from lib.ui.visit import reader
from lib.workflows import drafts, templates
from lib.workflows.ticket_mail import Way, mail_address
from lib.workflows.tickets import LONGEST_MESSAGE, answer, note

_THEN = {"Wait for the customer": "waiting_for_customer", "Close it": "closed", "Leave it open": "open"}


def begin(staff: Staff, ticket: Ticket, is_public: bool) -> None:
    """Open the editor: remember what was seen, and tell the others."""
    see_version("ticket", ticket.ticket_id, ticket.version)
    st.session_state[f"public_{ticket.ticket_id}"] = is_public
    act(lambda c: drafts.take(c, staff, "ticket", ticket.ticket_id, holder=holder(), at=now()))


def draw_answer(store: Store, ticket: Ticket) -> None:
    """The editor, as a fragment of its own: typing redraws nothing else."""
    with st.container(border=True, gap="small", key=f"typed_ticket_{ticket.ticket_id}"):
        draw_presence("ticket", ticket.ticket_id, _version)
        _editor(store, ticket)


def _version(connection: Connection, ticket_id: int) -> int | None:
    found: int | None = connection.execute(
        select(tickets_table.c.version).where(tickets_table.c.ticket_id == ticket_id)
    ).scalar()
    return found


@st.fragment
def _editor(store: Store, ticket: Ticket) -> None:
    try:
        _write(reader(), store, ticket)
    except Exception as error:
        show_error(error)


def _write(staff: Staff, store: Store, ticket: Ticket) -> None:
    key = f"answer_{ticket.ticket_id}"
    is_public = bool(st.session_state.get(f"public_{ticket.ticket_id}", True))
    with reading(order_database(settings())) as connection:
        kept = drafts.read_draft(connection, staff, "ticket", ticket.ticket_id)
        address, why = mail_address(connection, ticket.ticket_id)
        macros = templates_of(connection, "ticket_macro")
    if key not in st.session_state:
        st.session_state[key] = kept.body if kept else ""
    st.markdown("**Answer**" if is_public else "**Note, for colleagues alone**")
    _clash(staff, ticket)
    if is_public:
        _macros(staff, store, ticket, macros, key)
    text = st.text_area(
        "Your answer" if is_public else "Your note",
        key=key,
        height="content",
        max_chars=LONGEST_MESSAGE,
        on_change=_keep,
        args=(staff, ticket.ticket_id, key, is_public),
        label_visibility="collapsed",
        placeholder="What you type is kept as you type it.",
    )
    if is_public and (strange := templates.unknown_variables(text)):
        st.markdown(f":orange[:material/warning: {plain(f'{strange[0]} would be sent as it stands.')}]")
    way = Way()
    if is_public:
        way = _way(staff, ticket, address, why)
    _buttons(staff, store, ticket, key, is_public, way, kept)
    if st.session_state.pop(f"left_ticket_{ticket.ticket_id}", False):
        st.rerun()


def _way(staff: Staff, ticket: Ticket, address: str | None, why: str) -> Way:
    is_mailed = False
    if address is not None:
        shown = address if staff.may(May.SEE_PERSONAL_DATA) else mask_email(address)
        is_mailed = st.checkbox(
            f"Mail it to {plain(shown)}",
            value=ticket.channel in {"email", "form"},
            help=why,
            key=f"mail_ticket_{ticket.ticket_id}",
        )
    else:
        st.caption(plain(f"Not by e-mail: {why}"))
    is_told = st.checkbox(
        "Tell the shop's webhook, which hands it to the chat",
        value=ticket.channel not in {"email", "form", "phone"} and not is_mailed,
        key=f"hook_ticket_{ticket.ticket_id}",
    )
    if not is_mailed and not is_told:
        st.caption("It is only written down here: as after a call, say it yourself.")
    return Way(email=address if is_mailed else None, webhook=is_told)


def _buttons(
    staff: Staff, store: Store, ticket: Ticket, key: str, is_public: bool, way: Way, kept: drafts.Draft | None
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        then = "open"
        if is_public:
            chosen = st.selectbox(
                "Afterwards", list(_THEN), key=f"then_{ticket.ticket_id}", label_visibility="collapsed", width=200
            )
            then = _THEN.get(str(chosen), "waiting_for_customer")
        st.button(
            "Send" if is_public else "Keep the note",
            type="primary",
            icon=":material/send:" if is_public else ":material/edit_note:",
            shortcut="Ctrl+Enter",
            key=f"send_ticket_{ticket.ticket_id}",
            on_click=_send,
            args=(staff, ticket, key, is_public, way, then),
        )
        st.button(
            "Leave",
            shortcut="Esc",
            key=f"leave_ticket_{ticket.ticket_id}",
            on_click=_leave,
            args=(ticket.ticket_id,),
        )
        if kept:
            st.caption(plain(f"Draft kept {clock(kept.saved_at, store.zone, store.today())}"))


def _macros(staff: Staff, store: Store, ticket: Ticket, macros: list[Template], key: str) -> None:
    if not macros:
        return
    names = {one.template_id: one for one in macros}
    box, filled_key = f"macro_{ticket.ticket_id}", f"filled_ticket_{ticket.ticket_id}"

    def use() -> None:
        chosen = names.get(st.session_state[box])
        if chosen is None:
            return
        text = templates.fill(chosen.body, _values(staff, store, ticket)).text
        now_there = str(st.session_state.get(key, ""))
        untouched = not now_there.strip() or now_there == st.session_state.get(filled_key)
        st.session_state[key] = text if untouched else f"{now_there.rstrip()}\n\n{text}"
        st.session_state[filled_key] = st.session_state[key]
        _keep(staff, ticket.ticket_id, key, True)

    st.selectbox(
        "Macro",
        list(names),
        index=None,
        format_func=lambda one: names[one].name,
        placeholder="Begin with a macro",
        key=box,
        on_change=use,
        label_visibility="collapsed",
    )


def _values(staff: Staff, store: Store, ticket: Ticket) -> dict[str, str]:
    name = ticket.customer.split()
    return {
        "first_name": name[0] if name else "",
        "product": ticket.product.split(",")[0],
        "order": ticket.order_number,
        "store": store.name,
        "agent": staff.name if staff.staff_id is not None else "",
        "topic": ticket.topic,
    }


def _clash(staff: Staff, ticket: Ticket) -> None:
    """The other's words beside one's own, after a send was refused."""
    refused = st.session_state.get(f"refused_ticket_{ticket.ticket_id}")
    if not refused:
        return
    with reading(order_database(settings())) as connection:
        fresh = open_ticket(connection, ticket.ticket_id)
    st.error(plain(refused), icon=":material/error:")
    if fresh is None:
        return
    newest = fresh.messages[-1] if fresh.messages else None
    if newest is not None and newest.sent_at > ticket.opened_at:
        st.caption(plain(f"The newest words, by {newest.name or newest.author}; yours are below, unsent:"))
        with st.container(border=True, key=f"theirs_ticket_{ticket.ticket_id}"):
            st.text(newest.body[:3_000])
    with st.container(horizontal=True, gap="small"):
        st.button("Drop mine", key=f"yield_ticket_{ticket.ticket_id}", on_click=_yield, args=(staff, ticket.ticket_id))
        st.button(
            "I have read it: let me send mine",
            key=f"insist_ticket_{ticket.ticket_id}",
            on_click=_insist,
            args=(ticket.ticket_id, fresh.version),
        )


def _keep(staff: Staff, ticket_id: int, key: str, is_public: bool) -> None:
    text = str(st.session_state.get(key, ""))
    act(lambda c: drafts.save_draft(c, staff, "ticket", ticket_id, text, at=now(), is_public=is_public))


def _send(staff: Staff, ticket: Ticket, key: str, is_public: bool, way: Way, then: str) -> None:
    text = str(st.session_state.get(key, ""))
    seen = seen_version("ticket", ticket.ticket_id)
    version = ticket.version if seen is None else seen
    try:
        with writing(order_database(settings())) as connection:
            if is_public:
                answer(connection, staff, ticket.ticket_id, text, version=version, at=now(), way=way, then=then)
            else:
                note(connection, staff, ticket.ticket_id, text, at=now())
            drafts.release(connection, "ticket", ticket.ticket_id, holder=holder())
    except Conflict as clash:
        _keep(staff, ticket.ticket_id, key, is_public)
        st.session_state[f"refused_ticket_{ticket.ticket_id}"] = str(clash)
    except EncoreError as refused:
        st.session_state["desk_told"] = ("refused", str(refused))
        st.session_state[f"left_ticket_{ticket.ticket_id}"] = True
    else:
        words = (
            "Note kept." if not is_public else "Answer saved, and queued as a mail." if way.email else "Answer saved."
        )
        st.session_state["desk_told"] = ("done", words)
        _close(ticket.ticket_id)


def _leave(ticket_id: int) -> None:
    act(lambda c: drafts.release(c, "ticket", ticket_id, holder=holder()))
    _close(ticket_id)


def _yield(staff: Staff, ticket_id: int) -> None:
    act(lambda c: drafts.drop_draft(c, staff, "ticket", ticket_id))
    _leave(ticket_id)


def _insist(ticket_id: int, version: int) -> None:
    see_version("ticket", ticket_id, version)
    st.session_state.pop(f"refused_ticket_{ticket_id}", None)


def _close(ticket_id: int) -> None:
    see_version("ticket", ticket_id, None)
    for part in ("refused_ticket", "answer", "filled_ticket", "public"):
        st.session_state.pop(f"{part}_{ticket_id}", None)
    st.session_state[f"left_ticket_{ticket_id}"] = True
