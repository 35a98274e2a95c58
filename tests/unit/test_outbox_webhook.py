"""A webhook is signed, goes to the address that was checked and to no other, and may safely come twice."""

import hashlib
import hmac
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from lib.outbox import webhook
from lib.outbox.claims import Message
from lib.outbox.email import NotNow, Refused
from lib.outbox.webhook import Wait, is_public, post, signature

SECRET = "0123456789abcdef"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Hook(HTTPServer):
    """Keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keeper)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: tuple[int, dict[str, str]] = (204, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?shop=1"


class _Keeper(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
        status, headers = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def message(noon: datetime) -> Message:
    return Message(
        outbox_message_id=1,
        idempotency_key="review:17:reply:2",
        channel="webhook",
        recipient=None,
        subject=None,
        body='{"review": 17, "words": "Grüße 🫖"}',
        about="review",
        about_id=17,
        extra={"event": "review.replied"},
        mail_id=None,
        attempts=1,
        queued_at=noon,
        lease_until=noon + timedelta(minutes=5),
    )


def send(message: Message, url: str, **values: Any) -> None:
    post(message, **{"url": url, "secret": SECRET, "allow": LOOPBACK, "at": datetime.now(UTC), **values})


def test_it_arrives_signed_with_its_event_and_key(hook: Hook, message: Message, noon: datetime) -> None:
    send(message, hook.url, at=noon)
    ((path, headers, body),) = hook.seen
    assert path == "/hook?shop=1"
    assert json.loads(body) == {"review": 17, "words": "Grüße 🫖"}
    assert headers["encore-event"] == "review.replied"
    assert len(headers["idempotency-key"]) == 64
    seconds = int(noon.timestamp())
    right = hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["encore-signature"] == f"t={seconds},v1={right}" == signature(SECRET, seconds, body)
    send(replace(message, attempts=2), hook.url)
    send(replace(message, idempotency_key="review:17:reply:3"), hook.url)
    keys = [seen["idempotency-key"] for _, seen, _ in hook.seen]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_follows_nobody_elsewhere(status: int, hook: Hook, message: Message) -> None:
    hook.answer = (status, {"Location": hook.url})
    with pytest.raises(Refused, match="does not follow"):
        send(message, hook.url)
    assert len(hook.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_clear_no_is_final(status: int, hook: Hook, message: Message) -> None:
    hook.answer = (status, {})
    with pytest.raises(Refused, match=f"answers {status} and will not have it"):
        send(message, hook.url)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_a_passing_fault_is_tried_again(status: int, hook: Hook, message: Message) -> None:
    hook.answer = (status, {})
    with pytest.raises(NotNow, match=f"answers {status}"):
        send(message, hook.url)


def test_a_named_pause_is_kept_up_to_four_hours(hook: Hook, message: Message) -> None:
    for said, waits in (("120", timedelta(minutes=2)), ("999999", timedelta(hours=4))):
        hook.answer = (503, {"Retry-After": said})
        with pytest.raises(Wait) as failed:
            send(message, hook.url)
        assert failed.value.wait == waits


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "192.0.0.8", "198.18.0.1",
    ],
)  # fmt: skip
def test_addresses_inside_the_house_are_none_of_the_open_internet(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_addresses_of_the_open_internet_are() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"):
        assert is_public(ipaddress.ip_address(address)), address


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://[::ffff:7f00:1]/",
     "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/"],
)  # fmt: skip
def test_it_never_goes_inside_the_house_unless_an_owner_allows_it(url: str, message: Message) -> None:
    with pytest.raises(Refused, match="inside the house"):
        send(message, url, allow=())


@pytest.mark.parametrize(
    "url", ["", "ftp://shop.example/", "https://", "https://me:pass@shop.example/", "https://shop.example/\r\nX: y",
            "https://shop.example/a b", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(url: str, message: Message) -> None:
    with pytest.raises(Refused):
        send(message, url)


def test_a_name_that_changes_its_address_gains_nothing(
    hook: Hook, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1"])
    connected: list[Any] = []

    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        connected.append(address)
        raise OSError("stop here")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(webhook.socket, "create_connection", connect)  # type: ignore[attr-defined]  # the module's own
    with pytest.raises(NotNow):
        send(message, "https://rebinding.example/hook", allow=())
    assert connected == [("93.184.216.34", 443)]
    assert next(answers) == "127.0.0.1", "the name was asked once"


def test_one_private_address_among_several_is_enough_to_refuse(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        send(message, "https://two.example/", allow=())


def test_the_open_internet_is_spoken_to_by_https_only(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Refused, match="https:// only"):
        send(message, "http://shop.example/")


def test_an_answer_that_drips_for_ever_is_cut_off(message: Message) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line:
                while not stop.wait(0.05):
                    try:
                        line.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(NotNow):
            send(message, f"http://127.0.0.1:{server.getsockname()[1]}/", most_seconds=0.5)
        stop.set()
        thread.join()
