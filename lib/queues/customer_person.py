"""Who a customer is, what she agreed to, and what staff wrote down about her."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from lib.db.tables.customers import consents, customer_identities, customer_notes, customers
from lib.db.tables.staff import staff

# So many notes are shown; older ones stay on record.
MOST_NOTES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What she said to being written to on a channel: given, withdrawn or never."""

    channel: str
    state: str
    stated_at: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A customer as the shop knows her. ``emails``: every address she is known by, the present one first."""

    customer_id: int
    name: str
    emails: tuple[str, ...]
    phone: str
    city: str
    country: str
    language: str
    registered_at: datetime | None
    is_guest: bool
    is_test: bool
    tags: str
    note: str
    erased_at: datetime | None
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote about a customer; ``before`` are its earlier wordings, newest first."""

    note_id: int
    body: str
    author: str
    written_at: datetime
    before: tuple["Note", ...] = ()


def read_person(connection: Connection, customer_id: int) -> Whole | None:
    """Read who a customer is; null when there is no such customer."""
    row = connection.execute(select(customers).where(customers.c.customer_id == customer_id)).first()
    if row is None:
        return None
    identity = customer_identities.c
    known = connection.scalars(
        select(identity.external_id)
        .where(identity.customer_id == customer_id, identity.source == "email")
        .order_by(identity.customer_identity_id)
    )
    emails = dict.fromkeys([row.email] if row.email else [])
    emails |= dict.fromkeys(other for other in known if other != row.email_normalised)
    agreed = connection.execute(
        select(consents).where(consents.c.customer_id == customer_id).order_by(consents.c.channel)
    )
    return Whole(
        customer_id=customer_id,
        name=row.name or "",
        emails=tuple(emails),
        phone=row.phone or "",
        city=row.city or "",
        country=row.country or "",
        language=row.language or "",
        registered_at=row.registered_at,
        is_guest=row.is_guest,
        is_test=row.is_test,
        tags=row.tags or "",
        note=row.note or "",
        erased_at=row.erased_at,
        consents=tuple(
            Consent(channel=one.channel, state=one.state, stated_at=one.stated_at, source=one.source) for one in agreed
        ),
    )


def names(connection: Connection, keys: Sequence[int]) -> dict[int, str]:
    """What some customers are called, by key; those without a name, and the erased, are not in it."""
    asked = select(customers.c.customer_id, customers.c.name).where(
        customers.c.customer_id.in_(keys), customers.c.name.is_not(None)
    )
    return {row.customer_id: row.name for row in connection.execute(asked)}


def read_notes(connection: Connection, customer_id: int) -> tuple[Note, ...]:
    """The notes about a customer, newest first, each with its earlier wordings."""
    note = customer_notes.c
    rows = connection.execute(
        select(note.customer_note_id, note.body, note.written_at, note.replaces_id, staff.c.name)
        .outerjoin(staff, staff.c.staff_id == note.staff_id)
        .where(note.customer_id == customer_id)
        .order_by(note.customer_note_id.desc())
        .limit(MOST_NOTES)
    ).all()
    read = {
        row.customer_note_id: Note(
            note_id=row.customer_note_id, body=row.body, author=row.name or "", written_at=row.written_at
        )
        for row in rows
    }
    replaced = {row.customer_note_id: row.replaces_id for row in rows if row.replaces_id is not None}

    def earlier(key: int) -> tuple[Note, ...]:
        found: list[Note] = []
        while (key := replaced.get(key, 0)) in read:
            found.append(read[key])
        return tuple(found)

    return tuple(
        Note(note_id=key, body=one.body, author=one.author, written_at=one.written_at, before=earlier(key))
        for key, one in read.items()
        if key not in set(replaced.values())
    )
