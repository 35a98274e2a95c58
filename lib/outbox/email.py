"""Mail: a message composed so that no text can become a header, and handed to the shop's own mail server.

Between the server's word that it will listen and the first byte of the mail, ``before_data`` writes down that the
mail may be on its way: whoever dies after that has perhaps sent it, whoever dies before has not.
"""

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import TracebackType
from urllib.parse import unquote, urlsplit

from lib.errors import SettingsError
from lib.outbox.claims import Message

TIMEOUT_SECONDS = 30.0
_ID = re.compile(r"[^\s<>@]{1,200}@[^\s<>@]{1,200}")
_TAG = re.compile(r"\[#\d+\]")
# What a subject or a name may not hold: it would end the header or turn the reading direction of what follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Refused(Exception):
    """The server will not take this mail; another attempt would not change that."""


class NotNow(Exception):
    """The server did not take the mail this time."""

    def __init__(self, reason: str, *, is_down: bool = False) -> None:
        super().__init__(reason)
        # Whether the fault is the server's, so that the next mail would meet it too.
        self.is_down = is_down


class Unknown(Exception):
    """The connection broke after the mail was handed over: it may have been sent."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that sends; ``security``: none, starttls or tls."""

    host: str
    port: int
    user: str
    password: str
    security: str

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port}, {self.security})"


def mail_server(url: str) -> MailServer:
    """Read ``ENCORE_SMTP_URL``.

    Raises:
        SettingsError: a password would travel in the open.
    """
    parts = urlsplit(url)
    security = {"smtps": "tls", "smtp+starttls": "starttls"}.get(parts.scheme, "none")
    host = parts.hostname or ""
    if security == "none" and host not in {"127.0.0.1", "::1", "localhost"}:
        raise SettingsError(
            "ENCORE_SMTP_URL would send mails in the open. Write smtps:// or smtp+starttls://; smtp:// is for a "
            "mail server on this machine alone."
        )
    port = parts.port or {"tls": 465, "starttls": 587, "none": 25}[security]
    return MailServer(host, port, unquote(parts.username or ""), unquote(parts.password or ""), security)


def message_id(message: Message, sender: str) -> str:
    """The Message-ID, without brackets: the same at every attempt, so that a copy is known to be one.

    It holds the instant of queueing, which nobody outside knows: a reply or a bounce that names it had the mail.
    """
    known = f"{message.idempotency_key}\n{message.queued_at.isoformat(timespec='microseconds')}"
    return f"encore.{hashlib.sha256(known.encode()).hexdigest()[:32]}@{parseaddr(sender)[1].rpartition('@')[2]}"


def compose(message: Message, *, sender: str, at: datetime) -> EmailMessage:
    """The mail of a message.

    Args:
        sender: ``Name <address>`` of the shop.

    Raises:
        Refused: the recipient's address cannot be written into a mail.
    """
    extra = message.extra
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    try:
        local, _, domain = ascii_domain(message.recipient or "").rpartition("@")
        to = Address(display_name=_line(str(extra.get("name") or "")), username=local, domain=domain)
    except (ValueError, IndexError, UnicodeError) as error:
        raise Refused("The address cannot be written to.") from error
    mail["To"] = to
    subject = _line(message.subject or "")
    if message.about == "ticket" and not _TAG.search(subject):
        subject = f"{subject} [#{message.about_id}]"
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message.mail_id or message_id(message, sender)}>"
    before = [known for known in extra.get("references") or [] if _ID.fullmatch(str(known))]
    answered = str(extra.get("in_reply_to") or (before[-1] if before else ""))
    if _ID.fullmatch(answered):
        mail["In-Reply-To"] = f"<{answered}>"
        mail["References"] = " ".join(f"<{known}>" for known in dict.fromkeys([*before[-20:], answered]))
    if extra.get("is_automatic"):
        mail["Auto-Submitted"] = "auto-generated"
        mail["Precedence"] = "bulk"
        mail["X-Auto-Response-Suppress"] = "All"
    # Whoever sends it back to us as it is, a forwarding rule that turns in a circle for one, is recognised by it.
    mail["X-Loop"] = address
    unsubscribe = str(extra.get("list_unsubscribe") or "")
    if re.fullmatch(r"https://[!-;=?-~]+", unsubscribe):
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_sound(message.body), charset="utf-8")
    if extra.get("html"):
        mail.add_alternative(_sound(str(extra["html"])), subtype="html", charset="utf-8")
    return mail


class Sender:
    """A connection to the mail server, opened with the first mail and kept for the next."""

    def __init__(self, server: MailServer, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._server = server
        self._timeout = timeout
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def send(self, mail: EmailMessage, *, before_data: Callable[[], None]) -> None:
        """Hand one mail over.

        Args:
            before_data: called when the server is ready to take it; what it raises ends the sending.

        Raises:
            Refused, NotNow: it was not sent.
            Unknown: it may have been sent.
        """
        # Written out before anything is said: what cannot be written must not break off half-way.
        data = _written(mail)
        smtp = self._open()
        try:
            self._address(smtp, mail)
            code, said = smtp.docmd("DATA")
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise NotNow(f"The mail server broke off: {_words(error)}.", is_down=True) from error
        except (Refused, NotNow):
            self._reset(smtp)
            raise
        if code != 354:
            self._reset(smtp)
            raise _refusal(code, said)
        try:
            before_data()
        except BaseException:
            # Without its last dot the server forgets what it was given: nothing.
            self._drop()
            raise
        try:
            smtp.send(data)
            code, said = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise Unknown(_words(error)) from error
        if not 200 <= code < 300:
            self._reset(smtp)
            raise _refusal(code, said)

    def _address(self, smtp: smtplib.SMTP, mail: EmailMessage) -> None:
        options = []
        sender, to = (str(mail[name].addresses[0].addr_spec) for name in ("From", "To"))
        if not to.isascii():
            if not smtp.has_extn("smtputf8"):
                raise Refused("The mail server cannot send to an address with such letters.")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        code, said = smtp.mail(sender, options)
        if code != 250:
            raise NotNow(f"The mail server does not let {sender} send: {_said(code, said)}.", is_down=True)
        code, said = smtp.rcpt(to)
        if code not in (250, 251):
            raise _refusal(code, said)

    def _open(self) -> smtplib.SMTP:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            self._drop()
        server, context = self._server, ssl.create_default_context()
        try:
            if server.security == "tls":
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout, context=context)
            else:
                smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        except (smtplib.SMTPException, OSError) as error:
            raise NotNow(f"The mail server cannot be reached: {_words(error)}.", is_down=True) from error
        self._smtp = smtp
        try:
            if server.security == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if server.user:
                smtp.login(server.user, server.password)
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            raise NotNow("The mail server does not know this user and password.", is_down=True) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise NotNow(f"The mail server cannot be used: {_words(error)}.", is_down=True) from error
        return smtp

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


def _written(mail: EmailMessage) -> bytes:
    """The mail as it goes over the line: each line that is a lone dot would end it, so dots are doubled."""
    policy = SMTP if str(mail["To"].addresses[0].addr_spec).isascii() else SMTP.clone(utf8=True)
    data = re.sub(rb"(?m)^\.", b"..", mail.as_bytes(policy=policy))
    return (data if data.endswith(b"\r\n") else data + b"\r\n") + b".\r\n"


def ascii_domain(address: str) -> str:
    """The address with its domain as the network knows it.

    >>> ascii_domain("jo@müller.example")
    'jo@xn--mller-kva.example'
    """
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"


def with_thread(message: Message, known: list[str]) -> Message:
    """The message as an answer within a conversation of mails, given their Message-IDs, oldest first."""
    if not known or message.extra.get("in_reply_to"):
        return message
    return replace(message, extra={**message.extra, "references": known, "in_reply_to": known[-1]})


def _refusal(code: int, said: bytes) -> Refused | NotNow:
    words = f"The mail server says: {_said(code, said)}."
    return Refused(words) if 500 <= code < 600 else NotNow(words, is_down=code == 421)


def _said(code: int, said: bytes) -> str:
    return f"{code} {' '.join(said.decode('utf-8', 'replace').split())[:300]}".rstrip(". ")


def _words(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        return _said(error.smtp_code, answer)
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(words.split())[:300].rstrip(". ")


def _line(text: str) -> str:
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).strip()[:300]


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
