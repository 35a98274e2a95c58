"""The editor of a reply: templates, the draft kept as typed, who else is at it, and what to do when two were."""

from email.utils import parseaddr

import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import Conflict, EncoreError
from lib.privacy import mask_email
from lib.queues.review import Review, open_review
from lib.queues.templates import Template, fitting, templates_of
from lib.settings import settings
from lib.staff import May, Staff
from lib.stats.topics import labels, topics_of
from lib.ui.access import show_error
from lib.ui.desk import act, holder
from lib.ui.text import clock, plain
from lib.ui.visit import reader
from lib.workflows import drafts, templates
from lib.workflows.courtesy import missing_courtesy
from lib.workflows.reviews import LONGEST_REPLY, NEGATIVE, Way, mail_address, publish_reply

_SECONDS = 15.0


def is_writing(review_id: int) -> bool:
    """Whether this window has the editor of a review open."""
    return st.session_state.get(f"replying_{review_id}") is not None


def begin(staff: Staff, review: Review) -> None:
    """Open the editor: remember what was seen, and tell the others."""
    st.session_state[f"replying_{review.review_id}"] = review.version
    act(lambda c: drafts.take(c, staff, "review", review.review_id, holder=holder(), at=now()))


def moved_on(review_id: int, seen: int, version: int) -> None:
    """What this window itself changed beside the editor is no surprise to it."""
    if st.session_state.get(f"replying_{review_id}") == seen:
        st.session_state[f"replying_{review_id}"] = version


def draw_editor(store: Store, review: Review) -> None:
    """The editor, as a fragment of its own: typing redraws nothing else."""
    with st.container(border=True, gap="small", key=f"typed_review_{review.review_id}"):
        _presence(review.review_id)
        _editor(store, review)


@st.fragment(run_every=_SECONDS)
def _presence(review_id: int) -> None:
    """Say who else is at it, and stay known as being at it."""
    if not is_writing(review_id):
        return
    staff, at = reader(), now()
    with writing(order_database(settings())) as connection:
        other = drafts.take(connection, staff, "review", review_id, holder=holder(), at=at)
        review = open_review(connection, review_id)
    if other is not None:
        minutes = int((at - other.taken_at).total_seconds() // 60)
        since = "just now" if minutes < 1 else f"for {minutes} minute{'' if minutes == 1 else 's'}"
        who = "You have this open in another window" if other.is_same_person else f"{other.name} is answering this"
        with st.container(horizontal=True, vertical_alignment="center", key=f"other_{review_id}"):
            st.warning(plain(f"{who}, {since}."), icon=":material/group:")
            if st.button("Take over", key=f"take_over_{review_id}", type="tertiary"):
                act(lambda c: drafts.take(c, staff, "review", review_id, holder=holder(), at=now(), force=True))
                st.rerun(scope="fragment")
    elif review is not None and review.version != st.session_state.get(f"replying_{review_id}"):
        st.warning(
            "Somebody changed this review while you write. Sending will show you what they did first.",
            icon=":material/sync_problem:",
        )


@st.fragment
def _editor(store: Store, review: Review) -> None:
    try:
        _write(reader(), store, review)
    except Exception as error:
        show_error(error)


def _write(staff: Staff, store: Store, review: Review) -> None:
    key = f"reply_{review.review_id}"
    with reading(order_database(settings())) as connection:
        kept = drafts.read_draft(connection, staff, "review", review.review_id)
        address, why = mail_address(connection, review.review_id)
        offered = _offered(templates_of(connection, "review_reply"), review)
    if key not in st.session_state:
        st.session_state[key] = kept.body if kept else review.reply.body if review.reply else ""
    st.markdown("**Correct the reply**" if review.reply else "**Reply**")
    _clash(staff, review)
    _templates(staff, store, review, offered, key)
    text = st.text_area(
        "Your reply",
        key=key,
        height="content",
        max_chars=LONGEST_REPLY,
        on_change=_keep,
        args=(staff, review.review_id, key),
        label_visibility="collapsed",
        placeholder="Write to the customer. What you type is kept as you type it.",
    )
    for line in _warnings(review, text):
        st.markdown(f":orange[:material/warning: {line}]")
    is_mailed = False
    if address is not None:
        shown = address if staff.may(May.SEE_PERSONAL_DATA) else mask_email(address)
        is_mailed = st.checkbox(f"Also mail it to {plain(shown)}", value=True, help=why, key=f"mail_{review.review_id}")
    else:
        st.caption(plain(f"Not by e-mail: {why}"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        way = Way(email=address if is_mailed else None, webhook=bool(settings().webhook_url))
        st.button(
            "Send",
            type="primary",
            icon=":material/send:",
            shortcut="Ctrl+Enter",
            key=f"send_{review.review_id}",
            on_click=_send,
            args=(staff, review, key, way),
        )
        st.button("Close", shortcut="Esc", key=f"leave_{review.review_id}", on_click=_leave, args=(review.review_id,))
        if kept:
            st.caption(plain(f"Draft kept {clock(kept.saved_at, store.zone, store.today())}"))
    if st.session_state.pop(f"left_{review.review_id}", False):
        st.rerun()


def _offered(found: list[Template], review: Review) -> list[Template]:
    """The templates that fit first, then the others."""
    said = {review.topic} if review.topic else set(topics_of(f"{review.title}\n{review.body}", review.language))
    best = fitting(found, language=review.language[:2], stars=review.rating, topics=frozenset(said))
    return [*best, *(one for one in found if one not in best)]


def _templates(staff: Staff, store: Store, review: Review, offered: list[Template], key: str) -> None:
    if not offered:
        return
    names = {one.template_id: one for one in offered}
    box = f"template_{review.review_id}"
    filled_key = f"filled_{review.review_id}"

    def use() -> None:
        chosen = names.get(st.session_state[box])
        if chosen is None:
            return
        text = templates.fill(chosen.body, _values(staff, store, review)).text
        now_there = str(st.session_state.get(key, ""))
        untouched = not now_there.strip() or now_there == st.session_state.get(filled_key)
        st.session_state[key] = text if untouched else f"{now_there.rstrip()}\n\n{text}"
        st.session_state[filled_key] = st.session_state[key]
        _keep(staff, review.review_id, key)

    st.selectbox(
        "Template",
        list(names),
        index=None,
        format_func=lambda one: names[one].name,
        placeholder="Begin with a template: the first fits best",
        key=box,
        on_change=use,
        label_visibility="collapsed",
    )


def _values(staff: Staff, store: Store, review: Review) -> dict[str, str]:
    name = (review.reviewer_name or review.customer_name).split()
    topics = [review.topic] if review.topic else topics_of(f"{review.title}\n{review.body}", review.language)
    return {
        "first_name": name[0] if name else "",
        "product": review.product.split(",")[0],
        "order": review.order_number,
        "store": store.name,
        "agent": staff.name if staff.staff_id is not None else "",
        "topic": labels().get(topics[0], topics[0]) if topics else "",
        "review": review.body or review.title,
        "contact": parseaddr(settings().mail_from)[1],
    }


def _warnings(review: Review, text: str) -> list[str]:
    if not text.strip():
        return []
    lines = []
    if review.rating <= NEGATIVE and (lacks := missing_courtesy(text)):
        lines.append(f"An unhappy customer: {' and '.join(lacks)} {'is' if len(lacks) == 1 else 'are'} not in it.")
    if strange := templates.unknown_variables(text):
        lines.append(plain(f"{strange[0]} would be sent as it stands."))
    return lines


def _clash(staff: Staff, review: Review) -> None:
    """The other's words beside one's own, after a send was refused."""
    refused = st.session_state.get(f"refused_{review.review_id}")
    if not refused:
        return
    with reading(order_database(settings())) as connection:
        fresh = open_review(connection, review.review_id)
    st.error(plain(refused), icon=":material/error:")
    if fresh is None:
        return
    if fresh.reply is not None:
        st.caption(plain(f"What {fresh.reply.author or 'somebody'} sent; yours is below, unsent:"))
        with st.container(border=True, key=f"theirs_{review.review_id}"):
            st.text(fresh.reply.body)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Keep theirs, drop mine" if fresh.reply else "Drop mine",
            key=f"yield_{review.review_id}",
            on_click=_yield,
            args=(staff, review.review_id),
        )
        st.button(
            "I have read it: let me send mine",
            key=f"insist_{review.review_id}",
            on_click=_insist,
            args=(review.review_id, fresh.version),
        )


def _keep(staff: Staff, review_id: int, key: str) -> None:
    text = str(st.session_state.get(key, ""))
    act(lambda c: drafts.save_draft(c, staff, "review", review_id, text, at=now()))


def _send(staff: Staff, review: Review, key: str, way: Way) -> None:
    version = st.session_state.get(f"replying_{review.review_id}", review.version)
    text = str(st.session_state.get(key, ""))
    try:
        with writing(order_database(settings())) as connection:
            publish_reply(connection, staff, review.review_id, text, version=version, at=now(), way=way)
            drafts.release(connection, "review", review.review_id, holder=holder())
    except Conflict as clash:
        _keep(staff, review.review_id, key)
        st.session_state[f"refused_{review.review_id}"] = str(clash)
    except EncoreError as refused:
        st.session_state["desk_told"] = ("refused", str(refused))
        st.session_state[f"left_{review.review_id}"] = True
    else:
        words = "Reply saved, and queued as a mail: its state is below." if way.email else "Reply saved."
        st.session_state["desk_told"] = ("done", words)
        _close(review.review_id)


def _leave(review_id: int) -> None:
    act(lambda c: drafts.release(c, "review", review_id, holder=holder()))
    _close(review_id)


def _yield(staff: Staff, review_id: int) -> None:
    def do(connection: object) -> None:
        drafts.drop_draft(connection, staff, "review", review_id)  # type: ignore[arg-type]  # act gives a connection

    act(do)
    _leave(review_id)


def _insist(review_id: int, version: int) -> None:
    st.session_state[f"replying_{review_id}"] = version
    st.session_state.pop(f"refused_{review_id}", None)


def _close(review_id: int) -> None:
    for part in ("replying", "refused", "reply", "filled"):
        st.session_state.pop(f"{part}_{review_id}", None)
    st.session_state[f"left_{review_id}"] = True
