"""Erase a person everywhere: in the order database first, then in every copy that Encore keeps.

The erasure itself is one transaction, which notes that copies are still to be cleaned. Whoever refreshes next does
that too (``lib.jobs.refresh``), so a process that dies in between leaves nothing undone.
"""

from dataclasses import dataclass
from datetime import datetime

from lib.db.engine import order_database, writing
from lib.db.erase import Gone
from lib.db.person import Person
from lib.errors import EncoreError
from lib.jobs.refresh import refresh
from lib.settings import Settings
from lib.staff import Staff
from lib.workflows.erasure import erase_person

# An import or a refresh under way may take this long before the copies are cleaned.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done. ``left_to_do``: why copies are not cleaned yet, in words; empty when they are."""

    gone: Gone
    left_to_do: str = ""


def erase_everywhere(settings: Settings, by: Staff, person: Person, *, confirmed: str, at: datetime) -> Erased:
    """Erase a person; afterwards no file of Encore holds her.

    Raises:
        NotAllowed: only an owner may erase people.
        InvalidInput: what was typed to confirm is something else; nothing was erased.
    """
    with writing(order_database(settings)) as connection:
        gone = erase_person(connection, by, person, confirmed=confirmed, at=at)
    try:
        refresh(settings, wait_seconds=PATIENCE_SECONDS)
    except EncoreError as error:
        return Erased(gone=gone, left_to_do=str(error))
    return Erased(gone=gone)
