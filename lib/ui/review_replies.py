"""What became of the replies: by mail, by webhook, and in a file for the platform."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.review_replies import MOST_IN_A_FILE, newest_replies, pending_count, states
from lib.settings import settings
from lib.staff import May
from lib.ui.access import show_error
from lib.ui.places import REVIEWS
from lib.ui.tables import pick, to_csv
from lib.ui.text import plain
from lib.ui.visit import reader
from lib.workflows.review_file import take_replies

_CHANNELS = {"email": "E-mail", "webhook": "Webhook"}
_STATES = {"queued": "Queued", "sending": "Being sent", "sent": "Sent", "failed": "Failed", "held_back": "Held back"}


def draw_replies(store: Store) -> None:
    """The file for the platform, and the newest replies with their states."""
    _whole(store)


@st.fragment
def _whole(store: Store) -> None:
    try:
        _draw(store)
    except Exception as error:
        show_error(error)


def _draw(store: Store) -> None:
    trail: list[Any] = st.session_state.setdefault("replies_trail", [None])
    with reading(order_database(settings())) as connection:
        waiting, counted = pending_count(connection), states(connection)
        rows, more = newest_replies(connection, after=trail[-1])
    with st.container(border=True, key="platform_file"):
        _file(store, waiting)
    with st.container(border=True, key="reply_states"):
        st.header("Replies and their way", anchor=False)
        said = [f"{count:,} {_STATES[name].lower()}" for name, count in counted.items() if count]
        st.caption(plain("Mail and webhooks: " + (", ".join(said) or "nothing waits and nothing failed") + "."))
        if not rows:
            st.caption("Nobody has answered a review yet.")
            return
        shown = pd.DataFrame([_row(one, store) for one in rows])
        columns = {
            "When": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
            "Reply": st.column_config.TextColumn(width="large"),
            "State": st.column_config.TextColumn(width="medium"),
        }
        picked = pick(shown, alt="The newest replies and what became of them", columns=columns, key="replies_table")
        with st.container(horizontal=True):
            if len(trail) > 1 and st.button("Newer", icon=":material/chevron_left:", key="replies_newer"):
                trail.pop()
                st.rerun(scope="fragment")
            if more is not None and st.button("Older", icon=":material/chevron_right:", key="replies_older"):
                trail.append(more)
                st.rerun(scope="fragment")
    if picked is not None:
        st.switch_page(REVIEWS, query_params={"review": str(rows[picked].review_id)})


def _file(store: Store, waiting: int) -> None:
    st.header("For your platform", anchor=False)
    many = f"more than {MOST_IN_A_FILE:,}" if waiting > MOST_IN_A_FILE else f"{waiting:,}"
    st.caption(
        "A CSV in the form that Judge.me imports, with the newest version of each reply. Every reply is in one file "
        "only; who took it is in the audit log."
    )
    staff = reader()
    if not waiting:
        st.markdown("Every reply that was given here is in a file already.")
        return
    st.download_button(
        f"Download {many} repl{'y' if waiting == 1 else 'ies'} (CSV)",
        data=lambda: _taken(store),
        file_name=f"replies_for_judgeme_{store.today():%Y-%m-%d}.csv",
        mime="text/csv",
        icon=":material/download:",
        key="judgeme_file",
        disabled=not (staff.may(May.EXPORT) and staff.may(May.ANSWER_REVIEWS) and staff.may(May.SEE_PERSONAL_DATA)),
    )


def _taken(store: Store) -> bytes:
    with writing(order_database(settings())) as connection:
        return to_csv(take_replies(connection, reader(), at=now(), zone=store.zone))


def _row(one: Any, store: Store) -> dict[str, Any]:
    state = (
        f"{_CHANNELS.get(one.channel, one.channel)}: {_STATES.get(one.status, one.status).lower()}"
        if one.status
        else ""
    )
    if one.attempts > 1:
        state += f", {one.attempts} attempts"
    if one.failure and one.status != "sent":
        state += f" ({one.failure})"
    return {
        "When": _local(one.replied_at, store),
        "Stars": one.rating,
        "Reply": " ".join(one.body.split()),
        "By": one.author,
        "Version": one.revision,
        "State": state or "–",
        "In a file": _local(one.exported_at, store),
    }


def _local(at: datetime | None, store: Store) -> datetime | None:
    return None if at is None else at.astimezone(store.zone).replace(tzinfo=None)
