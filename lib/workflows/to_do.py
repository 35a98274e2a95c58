"""What staff do to an item of the list for the day: all of its pieces at once, or none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from lib.errors import InvalidInput
from lib.staff import May, Staff
from lib.workflows import desk
from lib.workflows.customers import add_note
from lib.workflows.tickets import cleaned

# A subject, its key and its version as the list showed it.
Piece = tuple[str, int, int]
OUTCOMES = ("Solved", "Customer told", "Money came in", "Order cancelled", "Refunded", "Nothing to do")


def give(conn: Connection, by: Staff, pieces: Sequence[Piece], owner_id: int | None, *, at: datetime) -> None:
    """Give all of it to somebody, or to nobody.

    Raises:
        NotAllowed: the role may not.
        Conflict: somebody changed a piece since; nothing was given.
        InvalidInput: there is no such person at work.
    """
    by.must(May.WORK_QUEUE)
    for subject, key, version in sorted(pieces):
        desk.assign(conn, by, subject, key, owner_id, version=version, at=at)


def put_off(conn: Connection, by: Staff, pieces: Sequence[Piece], until: datetime | None, *, at: datetime) -> None:
    """Put all of it off until a moment; null brings it back at once.

    Raises:
        NotAllowed: the role may not.
        Conflict: somebody changed a piece since; nothing was put off.
        InvalidInput: the moment is past.
    """
    by.must(May.WORK_QUEUE)
    for subject, key, version in sorted(pieces):
        desk.snooze(conn, by, subject, key, until, version=version, at=at)


def finish(
    conn: Connection,
    by: Staff,
    pieces: Sequence[Piece],
    outcome: str,
    words: str = "",
    *,
    customer_id: int | None,
    at: datetime,
) -> None:
    """Say how it ended, for all of it; words go to the customer's notes, since they may be about her.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no such outcome, nothing to finish, a ticket among it (those are answered or closed), or words
            about a customer whom nobody knows.
        Conflict: somebody changed a piece since; nothing was finished.
    """
    by.must(May.WORK_QUEUE)
    if outcome not in OUTCOMES:
        raise InvalidInput("Choose how it ended.")
    if not pieces:
        raise InvalidInput("There is nothing to finish here.")
    if any(subject == "ticket" for subject, _, _ in pieces):
        raise InvalidInput("A ticket is answered or closed under Tickets; finish the rest here.")
    note = cleaned(words) if words.strip() else ""
    if note and customer_id is None:
        raise InvalidInput("Nobody knows which customer this is, so there is nobody to keep words about.")
    for subject, key, version in sorted(pieces):
        desk.finish(conn, by, subject, key, version=version, at=at, outcome=outcome)
    if note and customer_id is not None:
        add_note(conn, by, customer_id, note, at=at)
