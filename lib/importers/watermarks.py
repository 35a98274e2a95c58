"""How far each SELECT of a SQL source was read, kept so that the next run reads only what is new."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from lib.db.tables.columns import now
from lib.db.tables.store import watermarks


def read_watermarks(connection: Connection, place: str) -> dict[str, str]:
    """The watermarks (section → value) of a mapping at a database; empty before its first run."""
    found = connection.execute(
        select(watermarks.c.query, watermarks.c.value).where(watermarks.c.mapping == place[:400])
    )
    return {str(query): str(value) for query, value in found}


def keep_watermarks(connection: Connection, place: str, values: Mapping[str, str]) -> None:
    """Replace the watermarks of a mapping at a database. Only for what is stored: what is below is not read again."""
    connection.execute(delete(watermarks).where(watermarks.c.mapping == place[:400]))
    if values:
        connection.execute(
            insert(watermarks),
            [
                {"mapping": place[:400], "query": query, "value": value, "updated_at": now()}
                for query, value in values.items()
            ],
        )
