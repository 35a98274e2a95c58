"""Two people at one piece of work: the second is told who is at it, and who was faster."""

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, writing
from lib.db.tables.columns import now
from lib.settings import settings
from lib.ui.desk import act, holder
from lib.ui.text import plain
from lib.ui.visit import reader
from lib.workflows import drafts

_SECONDS = 15.0


def seen_version(subject: str, subject_id: int) -> int | None:
    """The version that this window's editor was opened at; null while it is closed."""
    found: int | None = st.session_state.get(f"writing_{subject}_{subject_id}")
    return found


def see_version(subject: str, subject_id: int, version: int | None) -> None:
    """Open the editor at a version, move it on, or (null) close it."""
    if version is None:
        st.session_state.pop(f"writing_{subject}_{subject_id}", None)
    else:
        st.session_state[f"writing_{subject}_{subject_id}"] = version


@st.fragment(run_every=_SECONDS)
def draw_presence(subject: str, subject_id: int, version_of: Callable[[Connection, int], int | None]) -> None:
    """Say who else is at it, and stay known as being at it, every few seconds while the editor is open."""
    seen = seen_version(subject, subject_id)
    if seen is None:
        return
    staff, at = reader(), now()
    with writing(order_database(settings())) as connection:
        other = drafts.take(connection, staff, subject, subject_id, holder=holder(), at=at)
        version = version_of(connection, subject_id)
    if other is not None:
        minutes = int((at - other.taken_at).total_seconds() // 60)
        since = "just now" if minutes < 1 else f"for {minutes} minute{'' if minutes == 1 else 's'}"
        who = "You have this open in another window" if other.is_same_person else f"{other.name} is answering this"
        with st.container(horizontal=True, vertical_alignment="center", key=f"other_{subject}_{subject_id}"):
            st.warning(plain(f"{who}, {since}."), icon=":material/group:")
            if st.button("Take over", key=f"take_over_{subject}_{subject_id}", type="tertiary"):
                act(lambda c: drafts.take(c, staff, subject, subject_id, holder=holder(), at=now(), force=True))
                st.rerun(scope="fragment")
    elif version is not None and version != seen:
        st.warning(
            f"Somebody changed this {subject} while you write. Sending will show you what they did first.",
            icon=":material/sync_problem:",
        )
