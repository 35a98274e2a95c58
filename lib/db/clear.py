"""Empty the order database of everything that belongs to a shop."""

from sqlalchemy import Connection

from lib.db.tables import all as every_table

# What stays: the people who work here and what they did, and the marks that tell the mart what is gone.
KEPT = frozenset({"staff", "sessions", "audit_log", "deleted_rows", "refresh_locks", "suppressions"})


def clear_store(connection: Connection) -> int:
    """Delete every row of the shop, in the current transaction; returns how many.

    Row by row, so that the triggers leave a tombstone for each and a refresh learns of it.
    """
    gone = 0
    for table in reversed(every_table.metadata.sorted_tables):
        if table.name not in KEPT:
            gone += connection.execute(table.delete()).rowcount
    return gone
