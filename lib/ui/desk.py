"""What every piece of work offers beside its answer: owner, tags, snooze, done; and doing it in one transaction.

The functions named ``…_control`` draw one control for any subject, such as ``("review", 17)`` at a version. What
was done, or why it was refused, is shown by ``told`` at the top of the piece.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.queues.colleagues import colleagues
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.text import plain
from lib.workflows import desk
from lib.workflows.desk import tags_of

NOBODY = "Nobody"
# The hour, by the store's clock, at which what was put off to another day comes back.
MORNING = time(9)
_TOLD = "desk_told"


def holder() -> str:
    """This browser window, as locks know it."""
    found: str = st.session_state.setdefault("desk_holder", secrets.token_hex(8))
    return found


def act(do: Callable[[Connection], Any], done: str = "", *, moved: tuple[str, int, int] | None = None) -> bool:
    """Do something in one transaction, and keep what to say about it; false when it was refused.

    Args:
        moved: the subject, its key and its version before: an editor that is open in this window need not be
            surprised by what this window does.
    """
    try:
        with writing(order_database(settings())) as connection:
            do(connection)
    except EncoreError as refused:
        st.session_state[_TOLD] = ("refused", str(refused))
        return False
    if done:
        st.session_state[_TOLD] = ("done", done)
    if moved is not None:
        st.session_state[f"acted_{moved[0]}_{moved[1]}"] = moved[2]
    return True


def followed(subject: str, subject_id: int, version: int) -> int | None:
    """The version that this window just changed to this one; null when somebody else did, or nobody."""
    before: int | None = st.session_state.pop(f"acted_{subject}_{subject_id}", None)
    return before if before is not None and version == before + 1 else None


def told() -> None:
    """Show once what was just done or refused."""
    found = st.session_state.pop(_TOLD, None)
    if found is None:
        return
    kind, words = found
    if kind == "refused":
        st.error(plain(words), icon=":material/error:")
    else:
        st.success(plain(words), icon=":material/check:")


@st.cache_data(ttl=30, max_entries=4, show_spinner=False)
def _people(url: str) -> dict[int, str]:
    with reading(order_database(settings())) as connection:
        return colleagues(connection)


def people() -> dict[int, str]:
    """Everyone who can be given work, by key."""
    return _people(settings().database_url)


def owner_control(staff: Staff, subject: str, subject_id: int, owner_id: int | None, *, version: int) -> None:
    """Choose who looks after it; nothing is drawn while nobody has an account."""
    names = people()
    if not names or not staff.may(May.WORK_QUEUE):
        return
    key = f"owner_{subject}_{subject_id}_{version}"
    options = [None, *names] if owner_id is None or owner_id in names else [None, owner_id, *names]

    def change() -> None:
        chosen = st.session_state[key]
        # A run that was broken off by the next key press can report what did not change.
        if chosen == owner_id:
            return
        act(
            lambda c: desk.assign(c, staff, subject, subject_id, chosen, version=version, at=now()),
            f"Given to {names[chosen]}." if chosen else "Nobody looks after it now.",
            moved=(subject, subject_id, version),
        )

    st.selectbox(
        "Owner",
        options,
        index=options.index(owner_id),
        format_func=lambda one: NOBODY if one is None else names.get(one, "Somebody who left"),
        key=key,
        on_change=change,
        width=170,
    )


def tags_control(staff: Staff, subject: str, subject_id: int, tags: str, known: list[str], *, version: int) -> None:
    """Choose tags, or type new ones."""
    key = f"tags_{subject}_{subject_id}_{version}"
    held = tags_of(tags)

    def change() -> None:
        chosen = list(st.session_state[key])
        if chosen == held:
            return
        act(
            lambda c: desk.set_tags(c, staff, subject, subject_id, chosen, version=version, at=now()),
            "Tags saved.",
            moved=(subject, subject_id, version),
        )

    st.multiselect(
        "Tags",
        sorted({*known, *held}),
        default=held,
        key=key,
        on_change=change,
        accept_new_options=True,
        placeholder="Add a tag",
        disabled=not staff.may(May.WORK_QUEUE),
    )


def snooze_control(
    staff: Staff, subject: str, subject_id: int, until: datetime | None, *, version: int, zone: ZoneInfo
) -> None:
    """Put it off to one of a few moments, or bring it back."""
    if not staff.may(May.WORK_QUEUE):
        return
    at = now()
    moments = later_moments(at, zone)
    key = f"snooze_{subject}_{subject_id}_{version}"

    def change() -> None:
        chosen = st.session_state[key]
        moment = moments.get(chosen)
        said = f"Put off until {moment.astimezone(zone):%a %-d %b, %H:%M}." if moment else "Back in the list."
        act(
            lambda c: desk.snooze(c, staff, subject, subject_id, moment, version=version, at=now()),
            said,
            moved=(subject, subject_id, version),
        )

    asleep = until is not None and until > at
    options = [*moments, "Bring it back now"] if asleep else list(moments)
    st.menu_button("Snooze", options, icon=":material/snooze:", key=key, on_click=change)


def later_moments(at: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """The moments that something can be put off to, by what they are called."""
    local = at.astimezone(zone)

    def morning(days: int) -> datetime:
        return datetime.combine(local.date() + timedelta(days=days), MORNING, tzinfo=zone)

    to_monday = 7 - local.weekday()
    return {
        "In 3 hours": at + timedelta(hours=3),
        "Tomorrow morning": morning(1),
        "Monday morning": morning(to_monday),
        "In two weeks": morning(14),
    }


def done_control(
    staff: Staff, subject: str, subject_id: int, done_at: datetime | None, *, version: int, shortcut: str = "D"
) -> None:
    """Say that nothing is left to do, or take that back."""
    if not staff.may(May.WORK_QUEUE):
        return
    key = f"done_{subject}_{subject_id}"
    moved = (subject, subject_id, version)

    def finish() -> None:
        words = "Done: it waits no more."
        act(lambda c: desk.finish(c, staff, subject, subject_id, version=version, at=now()), words, moved=moved)

    def reopen() -> None:
        words = "It waits again."
        act(lambda c: desk.reopen(c, staff, subject, subject_id, version=version, at=now()), words, moved=moved)

    if done_at is None:
        words = "Nothing is left to do: it leaves the lists of what waits and stays on record."
        st.button("Done", icon=":material/done:", shortcut=shortcut, key=key, help=words, on_click=finish)
    else:
        st.button("Not done", icon=":material/undo:", shortcut=shortcut, key=key, on_click=reopen)


def bulk_controls(staff: Staff, subject: str, versions: dict[int, int]) -> None:
    """Give several to somebody, or tag them."""
    names = people()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if names:
            who = st.selectbox(
                "Give to",
                [None, *names],
                format_func=lambda one: NOBODY if one is None else names[one],
                key=f"bulk_owner_{subject}",
                width=160,
            )
            st.button("Give", key=f"bulk_give_{subject}", on_click=_give, args=(staff, subject, versions, who))
        tag = st.text_input("Tag", key=f"bulk_tag_{subject}", width=140, max_chars=desk.LONGEST_TAG)
        st.button(
            "Add tag",
            key=f"bulk_tag_add_{subject}",
            disabled=not tag.strip(),
            on_click=_tag,
            args=(staff, subject, list(versions), tag),
        )


def _give(staff: Staff, subject: str, versions: dict[int, int], owner_id: int | None) -> None:
    kept: list[int] = []

    def do(connection: Connection) -> None:
        kept.extend(desk.assign_all(connection, staff, subject, versions, owner_id, at=now()))

    if act(do):
        name = people().get(owner_id, NOBODY) if owner_id else NOBODY
        words = f"{len(versions) - len(kept)} given to {name}."
        if kept:
            words += f" {len(kept)} stayed as they were: somebody changed them meanwhile. Look at them again."
        st.session_state[_TOLD] = ("done" if not kept else "refused", words)


def _tag(staff: Staff, subject: str, keys: list[int], tag: str) -> None:
    count: list[int] = []
    if act(lambda c: count.append(desk.tag_all(c, staff, subject, keys, tag, at=now()))):
        st.session_state[_TOLD] = ("done", f"{count[0]} tagged, {len(keys) - count[0]} had it already.")
