"""What the loader's parts share while one batch is written."""

import marshal
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import Connection

from lib.db.store import Store
from lib.importers.conversion import Rates
from lib.importers.writer import Writer, instant
from lib.periods import store_day

Outcome = Literal["stored", "unchanged"] | str
STORED: Final = "stored"
UNCHANGED: Final = "unchanged"
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
KEY_LENGTH: Final = 400

# Fingerprints of what came within its order start so: it goes when the order no longer has it.
WITHIN: Final = "within:"
# Those of refunds that look for the purchase they undo start so: one without looks again when orders come.
TO_MATCH: Final = "match:"

T = TypeVar("T")


class Refused(str):
    """Why one record was not stored: the third outcome, besides stored and unchanged."""

    __slots__ = ()


class Present:
    """The instant at which records are checked: what lies after the store's tomorrow cannot be right."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        # The end of the store's tomorrow, wherever it lies.
        self.latest = at + timedelta(days=2)

    def bad_instant(self, at: datetime | None, what: str) -> str:
        """Why an instant cannot be right; empty when it can."""
        if at is None:
            return ""
        if at.tzinfo is None:
            return f"The {what} has no time zone."
        if at < EARLIEST:
            return f"The {what} {at:%Y-%m-%d} lies before 1990."
        if at >= self.latest:
            return f"The {what} {at:%Y-%m-%d} lies in the future."
        return ""


@dataclass
class Batch:
    """One transaction of the loader.

    ``results`` of each part are outcomes in the order of its records: ``stored``, ``unchanged`` or a
    ``Refused`` with the reason.
    """

    connection: Connection
    writer: Writer
    source: str
    store: Store
    rates: Rates
    at: datetime
    # Records of erased people, stored without anything personal.
    forgotten: int = 0
    stamp: str = field(init=False)
    present: Present = field(init=False)

    def __post_init__(self) -> None:
        self.stamp = instant(self.at) or ""
        self.present = Present(self.at)

    def day(self, at: datetime) -> date:
        """The store day of an instant."""
        return store_day(at, self.store.zone)

    def bad_instant(self, at: datetime | None, what: str) -> str:
        """Why an instant cannot be right; empty when it can."""
        return self.present.bad_instant(at, what)


def fingerprint(*parts: Any) -> str:
    """32 characters that change when anything of a record changes.

    Plain values in tuples and lists are hashed several times as fast as records and instants.
    """
    try:
        # Version 2 writes equal values equally, whether or not they are one object.
        written = marshal.dumps(parts, 2)
    except ValueError:
        written = repr(parts).encode("utf-8", "surrogatepass")
    return blake2b(written, digest_size=16).hexdigest()


def clip(text: str | None, length: int = KEY_LENGTH) -> str | None:
    """A describing text no longer than its column; the blank is unknown."""
    if text is None:
        return None
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.strip()[:length] or None


# For what comes again and again, such as the names and codes of what is sold.
clip_often = lru_cache(maxsize=65_536)(clip)


def country_code(code: str | None) -> str | None:
    """A country of two letters; anything else is unknown."""
    return code.upper() if code and len(code) == 2 and code.isalpha() else None


def bad_key(external_id: str, what: str) -> str:
    """Why a source's key cannot serve; empty when it can."""
    if not external_id:
        return f"The {what} has no key of its own."
    if len(external_id) > KEY_LENGTH:
        return f"The key of the {what} is longer than {KEY_LENGTH} characters."
    return ""


def rounds(records: Sequence[T], key: Callable[[T], Hashable]) -> list[list[tuple[int, T]]]:
    """Split records, with their positions, so that no key comes twice in a round; order is kept."""
    split: list[list[tuple[int, T]]] = [[]]
    seen: set[Hashable] = set()
    for position, record in enumerate(records):
        known = key(record)
        if known in seen:
            split.append([])
            seen = set()
        seen.add(known)
        split[-1].append((position, record))
    return split
