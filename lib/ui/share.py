"""Praise made into a text to share, with how its customer agreed."""

from datetime import datetime, time

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.review import Review
from lib.queues.templates import fitting, templates_of
from lib.settings import settings
from lib.staff import Staff
from lib.ui.desk import act
from lib.ui.text import one_line
from lib.workflows.reviews import share
from lib.workflows.templates import fill


def draw_share(staff: Staff, store: Store, review: Review) -> None:
    """The button that opens the dialog; it says when there is a text already."""
    label = "Shared text" if review.shares else "Make a text to share"
    if st.button(label, icon=":material/format_quote:", key=f"share_{review.review_id}"):
        st.dialog("A text to share")(_dialog)(staff, store, review)


def _dialog(staff: Staff, store: Store, review: Review) -> None:
    for one in review.shares:
        with st.container(border=True):
            st.text(one.body)
            words = f"Agreed {one.consented_at.astimezone(store.zone):%-d %b %Y}: {one.consent}"
            st.caption(one_line(words, 300))
    st.caption("Ask the customer first. Without her consent her words are hers.")
    text = st.text_area("Text", value=_proposal(store, review), height=140, key=f"share_text_{review.review_id}")
    left, right = st.columns([1.6, 1])
    consent = left.text_input(
        "How did the customer agree?", placeholder="By e-mail to me", key=f"share_how_{review.review_id}"
    )
    today = store.today()
    day = right.date_input("On", today, max_value=today, format="DD/MM/YYYY", key=f"share_day_{review.review_id}")
    if st.button("Keep it", type="primary", key=f"share_keep_{review.review_id}"):
        at = now()
        agreed = min(at, datetime.combine(day, time(12), tzinfo=store.zone))
        act(
            lambda c: share(
                c,
                staff,
                review.review_id,
                text,
                consent=consent,
                consented_at=agreed,
                version=review.version,
                at=at,
            ),
            "The text is kept with the consent.",
        )
        st.rerun()


def _proposal(store: Store, review: Review) -> str:
    with reading(order_database(settings())) as connection:
        found = templates_of(connection, "share_text")
    best = fitting(found, language=review.language[:2], stars=review.rating)
    words = review.body or review.title
    if not best:
        return words
    name = review.reviewer_name.split()
    values = {"review": words, "first_name": name[0] if name else "", "product": review.product.split(",")[0]}
    return fill(best[0].body, values | {"store": store.name}).text
