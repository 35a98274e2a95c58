"""One mail, read: who wrote it, what it answers, its words, its files, and what is doubtful about it."""

import email
import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from lib.importers.mail_headers import addresses_of, decoded_words, header, mail_ids, named_address
from lib.importers.mail_signs import Bounce, bounce_of, doubts, failed_authentication, is_form, why_automatic
from lib.importers.mail_text import decoded, split_history, without_markup

# What one mail may bring; more is named and not taken.
MOST_FILES = 20
MOST_PARTS = 300
# What a computer runs, or may run, when somebody opens it.
_ENDINGS = """
ade adp apk app appx bat cab chm cmd com cpl dll dmg docm dotm exe gadget hta htm html inf ins iso isp jar js jse jsp
lnk mde msc msi msix msp mst pif pl ppam pptm ps1 psc1 py rb reg scf scr sct sh shb shtml svg svgz swf sys vb vbe vbs
vhd vhdx vxd wsc wsf wsh xhtml xlam xll xlsm xltm xml xsl
"""
_RUNS = frozenset(_ENDINGS.split())
_RUNS_BY_START = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa")
_UNSAFE = re.compile(r"[^\w.() +@,=&-]+")
_TICKET_IN_SUBJECT = re.compile(r"\[#(\d{1,15})\]")
_TICKET_IN_ADDRESS = re.compile(r"\+t(\d{1,15})@")


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file in a mail; ``refusal`` says why it is not kept, then ``content`` is only measured."""

    name: str
    media_type: str
    content: bytes
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecord:
    """A mail as Encore understands it.

    ``fingerprint`` is the same for the same mail however often it is delivered; ``answers`` are the Message-IDs it
    answers, newest last; ``ticket_ids`` those it names in its subject or in the address it went to. ``automatic``
    says why no person wrote it. ``is_disowned``: the sender's domain says the mail is not its own.
    """

    fingerprint: str
    mail_id: str
    from_name: str
    from_email: str
    subject: str
    sent_at: datetime
    answers: tuple[str, ...]
    ticket_ids: tuple[int, ...]
    body: str
    quoted: str
    files: tuple[AttachedFile, ...]
    automatic: str | None
    bounce: Bounce | None
    is_own: bool
    is_disowned: bool
    doubts: tuple[str, ...]
    is_unreadable: bool = False


def read_mail(raw: bytes, *, arrived_at: datetime, own: str, authserv: str, most_bytes: int) -> MailRecord:
    """Read one mail.

    Args:
        arrived_at: when the mailbox got it; what the sender wrote as its date proves nothing.
        own: the shop's own address, in lower case.
        authserv: the mail server whose word on senders counts.
        most_bytes: the largest file that is kept.

    Raises:
        ValueError, RecursionError, LookupError: a mail that not even this can read.
    """
    mail = email.message_from_bytes(raw)
    by_form = is_form(mail)
    from_name, from_email = named_address(mail, "From")
    found = doubts(mail, authserv=authserv, own="" if by_form else own)
    if by_form:
        form = from_email
        from_name, from_email = named_address(mail, "Reply-To")
        found = [f"A form sent it through {form}: the writer's address is as they typed it.", *_beside_reply_to(found)]
    text = _words(mail)
    body, quoted = split_history(text)
    return MailRecord(
        fingerprint=_fingerprint(mail, text),
        mail_id=header(mail, "Message-ID").strip("<> ")[:400],
        from_name=from_name[:400],
        from_email=from_email[:400],
        subject=header(mail, "Subject")[:400],
        sent_at=arrived_at,
        answers=mail_ids(mail, "References", "In-Reply-To"),
        ticket_ids=_ticket_ids(mail),
        body=body,
        quoted=quoted,
        files=tuple(_files(mail, most_bytes)),
        automatic=why_automatic(mail, is_form=by_form),
        bounce=bounce_of(mail),
        is_own=bool(own) and (own in addresses_of(mail, "X-Loop") or (from_email == own and not by_form)),
        is_disowned=failed_authentication(mail, authserv),
        doubts=tuple(found),
    )


def unreadable(raw: bytes, *, arrived_at: datetime, why: str) -> MailRecord:
    """A mail that could not be read, as a ticket of its own with the mail as a file: nothing is lost."""
    return MailRecord(
        fingerprint=hashlib.sha256(raw).hexdigest(),
        mail_id="",
        from_name="",
        from_email="",
        subject="A mail that could not be read",
        sent_at=arrived_at,
        answers=(),
        ticket_ids=(),
        body="Encore could not read this mail. It is attached as it came; look at it in your mail program.",
        quoted="",
        files=(AttachedFile("mail.eml", "message/rfc822", raw, None),) if raw else (),
        automatic=None,
        bounce=None,
        is_own=False,
        is_disowned=False,
        doubts=(why,),
        is_unreadable=True,
    )


def safe_name(name: str) -> str:
    """A file name without a path, odd signs, or what turns the reading direction to hide the real ending.

    >>> safe_name("../../annexe\\u202efdp.exe")
    'annexe_fdp.exe'
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return _UNSAFE.sub("_", last).strip(". ")[-150:] or "file"


def refusal_of(name: str, content: bytes, most_bytes: int) -> str | None:
    """Why a file is not kept; null when it is."""
    if len(content) > most_bytes:
        return f"It has {len(content) / 1_000_000:.1f} MB; {most_bytes / 1_000_000:.0f} MB are taken at most."
    endings = {part.lower() for part in name.split(".")[1:]}
    if endings & _RUNS or content.startswith(_RUNS_BY_START):
        return "It is of a kind that computers run, so it was not kept."
    return None


def _words(mail: Message) -> str:
    """The text parts in order; where a part is offered in two forms, the plain one."""
    pieces = [piece for piece in _text_of(mail, 0) if piece.strip()]
    return "\n\n".join(pieces)


def _text_of(part: Message, depth: int) -> Iterator[str]:
    if part.is_multipart():
        inner = part.get_payload()
        parts = [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []
        if depth > 20 or part.get_content_maintype() == "message":
            return
        if part.get_content_type() == "multipart/alternative":
            plain = [text for one in parts if one.get_content_type() == "text/plain" for text in _text_of(one, depth)]
            if any(text.strip() for text in plain):
                yield from plain
                return
        for one in parts[:MOST_PARTS]:
            yield from _text_of(one, depth + 1)
    elif part.get_content_maintype() == "text" and not _is_file(part):
        content = part.get_payload(decode=True)
        text = decoded(content if isinstance(content, bytes) else b"", part.get_content_charset())
        yield without_markup(text) if part.get_content_subtype() == "html" else text


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _files(mail: Message, most_bytes: int) -> Iterator[AttachedFile]:
    count = 0
    for place, part in enumerate(_leaves(mail)):
        if place > MOST_PARTS:
            break
        is_inner_mail = part.get_content_type() == "message/rfc822"
        if part.get_content_maintype() == "text" and not _is_file(part):
            continue
        count += 1
        content = part.as_bytes() if is_inner_mail else part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        kind = part.get_content_type()[:100]
        name = safe_name(_file_name(part, kind, count))
        refusal = refusal_of(name, content, most_bytes)
        if count > MOST_FILES:
            refusal = f"It is beyond the {MOST_FILES} files that are taken from one mail."
        yield AttachedFile(name, kind, content, refusal)


def _leaves(part: Message, depth: int = 0) -> Iterator[Message]:
    inner = part.get_payload()
    if depth > 20 or part.get_content_type() == "message/delivery-status":
        return
    if part.get_content_maintype() == "multipart" and isinstance(inner, list):
        for one in inner:
            if isinstance(one, Message):
                yield from _leaves(one, depth + 1)
    else:
        yield part


def _file_name(part: Message, kind: str, count: int) -> str:
    return decoded_words(part.get_filename() or "") or f"file {count}{mimetypes.guess_extension(kind) or ''}"


def _ticket_ids(mail: Message) -> tuple[int, ...]:
    named = _TICKET_IN_SUBJECT.findall(header(mail, "Subject"))
    named += [n for one in addresses_of(mail, "To", "Cc", "Delivered-To") for n in _TICKET_IN_ADDRESS.findall(one)]
    return tuple(dict.fromkeys(int(number) for number in named))


def _beside_reply_to(found: list[str]) -> list[str]:
    return [doubt for doubt in found if not doubt.startswith("Answers would go to")]


def _fingerprint(mail: Message, text: str) -> str:
    """The same for one mail by whatever way it came twice: what servers add on the way is left out."""
    parts = [header(mail, name) for name in ("Message-ID", "From", "Date", "Subject")]
    return hashlib.sha256("\n".join([*parts, text]).encode()).hexdigest()
