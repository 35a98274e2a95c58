"""The people who work here on a screen: invite, change a role, let go, end sessions, help back in."""

from collections.abc import Callable

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.queues.staff import Person, people
from lib.settings import settings
from lib.staff import PERMISSIONS, May, Role
from lib.ui.access import Desk
from lib.ui.tables import table
from lib.ui.text import ago, plain
from lib.ui.visit import base_of_page
from lib.ui.whose import link_here
from lib.workflows import links
from lib.workflows import staff as workflow

ROLES = [role.value for role in Role]
WORDS = {
    Role.OWNER: "everything, and lets others in",
    Role.MANAGER: "imports, plans offers, reads the audit log",
    Role.SUPPORT: "answers customers and sees who they are",
    Role.VIEWER: "sees figures, and nobody's name",
}
COLOURS = {"active": "green", "invited": "blue", "invitation expired": "orange", "deactivated": "gray"}


def draw_invite(desk: Desk) -> None:
    """Ask for an address and a role; the link is shown once."""
    _show_link()
    with st.container(border=True, key="invite_card"):
        st.header("Invite somebody", anchor=False)
        if desk.staff.staff_id is None:
            st.write(
                "Nobody has an account yet: Encore answers to this computer only, and asks nobody to sign in. "
                "Make your own account first; from then on everybody signs in, and you can invite the others here."
            )
            link_here("Make the first account", "/first-owner")
            return
        with st.form("invite", border=False, clear_on_submit=True):
            left, right = st.columns([1.7, 1])
            email = left.text_input("E-mail", key="invite_email", placeholder="anna@example.com")
            role = right.selectbox("Role", ROLES, index=ROLES.index("support"), key="invite_role")
            st.caption(plain("; ".join(f"{role.value}: {WORDS[role]}" for role in Role) + "."))
            if st.form_submit_button("Make an invitation", type="primary"):
                _invite(desk, email, Role(role))


def _invite(desk: Desk, email: str, role: Role) -> None:
    def work(connection: Connection) -> None:
        _, token = workflow.invite(connection, desk.staff, email, role, at=now())
        _keep_link(email.strip().lower(), links.INVITATION, token)

    _act(work)


def _keep_link(email: str, kind: str, token: str) -> None:
    st.session_state["staff_link"] = f"{base_of_page()}{links.path_of(kind, token)}"
    st.session_state["staff_link_of"] = f"{'Invitation' if kind == links.INVITATION else 'Reset link'} for {email}"


def _show_link() -> None:
    """The link that was just made: for this one run of the page."""
    link, whose = st.session_state.pop("staff_link", None), st.session_state.pop("staff_link_of", "")
    if link is None:
        return
    with st.container(border=True, key="link_card"):
        st.text(str(whose))
        st.code(str(link), language=None, wrap_lines=True)
        st.caption(
            "Copy it now and send it yourself: it is shown only this once, serves once, and earlier ones are void."
        )


def _act(work: Callable[[Connection], object]) -> None:
    """Do it in one transaction and draw the page anew; a refusal is said and nothing is written."""
    try:
        with writing(order_database(settings())) as connection:
            work(connection)
    except EncoreError as refused:
        st.error(str(refused), icon=":material/error:")
        return
    st.rerun()


def draw_people(desk: Desk) -> None:
    """Everybody, each with what can be done for them."""
    with reading(order_database(settings())) as connection:
        found = people(connection, at=now())
    if not found:
        return
    st.header("Who works here", anchor=False)
    for person in found:
        with st.container(border=True, key=f"person_{person.staff_id}"):
            _person(desk, person)


def _person(desk: Desk, person: Person) -> None:
    is_you = person.staff_id == desk.staff.staff_id
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{plain(person.name)}**{' (you)' if is_you else ''}")
            st.text(_facts(person))
        st.badge(person.state.capitalize(), color=COLOURS[person.state])  # type: ignore[arg-type]  # one of its colours
        _role(desk, person)
        if st.button("More", key=f"more_{person.staff_id}", icon=":material/more_horiz:", help=f"Help {person.name}"):
            st.dialog(person.name)(_more)(desk, person)


def _facts(person: Person) -> str:
    facts = [person.email]
    facts.append(f"signed in {ago(person.signed_in_at, now())}" if person.signed_in_at else "never signed in")
    if person.sessions:
        facts.append(f"{person.sessions} session{'' if person.sessions == 1 else 's'}")
    if person.has_second_step:
        facts.append("with a code")
    if person.has_identity:
        facts.append("by your organisation")
    return " · ".join(facts)


def _role(desk: Desk, person: Person) -> None:
    role = st.selectbox(
        f"Role of {person.name}",
        ROLES,
        index=ROLES.index(person.role),
        # A refused choice must not stay chosen: each state of the account has a box of its own.
        key=f"role_{person.staff_id}_{person.version}_{st.session_state.get('role_try', 0)}",
        label_visibility="collapsed",
        width=130,
        disabled=person.state == "deactivated",
    )
    if role == person.role:
        return

    def work(connection: Connection) -> None:
        workflow.change_role(connection, desk.staff, person.staff_id, Role(role), version=person.version, at=now())

    try:
        with writing(order_database(settings())) as connection:
            work(connection)
    except EncoreError as refused:
        st.session_state["role_try"] = int(st.session_state.get("role_try", 0)) + 1
        st.session_state["staff_refused"] = str(refused)
    st.rerun()


def _more(desk: Desk, person: Person) -> None:
    """What else can be done for somebody."""
    st.text(_facts(person))
    key, at = person.staff_id, now()
    if person.state == "deactivated":
        if st.button("Take back", type="primary", key="staff_activate"):
            _act(lambda c: workflow.activate(c, desk.staff, key, version=person.version, at=at))
        return
    is_new = not (person.has_password or person.has_identity)
    st.markdown("**New invitation**" if is_new else "**Forgot the password?**")
    if st.button("Make a new invitation" if is_new else "Make a reset link", key="staff_link_button"):

        def work(connection: Connection) -> None:
            kind, token = workflow.new_link(connection, desk.staff, key, at=at)
            _keep_link(person.email, kind, token)

        _act(work)
    if person.has_second_step:
        st.markdown("**Lost the phone?**")
        if st.button("Turn off the code", key="staff_no_code"):
            _act(lambda c: workflow.remove_second_step(c, desk.staff, key, at=at))
    if person.sessions:
        st.markdown("**Signed in where it should not be?**")
        if st.button("Sign out everywhere", key="staff_out"):
            _act(lambda c: workflow.sign_out_everywhere(c, desk.staff, key, at=at))
    st.markdown("**No longer works here?**")
    st.caption("Every session ends at once. What was done stays on record.")
    if st.button("Let in no longer", key="staff_deactivate"):
        _act(lambda c: workflow.deactivate(c, desk.staff, key, version=person.version, at=at))


def draw_roles() -> None:
    """What each role may do, as one table."""
    if refused := st.session_state.pop("staff_refused", ""):
        st.error(str(refused), icon=":material/error:")
    with st.expander("What each role may do"):
        order = list(reversed(Role))
        frame = pd.DataFrame(
            [
                {"May": what.value.capitalize(), **{r.value.capitalize(): what in PERMISSIONS[r] for r in order}}
                for what in May
            ]
        )
        table(frame, alt="What each role may do")
