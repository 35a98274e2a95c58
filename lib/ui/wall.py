"""The wall before the screens: who may speak to the app, and what browsers are told about it.

Pure ASGI, over HTTP and WebSocket. A request must name a host that is Encore's (a hostile site cannot rebind
its name to ours), and whatever comes from a page must come from the app's own page (no other site can open
the WebSocket). While nobody has an account, the person at this machine may do everything; from then on
everything but ``OPEN`` wants a session, and a running connection is asked again at each of its messages.
"""

import base64
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, urlsplit

import streamlit

from lib.errors import EncoreError
from lib.ui.requests import Asked, asked_by, plain_run
from lib.ui.visit import Kind, Visitor

log = logging.getLogger("encore")

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Streamlit's own endpoints that nobody needs here: figures about the process, and a door for programs.
CLOSED = ("/_stcore/metrics", "/_stcore/agent")
# What needs no session: pattern of the path, and methods. Everything here checks by itself whom it serves.
OPEN = (
    (re.compile(r"/health|/ready"), {"GET", "HEAD"}),
    (re.compile(r"/signin|/signin/code|/forgot"), {"GET", "HEAD", "POST"}),
    (re.compile(r"/signin/provider|/signin/callback"), {"GET"}),
    (re.compile(r"/signout"), {"POST"}),
    (re.compile(r"/(?:invitation|reset)/[A-Za-z0-9_-]{20,100}"), {"GET", "HEAD", "POST"}),
    (re.compile(r"/unsubscribe/[A-Za-z0-9._-]{20,100}"), {"GET", "HEAD", "POST"}),
    (re.compile(r"/hooks/contact"), {"POST"}),
    (re.compile(r"/app/static/(?:inter-latin\.woff2|logo\.svg|mark\.svg)"), {"GET", "HEAD"}),
)
# Where no page of the app begins: asked by scripts, not by people.
_NO_PAGES = re.compile(r"/(?:_stcore|exports|media|static|app|component|vendor|auth)(?:/.*)?|.*\.[A-Za-z0-9]{1,8}")


class Ask(Protocol):
    """Finds out who asks; ``is_action`` false when no person did, such as a page that renews itself."""

    async def __call__(self, scope: Scope, /, *, is_action: bool = True) -> Visitor: ...


def host_of(authority: str) -> str:
    """The host of ``name:port`` or ``[::1]:port``, in lower case; empty when it makes no sense."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").lower()
    except ValueError:
        return ""


def is_open_to_all(path: str, method: str) -> bool:
    """Whether a request needs no session."""
    return any(pattern.fullmatch(path) and method in methods for pattern, methods in OPEN)


def content_security_policy() -> str:
    """The policy: nothing from outside, no frames around us, no script but the app's own.

    The script written into Streamlit's page and the one of our lists are let in by their hashes; styles are set by
    script, so inline ones must be allowed. Charts are drawn by an interpreter, without ``unsafe-eval``.
    """
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    inline.append((Path(__file__).parent / "static" / "inbox.js").read_text(encoding="utf-8"))
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in inline)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {hashes}".strip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
        )
    )


class Wall:
    """Refuse foreign hosts and origins and whoever is not signed in, and send the security headers."""

    def __init__(self, app: App, *, ask: Ask, is_ours: Callable[[str], bool] = LOOPBACK.__contains__) -> None:
        self._app = app
        self._ask = ask
        self._is_ours = is_ours
        self._headers = [
            (b"content-security-policy", content_security_policy().encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        self._replaced = {name for name, _ in self._headers} | {b"access-control-allow-origin", b"server"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in self._replaced]
                message = {**message, "headers": kept + self._headers}
            await send(message)

        if refusal := self._refusal(scope):
            await _refuse(scope, receive, send_with_headers, *refusal)
            return
        if scope["type"] == "http" and is_open_to_all(scope["path"], scope["method"]):
            await self._app(scope, receive, send_with_headers)
            return
        visitor, trouble = await self._visitor(scope)
        if trouble:
            await _refuse(scope, receive, send_with_headers, 503, trouble)
        elif not visitor.is_in:
            await _turn_away(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await self._app(scope, self._asking_again(scope, receive, visitor.mark), send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    async def _visitor(self, scope: Scope, *, is_action: bool = True) -> tuple[Visitor, str]:
        """Who asks, or why nobody can be let in at all."""
        try:
            visitor = await self._ask(scope, is_action=is_action)
        except EncoreError as error:
            return Visitor(Kind.NOBODY), str(error)
        except Exception:
            log.exception("Nobody can be let in: who asks could not be found out")
            return Visitor(Kind.NOBODY), "Encore cannot find out who you are; the log of this computer says why."
        return visitor, visitor.why_closed

    def _asking_again(self, scope: Scope, receive: Receive, mark: str) -> Receive:
        """Messages of a connection, each once it is sure that whoever sends it still may.

        When the session ended or the role changed, the message becomes a run of the whole page: it asks for
        nothing, runs no callback, and meets the page's own gate.
        """
        last: Asked | None = None

        async def receive_checked() -> Message:
            nonlocal mark, last
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                asked = asked_by(message)
                visitor, trouble = await self._visitor(scope, is_action=asked.is_action)
                last = asked if asked.is_run or last is None else last
                if visitor.is_in and not trouble and visitor.mark == mark:
                    return message
                if visitor.is_in:
                    mark = visitor.mark
                if last.is_run:
                    return plain_run(last)

        return receive_checked

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
        authority = headers.get(b"host", "")
        if not self._is_ours(host_of(authority)):
            return 421, "This address is not Encore's. Open the address that Encore printed when it started."
        origin = headers.get(b"origin")
        is_socket = scope["type"] == "websocket"
        if origin is None:
            if is_socket:
                return 403, "A connection must come from Encore's own page."
        elif urlsplit(origin).netloc.lower() != authority.lower():
            return 403, "This request comes from another site."
        path = re.sub(r"/{2,}", "/", scope["path"])
        if any(path == closed or path.startswith(f"{closed}/") for closed in CLOSED):
            return 404, "Not found."
        return None


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    """Somebody who is not signed in: a page leads to the sign-in and back, all else is refused."""
    if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and not _NO_PAGES.fullmatch(scope["path"]):
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = quote(scope["path"]) + (f"?{query}" if query else "")
        there = b"/signin" if wanted == "/" else f"/signin?next={quote(wanted, safe='')}".encode()
        headers = [(b"location", there), (b"cache-control", b"no-store"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await _refuse(scope, receive, send, 401 if scope["type"] == "http" else 403, "Sign in first.")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # Before it is accepted, closing a WebSocket answers its handshake with 403.
        await send({"type": "websocket.close", "code": 1008, "reason": text[:100]})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
