"""A person's rights on a screen: have everything erased, or take everything out. For the page of a customer."""

import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.person import find
from lib.db.tables.columns import now
from lib.errors import EncoreError, InvalidInput
from lib.jobs.erasure import Erased, erase_everywhere
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.text import plain
from lib.ui.visit import my_token, reader, staff_of
from lib.workflows.erasure import foresee
from lib.workflows.person_export import as_json, export_person

_DONE = "person_erased"


def export_button(staff: Staff, customer_id: int) -> None:
    """Take out all that is known of a customer as JSON; it is made, and noted in the log, when it is pressed."""
    if not staff.may(May.EXPORT_PEOPLE):
        return
    token, address = my_token(), st.context.ip_address
    st.download_button(
        "All that is known (JSON)",
        data=lambda: _export(token, address, customer_id),
        file_name=f"customer_{customer_id}.json",
        mime="application/json",
        icon=":material/download:",
        key="person_export",
        on_click="ignore",
        help="For a customer who asks what you know of them. Files of mails are listed, not included.",
    )


def erase_button(staff: Staff, customer_id: int) -> None:
    """Open the dialog that says what goes and what stays, and erases once it is confirmed."""
    if not staff.may(May.ERASE_PEOPLE):
        return
    if st.button("Erase this person", icon=":material/person_remove:", key="person_erase"):
        st.dialog("Erase this person?", width="large")(_confirm)(customer_id)


def draw_erased() -> None:
    """Once after an erasure: what came of it."""
    done: str | None = st.session_state.pop(_DONE, None)
    if done:
        st.success(plain(done), icon=":material/check_circle:")


def _export(token: str | None, address: str | None, customer_id: int) -> bytes:
    at = now()
    staff = staff_of(token, at=at, address=address)
    with writing(order_database(settings())) as connection:
        person = find(connection, customer_id)
        if person is None:
            raise InvalidInput("There is no such customer any more.")
        return as_json(export_person(connection, staff, person, at=at))


def _confirm(customer_id: int) -> None:
    staff = reader()
    with reading(order_database(settings())) as connection:
        person = find(connection, customer_id)
        if person is None:
            st.info("There is no such customer any more.")
            return
        told = foresee(connection, staff, person)
    st.write(f"**{plain(told.called)}**: this cannot be undone.")
    for line in told.warnings:
        st.warning(plain(line), icon=":material/warning:")
    goes, stays = st.columns(2, gap="medium")
    with goes:
        st.markdown("**Goes**")
        st.markdown("\n".join(f"- {plain(line)}" for line in told.goes))
    with stays:
        st.markdown("**Stays**")
        st.markdown("\n".join(f"- {plain(line)}" for line in told.stays))
    with st.form("person_erase_form", border=False, clear_on_submit=False):
        typed = st.text_input(f"Type {plain(told.to_confirm)} to confirm", key="person_erase_typed", autocomplete="off")
        is_sure = st.form_submit_button("Erase for good", type="primary", icon=":material/delete_forever:")
    if not is_sure:
        return
    try:
        with st.spinner("Erasing, then cleaning every copy that Encore keeps …"):
            done = erase_everywhere(settings(), staff, person, confirmed=typed, at=now())
    except EncoreError as refused:
        st.error(plain(refused), icon=":material/error:")
        return
    st.cache_data.clear()
    st.session_state[_DONE] = said(done)
    st.rerun()


def said(done: Erased) -> str:
    """What came of an erasure, in a sentence or two."""
    if done.left_to_do:
        return f"Erased. Copies are cleaned at the next refresh: {done.left_to_do}"
    return f"Erased: {sum(done.gone.rows.values()):,} rows emptied, and every copy that Encore keeps is clean."
