"""Whose store this is and who looks at it: the foot of the sidebar, and the way out."""

from html import escape
from urllib.parse import quote, urlsplit

import streamlit as st

from lib.errors import NotSignedIn
from lib.ui.places import MY_ACCOUNT, STAFF
from lib.ui.visit import my_session, my_token
from lib.ui.web_forms import mark_of

# A button of the browser's own: signing out is a form sent to the server, which takes the cookie back.
_SIGN_OUT = """
<form method="post" action="/signout"><input type="hidden" name="form" value="{mark}">
<button type="submit" class="encore-out">Sign out</button></form>
<style>.encore-out{{font:inherit;font-size:.93rem;color:inherit;background:none;border:0;padding:4px 0;min-height:32px;
cursor:pointer;text-decoration:underline;text-underline-offset:3px}}
.encore-out:focus-visible{{outline:2px solid currentColor;outline-offset:2px}}</style>
"""


def draw_whose(store: str) -> None:
    """The store, and who is signed in; or that the app is for the person at this machine alone."""
    signed = my_session()
    with st.sidebar, st.container(gap="xsmall", key="whose"):
        st.text(store)
        if signed is None:
            st.caption("For you alone: the app answers to this computer only, and nobody signs in.")
            st.page_link(STAFF, label="Let others in", icon=":material/group_add:")
            return
        st.page_link(MY_ACCOUNT, label=signed.staff.name, icon=":material/account_circle:")
        st.caption(f"{signed.staff.role.capitalize()}")
        st.html(_SIGN_OUT.format(mark=escape(mark_of(my_token() or ""))))


def say_signed_out(over: NotSignedIn) -> None:
    """What is left of a page whose session is over: the way back in, and back here."""
    here = urlsplit(str(st.context.url or "/"))
    wanted = here.path + (f"?{here.query}" if here.query else "")
    st.title("Signed out", anchor=False)
    st.text(str(over))
    link_here("Sign in", f"/signin?next={quote(wanted, safe='')}")


def link_here(words: str, address: str) -> None:
    """A way to a page outside the app's own, in the same tab."""
    style = (
        "display:inline-block;padding:7px 14px;border-radius:8px;text-decoration:none;"
        "border:1px solid var(--st-primary-color,currentColor);color:var(--st-link-color,inherit)"
    )
    st.html(f'<a href="{escape(address)}" target="_self" style="{style}">{escape(words)}</a>')
