"""Whether anything leaves the house: off until an owner turns it on."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from lib.db.tables.store import store


def sending_since(connection: Connection) -> datetime | None:
    """Since when messages may leave; null while nothing does, and always in the demo store."""
    row = connection.execute(select(store.c.sending_since, store.c.is_demo)).first()
    return None if row is None or row.is_demo else row.sending_since


def set_sending(connection: Connection, since: datetime | None) -> bool:
    """Turn sending on or off; false when it was so already or there is no store yet."""
    changed = connection.execute(
        update(store)
        .where(store.c.sending_since.is_(None) if since else store.c.sending_since.is_not(None))
        .values(sending_since=since, version=store.c.version + 1)
    )
    return changed.rowcount == 1
