"""What names a person in a free text, and where it does: rows put aside, notes of the store, words of others."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from lib.db.identities import EMAIL
from lib.db.person import Person, parts
from lib.db.personal import Fate, columns_of
from lib.db.tables.customers import addresses, customers
from lib.db.tables.reviews import reviews
from lib.db.tables.tickets import tickets

_NO_WORD = re.compile(r"[\W_]+")
_NUMBERS = re.compile(r"\+?\d[\d ()/.\-]{5,}\d")
_BATCH = 2_000
# What stands where words must stand.
ERASED = "(erased)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What names a person in a free text: addresses, telephones, streets, whole names, and keys of a source."""

    emails: frozenset[str]
    phones: frozenset[str]
    streets: frozenset[str]
    names: frozenset[tuple[str, ...]]
    keys: frozenset[tuple[str, str]]


def signs_of(connection: Connection, person: Person, rows: Mapping[str, list[int]]) -> Signs:
    """What names the person in free texts, as her rows say; read before they are emptied."""
    names: set[str | None] = set()
    phones: set[str | None] = set()
    streets: set[str | None] = set()
    for table, columns, into in (
        (customers, ("name",), names),
        (customers, ("phone",), phones),
        (addresses, ("name",), names),
        (addresses, ("phone",), phones),
        (addresses, ("street",), streets),
        (reviews, ("reviewer_name",), names),
        (tickets, ("requester_name",), names),
    ):
        (key,) = table.primary_key.columns
        for some in parts(rows[table.name]):
            for name in columns:
                into.update(connection.scalars(select(table.c[name]).where(key.in_(some)).distinct()))
    return Signs(
        emails=person.emails,
        phones=frozenset(digits for text in phones if len(digits := _digits(text or "")) >= 7),
        streets=frozenset(text.casefold().strip() for text in streets if text and len(text.strip()) >= 6),
        names=frozenset(words for text in names if len(words := words_of(text or "")) > 1),
        keys=frozenset((source, key) for source, key in person.keys if source != EMAIL and len(key) >= 4),
    )


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, for comparing.

    >>> words_of("O'Hara,  Žofie")
    ('o', 'hara', 'žofie')
    """
    return tuple(word for word in _NO_WORD.split(text.casefold()) if word)


def _digits(text: str) -> str:
    """The last nine digits of a telephone number: however it is written, with or without a country.

    >>> _digits("+49 (0)30 / 123 456-78")
    '012345678'
    """
    return "".join(sign for sign in text if sign.isdigit())[-9:]


def is_named(signs: Signs, text: str, *, source: str = "", also_by_name: bool = True) -> bool:
    """Whether a free text names the person.

    Args:
        source: whose keys the text may hold.
        also_by_name: whether her name suffices: where things are sold under names, it does not.
    """
    told = text.casefold()
    if any(email in told for email in signs.emails):
        return True
    if signs.phones and any(_digits(number) in signs.phones for number in _NUMBERS.findall(text)):
        return True
    if not also_by_name:
        return False
    if any(street in told for street in signs.streets):
        return True
    words = set(words_of(text))
    if any(words.issuperset(name) for name in signs.names):
        return True
    return any(of == source and set(words_of(key)) <= words for of, key in signs.keys)


def blot_out(text: str, emails: Iterable[str], instead: str) -> str:
    """The text without the addresses.

    >>> blot_out("Write to Ann@Example.com!", ["ann@example.com"], "…")
    'Write to …!'
    """
    for email in emails:
        text = re.sub(re.escape(email), instead, text, flags=re.IGNORECASE)
    return text


def naming(connection: Connection, table: Table, signs: Signs) -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """Rows of a table, whoever's, of which a text about anything names the person: the row, and the columns that do."""
    (key,) = table.primary_key.columns
    columns = columns_of(table, Fate.ANYTHING)
    last = 0
    while True:
        told = select(table).where(key > last).order_by(key).limit(_BATCH)
        rows = connection.execute(told).mappings().all()
        if not rows:
            return
        last = rows[-1][key.name]
        for row in rows:
            source = row.get("source") or ""
            said = {c.name: row[c.name] if isinstance(row[c.name], str) else _written(row[c.name]) for c in columns}
            hers = {name for name, words in said.items() if words and is_named(signs, words, source=source)}
            if hers:
                yield {str(name): row[name] for name in row}, hers


def _written(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def without(signs: Signs, value: Any) -> Any:
    """A JSON value without what names the person: such keys of it go, such texts are blotted out."""
    if isinstance(value, dict):
        return {key: without(signs, each) for key, each in value.items() if not is_named(signs, key)}
    if isinstance(value, list):
        return [without(signs, each) for each in value]
    return ERASED if isinstance(value, str) and is_named(signs, value) else value
