"""Read a mailbox by IMAP: from where the last reading stopped, changing nothing in it unless asked to."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import unquote, urlsplit

from lib.errors import MailboxUnavailable, SettingsError

TIMEOUT_SECONDS = 30.0
# UIDs are asked for in windows: the answer for a whole large mailbox would be one line of megabytes.
WINDOW = 5_000
# A mail larger than this is not read into memory; its headers are.
MOST_BYTES = 40_000_000


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """Where a mailbox is, and how to get in. ``place`` names it without the password."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    is_tls: bool

    @property
    def place(self) -> str:
        return f"imap://{self.user}@{self.host}:{self.port}/{self.folder}"

    def __repr__(self) -> str:
        return f"MailboxAddress({self.place})"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail as the mailbox holds it; ``is_cut``: only its headers were read, because it is too large."""

    uid: int
    arrived_at: datetime
    raw: bytes
    size: int
    is_cut: bool


def mailbox_address(url: str) -> MailboxAddress:
    """Read ``ENCORE_IMAP_URL``.

    Raises:
        SettingsError: no user or password, or they would travel in the open.
    """
    parts = urlsplit(url)
    is_tls = parts.scheme == "imaps"
    if not is_tls and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise SettingsError("ENCORE_IMAP_URL would send its password in the open. Write imaps://….")
    if not parts.username or not parts.password:
        raise SettingsError("ENCORE_IMAP_URL needs a user and a password: imaps://user:password@host/INBOX.")
    return MailboxAddress(
        host=parts.hostname or "",
        port=parts.port or (993 if is_tls else 143),
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        is_tls=is_tls,
    )


class OpenMailbox:
    """A folder that is open for reading."""

    def __init__(self, imap: imaplib.IMAP4, *, may_mark: bool) -> None:
        self._imap = imap
        self._may_mark = may_mark
        self.uid_validity = self._number("UIDVALIDITY")
        self._uid_next = self._number("UIDNEXT")

    def uids_after(self, last: int) -> Iterator[int]:
        """The UIDs above ``last``, in order."""
        start = last + 1
        if not self._uid_next:
            yield from (uid for uid in self._search(f"UID {start}:*") if uid > last)
            return
        while start < self._uid_next or start == last + 1:
            # Servers answer `n:*` with the last mail also when it lies below n.
            end = start + WINDOW - 1
            yield from (uid for uid in self._search(f"UID {start}:{end}") if start <= uid <= end)
            start = end + 1

    def uids_since(self, day: date) -> Iterator[int]:
        """The UIDs of what arrived on a day or later, in order."""
        first = min(self._search(f"SINCE {day:%d}-{_MONTHS[day.month - 1]}-{day.year}"), default=None)
        if first is not None:
            yield from self.uids_after(first - 1)

    def last_uid(self) -> int:
        """The highest UID there was when the folder was opened."""
        return max(0, self._uid_next - 1)

    def fetch(self, uid: int) -> Arrived | None:
        """One mail, without marking it as seen; null when it is gone meanwhile.

        Raises:
            MailboxUnavailable: the server breaks off.
        """
        described = self._fetch(uid, "(RFC822.SIZE INTERNALDATE)")
        if described is None:
            return None
        line = b" ".join(part if isinstance(part, bytes) else part[0] for part in described)
        size = int(found.group(1)) if (found := re.search(rb"RFC822\.SIZE (\d+)", line)) else 0
        is_cut = size > MOST_BYTES
        content = self._fetch(uid, "(BODY.PEEK[HEADER])" if is_cut else "(BODY.PEEK[])")
        raw = next((part[1] for part in content or [] if isinstance(part, tuple)), None)
        if raw is None:
            return None
        return Arrived(uid, _arrived_at(line), raw, size, is_cut)

    def mark_seen(self, uid: int) -> None:
        """Mark one mail as seen, where that was asked for."""
        if self._may_mark:
            with _speaking():
                self._imap.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")

    def _fetch(self, uid: int, what: str) -> list[bytes | tuple[bytes, bytes]] | None:
        with _speaking():
            kind, found = self._imap.uid("FETCH", str(uid), what)
        if kind != "OK":
            raise MailboxUnavailable("The mailbox did not hand over a mail. Encore goes on from there next time.")
        parts = [part for part in found if part]
        return parts or None

    def _search(self, what: str) -> list[int]:
        with _speaking():
            kind, found = self._imap.uid("SEARCH", *what.split(" "))
        if kind != "OK":
            raise MailboxUnavailable("The mailbox could not be searched.")
        return sorted(int(uid) for part in found if part for uid in part.split())

    def _number(self, name: str) -> int:
        _, found = self._imap.response(name)
        return int(found[0]) if found and found[0] else 0


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@contextmanager
def open_mailbox(
    address: MailboxAddress, *, mark_seen: bool = False, timeout: float = TIMEOUT_SECONDS
) -> Iterator[OpenMailbox]:
    """Open the folder: read-only, or so that mails may be marked as seen.

    Raises:
        MailboxUnavailable: no such server, user or folder; the password is in none of the words.
    """
    imap = _connect(address, timeout)
    try:
        try:
            imap.login(address.user, address.password)
        except imaplib.IMAP4.error as error:
            raise MailboxUnavailable(f"{address.host} does not know this user and password.") from error
        with _speaking():
            kind, _ = imap.select(_quoted(address.folder), readonly=not mark_seen)
        if kind != "OK":
            raise MailboxUnavailable(f"{address.host} has no folder {address.folder!r}.")
        yield OpenMailbox(imap, may_mark=mark_seen)
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            imap.logout()


def _connect(address: MailboxAddress, timeout: float) -> imaplib.IMAP4:
    try:
        if address.is_tls:
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(address.host, address.port, ssl_context=context, timeout=timeout)
        return imaplib.IMAP4(address.host, address.port, timeout=timeout)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxUnavailable(f"The mailbox at {address.host} cannot be reached: {_words(error)}.") from error


@contextmanager
def _speaking() -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxUnavailable(f"The mailbox broke off: {_words(error)}.") from error


def _words(error: Exception) -> str:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(said.split())[:300]


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _arrived_at(line: bytes) -> datetime:
    found = re.search(rb'INTERNALDATE "([^"]+)"', line)
    try:
        return (
            datetime.strptime(found.group(1).decode().strip(), "%d-%b-%Y %H:%M:%S %z") if found else datetime.now(UTC)
        )
    except (ValueError, UnicodeDecodeError):
        return datetime.now(UTC)
