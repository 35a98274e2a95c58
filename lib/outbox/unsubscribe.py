"""Links by which somebody unsubscribes without signing in, and that nobody can make for somebody else.

A link names the customer and the offer and carries their HMAC under the store's own secret: whoever has the mail has
the link, and from one's own link nobody can work out another's.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from lib.db.tables.offers import contact_rules

PATH = "/unsubscribe/"
TOKEN = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([A-Za-z0-9_-]{32})")


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Who wants no more, and which offer made her say so; null: none in particular."""

    customer_id: int
    offer_id: int | None


def link_key(connection: Connection) -> bytes | None:
    """The store's secret for links; null while it has none, so that no link can be good."""
    salt = connection.scalar(select(contact_rules.c.salt))
    return None if not salt else hmac.new(str(salt).encode(), b"encore:unsubscribe", hashlib.sha256).digest()


def made_link_key(connection: Connection) -> bytes:
    """The same, made where there is none yet; in a transaction that writes."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        make(contact_rules)
        .values(contact_rules_id=1, salt=secrets.token_hex(32))
        .on_conflict_do_nothing(index_elements=["contact_rules_id"])
    )
    key = link_key(connection)
    assert key is not None, "the row was just made"
    return key


def token(key: bytes, customer_id: int, offer_id: int | None = None) -> str:
    """What the link of a customer ends with."""
    known = f"{customer_id}.{offer_id or 0}"
    return f"{known}.{_signature(key, known)}"


def link(public_url: str, key: bytes, customer_id: int, offer_id: int | None = None) -> str:
    """The whole link, under the address that people open from elsewhere."""
    return f"{public_url}{PATH}{token(key, customer_id, offer_id)}"


def read_token(key: bytes | None, written: str) -> Unsubscribing | None:
    """Who a token is of; null when it was not made here, or was changed."""
    found = TOKEN.fullmatch(written)
    if key is None or found is None:
        return None
    customer_id, offer_id, signed = found.groups()
    if not hmac.compare_digest(_signature(key, f"{customer_id}.{offer_id}"), signed):
        return None
    return Unsubscribing(int(customer_id), int(offer_id) or None)


def _signature(key: bytes, known: str) -> str:
    """192 bits of HMAC-SHA256."""
    return urlsafe_b64encode(hmac.new(key, known.encode(), hashlib.sha256).digest()[:24]).decode()
