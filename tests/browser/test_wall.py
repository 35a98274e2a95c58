"""Who is turned away at the wall, asked of the running app itself."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def answer(app: str, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask once, with exactly these headers beside the usual host."""
    there = urlsplit(app)
    connection = http.client.HTTPConnection(str(there.hostname), there.port, timeout=10)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    told = {"Host": there.netloc, **{name.replace("_", "-"): value for name, value in headers.items()}}
    for name, value in told.items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        got = connection.getresponse()
        return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
    finally:
        connection.close()


def socket_status(app: str, **headers: str) -> int:
    """The status that a WebSocket handshake is answered with."""
    there = urlsplit(app)
    told = {"Host": there.netloc, **UPGRADE, **headers}
    with socket.create_connection((str(there.hostname), there.port or 80), timeout=10) as line:
        words = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        line.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{words}\r\n".encode())
        return int(line.recv(64).split()[1])


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8501", "", "[::"])
def test_another_host_is_refused(app: str, host: str) -> None:
    status, _, body = answer(app, Host=host)
    assert status in {400, 421}
    assert b"<html" not in body


def test_loopback_by_name_is_let_in(app: str) -> None:
    assert answer(app, Host=f"localhost:{urlsplit(app).port}")[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_request_from_another_site_is_refused(app: str, origin: str) -> None:
    assert answer(app, Origin=origin)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", None])
def test_another_site_cannot_open_the_connection(app: str, origin: str | None) -> None:
    assert socket_status(app, **({"Origin": origin} if origin else {})) == 403


def test_the_own_page_can_open_the_connection(app: str) -> None:
    assert socket_status(app, Origin=app) == 101


def test_a_rebound_name_cannot_open_the_connection(app: str) -> None:
    port = urlsplit(app).port
    assert socket_status(app, Host=f"evil.example:{port}", Origin=f"http://evil.example:{port}") == 403


@pytest.mark.parametrize("path", ["/_stcore/metrics", "//_stcore/metrics", "/_stcore/agent/openapi.json"])
def test_what_nobody_needs_is_closed(app: str, path: str) -> None:
    assert answer(app, path)[0] in {400, 404}


def test_every_answer_carries_the_security_headers(app: str) -> None:
    for path in ("/", "/health", "/repeat"):
        status, headers, _ = answer(app, path)
        assert status == 200
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-eval'" not in headers["content-security-policy"].replace("wasm-unsafe-eval'", "")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "http" not in headers["content-security-policy"]


def test_scripts_come_packed_and_whole(app: str) -> None:
    import gzip
    import re

    script = re.search(rb"static/js/index\.[\w-]+\.js", answer(app)[2])
    assert script
    path = "/" + script.group().decode()
    _, plain_headers, plain = answer(app, path)
    for _ in range(2):
        _, headers, packed = answer(app, path, Accept_Encoding="gzip")
        assert headers["content-encoding"] == "gzip"
        assert len(packed) < len(plain) / 2
        assert gzip.decompress(packed) == plain
    assert "content-encoding" not in plain_headers


@pytest.mark.parametrize("page", ["/today", "/pages/today.py", "/lib/ui/shell.py", "/app/static/../shell.py"])
def test_no_source_is_served(app: str, page: str) -> None:
    status, _, body = answer(app, page)
    assert b"open_page" not in body and b"import streamlit" not in body
    assert status in {200, 400, 404}
