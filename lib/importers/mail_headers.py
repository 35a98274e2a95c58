"""Headers of a mail as text, whatever is in them: a header that breaks the rules must not stop the reading."""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from lib.db.identities import normalise_email
from lib.importers.mail_text import decoded, sound

# Longer headers are cut; no honest one comes near.
MOST_SIGNS = 20_000
_ID = re.compile(r"<([^<>\s]{1,390})>")


def headers(mail: Message, name: str) -> list[str]:
    """Every header of a name, topmost first, decoded and on one line."""
    return [decoded_words(value) for value in mail.get_all(name, [])[:50]]


def header(mail: Message, name: str) -> str:
    """The topmost header of a name, decoded and on one line; empty without one."""
    found = headers(mail, name)
    return found[0] if found else ""


def named_address(mail: Message, name: str) -> tuple[str, str]:
    """The shown name and the address (in lower case) of the first person a header names; empty where it has none."""
    raw = [str(value)[:MOST_SIGNS] for value in mail.get_all(name, [])[:5]]
    for shown, address in getaddresses(raw):
        if (known := normalise_email(address)) is not None:
            return decoded_words(shown), known
    return "", ""


def address_of(mail: Message, name: str) -> str:
    """The address of the first person a header names; empty when it names none."""
    return named_address(mail, name)[1]


def addresses_of(mail: Message, *names: str) -> list[str]:
    """Every address that headers name, in lower case."""
    raw = [str(value)[:MOST_SIGNS] for name in names for value in mail.get_all(name, [])[:20]]
    return [known for _, address in getaddresses(raw)[:200] if (known := normalise_email(address))]


def mail_ids(mail: Message, *names: str) -> tuple[str, ...]:
    """The Message-IDs in headers, without brackets, in order; the newest fifty."""
    found = [one for name in names for value in headers(mail, name) for one in _ID.findall(value)]
    return tuple(dict.fromkeys(found))[-50:]


def decoded_words(value: object) -> str:
    """A header's value with its encoded words decoded, on one line."""
    raw = " ".join(str(value)[:MOST_SIGNS].split())
    try:
        parts = decode_header(raw)
    except (HeaderParseError, ValueError, UnicodeError):
        parts = [(raw, None)]
    pieces = [
        decoded(part, charset) if isinstance(part, bytes) else decoded(part.encode("utf-8", "surrogateescape"), None)
        for part, charset in parts
    ]
    return " ".join(sound("".join(pieces)).split())
