"""One person as the order database knows her, and every row that is hers.

Asked by whoever erases or hands out all of a person, so that both reach the same rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, false, func, select

from lib.db.identities import EMAIL, normalise_email
from lib.db.tables.all import metadata
from lib.db.tables.customers import customer_identities, customers
from lib.db.tables.mail import received_mails
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.tickets import ticket_messages, tickets

# So many keys are asked for at once.
AT_ONCE = 5_000
# Rows that name a customer in ``customer_id``; those that name an order too are the order's customer's without one.
_OF_CUSTOMER = (
    "addresses",
    "carts",
    "consents",
    "contact_events",
    "customer_identities",
    "customer_notes",
    "customers",
    "loyalty_members",
    "offer_assignments",
    "orders",
    "person_keys",
    "questions",
    "refunds",
    "returns",
    "reviews",
    "survey_answers",
)
# Rows that belong to a row of another table.
_OF_PARENT = {
    "order_items": "orders",
    "discounts_used": "orders",
    "shipments": "orders",
    "shipment_events": "shipments",
    "refund_items": "refunds",
    "return_items": "returns",
    "cart_items": "carts",
    "loyalty_entries": "loyalty_members",
    "review_replies": "reviews",
    "review_shares": "reviews",
    "attachments": "ticket_messages",
    "answers": "questions",
}
# What staff keep beside a piece of work, by the kind of work.
_OF_WORK = ("drafts", "work_items", "work_locks")
_WORK = {
    "review": "reviews",
    "ticket": "tickets",
    "shipment": "shipments",
    "order": "orders",
    "return": "returns",
    "question": "questions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer, or (without a key) an address that wrote and never bought.

    ``emails`` are normalised; ``keys`` are the pairs of source and key she is known by.
    """

    customer_id: int | None
    emails: frozenset[str]
    keys: frozenset[tuple[str, str]] = frozenset()
    erased_at: datetime | None = None
    # Only what an address wrote up to here; null: everything.
    until: datetime | None = None


def find(connection: Connection, customer_id: int) -> Person | None:
    """The customer of a key; null when there is none."""
    row = connection.execute(
        select(customers.c.email_normalised, customers.c.erased_at).where(customers.c.customer_id == customer_id)
    ).first()
    if row is None:
        return None
    identity = customer_identities.c
    keys = frozenset(
        (source, external_id)
        for source, external_id in connection.execute(
            select(identity.source, identity.external_id).where(identity.customer_id == customer_id)
        )
    )
    emails = {external_id for source, external_id in keys if source == EMAIL} | {row.email_normalised or ""} - {""}
    return Person(customer_id=customer_id, emails=frozenset(emails), keys=keys, erased_at=row.erased_at)


def find_by_email(connection: Connection, address: str) -> Person | None:
    """Whoever has an address: a customer, else somebody who only wrote; null when nobody is known by it."""
    email = normalise_email(address)
    if email is None:
        return None
    identity = customer_identities.c
    customer_id = connection.scalar(
        select(identity.customer_id).where(identity.source == EMAIL, identity.external_id == email)
    )
    if customer_id is None:
        customer_id = connection.scalar(
            select(customers.c.customer_id).where(customers.c.email_normalised == email).limit(1)
        )
    if customer_id is not None:
        return find(connection, customer_id)
    person = Person(customer_id=None, emails=frozenset({email}))
    return person if any(rows_of(connection, person).values()) else None


def rows_of(connection: Connection, person: Person) -> dict[str, list[int]]:
    """Per table the keys of the rows that are the person's; a table without any is there with an empty list."""
    found: dict[str, list[int]] = {name: [] for name in metadata.tables}
    if person.customer_id is not None:
        found["orders"] = _keys(connection, orders, orders.c.customer_id == person.customer_id)
        for name in _OF_CUSTOMER:
            if name != "orders":
                found[name] = _hers(connection, metadata.tables[name], person.customer_id, found["orders"])
    found["tickets"] = _tickets(connection, person, found)
    found["ticket_messages"] = _messages(connection, person, found["tickets"])
    for name, parent in _OF_PARENT.items():
        table = metadata.tables[name]
        (key,) = metadata.tables[parent].primary_key.columns
        found[name] = _among(connection, table, table.c[key.name], found[parent])
    for name in _OF_WORK:
        table = metadata.tables[name]
        for subject, home in _WORK.items():
            found[name] += _among(connection, table, table.c.subject_id, found[home], table.c.subject == subject)
    found["outbox_messages"] = _outbox(connection, person, found)
    found["received_mails"] = _among(
        connection, received_mails, received_mails.c.ticket_message_id, found["ticket_messages"]
    )
    return {name: sorted(set(keys)) for name, keys in found.items()}


def _hers(connection: Connection, table: Table, customer_id: int, order_ids: list[int]) -> list[int]:
    found = _keys(connection, table, table.c.customer_id == customer_id)
    if "order_id" in table.c and table.c.customer_id.nullable:
        # What somebody else wrote about her order stays that one's.
        found += _among(connection, table, table.c.order_id, order_ids, table.c.customer_id.is_(None))
    return found


def _tickets(connection: Connection, person: Person, found: dict[str, list[int]]) -> list[int]:
    ticket = tickets.c
    nobodys = ticket.customer_id.is_(None)
    keys = _keys(
        connection, tickets, nobodys, _is_one_of(ticket.requester_email, person.emails), _until(person, "opened_at")
    )
    if person.customer_id is not None:
        keys += _keys(connection, tickets, ticket.customer_id == person.customer_id)
        keys += _among(connection, tickets, ticket.order_id, found["orders"], nobodys)
        keys += _among(connection, tickets, ticket.review_id, found["reviews"], nobodys)
    return keys


def _messages(connection: Connection, person: Person, ticket_ids: list[int]) -> list[int]:
    """All of her tickets, the answers too, for those quote her; and what she wrote into tickets of others."""
    message = ticket_messages.c
    written = _keys(
        connection, ticket_messages, _is_one_of(message.from_email, person.emails), _until(person, "sent_at")
    )
    return written + _among(connection, ticket_messages, message.ticket_id, ticket_ids)


def _outbox(connection: Connection, person: Person, found: dict[str, list[int]]) -> list[int]:
    row = outbox_messages.c
    keys = _keys(connection, outbox_messages, _is_one_of(row.recipient, person.emails), _until(person, "queued_at"))
    if person.customer_id is not None:
        keys += _keys(connection, outbox_messages, row.customer_id == person.customer_id)
    for about, home in _WORK.items():
        keys += _among(connection, outbox_messages, row.about_id, found[home], row.about == about)
    return keys


def _until(person: Person, name: str) -> ColumnElement[bool]:
    if person.until is None:
        return and_(True)
    at = {"opened_at": tickets.c.opened_at, "sent_at": ticket_messages.c.sent_at}.get(name, outbox_messages.c.queued_at)
    return at <= person.until


def _is_one_of(column: Column[Any], emails: frozenset[str]) -> ColumnElement[bool]:
    return func.lower(func.trim(column)).in_(sorted(emails)) if emails else false()


def _keys(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> list[int]:
    (key,) = table.primary_key.columns
    return list(connection.scalars(select(key).where(*conditions)))


def _among(
    connection: Connection, table: Table, column: Column[Any], wanted: Sequence[int], *conditions: ColumnElement[bool]
) -> list[int]:
    return [key for some in parts(wanted) for key in _keys(connection, table, column.in_(some), *conditions)]


def parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    """The keys, as many at a time as one statement takes."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
