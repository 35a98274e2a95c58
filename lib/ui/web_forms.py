"""Forms that the server writes: read within limits, and answered only when they come from the app's own page."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lib.settings import settings
from lib.ui.visit import COOKIE, token_in
from lib.workflows.sessions import Caller

STALE = "This page was open for too long. Please try again."
# Holds what a form must give back, so that no other site can have it filled in and sent.
FORM_COOKIE = "encore_form"
# Holds the first step of a sign-in until the code is there.
STEP_COOKIE = "encore_step"
LARGEST = 64 * 1024
_MOST_FIELDS = 20
# Where one never goes back to after signing in.
_NOT_BACK = ("/signin", "/signout", "/forgot", "/invitation", "/reset", "/first-owner", "/_stcore", "/media")


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came, and whether it is the app's own."""

    fields: dict[str, str]
    is_own: bool

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


async def aside(work: Callable[[], Any]) -> Any:
    """Work that reads the database or compares a password, beside the loop that serves everybody."""
    return await to_thread.run_sync(work)


async def sent(request: Request) -> Sent:
    """Read a form; one that is too large, or comes from elsewhere, is not the app's own."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            return Sent({}, False)
    try:
        read = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Sent({}, False)
    fields = {name: values[0].replace("\x00", "") for name, values in read.items()}
    cookie = request.cookies.get(named(request, FORM_COOKIE), "")
    is_own = bool(cookie) and is_same(fields.get("form", ""), mark_of(cookie))
    # The wall refused another origin already; a form without any is none that a browser sent.
    return Sent(fields, is_own and "origin" in request.headers)


def mark_of(secret: str) -> str:
    """What a form carries to prove that its page was the app's own; the secret cannot be told from it."""
    return hashlib.sha256(f"form:{secret}".encode()).hexdigest()


def is_same(given: str, expected: str) -> bool:
    """Whether a mark is the one expected, whatever signs it consists of, in the same time for each."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def form_secret(request: Request) -> str:
    """The secret in the browser's cookie, or a new one."""
    return request.cookies.get(named(request, FORM_COOKIE)) or secrets.token_urlsafe(24)


def is_secure(request: Request) -> bool:
    """Whether the browser came over TLS, here or at the proxy before."""
    public = urlsplit(settings().public_url)
    return request.url.scheme == "https" or (public.scheme == "https" and request.url.hostname == public.hostname)


def named(request: Request, name: str) -> str:
    """The name of a cookie: behind TLS one that binds it to this host alone."""
    return f"__Host-{name}" if is_secure(request) else name


def keep(response: Response, request: Request, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie that no script reads and no other site sends."""
    response.set_cookie(
        named(request, name), value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )


def drop(response: Response, request: Request, name: str) -> None:
    """Take a cookie back."""
    response.set_cookie(
        named(request, name), "", max_age=0, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )


def answer(request: Request, html: str, *, secret: str, status: int = 200) -> HTMLResponse:
    """A page with a form, and the cookie that goes with it."""
    response = HTMLResponse(html, status, headers={"cache-control": "no-store"})
    keep(response, request, FORM_COOKIE, secret)
    return response


def go(where: str) -> RedirectResponse:
    """Lead the browser on, by GET."""
    return RedirectResponse(where, 303, headers={"cache-control": "no-store"})


def token_of(request: Request) -> str | None:
    """The token of the session that the browser holds."""
    return token_in(request.cookies, host=request.url.hostname or "")


def keep_session(response: Response, request: Request, token: str) -> None:
    """Give the browser its session; it ends with the browser or earlier."""
    keep(response, request, COOKIE, token)
    drop(response, request, STEP_COOKIE)
    drop(response, request, FORM_COOKIE)


def drop_session(response: Response, request: Request) -> None:
    """Take the session's cookie back."""
    drop(response, request, COOKIE)


def caller(request: Request) -> Caller:
    """Where a request comes from."""
    return Caller(request.client.host if request.client else None, request.headers.get("user-agent", ""))


def base_url(request: Request) -> str:
    """The address of the app as people type it."""
    return settings().public_url or str(request.base_url).rstrip("/")


def safe_next(wanted: str) -> str:
    """Where to go after signing in: a page of this app, else its first.

    >>> safe_next("/repeat?period=7d"), safe_next("//evil.example"), safe_next("/\\\\evil.example")
    ('/repeat?period=7d', '/', '/')
    """
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or len(wanted) > 2000:
        return "/"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.startswith(_NOT_BACK):
        return "/"
    # What is escaped already stays as it is.
    return quote(parts.path, safe="/%") + (f"?{quote(parts.query, safe='=&+%,:;@/?!~*-._')}" if parts.query else "")
