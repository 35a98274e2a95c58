"""The wall before the screens: who may speak to the app, and what browsers are told about it.

Pure ASGI, over HTTP and WebSocket. Without accounts the app is for the person at this machine alone, so
a request must name a loopback host (a hostile site cannot rebind its name to 127.0.0.1), and whatever
comes from a page must come from the app's own page (no other site can open the WebSocket).
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import streamlit

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Streamlit's own endpoints that nobody needs here: figures about the process, and a door for programs.
CLOSED = ("/_stcore/metrics", "/_stcore/agent")
_PACKED_TYPES = ("text/", "application/javascript", "application/json", "image/svg+xml")
_SMALLEST_PACKED = 1024


def host_of(authority: str) -> str:
    """The host of ``name:port`` or ``[::1]:port``, in lower case; empty when it makes no sense."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").lower()
    except ValueError:
        return ""


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
    """Refuse foreign hosts and origins, close what nobody needs, and send the security headers."""

    def __init__(self, app: App, *, hosts: Iterable[str] = LOOPBACK) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
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
        refusal = self._refusal(scope)
        if refusal:
            await _refuse(scope, receive, send, *refusal)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in self._replaced]
                message = {**message, "headers": kept + self._headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
        authority = headers.get(b"host", "")
        if host_of(authority) not in self._hosts:
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


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # Before it is accepted, closing a WebSocket answers its handshake with 403.
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


class PackedFiles:
    """Send Streamlit's scripts and styles compressed: each packed once, then kept (some 8 MB in all).

    Their names carry a hash of their content, so what is kept never goes stale.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._kept: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = dict(scope.get("headers", [])).get(b"accept-encoding", b"")
        wanted = scope["type"] == "http" and scope["method"] == "GET" and b"gzip" in accepted
        if not wanted or not scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._kept:
            start, body = await self._whole(scope, receive)
            headers = list(start["headers"])
            kind = dict(headers).get(b"content-type", b"").decode("latin-1")
            if start["status"] != 200 or len(body) < _SMALLEST_PACKED or not kind.startswith(_PACKED_TYPES):
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            packed = gzip.compress(body, 6, mtime=0)
            kept = [(k, v) for k, v in headers if k not in {b"content-length", b"accept-ranges"}]
            kept += [
                (b"content-length", str(len(packed)).encode()),
                (b"content-encoding", b"gzip"),
                (b"vary", b"accept-encoding"),
            ]
            self._kept[path] = kept, packed
        headers, packed = self._kept[path]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": packed})

    async def _whole(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """What the app would send, gathered; conditions and ranges of the request left aside."""
        plain = [(k, v) for k, v in scope["headers"] if k not in {b"range", b"if-none-match", b"if-modified-since"}]
        start: Message = {}
        parts: list[bytes] = []

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app({**scope, "headers": plain, "extensions": {}}, receive, gather)
        return start, b"".join(parts)
