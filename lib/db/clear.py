"""Empty the order database of everything that belongs to a shop."""

from sqlalchemy import Connection

from lib.db.tables import all as every_table

# The people who work here, what they did and how they work: theirs, whatever shop is in the database.
PEOPLE_AND_DESK = frozenset(
    {
        "audit_log",
        "erasures",
        "refresh_locks",
        "sessions",
        "sign_in_attempts",
        "staff",
        "staff_links",
        "suppressions",
        "targets",
        "template_versions",
        "templates",
    }
)
# What stays: these, and the marks that tell the mart what is gone.
KEPT = PEOPLE_AND_DESK | {"deleted_rows"}


def clear_store(connection: Connection) -> int:
    """Delete every row of the shop, in the current transaction; returns how many.

    Row by row, so that the triggers leave a tombstone for each and a refresh learns of it.
    """
    gone = 0
    for table in reversed(every_table.metadata.sorted_tables):
        if table.name not in KEPT:
            gone += connection.execute(table.delete()).rowcount
    return gone
