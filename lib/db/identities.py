"""How a person's address is written so that it compares, and how an erased one is remembered."""

from functools import lru_cache
from hashlib import sha256

EMAIL = "email"


@lru_cache(maxsize=65_536)
def normalise_email(address: str | None) -> str | None:
    """The address in lower case without blanks; None when it cannot be one.

    >>> normalise_email(" Ann@Example.com "), normalise_email("none")
    ('ann@example.com', None)
    """
    if not address:
        return None
    cleaned = address.strip().strip("'<>").casefold()
    local, at, domain = cleaned.rpartition("@")
    if not at or not local or "." not in domain or " " in cleaned or len(cleaned) > 320:
        return None
    return cleaned


def suppression_hash(source: str, external_id: str) -> str:
    """What is kept of an erased person's key: of the normalised address alone, else of source and key."""
    known = external_id if source == EMAIL else f"{source}:{external_id}"
    return sha256(known.encode()).hexdigest()
