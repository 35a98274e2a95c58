"""Names and addresses of a batch of an audience's members, for a list or a file."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from lib.db.among import among
from lib.db.tables.customers import addresses, consents, customers

# Of several addresses of a person the first of these.
_KINDS = ("default", "shipping", "billing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a list or an audience file tells of a person; what is not known is empty.

    ``may_sms``: she agreed to text messages, so that her number may be handed on.
    """

    customer_id: int
    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    postal_code: str = ""
    language: str = ""
    may_sms: bool = False


def people_of(connection: Connection, customer_ids: Collection[int], *, with_address: bool = True) -> dict[int, Person]:
    """The persons of some customers; who was erased is absent."""
    person = customers.c
    rows = connection.execute(
        select(
            person.customer_id,
            person.name,
            person.email_normalised,
            person.phone,
            person.country,
            person.region,
            person.city,
            person.language,
        ).where(among(connection, person.customer_id, customer_ids), person.erased_at.is_(None))
    ).all()
    where: dict[int, tuple[str, str, str, str, str]] = {}
    text_ok: set[int] = set()
    if with_address:
        where = _addresses(connection, customer_ids)
        text_ok = set(
            connection.scalars(
                select(consents.c.customer_id).where(
                    among(connection, consents.c.customer_id, customer_ids),
                    consents.c.channel == "sms",
                    consents.c.state == "given",
                )
            )
        )
    found = {}
    for customer_id, name, email, phone, country, region, city, language in rows:
        home = where.get(customer_id, ("", "", "", "", ""))
        found[customer_id] = Person(
            customer_id=customer_id,
            name=name or "",
            email=email or "",
            phone=phone or home[4],
            country=country or home[0],
            region=region or home[1],
            city=city or home[2],
            postal_code=home[3],
            language=language or "",
            may_sms=customer_id in text_ok,
        )
    return found


def _addresses(connection: Connection, customer_ids: Collection[int]) -> dict[int, tuple[str, str, str, str, str]]:
    """Country, region, city, postal code and phone of one address of each."""
    home = addresses.c
    rows = connection.execute(
        select(home.customer_id, home.kind, home.country, home.region, home.city, home.postal_code, home.phone).where(
            among(connection, home.customer_id, customer_ids)
        )
    )
    found: dict[int, tuple[str, str, str, str, str]] = {}
    rank: dict[int, int] = {}
    for customer_id, kind, country, region, city, postal_code, phone in rows:
        place = _KINDS.index(kind)
        if place < rank.get(customer_id, len(_KINDS)):
            rank[customer_id] = place
            found[customer_id] = (country or "", region or "", city or "", postal_code or "", phone or "")
    return found
