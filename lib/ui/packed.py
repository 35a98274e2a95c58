"""Streamlit's scripts and styles, sent compressed."""

import gzip

from lib.ui.wall import App, Message, Receive, Scope, Send

_PACKED_TYPES = ("text/", "application/javascript", "application/json", "image/svg+xml")
_SMALLEST_PACKED = 1024


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
