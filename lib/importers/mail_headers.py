"""Headers of a mail as text, whatever is in them: a header that breaks the rules must not stop the reading."""

import base64
import quopri
import re
from email.message import Message
from email.utils import getaddresses

from lib.db.identities import normalise_email
from lib.importers.mail_text import decoded, sound

# Longer headers are cut; no honest one comes near.
MOST_SIGNS = 20_000
_ID = re.compile(r"<([^<>\s]{1,390})>")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]{0,2000})\?=")


def headers(mail: Message, name: str) -> list[str]:
    """Every header of a name, topmost first, decoded and on one line."""
    return [decoded_words(value) for value in _raw(mail, name)[:50]]


def header(mail: Message, name: str) -> str:
    """The topmost header of a name, decoded and on one line; empty without one."""
    found = headers(mail, name)
    return found[0] if found else ""


def named_address(mail: Message, name: str) -> tuple[str, str]:
    """The shown name and the address (in lower case) of the first person a header names; empty where it has none."""
    for shown, address in getaddresses(_raw(mail, name)[:5]):
        if (known := normalise_email(address)) is not None:
            return decoded_words(shown), known
    return "", ""


def address_of(mail: Message, name: str) -> str:
    """The address of the first person a header names; empty when it names none."""
    return named_address(mail, name)[1]


def addresses_of(mail: Message, *names: str) -> list[str]:
    """Every address that headers name, in lower case."""
    raw = [value for name in names for value in _raw(mail, name)[:20]]
    return [known for _, address in getaddresses(raw)[:200] if (known := normalise_email(address))]


def mail_ids(mail: Message, *names: str) -> tuple[str, ...]:
    """The Message-IDs in headers, without brackets, in order; the newest fifty."""
    found = [one for name in names for value in headers(mail, name) for one in _ID.findall(value)]
    return tuple(dict.fromkeys(found))[-50:]


def _raw(mail: Message, name: str) -> list[str]:
    """The headers of a name as they came, bytes that are no ASCII read as text: the parser would lose them."""
    found = [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]
    return [decoded(value[:MOST_SIGNS].encode("utf-8", "surrogateescape"), None) for value in found]


def decoded_words(value: object) -> str:
    """A header's value with its encoded words (RFC 2047) decoded, on one line; what is no such word stays."""
    text = " ".join(str(value)[:MOST_SIGNS].split())
    pieces: list[str] = []
    # Bytes of words that follow one another belong together: a letter may begin in one and end in the next.
    waiting, charset, place = b"", "", 0
    for word in _WORD.finditer(text):
        between = text[place : word.start()]
        if between.strip() or word.group(1).lower() != charset:
            pieces += [decoded(waiting, charset or None), between if between.strip() or not waiting else ""]
            waiting = b""
        waiting, charset, place = waiting + _word_bytes(word), word.group(1).lower(), word.end()
    pieces += [decoded(waiting, charset or None), text[place:]]
    return " ".join(sound("".join(pieces)).split())


def _word_bytes(word: re.Match[str]) -> bytes:
    content = word.group(3)
    if word.group(2) in "qQ":
        return quopri.decodestring(content.encode("utf-8", "surrogateescape"), header=True)
    try:
        return base64.b64decode(content + "=" * (-len(content) % 4))
    except ValueError:
        return word.group().encode("utf-8", "surrogateescape")
