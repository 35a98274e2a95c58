"""One's own account on a screen: name, password, the code as second step, and where one is signed in."""

from collections.abc import Callable

import segno
import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.vault import Vault
from lib.errors import EncoreError
from lib.queues.staff import Person, person, sessions_of
from lib.settings import settings
from lib.ui.access import Desk
from lib.ui.text import ago, plain
from lib.ui.visit import my_session
from lib.workflows import my_account, passwords
from lib.workflows.sessions import Lifetimes
from lib.workflows.staff import sign_out_everywhere


def draw_my_account(desk: Desk) -> None:
    """What somebody can do for their own account."""
    if said := st.session_state.pop("account_said", ""):
        st.success(str(said), icon=":material/check:")
    staff_id = desk.staff.staff_id
    with reading(order_database(settings())) as connection:
        me = person(connection, staff_id, at=now()) if staff_id is not None else None
    if me is None:
        st.info("You have no account: Encore answers to this computer only, and asks nobody to sign in.")
        return
    left, right = st.columns(2)
    with left:
        with st.container(border=True, key="name_card"):
            _name(desk, me)
        with st.container(border=True, key="password_card"):
            _password(desk, me)
    with right:
        with st.container(border=True, key="sessions_card"):
            _sessions(desk)
        with st.container(border=True, key="code_card"):
            _second_step(desk, me)


def _done(work: Callable[[], object], said: str) -> None:
    """Do it and draw the page anew; a refusal is said, and nothing is written."""
    try:
        work()
    except EncoreError as refused:
        st.error(str(refused), icon=":material/error:")
        return
    st.session_state["account_said"] = said
    st.rerun()


def _written(work: Callable[[Connection], object]) -> None:
    with writing(order_database(settings())) as connection:
        work(connection)


def _name(desk: Desk, me: Person) -> None:
    st.header("Name", anchor=False)
    st.text(f"{me.email}, {me.role}")
    with st.form("name", border=False):
        name = st.text_input("How others read you", me.name, key="account_name", max_chars=200)
        if st.form_submit_button("Save"):
            _done(lambda: _written(lambda c: my_account.rename(c, desk.staff, name, at=now())), "Your name is changed.")


def _password(desk: Desk, me: Person) -> None:
    st.header("Password", anchor=False)
    if not me.has_password:
        st.caption("You sign in through your organisation, without a password of Encore's.")
        return
    with st.form("password", border=False, clear_on_submit=True):
        old = st.text_input("Old password", type="password", key="account_old", autocomplete="current-password")
        new = st.text_input(
            "New password",
            type="password",
            key="account_new",
            autocomplete="new-password",
            help=f"At least {passwords.SHORTEST} characters.",
        )
        again = st.text_input("The new one again", type="password", key="account_again", autocomplete="new-password")
        st.caption("Every other session ends.")
        if st.form_submit_button("Change"):
            if new != again:
                st.error("The two new passwords are not the same.")
                return
            mine = my_session()
            _done(
                lambda: my_account.change_password(
                    order_database(settings()), desk.staff, old, new, at=now(), keep=mine.session_id if mine else None
                ),
                "Your password is changed.",
            )


def _second_step(desk: Desk, me: Person) -> None:
    st.header("Code as second step", anchor=False)
    if me.has_second_step:
        st.caption("On: after the password you are asked for the code that your authenticator shows.")
        with st.form("no_code", border=False, clear_on_submit=True):
            password = st.text_input("Your password", type="password", key="account_no_code")
            if st.form_submit_button("Turn it off"):
                _done(
                    lambda: my_account.remove_second_step(order_database(settings()), desk.staff, password, at=now()),
                    "The code is turned off.",
                )
        return
    st.caption("Off. With it, whoever learns your password still cannot come in.")
    if not st.toggle("Set it up", key="account_code_on"):
        return
    with writing(order_database(settings())) as connection:
        secret, address = my_account.begin_second_step(connection, desk.staff, Vault.of(settings()))
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=3, dark="#0d1117", light="#ffffff")
    st.html(f'<img src="{picture}" width="200" height="200" alt="QR code with the secret below">')
    st.caption("Scan it with an authenticator, or type the secret there:")
    st.code(" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)), language=None, wrap_lines=True)
    with st.form("code", border=False):
        code = st.text_input("The code it shows now", key="account_code", autocomplete="one-time-code")
        if st.form_submit_button("Turn it on", type="primary"):
            _done(
                lambda: _written(
                    lambda c: my_account.confirm_second_step(c, desk.staff, code, vault=Vault.of(settings()), at=now())
                ),
                "The code is turned on. You are asked for it from the next sign-in on.",
            )


def _sessions(desk: Desk) -> None:
    st.header("Where you are signed in", anchor=False)
    here, mine = settings(), my_session()
    if mine is None or desk.staff.staff_id is None:
        return
    staff_id = desk.staff.staff_id
    with reading(order_database(here)) as connection:
        found = sessions_of(connection, staff_id, at=now(), idle_since=now() - Lifetimes.of(here).idle)
    for session in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(gap=None, width="stretch"):
                st.text(_browser(session.browser))
                st.caption(plain(f"{session.address}, by {session.method}, last used {ago(session.seen_at, now())}"))
            if session.session_id == mine.session_id:
                st.badge("This one", color="green")
            elif st.button("End", key=f"end_{session.session_id}", help="Sign out there"):
                key = session.session_id
                _done(
                    lambda key=key: _written(lambda c: my_account.end_session(c, desk.staff, key, at=now())),  # type: ignore[misc]  # bound at once
                    "That session is ended.",
                )
    st.caption(
        f"A session ends after {here.session_idle_hours:g} hours without a click, "
        f"and after {here.session_days:g} days at the latest."
    )
    if st.button("Sign out everywhere", key="account_out"):
        _done(lambda: _written(lambda c: sign_out_everywhere(c, desk.staff, staff_id, at=now())), "")


def _browser(said: str) -> str:
    """A browser as its owner knows it, from what it says of itself.

    >>> _browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36")
    'Chrome on Linux'
    """
    kinds = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    )
    kind = next((name for mark, name in kinds if mark in said), "Another browser")
    system = next((name for mark, name in systems if mark in said), "")
    return f"{kind} on {system}" if system else kind
