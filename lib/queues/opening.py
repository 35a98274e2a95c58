"""When the store is open, as its row holds it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from lib.db.service import hours_of
from lib.db.tables.store import store


@dataclass(frozen=True, slots=True)
class Opening:
    """The store's week, Monday first, null for closed; ``version`` is that of the store's row."""

    week: tuple[tuple[str, str] | None, ...]
    version: int


def opening_of(connection: Connection) -> Opening | None:
    """When the store is open; null while there is no store."""
    row = connection.execute(select(store.c.business_hours, store.c.version)).first()
    return Opening(hours_of(ZoneInfo("UTC"), row.business_hours).week, row.version) if row else None
