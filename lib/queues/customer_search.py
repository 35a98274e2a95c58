"""Find a person by the beginning of a name, of a surname, of an e-mail address, or of an order's number."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from lib.db.identities import normalise_email
from lib.db.tables.customers import customer_identities, customers
from lib.db.tables.orders import orders
from lib.db.tables.search import after_first_word, begins, folded

# So many are shown; a longer word finds fewer.
MOST_FOUND = 20
# Words longer than any name.
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who was found; ``order`` is the number that was found, empty where a name or an address was."""

    customer_id: int
    name: str
    email: str
    city: str
    country: str
    is_erased: bool
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPeople:
    """People who fit, the surest first; ``of_nobody``: numbers of orders that no known customer placed."""

    people: tuple[Person, ...]
    is_cut: bool
    of_nobody: tuple[str, ...]


def find_people(connection: Connection, words: str, *, by_order_alone: bool = False) -> FoundPeople:
    """People who fit what was typed; nothing typed finds nobody.

    Args:
        by_order_alone: for those who may not see names: a name that can be tried letter by letter is no secret.
    """
    asked = " ".join(words.replace("\x00", "").split())[:_LONGEST]
    if not asked:
        return FoundPeople(people=(), is_cut=False, of_nobody=())
    found: dict[int, Person] = {}
    of_nobody: list[str] = []
    for statement in _questions(connection, asked, by_order_alone):
        for row in connection.execute(statement.limit(MOST_FOUND + 1)):
            if row.customer_id is None:
                of_nobody.append(row.number)
            else:
                found.setdefault(row.customer_id, _person(row))
        if len(found) > MOST_FOUND:
            break
    people = tuple(found.values())
    return FoundPeople(
        people=people[:MOST_FOUND],
        is_cut=len(people) > MOST_FOUND,
        of_nobody=tuple(dict.fromkeys(of_nobody))[:MOST_FOUND],
    )


def _questions(connection: Connection, asked: str, by_order_alone: bool) -> list[Select[Any]]:
    """The surest first: a whole order number, a whole address, then beginnings."""
    numbers = list(dict.fromkeys((asked, f"#{asked}", asked.upper(), f"#{asked.upper()}", asked.removeprefix("#"))))
    by_number = _who(orders.c.number).select_from(orders.outerjoin(customers))
    whole = by_number.where(orders.c.number.in_(numbers)).order_by(orders.c.placed_at.desc())
    has_digit = any(sign.isdigit() for sign in asked)
    starts = [by_number.where(begins(connection, orders.c.number, number)) for number in numbers] if has_digit else []
    if by_order_alone:
        return [whole, *starts]
    address = normalise_email(asked) or asked.lower()
    identity = customer_identities.c
    by_address = (
        _who()
        .join(customer_identities, identity.customer_id == customers.c.customer_id)
        .where(identity.source == "email", identity.external_id == address)
    )
    by_name: list[Select[Any]] = []
    for what in (folded(customers.c.name), after_first_word(customers.c.name)):
        by_name += [_who().where(begins(connection, what, one)) for one in _spellings(asked)]
    by_email = _who().where(begins(connection, customers.c.email_normalised, address))
    return [whole, by_address, by_email, *by_name, *starts]


def _who(number: ColumnElement[Any] | None = None) -> Select[Any]:
    person = customers.c
    named = [] if number is None else [number]
    return select(person.customer_id, person.name, person.email, person.city, person.country, person.erased_at, *named)


def _person(row: Any) -> Person:
    return Person(
        customer_id=row.customer_id,
        name=row.name or "",
        email=row.email or "",
        city=row.city or "",
        country=row.country or "",
        is_erased=row.erased_at is not None,
        order=getattr(row, "number", ""),
    )


def _spellings(asked: str) -> list[str]:
    """How a name may be written in the index: SQLite folds the plain Latin letters alone, as some servers do."""
    ways = (asked, asked.lower(), asked.title(), asked.upper())
    plain = ["".join(sign.lower() if sign.isascii() else sign for sign in way) for way in ways]
    return list(dict.fromkeys([*plain, asked.lower()]))
