"""What staff wrote down about a customer: add a note, correct one; earlier wordings stay readable."""

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.customer_person import MOST_NOTES, Note, read_notes
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import act
from lib.ui.text import clock, one_line
from lib.workflows.customers import add_note, correct_note

_LONGEST = 2_000


def draw_notes(staff: Staff, store: Store, customer_id: int) -> None:
    """The card of notes; words about a person are shown to those who may see personal data."""
    with st.container(border=True, gap="small", key="customer_notes"):
        st.header("Notes", anchor=False)
        if not staff.may(May.SEE_PERSONAL_DATA):
            st.caption("Your role does not see what was written about a person.")
            return
        with reading(order_database(settings())) as connection:
            notes = read_notes(connection, customer_id)
        may_write = staff.may(May.WORK_QUEUE)
        if may_write:
            _new(staff, customer_id)
        if not notes:
            st.caption("Nobody wrote anything down yet.")
        for note in notes:
            _note(staff, store, note, may_write=may_write)
        if len(notes) == MOST_NOTES:
            st.caption(f"The newest {MOST_NOTES} are shown.")


def _new(staff: Staff, customer_id: int) -> None:
    key = f"note_{customer_id}"

    def save() -> None:
        if act(lambda c: add_note(c, staff, customer_id, st.session_state[key], at=now()), "The note is kept."):
            st.session_state[key] = ""

    st.text_area("New note", key=key, height=80, max_chars=_LONGEST, placeholder="What colleagues should know")
    st.button("Keep the note", icon=":material/note_add:", key=f"save_{key}", on_click=save)


def _note(staff: Staff, store: Store, note: Note, *, may_write: bool) -> None:
    with st.container(gap=None, key=f"customer_note_{note.note_id}"):
        st.text(note.body)
        by = note.author or "Somebody at this computer"
        corrected = f", corrected {len(note.before)}×" if note.before else ""
        st.caption(one_line(f"{by}, {clock(note.written_at, store.zone, store.today())}{corrected}", 120))
        if not may_write and not note.before:
            return
        with st.popover("Correct" if may_write else "Earlier words", icon=":material/edit:", type="tertiary"):
            if may_write:
                _correct(staff, note)
            for old in note.before:
                st.caption(one_line(f"Before, by {old.author or 'somebody at this computer'}:", 120))
                st.text(old.body)


def _correct(staff: Staff, note: Note) -> None:
    key = f"correct_{note.note_id}"

    def save() -> None:
        act(
            lambda c: correct_note(c, staff, note.note_id, st.session_state[key], at=now()),
            "The correction is kept; the earlier words stay on record.",
        )

    st.text_area("The note in other words", note.body, key=key, height=120, max_chars=max(_LONGEST, len(note.body)))
    st.button("Keep the correction", key=f"save_{key}", on_click=save)
