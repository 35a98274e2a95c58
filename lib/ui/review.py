"""One review opened: its words, what can be done, the replies, its customer and its product's other reviews."""

from typing import Literal

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.review import NEWEST, Reply, Review, Sent, open_review, other_reviews
from lib.queues.review_inbox import tags
from lib.settings import settings
from lib.staff import May, Staff
from lib.stats.topics import labels, topics_of
from lib.ui.desk import act, done_control, followed, owner_control, snooze_control, tags_control, told
from lib.ui.reply import begin, draw_editor, is_writing, moved_on
from lib.ui.share import draw_share
from lib.ui.story import draw_story
from lib.ui.text import ago, clock, one_line, plain
from lib.workflows.reviews import NEGATIVE, PRAISE, open_ticket, set_topic

# A review longer than this is folded.
_LONG = 3_000
_CHANNELS = {"email": "E-mail", "webhook": "Webhook", "audience": "File"}
_STATES = {
    "queued": (":gray", "queued"),
    "sending": (":gray", "being sent"),
    "sent": (":green", "sent"),
    "failed": (":red", "failed"),
    "held_back": (":orange", "held back"),
}


def stars(rating: int) -> str:
    """The stars as Markdown, in the colour of their mood; in words for those who cannot see them."""
    colour = "red" if rating <= NEGATIVE else "orange" if rating == 3 else "green"
    return f":{colour}[{'★' * rating}{'☆' * (5 - rating)}]"


def draw_review(staff: Staff, store: Store, review_id: int) -> None:
    """The opened review, its customer beside it."""
    with reading(order_database(settings())) as connection:
        review = open_review(connection, review_id)
        others, spread = other_reviews(connection, product_id=review.product_id if review else None, but=review_id)
    if review is None:
        st.info("This review is not there any more. Choose another one from the list.")
        return
    _follow(review)
    main, aside = st.columns([1.75, 1], gap="small")
    with main:
        told()
        with st.container(border=True, gap="small", key="review"):
            _words(store, review)
            _actions(staff, store, review)
        if is_writing(review_id) and staff.may(May.ANSWER_REVIEWS):
            draw_editor(store, review)
        _replies(store, review)
        _work(staff, review)
    with aside:
        draw_story(staff, store, review.customer_id, at=now())
        _product(review, others, spread)


def _follow(review: Review) -> None:
    """Changes made in this window do not surprise its own editor."""
    seen = followed("review", review.review_id, review.version)
    if seen is not None:
        moved_on(review.review_id, seen, review.version)


def _words(store: Store, review: Review) -> None:
    with st.container(gap=None):
        title = f" **{one_line(review.title, 120)}**" if review.title else ""
        st.markdown(f"{stars(review.rating)}{title}")
        by = review.reviewer_name or "Somebody"
        when = clock(review.written_at, store.zone, store.today())
        st.caption(one_line(f"{by}, {when}" + (f", about {review.product}" if review.product else ""), 160))
    marks: list[tuple[str, Literal["green", "orange", "gray", "blue"]]] = []
    if review.is_verified:
        marks.append(("Bought here", "green"))
    if review.state != "published":
        marks.append((f"{review.state.capitalize()} in the shop", "orange"))
    if review.is_survey:
        marks.append(("Answer to a survey", "gray"))
    if review.done_at is not None:
        marks.append(("Done", "gray"))
    if review.snoozed_until is not None and review.snoozed_until > now():
        marks.append((f"Put off until {review.snoozed_until.astimezone(store.zone):%-d %b, %H:%M}", "blue"))
    if marks:
        with st.container(horizontal=True, gap="xsmall"):
            for words, colour in marks:
                st.badge(words, color=colour)
    if not review.body:
        st.caption("Stars alone, without words.")
    elif len(review.body) <= _LONG:
        st.text(review.body)
    else:
        st.text(review.body[:_LONG] + " …")
        st.caption(f"The first {_LONG:,} of {len(review.body):,} characters.")


def _actions(staff: Staff, store: Store, review: Review) -> None:
    subject = ("review", review.review_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review_actions"):
        if staff.may(May.ANSWER_REVIEWS) and not review.is_survey and not is_writing(review.review_id):
            st.button(
                "Correct the reply" if review.reply else "Reply",
                type="secondary" if review.reply else "primary",
                icon=":material/reply:",
                shortcut="A",
                key=f"answer_{review.review_id}",
                on_click=begin,
                args=(staff, review),
            )
        if review.ticket_id is not None:
            st.badge(
                f"Ticket {review.ticket_id}: {review.ticket_status.replace('_', ' ')}", icon=":material/support_agent:"
            )
        elif review.rating <= NEGATIVE and staff.may(May.ANSWER_TICKETS):
            st.button(
                "Open a ticket",
                icon=":material/support_agent:",
                shortcut="T",
                key=f"ticket_{review.review_id}",
                on_click=_open_ticket,
                args=(staff, review),
            )
        if review.rating >= PRAISE and staff.may(May.ANSWER_REVIEWS):
            draw_share(staff, store, review)
        snooze_control(staff, *subject, review.snoozed_until, version=review.version, zone=store.zone)
        done_control(staff, *subject, review.done_at, version=review.version)


def _open_ticket(staff: Staff, review: Review) -> None:
    act(
        lambda c: open_ticket(c, staff, review.review_id, version=review.version, at=now()),
        "Ticket opened, linked to this review.",
        moved=("review", review.review_id, review.version),
    )


def _replies(store: Store, review: Review) -> None:
    if not review.replies:
        return
    newest, *older = review.replies
    with st.container(border=True, gap="small", key="replies"):
        st.markdown("**Your reply**")
        _reply(store, newest)
        for sent in review.sent:
            _sent(sent)
        if newest.pending_since is not None:
            st.caption("Waits to be taken to the platform in a file: see Replies.")
        elif newest.exported_at is not None:
            st.caption(plain(f"Taken to the platform in a file {ago(newest.exported_at, now())}."))
        if older:
            with st.expander(f"{len(older)} earlier version{'' if len(older) == 1 else 's'}"):
                for reply in older:
                    _reply(store, reply)


def _reply(store: Store, reply: Reply) -> None:
    when = clock(reply.replied_at, store.zone, store.today()) if reply.replied_at else "at an unknown time"
    st.text(reply.body)
    st.caption(one_line(f"{_author(reply)}, {when}", 120))


def _author(reply: Reply) -> str:
    is_ours = reply.pending_since is not None or reply.exported_at is not None
    return reply.author or ("This computer" if is_ours else "From the platform")


def _sent(sent: Sent) -> None:
    colour, words = _STATES.get(sent.status, (":gray", sent.status))
    line = f"{_CHANNELS.get(sent.channel, sent.channel)}: {colour}[{words}]"
    if sent.attempts > 1:
        line += f", {sent.attempts} attempts"
    if sent.failure and sent.status != "sent":
        line += f": {one_line(sent.failure, 200)}"
    st.markdown(f":small[{line}]")


def _work(staff: Staff, review: Review) -> None:
    """What belongs to a review besides its answer: topic, tags, owner."""
    subject = ("review", review.review_id)
    with st.container(border=True, gap="small", key="review_work"):
        found = topics_of(f"{review.title}\n{review.body}", review.language)
        options = [*dict.fromkeys([*([review.topic] if review.topic else []), *labels()])]
        key = f"topic_{review.review_id}_{review.version}"

        def change() -> None:
            if (st.session_state[key] or "") == review.topic:
                return
            act(
                lambda c: set_topic(
                    c, staff, review.review_id, st.session_state[key], version=review.version, at=now()
                ),
                "Topic saved.",
                moved=("review", review.review_id, review.version),
            )

        guess = ", ".join(labels()[one].lower() for one in found) or "nothing known"
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox(
                "Topic",
                options,
                index=options.index(review.topic) if review.topic else None,
                format_func=lambda one: labels().get(one, one),
                placeholder=f"By its words: {guess}",
                key=key,
                on_change=change,
                disabled=not staff.may(May.WORK_QUEUE),
            )
            owner_control(staff, *subject, review.owner_id, version=review.version)
        with reading(order_database(settings())) as connection:
            known = tags(connection)
        tags_control(staff, *subject, review.tags, known, version=review.version)


def _product(review: Review, others: list[dict[str, object]], spread: dict[int, int]) -> None:
    if review.product_id is None:
        return
    total = sum(spread.values())
    with st.container(border=True, gap="small", key="product_reviews"):
        st.markdown(f"**{one_line(review.product or 'Product', 60)}**")
        if total:
            mean = sum(rating * count for rating, count in spread.items()) / total
            low = sum(count for rating, count in spread.items() if rating <= NEGATIVE)
            many = (
                f"its newest {total:,} reviews" if total >= NEWEST else f"{total:,} review{'' if total == 1 else 's'}"
            )
            st.caption(f"{mean:.1f} of 5 from {many}, {low:,} with 1–2 stars")
        for one in others:
            with st.container(gap=None):
                st.markdown(f":small[{stars(int(str(one['rating'])))}] {one_line(one['title'] or '', 40)}")
                if one["body"]:
                    st.caption(one_line(one["body"], 110))
