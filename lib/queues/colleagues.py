"""Who works here and can be given work."""

from sqlalchemy import Connection, select

from lib.db.tables.staff import staff


def colleagues(connection: Connection) -> dict[int, str]:
    """Everyone at work, by key, in the order of their names; two of one name are told apart by their address."""
    rows = connection.execute(
        select(staff.c.staff_id, staff.c.name, staff.c.email).where(staff.c.is_active).order_by(staff.c.name)
    ).all()
    names = [row.name for row in rows]
    return {row.staff_id: f"{row.name} ({row.email})" if names.count(row.name) > 1 else row.name for row in rows}


def names_of(connection: Connection) -> dict[int, str]:
    """Everyone who works here or did, by key."""
    return {row.staff_id: row.name for row in connection.execute(select(staff.c.staff_id, staff.c.name))}
