"""What staff write down about a customer: a note, and its correction. Nothing written is ever lost."""

from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.customers import customer_notes, customers
from lib.db.tables.staff import staff
from lib.errors import Conflict, InvalidInput
from lib.staff import May, Staff
from lib.workflows.tickets import cleaned, key_of


def add_note(conn: Connection, by: Staff, customer_id: int, body: str, *, at: datetime) -> int:
    """Write something down about a customer; returns the note's key.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no words, too many, no such customer, or one who was erased.
    """
    by.must(May.WORK_QUEUE)
    by.must(May.SEE_PERSONAL_DATA)
    return _write(conn, by, customer_id, body, replaces=None, at=at)


def correct_note(conn: Connection, by: Staff, note_id: int, body: str, *, at: datetime) -> int:
    """Put other words in a note's place; the old ones stay readable. Returns the key of the new wording.

    ``note_id`` names the wording that was read: whoever corrects one that was corrected meanwhile is told.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no words, too many, the same words, or no such note.
        Conflict: somebody else corrected it first; says who.
    """
    by.must(May.WORK_QUEUE)
    by.must(May.SEE_PERSONAL_DATA)
    old = conn.execute(select(customer_notes).where(customer_notes.c.customer_note_id == note_id)).first()
    if old is None:
        raise InvalidInput("This note is not there any more.")
    if cleaned(body) == old.body:
        raise InvalidInput("These are the same words.")
    return _write(conn, by, old.customer_id, body, replaces=note_id, at=at)


def _write(conn: Connection, by: Staff, customer_id: int, body: str, *, replaces: int | None, at: datetime) -> int:
    words = cleaned(body)
    # Held until the end: an erasure that runs at the same time waits, and then takes this note too.
    row = conn.execute(
        select(customers.c.erased_at).where(customers.c.customer_id == customer_id).with_for_update()
    ).first()
    if row is None:
        raise InvalidInput("There is no such customer.")
    if row.erased_at is not None:
        raise InvalidInput("This person was erased: nothing more is kept about them.")
    if replaces is not None:
        _still_newest(conn, replaces)
    values = {"customer_id": customer_id, "staff_id": by.staff_id, "body": words, "written_at": at}
    try:
        with conn.begin_nested():
            key = key_of(conn.execute(insert(customer_notes).values(**values, replaces_id=replaces)))
    except IntegrityError as error:
        raise Conflict("Somebody else corrected this note just now. Look at it again.") from error
    audit.record(
        conn,
        by,
        "customer.noted" if replaces is None else "customer.note_corrected",
        f"customer:{customer_id}",
        at=at,
        before=None if replaces is None else {"note": replaces},
        after={"note": key},
        about=customer_id,
        personal={"body": words},
    )
    return key


def _still_newest(conn: Connection, note_id: int) -> None:
    newer = conn.execute(
        select(staff.c.name)
        .select_from(customer_notes.outerjoin(staff, staff.c.staff_id == customer_notes.c.staff_id))
        .where(customer_notes.c.replaces_id == note_id)
    ).first()
    if newer is not None:
        raise Conflict(f"{newer.name or 'Somebody else'} corrected this note first. Look at it again.")
