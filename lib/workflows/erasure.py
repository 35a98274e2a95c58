"""Erase a person, as privacy law asks: say beforehand what goes and what stays, then do it, and log that it was done.

The log names nobody: it says which customer's key, and how many rows. What is outside the database is cleaned by
``lib.jobs.erasure``, which is what screens and commands call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from lib.db import audit
from lib.db.erase import Gone, erase, left_of
from lib.db.person import Person, find, find_by_email, parts, rows_of
from lib.db.tables.customers import customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.tickets import tickets
from lib.errors import InvalidInput
from lib.money import format_money
from lib.staff import May, Staff

# What people call the rows that are emptied or removed: one, and several.
_GOES = {
    "customers": ("Name, e-mail address, telephone and place", ""),
    "addresses": ("postal address", "postal addresses"),
    "customer_identities": ("key of a shop or address", "keys of shops and addresses"),
    "consents": ("consent", "consents"),
    "customer_notes": ("note by staff", "notes by staff"),
    "orders": ("order's note, tags and town", "orders' notes, tags and towns"),
    "shipments": ("tracking number", "tracking numbers"),
    "shipment_events": ("place and message of a parcel's way", "places and messages of parcels' ways"),
    "refunds": ("reason of a refund", "reasons of refunds"),
    "returns": ("comment on a return", "comments on returns"),
    "reviews": ("review's words and name", "reviews' words and names"),
    "review_replies": ("reply to a review", "replies to reviews"),
    "review_shares": ("text made of a review", "texts made of reviews"),
    "tickets": ("ticket's subject and sender", "tickets' subjects and senders"),
    "ticket_messages": ("message", "messages"),
    "attachments": ("file that came with a message", "files that came with messages"),
    "received_mails": ("hash of a sender", "hashes of senders"),
    "survey_answers": ("comment in a survey", "comments in surveys"),
    "questions": ("question", "questions"),
    "answers": ("answer to a question", "answers to questions"),
    "drafts": ("draft", "drafts"),
    "work_items": ("outcome that staff wrote down", "outcomes that staff wrote down"),
    "outbox_messages": ("mail or webhook, its address and words", "mails and webhooks, their addresses and words"),
    "person_keys": ("key that opens what the log sealed", "keys that open what the log sealed"),
}
_STAYS = {
    "reviews": ("review's stars and day", "reviews' stars and days"),
    "tickets": ("ticket's times and channel", "tickets' times and channels"),
    "returns": ("return's goods and amounts", "returns' goods and amounts"),
    "refunds": ("refund's amounts", "refunds' amounts"),
    "carts": ("cart's goods and value", "carts' goods and values"),
    "survey_answers": ("score in a survey", "scores in surveys"),
    "loyalty_entries": ("entry of points", "entries of points"),
    "offer_assignments": ("assignment to an offer", "assignments to offers"),
}
ALSO_GOES = (
    "Rows that imports put aside and notes of the store that name the person",
    "Uploads and lists of people that wait in Encore, the error log, and all older copies of the figures",
    "What the log sealed about the person can be read by nobody any more",
)
ALSO_STAYS = (
    "The log still says who did what and when, without the person's words",
    "Backups hold the person until you delete them; restoring one erases again",
    "Your shop, mail server and other tools keep their own data: erase the person there too",
    "Imports store what comes again as an unknown customer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What an erasure would do: lines for people. ``rows``: per table how many rows would lose something."""

    person: Person
    called: str
    to_confirm: str
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: Mapping[str, int]


def look_up(conn: Connection, by: Staff, who: str) -> Person:
    """The person of an e-mail address or of a customer's key.

    Raises:
        NotAllowed: the role may neither erase nor export people.
        InvalidInput: nobody is known by it.
    """
    by.must(May.EXPORT_PEOPLE)
    wanted = who.strip()
    if wanted.isascii() and wanted.isdigit():
        person = find(conn, int(wanted)) if len(wanted) < 19 else None
    else:
        person = find_by_email(conn, wanted)
    if person is None:
        raise InvalidInput("Nobody is known by that. Give the whole e-mail address, or the number of the customer.")
    return person


def foresee(conn: Connection, by: Staff, person: Person) -> Foreseen:
    """Say what would go and what would stay; nothing is written.

    Raises:
        NotAllowed: only an owner may erase people.
    """
    by.must(May.ERASE_PEOPLE)
    rows = rows_of(conn, person)
    left = left_of(conn, rows)
    return Foreseen(
        person=person,
        called=_called(conn, person),
        to_confirm=to_confirm(person),
        goes=(*_lines(_GOES, left), *ALSO_GOES),
        stays=(
            *_orders(conn, rows["orders"]),
            *_lines(_STAYS, {name: len(keys) for name, keys in rows.items()}),
            *ALSO_STAYS,
        ),
        warnings=_warnings(conn, rows),
        rows=left,
    )


def to_confirm(person: Person) -> str:
    """What is to be typed before a person is erased: her address, else the customer's number."""
    if person.emails:
        return min(person.emails)
    return f"customer {person.customer_id}"


def erase_person(conn: Connection, by: Staff, person: Person, *, confirmed: str, at: datetime) -> Gone:
    """Erase a person from the order database; whoever has nothing left is left as is, without an entry in the log.

    Raises:
        NotAllowed: only an owner may erase people.
        InvalidInput: what was typed to confirm is something else; nothing was erased.
    """
    by.must(May.ERASE_PEOPLE)
    # An address that is copied from the screen brings a sign that nobody sees, which keeps it from being a link.
    typed = "".join(sign for sign in confirmed if sign.isprintable())
    if " ".join(typed.split()).casefold() != to_confirm(person):
        raise InvalidInput(f"To erase this person, type exactly: {to_confirm(person)}")
    gone = erase(conn, person, at=at)
    if gone.rows or gone.words:
        subject = f"customer:{person.customer_id}" if person.customer_id is not None else "person:without purchase"
        after = {"rows": dict(gone.rows), "words of others": gone.words}
        audit.record(conn, by, "person.erased", subject, at=at, after=after, about=person.customer_id)
    return gone


def _called(conn: Connection, person: Person) -> str:
    name = None
    if person.customer_id is not None:
        name = conn.scalar(select(customers.c.name).where(customers.c.customer_id == person.customer_id))
    who = name or (min(person.emails) if person.emails else f"Customer {person.customer_id}")
    return str(who)


def _lines(words: Mapping[str, tuple[str, str]], counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(
        words[name][0] if name == "customers" else f"{n:,} {words[name][n != 1]}"
        for name in words
        if (n := counts.get(name, 0))
    )


def _orders(conn: Connection, keys: Sequence[int]) -> tuple[str, ...]:
    count, total, currency = 0, 0, ""
    for some in parts(keys):
        row = conn.execute(
            select(func.count(), func.sum(orders.c.total_minor), func.max(orders.c.currency)).where(
                orders.c.order_id.in_(some)
            )
        ).one()
        count, total, currency = count + row[0], total + int(row[1] or 0), row[2] or currency
    if not count:
        return ()
    each = "order" if count == 1 else "orders"
    return (f"{count:,} {each} worth {format_money(total, currency)}, with number, country, goods and days",)


def _warnings(conn: Connection, rows: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
    """What somebody may want to finish first."""
    found = []
    is_open = sum(
        conn.scalar(
            select(func.count()).select_from(tickets).where(tickets.c.ticket_id.in_(some), tickets.c.status == "open")
        )
        or 0
        for some in parts(rows["tickets"])
    )
    if is_open:
        found.append(f"{is_open:,} ticket{' is' if is_open == 1 else 's are'} open: nobody can answer afterwards.")
    row = outbox_messages.c
    waits = sum(
        conn.scalar(
            select(func.count())
            .select_from(outbox_messages)
            .where(row.outbox_message_id.in_(some), row.status.in_(("queued", "sending")))
        )
        or 0
        for some in parts(rows["outbox_messages"])
    )
    if waits:
        found.append(f"{waits:,} message{'' if waits == 1 else 's'} to this person will not be sent.")
    return tuple(found)
