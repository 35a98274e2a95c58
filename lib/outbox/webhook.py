"""Webhooks: JSON to the shop's own address, signed, never to a place inside the house unless the owner says so.

The name is resolved once, every address it has is checked, and the connection goes to a checked address: a name
that answers differently the second time (DNS rebinding) gains nothing. Redirects are not followed. Whoever
receives it verifies the signature and remembers the idempotency key, for a webhook may come twice.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from lib.outbox.claims import LONGEST_PAUSE, Message
from lib.outbox.email import NotNow, Refused

TIMEOUT_SECONDS = 10.0
# However slowly the other side drips its answer, it is cut off after this.
MOST_SECONDS = 60.0
# Answers that say "try again", though they blame us.
_PASSING = frozenset({408, 409, 425, 429})
# IPv4 written as IPv6 in ways that the standard library takes for global.
_WRAPPED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))

# Kept for the network's own purposes, which the standard library takes for global in part.
_SPECIAL = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("192.88.99.0/24"))

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Wait(NotNow):
    """The other side named a pause."""

    def __init__(self, reason: str, wait: timedelta) -> None:
        super().__init__(reason)
        self.wait = wait


def signature(secret: str, at: int, body: bytes) -> str:
    """``t=<seconds since 1970>,v1=<hex>``: HMAC-SHA256 over the seconds, a dot and the body.

    The receiver computes it anew and refuses what is older than some minutes.
    """
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def idempotency_key(message: Message) -> str:
    """What tells the receiver that it has seen a message: the instant of queueing sets two stores' messages apart."""
    known = f"{message.idempotency_key}\n{message.queued_at.isoformat(timespec='microseconds')}"
    return hashlib.sha256(known.encode()).hexdigest()


def headers(message: Message, secret: str, at: datetime) -> dict[str, str]:
    """The headers of a webhook; the same message has the same idempotency key at every attempt."""
    event = "".join(sign for sign in str(message.extra.get("event") or message.about or "message") if sign.isascii())
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Encore",
        "Idempotency-Key": idempotency_key(message),
        "Encore-Event": "".join(sign for sign in event if sign.isprintable())[:100] or "message",
        "Encore-Signature": signature(secret, int(at.timestamp()), message.body.encode()),
        "Connection": "close",
    }


def post(
    message: Message,
    *,
    url: str,
    secret: str,
    allow: tuple[IpNetwork, ...],
    at: datetime,
    timeout: float = TIMEOUT_SECONDS,
    most_seconds: float = MOST_SECONDS,
) -> None:
    """Send one webhook.

    Args:
        allow: private networks it may go to all the same.

    Raises:
        Refused: the address may not be called, or the other side will not have it.
        NotNow: another attempt may succeed.
    """
    parts = _parts(url)
    try:
        address = _checked(parts, allow)
        connection = _Pinned(parts, address, timeout)
        with _cut_off(connection, most_seconds):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, message.body.encode(), headers(message, secret, at))
            with connection.getresponse() as answer:
                status, retry = answer.status, answer.headers.get("Retry-After")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotNow(f"{parts.hostname} cannot be reached: {_words(error)}.") from error
    _judge(status, retry, at)


def _judge(status: int, retry: str | None, at: datetime) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Refused(f"The other side answers {status} and points elsewhere; Encore does not follow. Set its address.")
    if status in _PASSING or status >= 500:
        reason = f"The other side answers {status}."
        wait = _pause(retry, at)
        raise NotNow(reason) if wait is None else Wait(reason, wait)
    raise Refused(f"The other side answers {status} and will not have it.")


def _pause(retry: str | None, at: datetime) -> timedelta | None:
    if not retry:
        return None
    try:
        wait = timedelta(seconds=int(retry)) if retry.strip().isdigit() else parsedate_to_datetime(retry) - at
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta()), LONGEST_PAUSE)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_sound = False
    if not is_sound or not url.isascii() or not url.isprintable() or " " in url:
        raise Refused("This is no address for a webhook: it needs one such as https://hooks.shop.example/encore.")
    if parts.username or parts.password:
        raise Refused("The address of a webhook may hold no user and password: it is signed instead.")
    return parts


def _checked(parts: SplitResult, allow: tuple[IpNetwork, ...]) -> IpAddress:
    """The address to connect to, once every address of the name is one that may be called."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        is_allowed = any(address in network for network in allow if network.version == address.version)
        if not is_allowed and not is_public(address):
            raise Refused(
                f"{parts.hostname} is {address}, an address inside the house. "
                "An owner can allow it in ENCORE_WEBHOOK_ALLOW."
            )
        if not is_allowed and parts.scheme != "https":
            raise Refused("A webhook goes out by https:// only, except to an address in ENCORE_WEBHOOK_ALLOW.")
    return addresses[0]


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the open internet, however it is written.

    >>> is_public(ipaddress.ip_address("93.184.216.34")), is_public(ipaddress.ip_address("::ffff:10.0.0.1"))
    (True, False)
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _WRAPPED):
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    is_special = any(address in network for network in _SPECIAL if network.version == address.version)
    return address.is_global and not address.is_multicast and not is_special


class _Pinned(http.client.HTTPConnection):
    """A connection to a checked address; the certificate and ``Host`` are those of the name."""

    def __init__(self, parts: SplitResult, address: IpAddress, timeout: float) -> None:
        is_tls = parts.scheme == "https"
        super().__init__(parts.hostname or "", parts.port or (443 if is_tls else 80), timeout=timeout)
        self._address = address
        self._context = ssl.create_default_context() if is_tls else None

    def connect(self) -> None:
        """Connect to the address itself; the name is not asked again."""
        plain = socket.create_connection((str(self._address), self.port), self.timeout)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host) if self._context else plain
        except BaseException:
            plain.close()
            raise


class _cut_off:
    """Close a connection that takes longer than it may, however busy it is."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection = connection
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def _cut(self) -> None:
        with suppress(OSError):
            if self._connection.sock is not None:
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._connection.close()


def _words(error: BaseException) -> str:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(said.split())[:300].rstrip(". ")
