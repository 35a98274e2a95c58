"""Who visits: the person at this machine, somebody who is signed in, or nobody that may come in."""

from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from anyio import to_thread
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.errors import DatabaseUnavailable, NotSignedIn
from lib.settings import Settings, is_loopback, settings
from lib.staff import LOCAL, Staff
from lib.workflows import sessions
from lib.workflows.sessions import Lifetimes, Signed

# Behind TLS the name itself tells the browser to take the cookie from nobody else and send it nowhere else.
COOKIE, SECURE_COOKIE = "encore", "__Host-encore"
# Noted at most so often that a session is in use; a write per click would be one too many.
_NOTED_EVERY = timedelta(minutes=1)
NO_OWNER = (
    "Encore would be open to others, and nobody has an account to sign in with. Make the first owner, then start it "
    "again: python -m lib staff add YOUR@EMAIL --role owner"
)


class Kind(StrEnum):
    """What a visitor is."""

    LOCAL = "local"
    STAFF = "staff"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. ``mark`` changes when what they may do does; ``why_closed`` says why nobody may come in."""

    kind: Kind
    mark: str = ""
    signed: Signed | None = None
    why_closed: str = ""

    @property
    def is_in(self) -> bool:
        return self.kind is not Kind.NOBODY


def is_open_to_others() -> bool:
    """Whether more than this machine can reach the app, by whatever way its address was set."""
    listens = st.get_option("server.address")
    return settings().is_open or not is_loopback(str(listens or ""))


def is_ours(host: str) -> bool:
    """Whether a host named by a request is Encore's.

    A number cannot be rebound to another machine as a name can: where Encore listens on every network of the
    machine, each of its numbers is right.
    """
    if is_loopback(host):
        return True
    listens = str(st.get_option("server.address") or "")
    if host and host in {urlsplit(settings().public_url).hostname, listens}:
        return True
    return listens in {"", "0.0.0.0", "::"} and _is_number(host)


def cookies_of(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The cookies of a request."""
    header = "; ".join(v.decode("latin-1") for k, v in scope["headers"] if k.lower() == b"cookie")
    found: dict[str, str] = {}
    for piece in header.split(";"):
        name, _, value = piece.strip().partition("=")
        found.setdefault(name, value.strip('"'))
    return found


def token_in(cookies: Mapping[str, str], *, host: str = "") -> str | None:
    """The session's token; at the public address behind TLS only the cookie that nobody else can have set."""
    public = urlsplit(settings().public_url)
    if public.scheme == "https" and host and host == public.hostname:
        return cookies.get(SECURE_COOKIE)
    return cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)


def visitor(token: str | None, *, at: datetime, address: str | None = None, is_action: bool = True) -> Visitor:
    """Find out who comes with a token, or with none.

    Raises:
        DatabaseUnavailable: nobody can be asked.
    """
    here = settings()
    engine = order_database(here)
    try:
        with reading(engine) as connection:
            signed = (
                sessions.signed_in(connection, token, at=at, idle=Lifetimes.of(here).idle, address=address)
                if token
                else None
            )
            has_people = signed is not None or sessions.anyone(connection)
    except (OperationalError, ProgrammingError) as error:
        has_people, signed = _people_without_tables(here, error), None
    if signed is not None:
        if is_action and at - signed.seen_at > _NOTED_EVERY:
            _NOTES.submit(_note, here, signed.session_id, at)
        return Visitor(Kind.STAFF, signed.mark, signed)
    if has_people:
        return Visitor(Kind.NOBODY)
    if is_open_to_others():
        return Visitor(Kind.NOBODY, why_closed=NO_OWNER)
    return Visitor(Kind.LOCAL, Kind.LOCAL.value)


async def ask(scope: MutableMapping[str, Any], *, is_action: bool = True) -> Visitor:
    """Who sends a request; asked of the database beside the loop that serves all of them."""
    headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
    host = urlsplit(f"//{headers.get(b'host', '')}").hostname or ""
    token = token_in(cookies_of(scope), host=host)
    is_person = is_action and not str(scope["path"]).startswith("/_stcore/health")
    return await to_thread.run_sync(lambda: visitor(token, at=now(), is_action=is_person))


def reader() -> Staff:
    """Who looks at this page now: asked anew in every run, so that a changed role counts at once.

    Raises:
        NotSignedIn: the session is over.
    """
    return staff_of(my_token(), at=now(), address=st.context.ip_address)


def staff_of(token: str | None, *, at: datetime, address: str | None) -> Staff:
    """Who acts with a token at this moment; for work that ends after its page was drawn, such as a download.

    Raises:
        NotSignedIn: the session is over.
    """
    signed = _session(token, at=at, address=address)
    return LOCAL if signed is None else signed.staff


def my_session() -> Signed | None:
    """The session of this page; null for the person at this machine while nobody has an account.

    Raises:
        NotSignedIn: the session is over.
    """
    return _session(my_token(), at=now(), address=st.context.ip_address)


def _session(token: str | None, *, at: datetime, address: str | None) -> Signed | None:
    found = visitor(token, at=at, address=address, is_action=False)
    if not found.is_in:
        raise NotSignedIn(found.why_closed or "You are signed out. Sign in to go on.")
    return found.signed


def my_token() -> str | None:
    """The token of this page's session, as its browser sent it when the connection began."""
    host = urlsplit(f"//{st.context.headers.get('Host', '')}").hostname or ""
    return token_in(st.context.cookies.to_dict(), host=host)


def base_of_page() -> str:
    """The address of the app, for links that people open elsewhere."""
    there = urlsplit(str(st.context.url or ""))
    return settings().public_url or (f"{there.scheme}://{there.netloc}" if there.netloc else "")


def _people_without_tables(here: Settings, error: DBAPIError) -> bool:
    """A database that was never prepared has no people; one that cannot be asked may have."""
    try:
        if not inspect(order_database(here)).has_table("staff"):
            return False
    except DBAPIError:
        pass
    raise DatabaseUnavailable(
        "The order database cannot be read. Type `make run` in Encore's folder: it prepares or updates it. "
        "With a PostgreSQL of your own, check ENCORE_DATABASE_URL."
    ) from error


# One after the other and beside the requests: a write may have to wait for an import.
_NOTES = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encore-seen")


def _note(here: Settings, session_id: int, at: datetime) -> None:
    with writing(order_database(here)) as connection:
        sessions.seen(connection, session_id, at=at)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
