"""The wall by itself, without a server: who gets through to the app behind it."""

from typing import Any

import pytest

from lib.ui.visit import Kind, Visitor
from lib.ui.wall import Wall, content_security_policy, host_of


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"content-type", b"text/html"), (b"access-control-allow-origin", b"*"), (b"server", b"x")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"in"})


async def _local(_scope: Any, *, is_action: bool = True) -> Visitor:
    return Visitor(Kind.LOCAL, "local")


def ask(kind: str = "http", path: str = "/", **headers: str) -> list[dict[str, Any]]:
    """What the wall sends in answer to one request."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {
        "type": kind,
        "path": path,
        "method": "GET",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    # Nothing in here waits for anything, so one step runs it all; a loop of the browser's may run already.
    with pytest.raises(StopIteration):
        Wall(_app, ask=_local)(scope, receive, send).send(None)
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]:8501"])
def test_loopback_hosts_are_let_in(host: str) -> None:
    assert ask(host=host)[0]["status"] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "0.0.0.0"])
def test_other_hosts_are_refused(host: str) -> None:
    assert ask(host=host)[0]["status"] == 421
    assert ask("websocket", host=host, origin=f"http://{host}")[0]["type"] == "websocket.close"


def test_a_websocket_needs_the_own_origin() -> None:
    assert ask("websocket", host="localhost:1", origin="http://localhost:1")[0]["type"] == "websocket.accept"
    for origin in ("http://localhost:2", "http://evil.example", "null", "http://localhost:1.evil.example"):
        assert ask("websocket", host="localhost:1", origin=origin)[0]["type"] == "websocket.close"
    assert ask("websocket", host="localhost:1")[0]["type"] == "websocket.close"


def test_a_request_of_another_origin_is_refused() -> None:
    assert ask(host="localhost:1", origin="http://evil.example")[0]["status"] == 403
    assert ask(host="localhost:1", origin="http://localhost:1")[0]["status"] == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "//_stcore//metrics", "/_stcore/agent/mcp"])
def test_closed_paths_do_not_exist(path: str) -> None:
    assert ask(path=path, host="localhost")[0]["status"] == 404


def test_headers_are_added_once_and_open_doors_taken_away() -> None:
    headers = ask(host="localhost")[0]["headers"]
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    assert b"access-control-allow-origin" not in names
    assert (b"x-content-type-options", b"nosniff") in headers


def test_the_policy_names_no_host_and_lets_no_text_run() -> None:
    policy = content_security_policy()
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "http" not in policy
    assert "'unsafe-inline'" not in script and "'unsafe-eval'" not in script
    assert "'sha256-" in script


def test_a_host_that_makes_no_sense_is_no_host() -> None:
    assert host_of("[::") == ""
